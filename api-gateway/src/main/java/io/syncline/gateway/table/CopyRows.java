package io.syncline.gateway.table;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Takes apart what {@code COPY … (FORMAT binary)} of one column sends, however it is cut into messages: rows go on to a
 * sink as they come, without being held where the messages hold them whole (which PostgreSQL's do).
 */
final class CopyRows {

    private static final byte[] SIGNATURE = "PGCOPY\n\377\r\n\0".getBytes(StandardCharsets.ISO_8859_1);
    /** Behind the signature: flags, and the length of an extension that there is none of. */
    private static final int HEADER = SIGNATURE.length + 8;
    private static final int BEFORE_ROW = 6;

    /** Where rows go. */
    interface Sink {
        void row(byte[] bytes, int from, int to) throws IOException;
    }

    private final Sink sink;
    private byte @Nullable [] rest;
    private boolean headerRead;
    private boolean ended;

    CopyRows(Sink sink) {
        this.sink = sink;
    }

    void take(byte[] message) throws IOException {
        byte[] bytes = message;
        if (rest != null) {
            bytes = Arrays.copyOf(rest, rest.length + message.length);
            System.arraycopy(message, 0, bytes, rest.length, message.length);
            rest = null;
        }
        int at = 0;
        if (!headerRead) {
            if (bytes.length < HEADER) {
                rest = bytes;
                return;
            }
            if (!Arrays.equals(bytes, 0, SIGNATURE.length, SIGNATURE, 0, SIGNATURE.length)) {
                throw new IllegalStateException("PostgreSQL answers COPY in another format than the binary one");
            }
            headerRead = true;
            at = HEADER;
        }
        while (bytes.length - at >= 2) {
            int fields = bytes[at] << 8 | bytes[at + 1] & 0xff;
            if (fields == -1) {
                ended = true;
                return;
            }
            if (bytes.length - at < BEFORE_ROW) {
                break;
            }
            int length = (bytes[at + 2] & 0xff) << 24 | (bytes[at + 3] & 0xff) << 16 | (bytes[at + 4] & 0xff) << 8
                    | bytes[at + 5] & 0xff;
            if (fields != 1 || length < 0) {
                throw new IllegalStateException("COPY gave a row of " + fields + " columns and length " + length);
            }
            if (bytes.length - at - BEFORE_ROW < length) {
                break;
            }
            sink.row(bytes, at + BEFORE_ROW, at + BEFORE_ROW + length);
            at += BEFORE_ROW + length;
        }
        if (at < bytes.length) {
            rest = at == 0 ? bytes : Arrays.copyOfRange(bytes, at, bytes.length);
        }
    }

    /** Whether PostgreSQL has said that these were all rows. */
    boolean ended() {
        return ended;
    }
}
