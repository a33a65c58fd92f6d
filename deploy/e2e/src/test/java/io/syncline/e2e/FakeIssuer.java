package io.syncline.e2e;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.syncline.model.testing.HeldPort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** An OIDC issuer on a port of its own: its discovery document, its keys, and tokens of every kind, also such as it would never make. */
public final class FakeIssuer implements AutoCloseable {

    public static final String AUDIENCE = "syncline";

    /** Nobody else gets it while it is away. */
    private final HeldPort port = new HeldPort();
    private HttpServer server;
    private volatile RSAKey key;
    private final AtomicInteger asked = new AtomicInteger();

    public FakeIssuer() throws IOException {
        key = newKey("first");
        server = serve();
    }

    private HttpServer serve() throws IOException {
        HttpServer made = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port.number()), 0);
        made.createContext("/.well-known/openid-configuration", exchange -> answer(exchange,
                "{\"issuer\":\"" + issuer() + "\",\"jwks_uri\":\"" + issuer() + "/keys\"}"));
        made.createContext("/keys", exchange -> {
            asked.incrementAndGet();
            answer(exchange, new JWKSet(key.toPublicJWK()).toString());
        });
        made.start();
        return made;
    }

    private static void answer(HttpExchange exchange, String json) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        try (exchange) {
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    /** What a gateway needs to take its tokens. */
    public String[] settings() {
        return new String[]{"--syncline.admin.oidc.issuer=" + issuer(), "--syncline.admin.oidc.audience=" + AUDIENCE};
    }

    public String issuer() {
        return "http://127.0.0.1:" + port.number();
    }

    /** How many times its keys were read. */
    public int asked() {
        return asked.get();
    }

    public RSAKey key() {
        return key;
    }

    /** From now on it has this key and no other. */
    public void rotateTo(String id) {
        key = newKey(id);
    }

    public static RSAKey newKey(String id) {
        try {
            return new RSAKeyGenerator(2048).keyID(id).generate();
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Nobody listens any more. */
    public void goAway() {
        server.stop(0);
    }

    public void comeBack() throws IOException {
        server = serve();
    }

    /** What it says of somebody for the next hour; to be changed. */
    public JWTClaimsSet.Builder claims(String subject, String... roles) {
        Instant now = Instant.now();
        return new JWTClaimsSet.Builder().issuer(issuer())
                .audience(AUDIENCE)
                .subject(subject)
                .issueTime(Date.from(now))
                .expirationTime(Date.from(now.plusSeconds(3_600)))
                .claim("roles", List.of(roles));
    }

    public String token(String subject, String... roles) {
        return signed(claims(subject, roles).build());
    }

    public String signed(JWTClaimsSet claims) {
        return signed(claims, key);
    }

    public static String signed(JWTClaimsSet claims, RSAKey key) {
        return signed(new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(key.getKeyID()).build(), claims, key);
    }

    public static String signed(JWSHeader header, JWTClaimsSet claims, RSAKey key) {
        try {
            return signed(header, claims, new RSASSASigner(key));
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    /** HS256 with what everybody can read of the key, in the form in which confused programs take it. */
    public String signedWithThePublicKey(JWTClaimsSet claims) {
        try {
            return signed(
                    new JWSHeader.Builder(JWSAlgorithm.HS256).keyID(key.getKeyID()).type(JOSEObjectType.JWT).build(),
                    claims, new MACSigner(key.toRSAPublicKey().getEncoded()));
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    public static String unsigned(JWTClaimsSet claims) {
        return new PlainJWT(claims).serialize();
    }

    private static String signed(JWSHeader header, JWTClaimsSet claims, JWSSigner signer) throws JOSEException {
        SignedJWT token = new SignedJWT(header, claims);
        token.sign(signer);
        return token.serialize();
    }

    @Override
    public void close() throws IOException {
        server.stop(0);
        port.close();
    }
}
