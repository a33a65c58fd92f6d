package io.syncline.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that no honest client sends: refused with a 4xx or cut off, and the next one is answered. */
class HostileInputIT {

    private static final String STATUS = "/phoenix_kit/sync/api/status";
    private static final String VERIFY = "/phoenix_kit/sync/api/verify-connection";

    @TempDir static Path directory;

    private static GatewayUnderTest gateway;

    @BeforeAll
    static void start() throws Exception {
        gateway = GatewayUnderTest.start(directory, "--syncline.limits.failed-authentications-per-minute=0");
        gateway.settings(true, "auto_accept", null);
        Awaitility.await()
                .atMost(Duration.ofMinutes(1))
                .until(() -> gateway.send("GET", STATUS, "").statusCode() == 200);
    }

    @AfterAll
    static void stop() throws Exception {
        assertThat(gateway.send("GET", STATUS, "").statusCode()).isEqualTo(200);
        gateway.close();
    }

    private static String post(String headers, String body) {
        return "POST " + VERIFY + " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + headers + "\r\n"
                + body;
    }

    /** A second request hides behind the first: whoever reads the lengths otherwise would answer it. */
    static Stream<String> smuggling() {
        String hidden = "GET " + STATUS + " HTTP/1.1\r\nHost: a\r\n\r\n";
        return Stream.of(
                post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "{}" + hidden),
                post("Content-Length: " + (5 + hidden.length()) + "\r\nTransfer-Encoding: chunked\r\n",
                        "0\r\n\r\n" + hidden),
                post("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "0\r\n\r\n" + hidden),
                post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n" + hidden),
                post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n" + hidden),
                post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n" + hidden),
                post("Transfer-Encoding : chunked\r\nContent-Length: 2\r\n", "{}" + hidden),
                post("Transfer-Encoding:\u000bchunked\r\nContent-Length: 2\r\n", "{}" + hidden),
                post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}" + hidden),
                post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}" + hidden),
                post("Content-Length: 2, 2\r\n", "{}" + hidden), post("Content-Length: +2\r\n", "{}" + hidden),
                post("Content-Length: -1\r\n", "{}" + hidden), post("Content-Length: 0x2\r\n", "{}" + hidden),
                post("Content-Length: 2 2\r\n", "{}" + hidden),
                post("Content-Length: 99999999999999999999\r\n", "{}" + hidden),
                post("Content-Length : 2\r\n", "{}" + hidden),
                post("X-Folded: a\r\n b: c\r\nContent-Length: 2\r\n", "{}" + hidden),
                post("X-A: b\rContent-Length: 5\r\nContent-Length: 2\r\n", "{}" + hidden),
                post("X A: b\r\nContent-Length: 2\r\n", "{}" + hidden),
                post(": b\r\nContent-Length: 2\r\n", "{}" + hidden),
                post("X-A: a\u0000b\r\nContent-Length: 2\r\n", "{}" + hidden),
                "POST " + VERIFY + " HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}" + hidden,
                "POST " + VERIFY + " HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}" + hidden,
                "POST " + VERIFY + " HTTP/1.1\r\nHost: a/../b@c\r\nContent-Length: 2\r\n\r\n{}" + hidden,
                "GET " + STATUS + " HTTP/9.9\r\nHost: a\r\n\r\n" + hidden, "GET " + STATUS + "\r\n\r\n" + hidden,
                "GET  " + STATUS + " x HTTP/1.1\r\nHost: a\r\n\r\n" + hidden,
                "G\u0000T " + STATUS + " HTTP/1.1\r\nHost: a\r\n\r\n" + hidden,
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden);
    }

    @ParameterizedTest
    @MethodSource("smuggling")
    void smuggling_isRefused_andWhatIsHiddenIsNotAnswered(String request) throws IOException {
        String answer = gateway.raw(request);
        assertThat(answer).as("the hidden one").doesNotContain("incoming_mode");
        // Who says no version, or none that there is, is answered without a status line, or not at all.
        if (request.contains(" HTTP/1.1\r\nHost") && !request.startsWith("G") && !request.startsWith("PRI")) {
            assertThat(answer).as(request).startsWith("HTTP/1.1 4");
        }
        assertThat(answer.split("HTTP/1.1 ", -1)).as(answer).hasSizeLessThanOrEqualTo(2);
        assertNothingInternal(answer);
    }

    private static void assertNothingInternal(String answer) {
        assertThat(answer).doesNotContainIgnoringCase("tomcat")
                .doesNotContain("Exception")
                .doesNotContain("java.")
                .doesNotContain("<html")
                .doesNotContain("Server:");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"sender_url\":\"a\",\"sender_url\":\"b\",\"auth_token_hash\":\"c\"}",
        "{\"x\":{\"a\":1,\"a\":2}}"})
    void aFieldTwice(String body) {
        HttpResponse<String> response = gateway.call("verify-connection", body);
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(response.body()).contains("twice");
    }

    @Test
    void deepOrHugeJson() {
        for (String body : List.of("{\"x\":" + "[".repeat(17) + "]".repeat(17) + "}",
                "{\"x\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}", "{\"x\":" + "{\"a\":".repeat(50_000),
                "{\"x\":" + "9".repeat(200) + "}", "{\"x\":1e" + "9".repeat(200) + "}",
                "{\"" + "n".repeat(300) + "\":1}")) {
            assertThat(gateway.call("verify-connection", body).statusCode()).as(body.substring(0, 20)).isEqualTo(400);
        }
        assertThat(gateway.call("verify-connection", "{\"x\":\"" + "y".repeat(1_100_000) + "\"}").statusCode())
                .isEqualTo(413);
    }

    @Test
    void hugeHeadersAndPaths() throws IOException {
        String long16 = "a".repeat(17_000);
        for (String request : List.of("GET " + STATUS + "?" + long16 + " HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET " + STATUS + " HTTP/1.1\r\nHost: a\r\nX-Long: " + long16 + "\r\n\r\n",
                "GET " + STATUS + " HTTP/1.1\r\nHost: a\r\n" + "X-Many: 1\r\n".repeat(200) + "\r\n")) {
            String answer = gateway.raw(request);
            assertThat(answer).startsWith("HTTP/1.1 4");
            assertNothingInternal(answer);
        }
    }

    @Test
    void everyAnswer_hasTheSecurityHeaders() {
        for (String path : List.of(STATUS, "/nothing", "/admin/api/settings", "/actuator/health")) {
            HttpResponse<String> response = gateway.send("GET", path, "");
            assertThat(response.headers().firstValue("x-content-type-options")).as(path).contains("nosniff");
            assertThat(response.headers().firstValue("content-security-policy")).isPresent();
            assertThat(response.headers().firstValue("cache-control")).hasValueSatisfying(
                    value -> assertThat(value).contains("no-store"));
            assertThat(response.headers().firstValue("strict-transport-security")).as("without TLS").isEmpty();
        }
    }

    @Test
    void operators_areRefusedAtTheDoor_inTheirOwnForm() throws IOException {
        String settings = " /admin/api/settings HTTP/1.1\r\nHost: a\r\n";
        assertProblem(gateway.raw("PATCH" + settings + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 411);
        assertProblem(gateway.raw("OPTIONS" + settings + "Access-Control-Request-Method: PATCH\r\n\r\n"), 405);
    }

    static void assertProblem(String answer, int status) {
        assertThat(answer).startsWith("HTTP/1.1 " + status)
                .containsPattern("(?i)content-type: *application/problem\\+json")
                .contains("\"status\":" + status + ",\"detail\":\"");
    }

    /** Spring reads a path by its decoded segments, without their parameters; whoever guards it must as well. */
    static Stream<String> disguisedOperators() {
        return Stream.of("/%61ctuator/health", "/actuato%72/health/liveness", "/actuator/%68ealth",
                "/actuator;x/health", "/actuator;x=y/health;z/liveness", "/%61ctuator;x/health", "//actuator/health",
                "/;x/actuator/health", "/./actuator/health", "/x/../actuator/health", "/%2e/actuator/health",
                "/%61dmin/api/settings", "/admi%6E;x/api/settings", "/admin;x/api/settings", "//admin/api/settings",
                "/admin/%61pi/settings");
    }

    @ParameterizedTest
    @MethodSource("disguisedOperators")
    void disguisedOperators_areNotAnsweredMoreThanTheyWouldBe(String path) throws IOException {
        String answer = gateway.raw("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
        assertNothingInternal(answer);
        // Where there is one port, it is health's as well, under any of its names.
        if (path.contains("api")) {
            assertThat(answer).startsWith("HTTP/1.1 4").doesNotContain("incoming_mode");
        }
    }

    @FunctionalInterface
    private interface Client {
        void call(GatewayUnderTest bounded) throws Exception;
    }

    /** What an honest client may run into as well, if the machine is slow: so of a gateway that has no other. */
    private static void withBounds(Client client, String... bounds) throws Exception {
        GatewayUnderTest bounded = GatewayUnderTest.startAlone(directory.resolve("keys"), bounds);
        try {
            client.call(bounded);
            Awaitility.await()
                    .atMost(Duration.ofMinutes(1))
                    .ignoreExceptions()
                    .until(() -> bounded.send("GET", "/actuator/health/liveness", "").statusCode() == 200);
        } finally {
            bounded.closeGateway();
        }
    }

    @Test
    void aHeadThatTrickles_isCutOff() throws Exception {
        withBounds(bounded -> {
            try (Socket socket = bounded.connect()) {
                Thread sender = Thread.ofVirtual().start(() -> {
                    try {
                        for (byte one : ("GET " + STATUS + " HTTP/1.1\r\nX: " + "a".repeat(1_000))
                                .getBytes(StandardCharsets.US_ASCII)) {
                            socket.getOutputStream().write(one);
                            Thread.sleep(100);
                        }
                    } catch (IOException | InterruptedException e) {
                        // Cut off: what this is about.
                    }
                });
                awaitEnd(socket);
                sender.interrupt();
                sender.join();
            }
        }, "--syncline.gateway.longest-head=2s");
    }

    @Test
    void aBodyThatDoesNotCome_isCutOff() throws Exception {
        withBounds(bounded -> {
            try (Socket socket = bounded.connect()) {
                socket.getOutputStream()
                        .write(post("Content-Length: 100\r\n", "{").getBytes(StandardCharsets.US_ASCII));
                awaitEnd(socket);
            }
        }, "--server.tomcat.connection-timeout=1500ms");
    }

    @Test
    void moreConnectionsThanOneAddressMayHold_areCutOff() throws Exception {
        // For their number, and none for its silence.
        withBounds(bounded -> {
            List<Socket> sockets = new ArrayList<>();
            try {
                for (int i = 0; i < 60; i++) {
                    sockets.add(bounded.connect());
                }
                Awaitility.await()
                        .atMost(Duration.ofMinutes(1))
                        .until(() -> sockets.stream().filter(HostileInputIT::isCutOff).count() == 20);
            } finally {
                for (Socket socket : sockets) {
                    socket.close();
                }
            }
        }, "--syncline.gateway.connections-per-address=40", "--server.tomcat.connection-timeout=10m");
    }

    private static boolean isCutOff(Socket socket) {
        try {
            socket.setSoTimeout(1);
            return socket.getInputStream().read() < 0;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    private static void awaitEnd(Socket socket) throws IOException {
        socket.setSoTimeout(60_000);
        InputStream in = socket.getInputStream();
        try {
            while (in.read() >= 0) {
                // An answer may come first.
            }
        } catch (java.net.SocketException e) {
            // Reset: cut off as well.
        }
    }
}
