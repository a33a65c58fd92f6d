package io.syncline.benchmarks.load;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Reads one HTTP/1.1 answer that says its length. */
final class AnswerReader {

    private static final byte[] LENGTH = "content-length:".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] CLOSES = "connection: close\r".getBytes(StandardCharsets.US_ASCII);

    private byte[] bytes = new byte[1024];
    private int size;
    private int headEnd = -1;
    private int total = -1;
    private boolean last;

    /** Takes what has come; true when the answer is whole. */
    boolean take(ByteBuffer incoming) throws IOException {
        int more = incoming.remaining();
        if (size + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
        }
        incoming.get(bytes, size, more);
        int scanFrom = Math.max(0, size - 3);
        size += more;
        if (headEnd < 0) {
            findHeadEnd(scanFrom);
        }
        if (headEnd < 0) {
            return false;
        }
        if (size > total) {
            throw new IOException("more came than one answer: " + text());
        }
        return size == total;
    }

    int status() {
        return (bytes[9] - '0') * 100 + (bytes[10] - '0') * 10 + (bytes[11] - '0');
    }

    /** Whether the server closes the connection behind this answer, as Tomcat does after so many. */
    boolean last() {
        return last;
    }

    String text() {
        return new String(bytes, 0, size, StandardCharsets.UTF_8);
    }

    void reset() {
        size = 0;
        headEnd = -1;
        total = -1;
        last = false;
    }

    private void findHeadEnd(int from) throws IOException {
        for (int i = from; i + 3 < size; i++) {
            if (bytes[i] == '\r' && bytes[i + 1] == '\n' && bytes[i + 2] == '\r' && bytes[i + 3] == '\n') {
                headEnd = i + 4;
                total = headEnd + contentLength();
                return;
            }
        }
    }

    private int contentLength() throws IOException {
        int length = -1;
        for (int line = 0; line < headEnd; line = nextLine(line)) {
            if (startsWith(line, LENGTH)) {
                length = 0;
                for (int i = line + LENGTH.length; bytes[i] != '\r'; i++) {
                    if (bytes[i] != ' ') {
                        length = length * 10 + (bytes[i] - '0');
                    }
                }
            } else if (startsWith(line, CLOSES)) {
                last = true;
            }
        }
        if (length < 0) {
            throw new IOException("an answer without a length: " + text());
        }
        return length;
    }

    private int nextLine(int from) {
        int i = from;
        while (bytes[i] != '\n') {
            i++;
        }
        return i + 1;
    }

    private boolean startsWith(int line, byte[] lowerCase) {
        for (int i = 0; i < lowerCase.length; i++) {
            byte one = bytes[line + i];
            if ((one >= 'A' && one <= 'Z' ? one + 32 : one) != lowerCase[i]) {
                return false;
            }
        }
        return true;
    }
}
