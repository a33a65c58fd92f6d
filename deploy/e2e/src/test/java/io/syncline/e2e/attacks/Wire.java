package io.syncline.e2e.attacks;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** HTTP/1.1 as bytes: a client library would refuse to send what is to be tried here. */
final class Wire implements AutoCloseable {

    private static final int PATIENCE_MS = 120_000;

    private final Socket socket;
    private final InputStream in;

    Wire(int port) throws IOException {
        socket = new Socket("127.0.0.1", port);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(PATIENCE_MS);
        in = new BufferedInputStream(socket.getInputStream());
    }

    /** @param status 0 where the connection was closed without one */
    record Answer(int status, String text, boolean open) {

        static final Answer CLOSED = new Answer(0, "", false);
    }

    /** Sends a request that is framed as it should be, and reads its answer. */
    Answer ask(byte[] request) throws IOException {
        try {
            socket.getOutputStream().write(request);
            return read();
        } catch (SocketException | EOFException e) {
            return Answer.CLOSED;
        }
    }

    /** Sends anything, and says that there is no more of it; reads until the other side has said all. */
    Answer askOnce(byte[] request) throws IOException {
        try {
            socket.getOutputStream().write(request);
            socket.shutdownOutput();
        } catch (SocketException e) {
            // It may have been refused before all of it was sent.
        }
        try {
            String text = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
            return new Answer(statusOf(text), text, false);
        } catch (SocketException e) {
            return Answer.CLOSED;
        }
    }

    static int statusOf(String answer) {
        return answer.startsWith("HTTP/1.1 ") && answer.length() > 12 ? Integer.parseInt(answer.substring(9, 12)) : 0;
    }

    private Answer read() throws IOException {
        String head = head();
        int status = statusOf(head);
        String lower = head.toLowerCase(Locale.ROOT);
        boolean open = !lower.contains("\r\nconnection: close");
        int at = lower.indexOf("\r\ncontent-length: ");
        if (at >= 0) {
            int end = lower.indexOf("\r\n", at + 2);
            byte[] body = in.readNBytes(Integer.parseInt(lower.substring(at + 18, end).strip()));
            return new Answer(status, head + new String(body, StandardCharsets.ISO_8859_1), open);
        }
        if (lower.contains("\r\ntransfer-encoding: chunked")) {
            return new Answer(status, head + chunks(), open);
        }
        return new Answer(status, head, open && status != 0);
    }

    private String chunks() throws IOException {
        StringBuilder body = new StringBuilder();
        while (true) {
            int size = Integer.parseInt(line().strip(), 16);
            body.append(new String(in.readNBytes(size), StandardCharsets.ISO_8859_1));
            line();
            if (size == 0) {
                return body.toString();
            }
        }
    }

    private String head() throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.length() < 4 || !head.substring(head.length() - 4).equals("\r\n\r\n")) {
            head.append(line()).append("\r\n");
        }
        return head.toString();
    }

    private String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        while (true) {
            int one = in.read();
            if (one < 0) {
                throw new EOFException();
            }
            if (one == '\n') {
                return line.toString(StandardCharsets.ISO_8859_1);
            }
            if (one != '\r') {
                line.write(one);
            }
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
