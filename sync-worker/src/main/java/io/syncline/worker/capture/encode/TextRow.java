package io.syncline.worker.capture.encode;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A row as PostgreSQL's own text: for each column what the type's output function gives, in UTF-8. One per thread, used again
 * for each row.
 */
public final class TextRow {

    private static final int NULL = -1;
    private static final int MISSING = -2;

    private final int[] from;
    private final int[] to;
    private byte[] bytes = new byte[1024];
    private byte[] own = bytes;
    private int length;

    public TextRow(int columns) {
        from = new int[columns];
        to = new int[columns];
        reset();
    }

    public int columns() {
        return from.length;
    }

    /** No column has a value. */
    public void reset() {
        Arrays.fill(from, MISSING);
        bytes = own;
        length = 0;
    }

    public void set(int column, String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        set(column, utf8, 0, utf8.length);
    }

    public void set(int column, byte[] text, int start, int end) {
        int count = end - start;
        room(count);
        System.arraycopy(text, start, bytes, length, count);
        from[column] = length;
        length += count;
        to[column] = length;
    }

    public void setNull(int column) {
        from[column] = NULL;
    }

    /** Whether the row came without this column: an untouched TOASTed value, or a generated column. */
    public boolean isMissing(int column) {
        return from[column] == MISSING;
    }

    public boolean isNull(int column) {
        return from[column] == NULL;
    }

    public byte[] bytes() {
        return bytes;
    }

    public int from(int column) {
        return from[column];
    }

    public int to(int column) {
        return to[column];
    }

    public String text(int column) {
        return new String(bytes, from[column], to[column] - from[column], StandardCharsets.UTF_8);
    }

    /** Takes a column's value from another row. */
    public void take(int column, TextRow other, int otherColumn) {
        if (other.isNull(otherColumn)) {
            setNull(column);
        } else {
            set(column, other.bytes, other.from[otherColumn], other.to[otherColumn]);
        }
    }

    /** A copy to keep. */
    public TextRow copy() {
        TextRow copy = new TextRow(columns());
        for (int i = 0; i < columns(); i++) {
            if (!isMissing(i)) {
                copy.take(i, this, i);
            }
        }
        return copy;
    }

    /**
     * Reads a line of {@code COPY … TO STDOUT} in text format, with or without its newline. A line without a backslash is not
     * copied: it must stay as it is while the row is used.
     */
    public void readCopyLine(byte[] line) {
        int end = line.length;
        if (end > 0 && line[end - 1] == '\n') {
            end--;
        }
        if (end == 0 && columns() == 0) {
            // Nothing is one empty field elsewhere.
            complete(0);
            return;
        }
        boolean escaped = false;
        for (int i = 0; i < end && !escaped; i++) {
            escaped = line[i] == '\\';
        }
        if (escaped) {
            readEscaped(line, end);
        } else {
            readPlain(line, end);
        }
    }

    private void readPlain(byte[] line, int end) {
        bytes = line;
        int column = 0;
        int start = 0;
        for (int i = 0; i < end; i++) {
            if (line[i] == '\t') {
                field(column++, start, i);
                start = i + 1;
            }
        }
        field(column++, start, end);
        complete(column);
    }

    private void readEscaped(byte[] line, int end) {
        bytes = own;
        length = 0;
        room(end);
        int column = 0;
        int start = 0;
        boolean isNull = false;
        for (int i = 0; i < end; i++) {
            byte b = line[i];
            if (b == '\t') {
                column = endEscaped(column, start, isNull);
                start = length;
                isNull = false;
            } else if (b == '\\') {
                byte escape = line[++i];
                switch (escape) {
                    case 'N' -> isNull = true;
                    case 'b' -> bytes[length++] = '\b';
                    case 'f' -> bytes[length++] = '\f';
                    case 'n' -> bytes[length++] = '\n';
                    case 'r' -> bytes[length++] = '\r';
                    case 't' -> bytes[length++] = '\t';
                    case 'v' -> bytes[length++] = 0x0b;
                    default -> bytes[length++] = escape;
                }
            } else {
                bytes[length++] = b;
            }
        }
        complete(endEscaped(column, start, isNull));
    }

    private int endEscaped(int column, int start, boolean isNull) {
        field(column, start, length);
        if (isNull) {
            setNull(column);
        }
        return column + 1;
    }

    private void field(int column, int start, int end) {
        if (column == from.length) {
            throw new UnencodableValueException("a row has more than its " + from.length + " columns");
        }
        from[column] = start;
        to[column] = end;
    }

    private void complete(int columns) {
        if (columns != from.length) {
            throw new UnencodableValueException("a row has " + columns + " of its " + from.length + " columns");
        }
    }

    private void room(int more) {
        if (bytes != own) {
            throw new IllegalStateException("a COPY line that is not our own cannot be added to");
        }
        if (more > own.length - length) {
            own = Arrays.copyOf(own,
                    (int) Math.min(Integer.MAX_VALUE - 8L, Math.max(length + (long) more, own.length * 2L)));
            bytes = own;
        }
    }
}
