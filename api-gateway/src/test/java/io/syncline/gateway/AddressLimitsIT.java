package io.syncline.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.gateway.http.AddressLimits;
import io.syncline.model.testing.HeldPort;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
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
            assertThat(gateway.bean(AddressLimits.class).refused()).isPositive();
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
        }
    }

    private static int status(HttpClient http, String url) throws Exception {
        return http.send(HttpRequest.newBuilder(URI.create(url))
                .header("authorization", "Bearer " + GatewayUnderTest.ADMIN_TOKEN)
                .build(), HttpResponse.BodyHandlers.discarding()).statusCode();
    }

    @Test
    void tls_byASpringBundle_saysThatItStays() throws Exception {
        Path pem = selfSigned();
        try (GatewayUnderTest gateway = GatewayUnderTest.start(directory, "--server.ssl.bundle=web",
                "--spring.ssl.bundle.pem.web.keystore.certificate=file:" + pem.resolve("cert.pem"),
                "--spring.ssl.bundle.pem.web.keystore.private-key=file:" + pem.resolve("key.pem"),
                "--spring.ssl.bundle.pem.web.reload-on-update=true");
                HttpClient https = HttpClient.newBuilder().sslContext(trusting(pem.resolve("cert.pem"))).build()) {
            HttpResponse<String> response = https.send(
                    HttpRequest.newBuilder(URI.create("https://localhost:" + gateway.port() + "/admin/api/settings"))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode()).isEqualTo(401);
            assertThat(response.headers().firstValue("strict-transport-security")).hasValueSatisfying(
                    value -> assertThat(value).startsWith("max-age="));
        }
    }

    private Path selfSigned() throws Exception {
        Path store = directory.resolve("web.p12");
        Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair", "-keyalg", "EC", "-alias", "web", "-dname", "CN=localhost", "-ext", "san=dns:localhost",
                "-validity", "2", "-storetype", "PKCS12", "-keystore", store.toString(), "-storepass", "changeit")
                .inheritIO()
                .start();
        assertThat(keytool.waitFor()).isZero();
        KeyStore keys = KeyStore.getInstance(store.toFile(), "changeit".toCharArray());
        Files.writeString(directory.resolve("cert.pem"),
                pem("CERTIFICATE", keys.getCertificate("web").getEncoded()));
        Files.writeString(directory.resolve("key.pem"),
                pem("PRIVATE KEY", keys.getKey("web", "changeit".toCharArray()).getEncoded()));
        return directory;
    }

    private static String pem(String what, byte[] der) {
        return "-----BEGIN " + what + "-----\n" + Base64.getMimeEncoder().encodeToString(der) + "\n-----END " + what
                + "-----\n";
    }

    private static SSLContext trusting(Path certificate) throws Exception {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (var in = Files.newInputStream(certificate)) {
            trusted.setCertificateEntry("web",
                    (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }
}
