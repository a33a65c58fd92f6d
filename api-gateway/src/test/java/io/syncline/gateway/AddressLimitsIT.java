package io.syncline.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.gateway.http.BoundedHttp;
import io.syncline.model.testing.HeldPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.apache.catalina.connector.Connector;
import org.apache.tomcat.util.threads.VirtualThreadExecutor;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Limits by address; a port for operators alone; TLS. Each with a gateway that is configured so. */
class AddressLimitsIT {

    /** A try spoilt by the end of its minute is followed by one in the next; a slow machine may spoil that too. */
    private static final Duration SOME_MINUTES = Duration.ofMinutes(5);
    private static final String WRONG = "{\"auth_token_hash\":\"no such hash\"}";

    @TempDir Path directory;

    private static void awaitEnabled(GatewayUnderTest gateway) {
        Awaitility.await()
                .atMost(Duration.ofMinutes(1))
                .until(() -> gateway.send("GET", "/phoenix_kit/sync/api/status", "").statusCode() == 200);
    }

    private static void assert429(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(429);
        assertThat(response.headers().firstValueAsLong("retry-after").orElse(0)).isBetween(1L, 60L);
    }

    @Test
    void wrongCredentials_areBoundedForAnAddress_whateverItPresentsThen() throws Exception {
        // Begins anew with each minute: three failures and their refusals have to be in one.
        try (GatewayUnderTest gateway = GatewayUnderTest.start(directory,
                "--syncline.limits.failed-authentications-per-minute=3")) {
            gateway.settings(true, "auto_accept", null);
            gateway.receiver("http://known.example", "tok", "active");
            awaitEnabled(gateway);
            Awaitility.await().atMost(SOME_MINUTES).untilAsserted(() -> {
                assertThat(gateway.call("list-tables", WRONG).statusCode()).isEqualTo(401);
                assertThat(gateway.call("get-connection-status",
                        "{\"receiver_url\":\"http://r\",\"auth_token_hash\":\"x\"}").statusCode()).isEqualTo(404);
                assertThat(gateway.send("GET", "/admin/api/settings", "", "authorization", "Bearer wrong")
                        .statusCode()).isEqualTo(401);
                assert429(gateway.call("list-tables", WRONG));
                assert429(gateway.call("verify-connection",
                        "{\"sender_url\":\"http://known.example\",\"auth_token_hash\":\"" + GatewayUnderTest.hash("tok")
                                + "\"}"));
                HttpResponse<String> operator = gateway.admin("GET", "/settings", null);
                assert429(operator);
                assertThat(operator.headers().firstValue("content-type")).hasValueSatisfying(
                        type -> assertThat(type).startsWith("application/problem+json"));
            });
            assertThat(gateway.send("GET", "/actuator/health/liveness", "").statusCode()).isEqualTo(200);
            assertThat(gateway.send("GET", "/actuator/health", "").body())
                    .containsPattern("\"too_many_failures\":[1-9]");
        }
    }

    @Test
    void registrations_areBoundedForAnAddress() throws Exception {
        try (GatewayUnderTest gateway = GatewayUnderTest.start(directory,
                "--syncline.limits.registrations-per-minute=2")) {
            gateway.settings(true, "deny_all", null);
            awaitEnabled(gateway);
            Awaitility.await().atMost(SOME_MINUTES).untilAsserted(() -> {
                assertThat(gateway.call("register-connection", "{}").statusCode()).isEqualTo(403);
                assertThat(gateway.call("register-connection", "{}").statusCode()).isEqualTo(403);
                assert429(gateway.call("register-connection", "{}"));
                assertThat(gateway.call("list-tables", WRONG).statusCode()).isEqualTo(401);
            });
        }
    }

    @Test
    void operatorsOnAPortOfTheirOwn_areNowhereElse() throws Exception {
        try (HeldPort port = new HeldPort();
                GatewayUnderTest gateway = GatewayUnderTest.start(directory,
                        "--syncline.admin.port=" + port.number(), "--syncline.admin.address=127.0.0.1");
                HttpClient http = HttpClient.newHttpClient()) {
            gateway.settings(true, "auto_accept", null);
            awaitEnabled(gateway);
            assertThat(gateway.admin("GET", "/settings", null).statusCode()).isEqualTo(404);
            assertThat(gateway.send("GET", "/actuator/health/liveness", "").statusCode()).isEqualTo(404);
            String own = "http://127.0.0.1:" + port.number();
            assertThat(status(http, own + "/actuator/health/liveness")).isEqualTo(200);
            Awaitility.await()
                    .atMost(Duration.ofMinutes(1))
                    .untilAsserted(() -> assertThat(status(http, own + "/admin/api/settings")).isEqualTo(200));
            assertThat(status(http, own + "/phoenix_kit/sync/api/status")).isEqualTo(404);
            HostileInputIT.disguisedOperators().forEach(path -> assertNotAnswered(gateway, path));
            HostileInputIT.assertProblem(gateway.raw("GET /admin/api/settings HTTP/1.1\r\nHost: a\r\n\r\n"), 404);
        }
    }

    private static void assertNotAnswered(GatewayUnderTest gateway, String path) {
        try {
            assertThat(gateway.raw("GET " + path + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer "
                    + GatewayUnderTest.ADMIN_TOKEN + "\r\n\r\n")).as(path)
                    .containsPattern("^HTTP/1.1 40[04]")
                    .doesNotContain("UP")
                    .doesNotContain("incoming_mode");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int status(HttpClient http, String url) throws Exception {
        return http.send(HttpRequest.newBuilder(URI.create(url))
                .header("authorization", "Bearer " + GatewayUnderTest.ADMIN_TOKEN)
                .build(), HttpResponse.BodyHandlers.discarding()).statusCode();
    }

    @Test
    void operatorsPort_hasTheBoundsOfThePeers() throws Exception {
        try (HeldPort port = new HeldPort();
                GatewayUnderTest gateway = GatewayUnderTest.start(directory,
                        "--syncline.admin.port=" + port.number(), "--server.tomcat.max-connections=77",
                        "--server.tomcat.connection-timeout=7s", "--server.max-http-request-header-size=7KB")) {
            List<Connector> connectors = List.of(gateway.webServer().getTomcat().getService().findConnectors());
            assertThat(connectors).extracting(Connector::getLocalPort)
                    .containsExactlyInAnyOrder(gateway.port(), port.number());
            assertThat(connectors).extracting(Connector::getProtocolHandler)
                    .asInstanceOf(InstanceOfAssertFactories.list(BoundedHttp.class))
                    .allSatisfy(http -> {
                        assertThat(http.getMaxConnections()).isEqualTo(77);
                        assertThat(http.getConnectionTimeout()).isEqualTo(7_000);
                        assertThat(http.getMaxHttpRequestHeaderSize()).isEqualTo(7 * 1_024);
                        assertThat(http.getMaxKeepAliveRequests()).as("as gateway.yml has it").isEqualTo(-1);
                        assertThat(http.getExecutor()).isInstanceOf(VirtualThreadExecutor.class);
                    });
        }
    }

    @Test
    void tls_byASpringBundle_saysThatItStays() throws Exception {
        Path pem = selfSigned("web");
        try (GatewayUnderTest gateway = GatewayUnderTest.start(directory, tls(pem));
                HttpClient https = HttpClient.newBuilder().sslContext(trusting(pem)).build()) {
            HttpResponse<String> response = get(https, "https://localhost:" + gateway.port() + "/admin/api/settings");
            assertThat(response.statusCode()).isEqualTo(401);
            assertThat(response.headers().firstValue("strict-transport-security")).hasValueSatisfying(
                    value -> assertThat(value).startsWith("max-age="));
        }
    }

    @Test
    void tls_isSpokenAtBothPorts_withTheCertificateThatThereIs() throws Exception {
        Path pem = selfSigned("web");
        try (HeldPort port = new HeldPort();
                GatewayUnderTest gateway = GatewayUnderTest.start(directory,
                        tls(pem, "--syncline.admin.port=" + port.number()));
                HttpClient https = HttpClient.newBuilder().sslContext(trusting(pem)).build()) {
            assertThat(get(https, "https://localhost:" + port.number() + "/actuator/health/liveness").statusCode())
                    .isEqualTo(200);
            assertThat(get(https, "https://localhost:" + gateway.port() + "/phoenix_kit/sync/api/nothing").statusCode())
                    .isEqualTo(404);

            Path another = selfSigned("another");
            X509Certificate replacement = certificate(another);
            Files.move(another, pem, StandardCopyOption.ATOMIC_MOVE);
            for (int each : List.of(gateway.port(), port.number())) {
                Awaitility.await()
                        .atMost(Duration.ofMinutes(2))
                        .untilAsserted(() -> assertThat(certificateAt(each)).isEqualTo(replacement));
            }
        }
    }

    private static HttpResponse<String> get(HttpClient https, String url) throws Exception {
        return https.send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private static String[] tls(Path pem, String... more) {
        return Stream.concat(Stream.of("--server.ssl.bundle=web",
                "--spring.ssl.bundle.pem.web.keystore.certificate=file:" + pem,
                "--spring.ssl.bundle.pem.web.keystore.private-key=file:" + pem,
                "--spring.ssl.bundle.pem.web.reload-on-update=true",
                "--spring.ssl.bundle.watch.file.quiet-period=100ms"),
                Stream.of(more)).toArray(String[]::new);
    }

    /** Certificate and key in one file, so that both are replaced at once. */
    private Path selfSigned(String name) throws Exception {
        Path store = directory.resolve(name + ".p12");
        Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair", "-keyalg", "EC", "-alias", "web", "-dname", "CN=localhost", "-ext", "san=dns:localhost",
                "-validity", "2", "-storetype", "PKCS12", "-keystore", store.toString(), "-storepass", "changeit")
                .inheritIO()
                .start();
        assertThat(keytool.waitFor()).isZero();
        KeyStore keys = KeyStore.getInstance(store.toFile(), "changeit".toCharArray());
        return Files.writeString(directory.resolve(name + ".pem"),
                pem("CERTIFICATE", keys.getCertificate("web").getEncoded())
                        + pem("PRIVATE KEY", keys.getKey("web", "changeit".toCharArray()).getEncoded()));
    }

    private static String pem(String what, byte[] der) {
        return "-----BEGIN " + what + "-----\n" + Base64.getMimeEncoder().encodeToString(der) + "\n-----END " + what
                + "-----\n";
    }

    private static X509Certificate certificate(Path pem) throws Exception {
        try (var in = Files.newInputStream(pem)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    private static SSLContext trusting(Path pem) throws Exception {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        trusted.setCertificateEntry("web", certificate(pem));
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }

    /** What the server shows, trusted or not. */
    private static X509Certificate certificateAt(int port) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[]{new Anybody()}, null);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port)) {
            socket.setSoTimeout(60_000);
            socket.startHandshake();
            return (X509Certificate) socket.getSession().getPeerCertificates()[0];
        }
    }

    private static final class Anybody implements X509TrustManager {

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
