package io.syncline.worker.capture.encode;

/** A value whose text is not what its column's type promises, or too large: the table cannot be brought as it is. */
public sealed class UnencodableValueException extends RuntimeException permits RowTooLargeException {

    private final String cause;
    private final String remedy;

    public UnencodableValueException(String cause) {
        this(cause, "change the value or the column in the source");
    }

    public UnencodableValueException(String cause, String remedy) {
        super(cause, null, false, false);
        this.cause = cause;
        this.remedy = remedy;
    }

    /** What is wrong, in words for the operator. */
    public String cause() {
        return cause;
    }

    /** What helps. */
    public String remedy() {
        return remedy;
    }

    UnencodableValueException in(String column) {
        return new UnencodableValueException("column \"" + column + "\": " + cause, remedy);
    }
}
