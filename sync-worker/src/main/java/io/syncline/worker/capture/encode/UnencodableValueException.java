package io.syncline.worker.capture.encode;

/** A value whose text is not what its column's type promises: the table cannot be brought as it is. */
public final class UnencodableValueException extends RuntimeException {

    private final String cause;

    public UnencodableValueException(String cause) {
        super(cause, null, false, false);
        this.cause = cause;
    }

    /** What is wrong, in words for the operator. */
    public String cause() {
        return cause;
    }

    UnencodableValueException in(String column) {
        return new UnencodableValueException("column \"" + column + "\": " + cause);
    }
}
