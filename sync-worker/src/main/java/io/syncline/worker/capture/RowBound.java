package io.syncline.worker.capture;

import io.syncline.worker.capture.encode.JsonBytes;
import io.syncline.worker.capture.encode.RowTooLargeException;
import io.syncline.worker.capture.encode.TextRow;
import io.syncline.worker.capture.encode.UnencodableValueException;
import org.jspecify.annotations.Nullable;

/** How large a row may be: one that is larger is refused before more memory is spent on it than that. */
final class RowBound {

    /** A backslash in an array of json is two in the array's text and four in COPY's; nothing shrinks more in a row's JSON. */
    private static final int MOST_COPY_BYTES_FOR_ONE = 4;

    private static final int MOST_CHARACTERS_FOR_ONE = 2;

    private final int mostBytes;

    /** @param mostBytes of a row's wire JSON */
    RowBound(int mostBytes) {
        this.mostBytes = mostBytes;
    }

    /** For the JSON of rows. */
    JsonBytes buffer() {
        return new JsonBytes(mostBytes);
    }

    /** Refuses a line of COPY that cannot be a row within the bound. */
    void verifyCopied(int bytes) {
        if (bytes > (long) MOST_COPY_BYTES_FOR_ONE * mostBytes) {
            throw new RowTooLargeException("a row", mostBytes);
        }
    }

    /** Refuses the texts of a row that cannot be one within the bound. */
    void verifyStreamed(long characters) {
        if (characters > (long) MOST_CHARACTERS_FOR_ONE * mostBytes) {
            throw new RowTooLargeException("a row", mostBytes);
        }
    }

    /** A row's wire JSON. */
    byte[] json(SourceTable table, TextRow row, byte @Nullable [] key, JsonBytes buffer) {
        try {
            return table.encoder().row(row, buffer);
        } catch (RowTooLargeException e) {
            throw key == null ? e : new RowTooLargeException("the row with key " + MissingValues.text(key), mostBytes);
        }
    }

    /** What it means for a table that its row did not fit into memory: it is that table's row that is too large. */
    static UnencodableValueException beyondMemory(OutOfMemoryError error) {
        return new UnencodableValueException(
                "a row did not fit into this worker's memory (" + error.getMessage() + ")",
                "give the worker more memory (-Xmx), or lower syncline.capture.max-row-bytes");
    }
}
