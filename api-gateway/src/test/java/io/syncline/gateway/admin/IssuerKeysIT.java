package io.syncline.gateway.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jose.jwk.source.JWKSetCacheRefreshEvaluator;
import com.nimbusds.jose.jwk.source.JWKSetUnavailableException;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import io.syncline.gateway.http.BoundedLog;
import io.syncline.model.testing.HeldPort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** Whatever an issuer answers, or does not: bounded, and said. */
class IssuerKeysIT {

    private HeldPort port;
    private HttpServer server;
    private String issuer;
    private IssuerKeys keys;

    @BeforeEach
    void start() throws IOException {
        port = new HeldPort();
        server = serverThere();
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.start();
        issuer = "http://127.0.0.1:" + port.number() + "/realms/one";
        keys = new IssuerKeys(issuer, new BoundedLog(LoggerFactory.getLogger(IssuerKeysIT.class), System::nanoTime));
    }

    @AfterEach
    void stop() throws IOException {
        server.stop(0);
        port.close();
    }

    private HttpServer serverThere() throws IOException {
        return HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port.number()), 0);
    }

    private void discovery(HttpHandler handler) {
        server.createContext("/realms/one/.well-known/openid-configuration", handler);
    }

    private void keysAt(String path, HttpHandler handler) {
        discovery(answering(200, discoveryOf(issuer, issuer + path)));
        server.createContext("/realms/one" + path, handler);
    }

    private static String discoveryOf(String issuer, String keys) {
        return "{\"issuer\":\"" + issuer + "\",\"jwks_uri\":\"" + keys + "\"}";
    }

    private static HttpHandler answering(int status, String body) {
        return exchange -> answer(exchange, status, body);
    }

    private static void answer(HttpExchange exchange, int status, String body) throws IOException {
        try (exchange) {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private JWKSet read() {
        AtomicReference<JWKSet> read = new AtomicReference<>();
        assertThat(failure(Optional.empty(), read)).isEmpty();
        return read.get();
    }

    private void cannot(String sentence) {
        assertThat(failure(Optional.of(sentence), new AtomicReference<>())).hasValueSatisfying(
                why -> assertThat(why).isEqualTo(sentence).doesNotContain("127.0.0.1"));
    }

    /** Why they cannot be read, if so; they are read anew where it is only that this machine needed more than the three seconds. */
    private Optional<String> failure(Optional<String> expected, AtomicReference<JWKSet> read) {
        return await().atMost(Duration.ofMinutes(1))
                .until(() -> failure(read),
                        why -> why.equals(expected) || why.filter(one -> one.endsWith(" within 3 s")).isEmpty());
    }

    private Optional<String> failure(AtomicReference<JWKSet> read) {
        try {
            read.set(keys.getJWKSet(JWKSetCacheRefreshEvaluator.noRefresh(), 0, null));
            assertThat(keys.failure()).isNull();
            return Optional.empty();
        } catch (JWKSetUnavailableException e) {
            assertThat(keys.failure()).isEqualTo(e.getMessage());
            return Optional.of(e.getMessage());
        }
    }

    @Test
    void keysAreWhereTheDiscoveryDocumentSays() throws Exception {
        RSAKey key = new RSAKeyGenerator(2048).keyID("k").generate().toPublicJWK();
        keysAt("/certs", answering(200, "{\"keys\":[" + key.toJSONString() + ",{\"kty\":\"of tomorrow\"}]}"));
        assertThat(read().getKeys()).containsExactly(key);
    }

    @ParameterizedTest
    @CsvSource({"404", "500", "302"})
    void anotherStatus(int status) {
        discovery(exchange -> {
            exchange.getResponseHeaders().set("Location", "http://127.0.0.1:1/");
            answer(exchange, status, "");
        });
        cannot("discovery: it answers " + status);
    }

    @Test
    void noSuchDocuments() {
        discovery(answering(200, "<html>"));
        cannot("discovery: this is no JSON");
        server.removeContext("/realms/one/.well-known/openid-configuration");
        keysAt("/certs", answering(200, "[]"));
        cannot("keys: this is no JWK set");
    }

    @Test
    void anotherIssuersDocument() {
        discovery(answering(200, discoveryOf(issuer + "/", issuer + "/certs")));
        cannot("discovery: it is another issuer's; to be compared as it is written");
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://keys.example/certs", "file:///etc/passwd", "", "::", "https:"})
    void keysThatSomebodyInBetweenCouldChange(String where) {
        discovery(answering(200, discoveryOf(issuer, where)));
        cannot("discovery: its jwks_uri is no https URL");
    }

    @Test
    void endlessAnswer() {
        keysAt("/certs", exchange -> {
            try (exchange) {
                exchange.sendResponseHeaders(200, 0);
                byte[] some = new byte[8192];
                for (int i = 0; i < 1_000; i++) {
                    exchange.getResponseBody().write(some);
                }
            }
        });
        cannot("keys: the answer breaks off, or has more than 256 KB");
    }

    @Test
    void answerThatNeverEnds_isGivenUp() {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch over = new CountDownLatch(1);
        discovery(exchange -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write('{');
            exchange.getResponseBody().flush();
            asked.countDown();
            try {
                over.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            exchange.close();
        });
        cannot("discovery: no answer within 3 s");
        over.countDown();
    }

    @Test
    void nobodyThere_thenBack() throws IOException {
        keysAt("/certs", answering(200, "{\"keys\":[]}"));
        server.stop(0);
        cannot("discovery: no connection");
        server = serverThere();
        keysAt("/certs", answering(200, "{\"keys\":[]}"));
        server.start();
        assertThat(read().getKeys()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"https://login.example/realms/x,true", "http://localhost:8080,true", "http://[::1]:1,true",
        "http://login.example,false", "login.example,false", "https://,false", "https://u:p@login.example,false",
        "https://login.example?x=1,false", "file:///x,false"})
    void issuersThatMayBeBelieved(String text, boolean may) {
        assertThat(OidcTokens.Settings.isIssuer(text)).isEqualTo(may);
    }
}
