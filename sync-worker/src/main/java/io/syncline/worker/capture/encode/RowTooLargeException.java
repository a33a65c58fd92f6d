package io.syncline.worker.capture.encode;

/** A row's JSON would be longer than its buffer may become. */
public final class RowTooLargeException extends UnencodableValueException {

    private static final String REMEDY = "make the value in the source smaller, or raise syncline.capture.max-row-bytes";

    public RowTooLargeException(String row, int mostBytes) {
        super(row + " is larger than syncline.capture.max-row-bytes (" + mostBytes + " bytes as JSON)", REMEDY);
    }
}
