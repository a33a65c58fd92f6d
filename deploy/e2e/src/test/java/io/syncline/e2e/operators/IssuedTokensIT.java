package io.syncline.e2e.operators;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import io.syncline.e2e.FakeIssuer;
import io.syncline.e2e.SyncCluster;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Operators with tokens of an OIDC issuer, which is away when the gateway starts. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@ExtendWith(OutputCaptureExtension.class)
class IssuedTokensIT {

    private static final String NOBODY = "This is no operator's token";
    /** The issuer is asked again after some seconds at the latest, and then has to answer. */
    private static final Duration ASKED_AGAIN = Duration.ofMinutes(1);
    private static final RSAKey STRANGERS = FakeIssuer.newKey("strangers");

    @TempDir static Path directory;

    private static SyncCluster cluster;
    private static FakeIssuer issuer;
    private static SyncCluster.Gateway gateway;

    @BeforeAll
    static void start() throws Exception {
        cluster = SyncCluster.start(directory);
        issuer = new FakeIssuer();
        issuer.goAway();
        cluster.startWorker();
        gateway = cluster.startGateway(issuer.settings());
    }

    @AfterAll
    static void stop() throws Exception {
        issuer.close();
        cluster.close();
    }

    /**
     * As somebody who comes again while the issuer's keys cannot be read: it has 3 s for them, and a machine that stands still
     * for so long keeps it from answering.
     */
    private static HttpResponse<String> as(SyncCluster.Gateway asked, String token, String method, String path,
            @Nullable String json) {
        return Awaitility.await("the issuer has answered")
                .atMost(ASKED_AGAIN)
                .pollDelay(Duration.ZERO)
                .until(() -> once(asked, token, method, path, json), answer -> answer.statusCode() != 503);
    }

    private static HttpResponse<String> once(SyncCluster.Gateway asked, String token, String method, String path,
            @Nullable String json) {
        Map<String, String> headers = new HashMap<>(Map.of("authorization", "Bearer " + token));
        if (json != null) {
            headers.put("content-type", "application/json");
        }
        return asked.send(method, "/admin/api" + path, headers, json == null ? "" : json);
    }

    private static HttpResponse<String> get(String token) {
        return as(gateway, token, "GET", "/settings", null);
    }

    private static HttpResponse<String> getOnce(String token) {
        return once(gateway, token, "GET", "/settings", null);
    }

    private static JsonNode json(HttpResponse<String> response) {
        return JsonMapper.shared().readTree(response.body());
    }

    private static RSAKey stranger(String id) {
        return new RSAKey.Builder(STRANGERS).keyID(id).build();
    }

    private static void refused(HttpResponse<String> response, int status, String detail) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(json(response).path("detail").asString()).contains(detail);
    }

    @Test
    @Order(1)
    void issuerAway_isSaidToWhoeverHasItsTokens_andHindersNobodyElse(CapturedOutput output) throws Exception {
        String token = issuer.token("early", "syncline-viewer");
        // At first perhaps: no answer in time.
        Awaitility.await().atMost(ASKED_AGAIN).untilAsserted(() -> {
            refused(getOnce(token), 503, "discovery: no connection");
            assertThat(output).contains(issuer.issuer() + "/.well-known/openid-configuration: no connection");
        });
        assertThat(getOnce(token).headers().firstValue("retry-after")).isPresent();
        assertThat(get(SyncCluster.ADMIN_TOKEN).statusCode()).isEqualTo(200);
        String own = json(gateway.admin("POST", "/operators", "{\"name\":\"vera\",\"role\":\"viewer\"}")).path("token")
                .asString();
        assertThat(get(own).statusCode()).isEqualTo(200);
        refused(get(FakeIssuer.unsigned(issuer.claims("x", "syncline-viewer").build())), 401, NOBODY);

        issuer.comeBack();
        Awaitility.await().atMost(ASKED_AGAIN).until(() -> getOnce(token).statusCode() == 200);
    }

    @ParameterizedTest
    @CsvSource({"syncline-viewer,200,403,403", "syncline-auditor,200,200,403", "syncline-operator,200,200,200"})
    @Order(2)
    void eachRole_mayDoWhatItMay_andNoneMakesOperators(String role, int look, int audit, int change) {
        String token = issuer.token("somebody", "something-else", role);
        assertThat(get(token).statusCode()).isEqualTo(look);
        assertThat(as(gateway, token, "GET", "/events", null).statusCode()).isEqualTo(audit);
        assertThat(as(gateway, token, "PATCH", "/settings", "{\"enabled\":true}").statusCode()).isEqualTo(change);
        refused(as(gateway, token, "POST", "/operators", "{\"name\":\"x\",\"role\":\"viewer\"}"), 403,
                "oidc:somebody is " + role.substring("syncline-".length()));
    }

    @Test
    @Order(2)
    void severalRoles_theOneThatMayMost() {
        String token = issuer.token("both", "syncline-operator", "syncline-viewer");
        assertThat(as(gateway, token, "PATCH", "/settings", "{\"enabled\":true}").statusCode()).isEqualTo(200);
    }

    @Test
    @Order(2)
    void noRole_or_noName_isKnownAndMayNothing() {
        refused(get(issuer.token("nobody")), 403, "oidc:nobody has no role here");
        refused(get(issuer.token("nobody", "viewer", "admin")), 403, "syncline-viewer");
        refused(get(issuer.signed(issuer.claims("n").claim("roles", Map.of("syncline-viewer", true)).build())), 403,
                "no role");
        for (String name : List.of("", " padded", "two\nlines", "ümlaut", "x".repeat(256), "\u202eadmin")) {
            refused(get(issuer.token(name, "syncline-viewer")), 403, "'sub'");
        }
        refused(get(issuer.signed(issuer.claims("n", "syncline-viewer").claim("sub", null).build())), 403, "'sub'");
    }

    @Test
    @Order(2)
    void whatTheIssuerHasSigned_isToldWhatIsWrongWithIt() {
        refused(get(with(claims -> claims.expirationTime(fromNow(-60)))), 401, "expired");
        refused(get(with(claims -> claims.audience("another-program"))), 401, "audience");
        refused(get(with(claims -> claims.audience((String) null))), 401, "audience");
        refused(get(with(claims -> claims.notBeforeTime(fromNow(1_800)))), 401, "valid already");
        refused(get(with(claims -> claims.expirationTime(null))), 401, "until when");
        assertThat(get(with(claims -> claims.audience(List.of("another", FakeIssuer.AUDIENCE)))).statusCode())
                .isEqualTo(200);
        assertThat(get(with(claims -> claims.expirationTime(fromNow(-5)).notBeforeTime(fromNow(5)))).statusCode())
                .as("clocks differ a little")
                .isEqualTo(200);
    }

    private static String with(UnaryOperator<JWTClaimsSet.Builder> change) {
        return issuer.signed(change.apply(issuer.claims("somebody", "syncline-viewer")).build());
    }

    private static Date fromNow(int seconds) {
        return Date.from(Instant.now().plusSeconds(seconds));
    }

    @Test
    @Order(2)
    void whatTheIssuerHasNotSigned_isAnsweredAsAnyWrongToken() {
        JWTClaimsSet claims = issuer.claims("somebody", "syncline-operator").build();
        for (String token : List.of("wrong", "a.b.c", with(one -> one.issuer("https://another.example")),
                with(one -> one.issuer(null)), FakeIssuer.unsigned(claims), issuer.signedWithThePublicKey(claims),
                FakeIssuer.signed(claims, FakeIssuer.newKey(issuer.key().getKeyID())),
                FakeIssuer.signed(claims, FakeIssuer.newKey("unknown")))) {
            HttpResponse<String> response = get(token);
            refused(response, 401, NOBODY);
            assertThat(response.headers().firstValue("www-authenticate")).isPresent();
        }
    }

    @Test
    @Order(2)
    void strangersKeys_doNotMakeUsAskTheIssuerEachTime() {
        JWTClaimsSet claims = issuer.claims("somebody", "syncline-operator").build();
        List<String> tokens = IntStream.range(0, 20)
                .mapToObj(i -> FakeIssuer.signed(claims, stranger("k" + i)))
                .toList();
        int before = issuer.asked();
        long begun = System.nanoTime();
        tokens.forEach(token -> refused(get(token), 401, NOBODY));
        long intervals = 1 + Duration.ofNanos(System.nanoTime() - begun).toSeconds() / 5;
        assertThat(issuer.asked() - before).isLessThanOrEqualTo((int) (2 * (intervals + 1)));
    }

    @Test
    @Order(2)
    void whoDidIt_isInTheLog_andNobodyWhoHasATokenOfOurs(CapturedOutput output) {
        String token = issuer.token("admin", "syncline-operator");
        HttpResponse<String> made = as(gateway, token, "POST", "/connections", """
                {"direction":"sender","name":"S","site_url":"http://logged.example","status":"active"}""");
        assertThat(made.statusCode()).as(made.body()).isEqualTo(201);
        String uuid = json(made).path("uuid").asString();
        assertThat(as(gateway, token, "POST", "/connections/" + uuid + "/suspend", "{\"reason\":\"r\"}").statusCode())
                .isEqualTo(200);
        assertThat(json(as(gateway, token, "GET", "/connections/" + uuid, null)).path("imposed").path("by").asString())
                .isEqualTo("oidc:admin");
        assertThat(as(gateway, token, "GET", "/events?connection=" + uuid, null).body()).contains("\"oidc:admin\"")
                .doesNotContain("\"admin\"");
        assertThat(gateway.admin("POST", "/operators", "{\"name\":\"oidc:admin\",\"role\":\"viewer\"}").statusCode())
                .isEqualTo(400);
        get(token + "x");
        for (String part : token.split("\\.")) {
            assertThat(output).doesNotContain(part);
        }
    }

    @Test
    @Order(2)
    void failures_countForTheAddress() {
        List<String> settings = new ArrayList<>(List.of(issuer.settings()));
        settings.add("--syncline.limits.failed-authentications-per-minute=5");
        SyncCluster.Gateway limited = cluster.startGateway(settings.toArray(String[]::new));
        String forged = FakeIssuer.signed(issuer.claims("x", "syncline-viewer").build(), STRANGERS);
        String genuine = issuer.token("x", "syncline-viewer");
        assertThat(as(limited, genuine, "GET", "/settings", null).statusCode()).isEqualTo(200);
        Awaitility.await()
                .atMost(Duration.ofMinutes(1))
                .until(() -> as(limited, forged, "GET", "/settings", null).statusCode() == 429
                        && as(limited, genuine, "GET", "/settings", null).statusCode() == 429);
    }

    @Test
    @Order(2)
    void otherClaims_asConfigured_alsoWithinOthers() {
        List<String> settings = new ArrayList<>(List.of(issuer.settings()));
        settings.addAll(List.of("--syncline.admin.oidc.name-claim=email",
                "--syncline.admin.oidc.roles-claim=realm_access.roles",
                "--syncline.admin.oidc.viewer-roles=staff,guests", "--syncline.admin.oidc.operator-roles=ops"));
        SyncCluster.Gateway other = cluster.startGateway(settings.toArray(String[]::new));
        JWTClaimsSet.Builder claims = issuer.claims("s", "syncline-operator").claim("email", "ann@example.org");
        refused(as(other, issuer.signed(claims.build()), "GET", "/settings", null), 403, "oidc:ann@example.org has no");
        String ops = issuer.signed(claims.claim("realm_access", Map.of("roles", List.of("ops"))).build());
        assertThat(as(other, ops, "PATCH", "/settings", "{\"enabled\":true}").statusCode()).isEqualTo(200);
        String guests = issuer.signed(claims.claim("realm_access", Map.of("roles", "x guests")).build());
        assertThat(as(other, guests, "GET", "/settings", null).statusCode()).isEqualTo(200);
        refused(as(other, guests, "PATCH", "/settings", "{\"enabled\":true}"), 403, "oidc:ann@example.org is viewer");
    }

    @Test
    @Order(3)
    void issuerAwayAgain_whoseKeyIsKnownGoesOn_whoseKeyMayBeNewIsToldSo() throws Exception {
        String known = issuer.token("known", "syncline-viewer");
        assertThat(get(known).statusCode()).isEqualTo(200);
        issuer.goAway();
        issuer.rotateTo("second");
        String rotated = issuer.token("rotated", "syncline-viewer");
        Awaitility.await().atMost(ASKED_AGAIN).until(() -> getOnce(rotated).statusCode() == 503);
        refused(getOnce(rotated), 503, "cannot be read now");
        assertThat(get(known).statusCode()).isEqualTo(200);

        issuer.comeBack();
        Awaitility.await().atMost(ASKED_AGAIN).until(() -> getOnce(rotated).statusCode() == 200);
        refused(get(known), 401, NOBODY);
    }
}
