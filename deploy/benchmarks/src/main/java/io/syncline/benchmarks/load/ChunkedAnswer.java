package io.syncline.benchmarks.load;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * One call on a connection of its own, whose long answer goes to a sink as it comes: as little work as a client can have, so that
 * what is measured is the server.
 */
public final class ChunkedAnswer {

    private static final int BUFFER = 64 * 1024;
    private static final int MOST_TIMEOUT_MILLIS = 300_000;

    private final InputStream in;
    private final byte[] buffer = new byte[BUFFER];
    private int at;
    private int filled;

    private ChunkedAnswer(InputStream in) {
        this.in = in;
    }

    /**
     * Sends a request and passes the answer's body on; {@link IOException} for an answer that is not 200 and chunked.
     *
     * @param request the whole of it, as {@link Calls} makes it
     */
    public static void passOn(InetSocketAddress server, byte[] request, OutputStream sink) throws IOException {
        try (Socket socket = new Socket(server.getAddress(), server.getPort())) {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(MOST_TIMEOUT_MILLIS);
            socket.getOutputStream().write(request);
            ChunkedAnswer answer = new ChunkedAnswer(socket.getInputStream());
            String status = answer.line();
            boolean chunked = false;
            StringBuilder head = new StringBuilder(status);
            for (String line = answer.line(); !line.isEmpty(); line = answer.line()) {
                chunked |= line.equalsIgnoreCase("transfer-encoding: chunked");
                head.append('\n').append(line);
            }
            if (!status.startsWith("HTTP/1.1 200") || !chunked) {
                throw new IOException("no stream of rows: " + head + "\n" + answer.whatIsThere());
            }
            answer.chunks(sink);
        }
    }

    private void chunks(OutputStream sink) throws IOException {
        for (int size = size(); size > 0; size = size()) {
            int left = size;
            while (left > 0) {
                fill();
                int some = Math.min(left, filled - at);
                sink.write(buffer, at, some);
                at += some;
                left -= some;
            }
            line();
        }
    }

    private int size() throws IOException {
        return Integer.parseInt(line(), 16);
    }

    private String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        while (true) {
            fill();
            byte one = buffer[at++];
            if (one == '\n') {
                return line.toString(StandardCharsets.US_ASCII).stripTrailing();
            }
            line.write(one);
        }
    }

    private String whatIsThere() {
        return new String(buffer, at, filled - at, StandardCharsets.UTF_8);
    }

    private void fill() throws IOException {
        if (at == filled) {
            filled = in.read(buffer);
            at = 0;
            if (filled < 0) {
                filled = 0;
                throw new EOFException("the answer ended in its midst");
            }
        }
    }
}
