package io.syncline.e2e.operators;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.e2e.LogFoldsToState;
import io.syncline.e2e.SyncCluster;
import io.syncline.model.connection.Connection;
import io.syncline.model.credential.AuthToken;
import io.syncline.model.credential.CredentialKeys;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The operators' API against workers that decide: changes, conditions, tokens, roles, and who did it. */
class OperatorsIT {

    @TempDir static Path directory;

    private static SyncCluster cluster;
    private static SyncCluster.Gateway gateway;

    @BeforeAll
    static void start() {
        cluster = SyncCluster.start(directory);
        cluster.startWorker("--syncline.worker.name=worker-a");
        gateway = cluster.startGateway();
        Awaitility.await()
                .atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> ok(gateway.admin("PATCH", "/settings",
                        "{\"enabled\":true,\"incoming_mode\":\"auto_accept\"}")));
    }

    @AfterAll
    static void foldAndStop() throws Exception {
        try {
            assertThat(LogFoldsToState.atRest(cluster).foreign()).isEmpty();
        } finally {
            cluster.close();
        }
    }

    private static JsonNode ok(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isBetween(200, 299);
        return response.body().isEmpty() ? JsonMapper.shared().createObjectNode()
                : JsonMapper.shared().readTree(response.body());
    }

    private static void refused(HttpResponse<String> response, int status) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(response.headers().firstValue("content-type")).hasValueSatisfying(
                type -> assertThat(type).startsWith("application/problem+json"));
    }

    private static JsonNode created(String site) {
        return ok(gateway.admin("POST", "/connections", """
                {"direction":"sender","name":"S","site_url":"%s","status":"active"}""".formatted(site)));
    }

    private static HttpResponse<String> as(String token, String method, String path, @Nullable String json,
            String... headers) {
        Map<String, String> all = new java.util.HashMap<>(Map.of("authorization", "Bearer " + token));
        if (json != null) {
            all.put("content-type", "application/json");
        }
        for (int i = 0; i < headers.length; i += 2) {
            all.put(headers[i], headers[i + 1]);
        }
        return gateway.send(method, "/admin/api" + path, all, json == null ? "" : json);
    }

    private static java.sql.Connection state() throws SQLException {
        return DriverManager.getConnection(cluster.database().url("syncline"), cluster.database().username(),
                cluster.database().password());
    }

    private static void inState(String sql) throws SQLException {
        try (java.sql.Connection connection = state(); Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String stored(String sql) throws SQLException {
        try (java.sql.Connection connection = state();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    private static String etag(HttpResponse<String> response) {
        return response.headers().firstValue("etag").orElseThrow();
    }

    private static int listTables(String token) {
        return gateway.call("list-tables", "{\"auth_token_hash\":\"" + new AuthToken(token).hash().text() + "\"}")
                .statusCode();
    }

    @Test
    void settingsOfASender_changedFieldByField() {
        String path = "/connections/" + created("http://changed.example").path("uuid").asString();
        JsonNode changed = ok(gateway.admin("PATCH", path, """
                {"name":"Renamed","notify":false,"max_records_per_request":50,"allowed_tables":["a"],
                "allowed_hours_start":9,"allowed_hours_end":17,"download_password":"secret"}"""));
        assertThat(changed.path("name").asString()).isEqualTo("Renamed");
        assertThat(changed.path("notify").booleanValue()).isFalse();
        assertThat(changed.path("settings").path("download_password_set").booleanValue()).isTrue();
        JsonNode again = ok(gateway.admin("PATCH", path, "{\"max_downloads\":5,\"allowed_tables\":null}"))
                .path("settings");
        assertThat(again.path("max_records_per_request").intValue()).isEqualTo(50);
        assertThat(again.path("max_downloads").intValue()).isEqualTo(5);
        assertThat(again.path("allowed_tables")).isEmpty();
        assertThat(again.path("allowed_hours_start").intValue()).isEqualTo(9);
        assertThat(again.path("download_password_set").booleanValue()).isTrue();
        assertThat(ok(gateway.admin("PATCH", path, "{\"download_password\":null,\"allowed_hours_start\":null,"
                + "\"allowed_hours_end\":null}")).path("settings").path("download_password_set").booleanValue())
                .isFalse();
        refused(gateway.admin("PATCH", path, "{\"allowed_hours_start\":3}"), 400);
        refused(gateway.admin("PATCH", path, "{\"max_download\":3}"), 400);
    }

    @Test
    void aReceiver_hasNothingOfOursToChange() {
        String uuid = ok(gateway.call("register-connection", """
                {"sender_url":"http://receiver.example","connection_name":"R","auth_token":"token-of-r"}"""))
                .path("connection_uuid")
                .asString();
        refused(gateway.admin("PATCH", "/connections/" + uuid, "{\"name\":\"x\"}"), 409);
        refused(gateway.admin("POST", "/connections/" + uuid + "/rotate-token", null), 409);
    }

    @Test
    void whoWasSlower_isTold412AndNothingChanges() {
        String path = "/connections/" + created("http://etag.example").path("uuid").asString();
        String seen = etag(gateway.admin("GET", path, null));
        ok(as(SyncCluster.ADMIN_TOKEN, "PATCH", path, "{\"name\":\"first\"}", "if-match", seen));
        refused(as(SyncCluster.ADMIN_TOKEN, "PATCH", path, "{\"name\":\"second\"}", "if-match", seen), 412);
        refused(as(SyncCluster.ADMIN_TOKEN, "POST", path + "/revoke", null, "if-match", seen), 412);
        refused(as(SyncCluster.ADMIN_TOKEN, "DELETE", path, null, "if-match", "W/" + seen), 412);
        JsonNode now = ok(gateway.admin("GET", path, null));
        assertThat(now.path("name").asString()).isEqualTo("first");
        assertThat(now.path("status").asString()).isEqualTo("active");
        ok(as(SyncCluster.ADMIN_TOKEN, "POST", path + "/suspend", "{\"reason\":\"r\"}", "if-match", "*"));

        String settings = etag(gateway.admin("GET", "/settings", null));
        ok(as(SyncCluster.ADMIN_TOKEN, "PATCH", "/settings", "{\"incoming_mode\":\"require_approval\"}", "if-match",
                settings));
        refused(as(SyncCluster.ADMIN_TOKEN, "PATCH", "/settings", "{\"incoming_mode\":\"deny_all\"}", "if-match",
                settings), 412);
        ok(gateway.admin("PATCH", "/settings", "{\"incoming_mode\":\"auto_accept\"}"));
    }

    @Test
    void siteThatWasSentAway_isNotTakenForANewcomer() {
        String registration = """
                {"sender_url":"http://fraud.example","connection_name":"F","auth_token":"t-fraud"}""";
        String uuid = ok(gateway.call("register-connection", registration)).path("connection_uuid").asString();
        ok(gateway.admin("POST", "/connections/" + uuid + "/revoke", "{\"reason\":\"fraud\"}"));
        JsonNode revoked = ok(gateway.admin("GET", "/connections/" + uuid, null)).path("imposed");
        ok(gateway.call("delete-connection", "{\"sender_url\":\"http://fraud.example\",\"auth_token_hash\":\""
                + new AuthToken("t-fraud").hash().text() + "\"}"));
        String again = ok(gateway.call("register-connection", registration)).path("connection_uuid").asString();
        JsonNode shown = ok(gateway.admin("GET", "/connections/" + again, null));
        assertThat(shown.path("status").asString()).isEqualTo("pending");
        assertThat(shown.path("imposed").path("kind").asString()).isEqualTo("awaiting_approval");
        assertThat(shown.path("imposed").path("former").asString()).isEqualTo("revoked");
        for (String field : List.of("reason", "by", "since")) {
            assertThat(shown.path("imposed").path(field)).as(field).isEqualTo(revoked.required(field));
        }
    }

    @Test
    void changesAtOnceOfDifferentFields_bothHold() throws Exception {
        String path = "/connections/" + created("http://both.example").path("uuid").asString();
        List<Thread> threads = new ArrayList<>();
        List<Integer> statuses = java.util.Collections.synchronizedList(new ArrayList<>());
        for (String json : List.of("{\"name\":\"N\"}", "{\"max_downloads\":7}", "{\"notify\":false}")) {
            threads.add(Thread.ofVirtual()
                    .start(
                            () -> statuses.add(gateway.admin("PATCH", path, json).statusCode())));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(statuses).containsOnly(200);
        JsonNode now = ok(gateway.admin("GET", path, null));
        assertThat(now.path("name").asString()).isEqualTo("N");
        assertThat(now.path("settings").path("max_downloads").intValue()).isEqualTo(7);
        assertThat(now.path("notify").booleanValue()).isFalse();
    }

    @Test
    void tokenRotated_withoutAnIntervalOfRefusal() {
        JsonNode made = created("http://rotated.example");
        String path = "/connections/" + made.path("uuid").asString();
        String first = made.path("auth_token").asString();
        JsonNode rotated = ok(gateway.admin("POST", path + "/rotate-token", null));
        String second = rotated.path("auth_token").asString();
        assertThat(Instant.parse(rotated.path("previous_valid_until").asString()))
                .isBetween(Instant.now().plus(Duration.ofHours(23)), Instant.now().plus(Duration.ofHours(25)));
        assertThat(listTables(first)).isEqualTo(200);
        assertThat(listTables(second)).isEqualTo(200);
        assertThat(gateway.call("verify-connection", "{\"sender_url\":\"http://rotated.example\",\"auth_token_hash\":\""
                + new AuthToken(first).hash().text() + "\"}").statusCode()).isEqualTo(200);
        refused(gateway.admin("POST", "/connections", """
                {"direction":"sender","name":"T","site_url":"http://thief.example","auth_token":"%s"}"""
                .formatted(first)), 409);

        String third = ok(gateway.admin("POST", path + "/rotate-token", "{\"overlap_seconds\":60000}"))
                .path("auth_token")
                .asString();
        for (String token : List.of(first, second, third)) {
            assertThat(listTables(token)).isEqualTo(200);
            assertThat(gateway
                    .call("get-connection-status", "{\"receiver_url\":\"http://rotated.example\",\"auth_token_hash\":\""
                            + new AuthToken(token).hash().text() + "\"}")
                    .statusCode()).isEqualTo(200);
            assertThat(gateway.call("verify-connection",
                    "{\"sender_url\":\"http://rotated.example\",\"auth_token_hash\":\""
                            + new AuthToken(token).hash().text() + "\"}")
                    .statusCode()).isEqualTo(200);
        }
        assertThat(ok(gateway.admin("GET", path, null)).path("previous_token_valid_until").asString())
                .as("the last of them ends with the day of the first rotation")
                .isEqualTo(rotated.path("previous_valid_until").asString());

        String last = ok(gateway.admin("POST", path + "/rotate-token", "{\"overlap_seconds\":0}"))
                .path("auth_token")
                .asString();
        for (String token : List.of(first, second, third)) {
            assertThat(listTables(token)).isEqualTo(401);
        }
        assertThat(listTables(last)).isEqualTo(200);
        refused(gateway.admin("POST", path + "/rotate-token", "{\"overlap_seconds\":-1}"), 400);
    }

    /** What was changed may be gone, or unreadable, before the operator is answered; the change holds all the same. */
    @Test
    void changeThatWasApplied_isNeverAnsweredAsIfItWereNot() throws Exception {
        JsonNode made = created("http://gone-again.example");
        String uuid = made.path("uuid").asString();
        String path = "/connections/" + uuid;
        try {
            // As a peer's deletion does that is decided right behind it.
            inState("""
                    CREATE FUNCTION syncline.test_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                        UPDATE syncline.connection SET uuid = gen_random_uuid() WHERE site_url = NEW.site_url;
                        RETURN NULL; END $$;
                    CREATE TRIGGER test_gone AFTER INSERT ON syncline.imposition FOR EACH ROW
                        WHEN (NEW.site_url = 'http://gone-again.example') EXECUTE FUNCTION syncline.test_gone()""");
            JsonNode suspended = ok(gateway.admin("POST", path + "/suspend", "{\"reason\":\"r\"}"));
            assertThat(suspended.path("applied").booleanValue()).as(suspended.toString()).isTrue();
            assertThat(suspended.path("uuid").asString()).isEqualTo(uuid);
            assertThat(suspended.path("status").asString()).isEqualTo("suspended");
            refused(gateway.admin("GET", path, null), 404);
        } finally {
            inState("DROP FUNCTION syncline.test_gone CASCADE; UPDATE syncline.connection SET uuid = '" + uuid
                    + "' WHERE site_url = 'http://gone-again.example'");
        }
        String settings = stored("SELECT settings FROM syncline.connection WHERE uuid = '" + uuid + "'");
        try {
            inState("""
                    CREATE FUNCTION syncline.test_unreadable() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                        NEW.settings := 'no JSON'; RETURN NEW; END $$;
                    CREATE TRIGGER test_unreadable BEFORE UPDATE ON syncline.connection FOR EACH ROW
                        WHEN (NEW.site_url = 'http://gone-again.example') EXECUTE FUNCTION syncline.test_unreadable()""");
            JsonNode rotated = ok(gateway.admin("POST", path + "/rotate-token", null));
            assertThat(rotated.path("auth_token").asString()).as("nobody else can tell it").isNotEmpty();
            assertThat(rotated.path("previous_valid_until").isNull()).isTrue();
        } finally {
            inState("DROP FUNCTION syncline.test_unreadable CASCADE");
            inState("UPDATE syncline.connection SET settings = '" + settings + "' WHERE uuid = '" + uuid + "'");
        }
        assertThat(ok(gateway.admin("GET", path, null)).path("status").asString()).isEqualTo("suspended");
    }

    @Test
    void tokenRotatedTooOften_refusedUntilOneHasEnded_orWithoutOverlap() {
        String path = "/connections/" + created("http://rotated-often.example").path("uuid").asString();
        JsonNode first = ok(gateway.admin("POST", path + "/rotate-token", "{\"overlap_seconds\":7000}"));
        for (int i = 2; i <= Connection.Sender.MOST_PREVIOUS_TOKENS; i++) {
            ok(gateway.admin("POST", path + "/rotate-token", null));
        }
        HttpResponse<String> refused = gateway.admin("POST", path + "/rotate-token", null);
        refused(refused, 409);
        assertThat(refused.body()).contains(first.path("previous_valid_until").asString(), "overlap_seconds 0");
        ok(gateway.admin("POST", path + "/rotate-token", "{\"overlap_seconds\":0}"));
        ok(gateway.admin("POST", path + "/rotate-token", null));
    }

    @Test
    void operatorsWithTokensOfTheirOwn_mayDoWhatTheirRoleMay_andTheLogNamesThem() throws Exception {
        String path = "/connections/" + created("http://roles.example").path("uuid").asString();
        String viewer = appoint("vera", "viewer");
        String auditor = appoint("anna", "auditor");
        String operator = appoint("otto", "operator");
        for (String token : List.of(viewer, auditor, operator)) {
            for (String look : List.of("/settings", "/connections", path, "/tables", "/workers")) {
                ok(as(token, "GET", look, null));
            }
            refused(as(token, "POST", "/operators", "{\"name\":\"x\",\"role\":\"operator\"}"), 403);
            refused(as(token, "DELETE", "/operators/vera", null), 403);
        }
        refused(as(viewer, "GET", "/events", null), 403);
        ok(as(auditor, "GET", "/events", null));
        for (String token : List.of(viewer, auditor)) {
            refused(as(token, "PATCH", "/settings", "{\"enabled\":false}"), 403);
            refused(as(token, "PATCH", path, "{\"name\":\"x\"}"), 403);
            refused(as(token, "POST", path + "/revoke", null), 403);
            refused(as(token, "POST", path + "/rotate-token", null), 403);
            refused(as(token, "DELETE", path, null), 403);
        }
        ok(as(operator, "POST", path + "/suspend", "{\"reason\":\"late\"}"));
        JsonNode event = ok(gateway.admin("GET", "/events?site_url=http://roles.example&limit=1", null)).path("events")
                .get(0);
        assertThat(event.path("type").asString()).isEqualTo("syncline.connection.suspended.v1");
        assertThat(event.path("data").path("by").asString()).isEqualTo("otto");

        assertThat(ok(gateway.admin("GET", "/operators", null)).path("operators").toString()).contains("vera")
                .doesNotContain("fingerprint");
        refused(gateway.admin("POST", "/operators", "{\"name\":\"vera\",\"role\":\"viewer\"}"), 409);
        refused(gateway.admin("POST", "/operators", "{\"name\":\"admin\",\"role\":\"viewer\"}"), 400);
        ok(gateway.admin("DELETE", "/operators/otto", null));
        refused(as(operator, "GET", path, null), 401);
        refused(gateway.admin("DELETE", "/operators/otto", null), 404);
    }

    private static String appoint(String name, String role) {
        return ok(gateway.admin("POST", "/operators", "{\"name\":\"" + name + "\",\"role\":\"" + role + "\"}"))
                .path("token")
                .asString();
    }

    @Test
    void connections_pageByPage_andFiltered() {
        for (int i = 0; i < 7; i++) {
            created("http://page-" + i + ".example");
        }
        List<String> all = urls("/connections?direction=sender&limit=3");
        assertThat(all).doesNotHaveDuplicates()
                .containsAll(
                        Stream.iterate(0, i -> i + 1).limit(7).map(i -> "http://page-" + i + ".example").toList());
        assertThat(urls("/connections?site_url=http://page-3.example&limit=1"))
                .containsExactly("http://page-3.example");
        String path = "/connections/" + created("http://pages-revoked.example").path("uuid").asString();
        ok(gateway.admin("POST", path + "/revoke", "{\"reason\":\"r\"}"));
        assertThat(urls("/connections?status=revoked&limit=1")).contains("http://pages-revoked.example")
                .noneMatch(url -> url.startsWith("http://page-"));
        refused(gateway.admin("GET", "/connections?cursor=nonsense", null), 400);
        refused(gateway.admin("GET", "/connections?status=good", null), 400);
    }

    private static List<String> urls(String path) {
        List<String> urls = new ArrayList<>();
        String cursor = "";
        do {
            JsonNode page = ok(gateway.admin("GET", path + cursor, null));
            page.path("connections").forEach(one -> urls.add(one.path("site_url").asString()));
            cursor = page.has("next_cursor") ? "&cursor=" + page.path("next_cursor").asString() : "";
        } while (!cursor.isEmpty());
        return urls;
    }

    @Test
    void events_theNewestFirst_eachOnce_withNothingSecret() {
        for (int i = 0; i < 5; i++) {
            created("http://event-" + i + ".example");
        }
        List<String> ids = new ArrayList<>();
        List<Instant> times = new ArrayList<>();
        String cursor = "";
        do {
            String body = gateway.admin("GET", "/events?limit=4" + cursor, null).body();
            assertThat(body).doesNotContain("sealed").doesNotContain("fingerprint").doesNotContain("argon2");
            JsonNode page = JsonMapper.shared().readTree(body);
            for (JsonNode event : page.path("events")) {
                ids.add(event.path("id").asString());
                times.add(Instant.parse(event.path("time").asString()));
            }
            cursor = page.has("next_cursor") ? "&cursor=" + page.path("next_cursor").asString() : "";
        } while (!cursor.isEmpty() && ids.size() < 1_000);
        assertThat(ids).doesNotHaveDuplicates().hasSizeGreaterThanOrEqualTo(5);
        assertThat(times.subList(0, 4)).isSortedAccordingTo(java.util.Comparator.reverseOrder());
        String uuid = created("http://event-of-one.example").path("uuid").asString();
        assertThat(ok(gateway.admin("GET", "/events?connection=" + uuid, null)).path("events")).hasSize(1);
        refused(gateway.admin("GET", "/events?limit=501", null), 400);
        refused(gateway.admin("GET", "/events?cursor=!", null), 400);
    }

    /** Sealing, MAC and signing keys; the log that is proved at the end has events under both. */
    @Test
    void keysRotate_whilePeersRegister_andNobodyIsRefused() throws Exception {
        String before = sealedUnder(0);
        Instant begun = Instant.now();
        CredentialKeys.rotate(cluster.keyFile(), new SecureRandom(), begun, begun.plusSeconds(2));
        for (int i = 1; sealedUnder(i).equals(before); i++) {
            assertThat(Instant.now()).as("the new keys are never used").isBefore(begun.plusSeconds(120));
        }
    }

    /** The id of the key under which a new registration's token lies in the database. */
    private static String sealedUnder(int registration) throws SQLException {
        String site = "http://during-rotation-" + registration + ".example";
        ok(gateway.call("register-connection", "{\"sender_url\":\"" + site
                + "\",\"connection_name\":\"R\",\"auth_token\":\"t-" + registration + "\"}"));
        try (java.sql.Connection connection = cluster.database().connect("syncline");
                java.sql.PreparedStatement statement = connection
                        .prepareStatement("SELECT sealed_token FROM syncline.connection WHERE site_url = ?")) {
            statement.setString(1, site);
            java.sql.ResultSet row = statement.executeQuery();
            row.next();
            return row.getString(1).split("\\.", 2)[0];
        }
    }

    @Test
    void workers_andWhatTheyOwn() {
        Awaitility.await().atMost(Duration.ofMinutes(1)).untilAsserted(() -> {
            JsonNode answer = ok(gateway.admin("GET", "/workers", null));
            assertThat(answer.path("workers")).hasSize(1);
            JsonNode worker = answer.path("workers").get(0);
            assertThat(worker.path("name").asString()).isEqualTo("worker-a");
            assertThat(worker.path("alive").booleanValue()).isTrue();
            assertThat(worker.path("owns")).hasSize(4);
            assertThat(answer.path("partitions").valueStream().map(one -> one.path("worker").asString("nobody")))
                    .containsOnly("worker-a")
                    .hasSize(4);
            assertThat(answer.path("partitions").get(0).path("waiting").asLong(-1)).isZero();
        });
    }
}
