package io.syncline.worker.capture.encode;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** JSON in UTF-8 as it is being written. One per thread, used again for each row: rows cost one array each and nothing else. */
public final class JsonBytes {

    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    /** For ASCII: 0 where a byte stands for itself in a JSON string, else the letter after the backslash. */
    private static final byte[] ESCAPE = new byte[128];

    static {
        Arrays.fill(ESCAPE, 0, 0x20, (byte) 'u');
        ESCAPE['\b'] = 'b';
        ESCAPE['\t'] = 't';
        ESCAPE['\n'] = 'n';
        ESCAPE['\f'] = 'f';
        ESCAPE['\r'] = 'r';
        ESCAPE['"'] = '"';
        ESCAPE['\\'] = '\\';
    }

    /** What an array may have at most. */
    private static final int LONGEST_ARRAY = Integer.MAX_VALUE - 8;

    private final int most;
    private byte[] bytes;
    private int length;
    private byte[] scratch = new byte[256];

    public JsonBytes() {
        this(LONGEST_ARRAY);
    }

    /** @param most bytes: what would be longer is not written on, but refused with {@link RowTooLargeException} */
    public JsonBytes(int most) {
        this.most = Math.min(most, LONGEST_ARRAY);
        bytes = new byte[Math.min(most, 1024)];
    }

    JsonBytes reset() {
        length = 0;
        return this;
    }

    byte[] toBytes() {
        return Arrays.copyOf(bytes, length);
    }

    void write(int ascii) {
        reserve(1);
        bytes[length++] = (byte) ascii;
    }

    void write(byte[] from) {
        write(from, 0, from.length);
    }

    void write(byte[] from, int start, int end) {
        int count = end - start;
        reserve(count);
        System.arraycopy(from, start, bytes, length, count);
        length += count;
    }

    /** A JSON string of UTF-8 text. */
    void writeString(byte[] text, int start, int end) {
        write('"');
        writeEscaped(text, start, end);
        write('"');
    }

    void writeEscaped(byte[] text, int start, int end) {
        // Room for the usual case; an escape reserves its own.
        reserve(end - start);
        int clean = start;
        for (int i = start; i < end; i++) {
            byte b = text[i];
            if (b >= 0 && ESCAPE[b] != 0) {
                write(text, clean, i);
                writeEscape(b);
                clean = i + 1;
            }
        }
        write(text, clean, end);
    }

    void writeEscaped(byte b) {
        if (b >= 0 && ESCAPE[b] != 0) {
            writeEscape(b);
        } else {
            write(b);
        }
    }

    private void writeEscape(byte b) {
        write('\\');
        write(ESCAPE[b]);
        if (ESCAPE[b] == 'u') {
            write('0');
            write('0');
            write(HEX[b >> 4]);
            write(HEX[b & 15]);
        }
    }

    /** A buffer for one value's text without its escapes; the next caller overwrites it. */
    byte[] scratch(int size) {
        if (scratch.length < size) {
            scratch = new byte[size + (size >> 1)];
        }
        return scratch;
    }

    private void reserve(int more) {
        // Subtracted, not added: near 2 GB the sum would be negative.
        if (more > bytes.length - length) {
            if (more > most - length) {
                throw new RowTooLargeException("a row", most);
            }
            bytes = Arrays.copyOf(bytes, (int) Math.min(most, Math.max(length + (long) more, bytes.length * 2L)));
        }
    }
}
