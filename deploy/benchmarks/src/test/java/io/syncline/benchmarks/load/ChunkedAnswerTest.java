package io.syncline.benchmarks.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ChunkedAnswerTest {

    private static final String HEAD = "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n";

    @Test
    void passOn_theBodyWithoutItsFrame() throws Exception {
        String large = "x".repeat(200_000);

        assertThat(answered(HEAD + "5\r\n{\"a\":\r\n30d40\r\n" + large + "\r\n1\r\n}\r\n0\r\n\r\n"))
                .isEqualTo("{\"a\":" + large + "}");
    }

    @Test
    void passOn_aRefusal_isShown() {
        assertThatThrownBy(() -> answered("HTTP/1.1 503 \r\nContent-Length: 4\r\n\r\nbusy"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("503");
    }

    @Test
    void passOn_anAnswerThatBreaksOff_isNoAnswer() {
        assertThatThrownBy(() -> answered(HEAD + "5\r\n{\"a\"")).isInstanceOf(IOException.class)
                .hasMessageContaining("midst");
    }

    private static String answered(String answer) throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread serving = Thread.ofVirtual().start(() -> {
                try (Socket socket = server.accept()) {
                    var unused = socket.getInputStream().readNBytes(1);
                    socket.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            ByteArrayOutputStream sink = new ByteArrayOutputStream();
            ChunkedAnswer.passOn(new InetSocketAddress(server.getInetAddress(), server.getLocalPort()), new byte[]{'?'},
                    sink);
            serving.join();
            return sink.toString(StandardCharsets.US_ASCII);
        }
    }
}
