package io.syncline.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.connection.ConnectionSettings;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What operators get without any worker: everything but changes, and all that is wrong with those. */
class OperatorCallsIT {

    @TempDir static Path directory;

    private static GatewayUnderTest gateway;
    private static UUID sender;

    @BeforeAll
    static void start() throws Exception {
        gateway = GatewayUnderTest.start(directory);
        gateway.settings(true, "require_approval", null);
        gateway.receiver("http://receiver.example", "tok-r", "suspended");
        sender = gateway.sender("http://sender.example", "tok-s", true, ConnectionSettings.DEFAULTS);
        gateway.impose("http://sender.example", "sender", "revoked");
        Awaitility.await()
                .atMost(Duration.ofMinutes(1))
                .until(() -> gateway.admin("GET", "/settings", null).statusCode() == 200);
    }

    @AfterAll
    static void stop() throws Exception {
        gateway.close();
    }

    private static JsonNode json(HttpResponse<String> response) {
        return JsonMapper.shared().readTree(response.body());
    }

    private static JsonNode problem(HttpResponse<String> response, int status) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(response.headers().firstValue("content-type")).hasValueSatisfying(
                type -> assertThat(type).startsWith("application/problem+json"));
        JsonNode problem = json(response);
        assertThat(problem.path("status").intValue()).isEqualTo(status);
        assertThat(problem.path("title").asString()).isNotEmpty();
        assertThat(problem.path("detail").asString()).isNotEmpty();
        return problem;
    }

    private static List<String> wrongFields(HttpResponse<String> response) {
        return problem(response, 400).path("errors").valueStream().map(one -> one.path("field").asString()).toList();
    }

    @ParameterizedTest
    @CsvSource({"GET,/settings", "PATCH,/settings", "POST,/connections", "GET,/nothing", "GET,/tables"})
    void nobodyWithoutTheToken(String method, String path) {
        for (String authorization : List.of("Bearer wrong", "Basic " + GatewayUnderTest.ADMIN_TOKEN)) {
            HttpResponse<String> response = gateway.send(method, "/admin/api" + path, "", "authorization",
                    authorization);
            problem(response, 401);
            assertThat(response.headers().firstValue("www-authenticate")).hasValueSatisfying(
                    scheme -> assertThat(scheme).startsWith("Bearer"));
        }
        problem(gateway.send(method, "/admin/api" + path, ""), 401);
    }

    @Test
    void settings_withoutThePassword() throws Exception {
        JsonNode settings = json(gateway.admin("GET", "/settings", null));
        assertThat(settings.propertyNames()).containsExactlyInAnyOrder("enabled", "incoming_mode",
                "incoming_password_set", "updated_at");
        assertThat(settings.path("incoming_password_set").booleanValue()).isFalse();
    }

    @Test
    void patch_namesAllThatIsWrong() {
        assertThat(wrongFields(gateway.admin("PATCH", "/settings",
                "{\"enabled\":\"yes\",\"incoming_mode\":\"open\",\"incoming_password\":\"\",\"enabeld\":true}")))
                .containsExactlyInAnyOrder("enabled", "incoming_mode", "incoming_password", "enabeld");
        assertThat(wrongFields(gateway.admin("PATCH", "/settings", "{\"enabled\":null,\"incoming_mode\":null}")))
                .containsExactlyInAnyOrder("enabled", "incoming_mode");
    }

    @Test
    void patch_contentTypes() {
        String auth = "Bearer " + GatewayUnderTest.ADMIN_TOKEN;
        problem(gateway.send("PATCH", "/admin/api/settings", "{}", "authorization", auth, "content-type",
                "application/merge-patch+json"), 503);
        problem(gateway.send("PATCH", "/admin/api/settings", "{}", "authorization", auth, "content-type",
                "text/plain"), 415);
        problem(gateway.send("PATCH", "/admin/api/settings", "{}", "authorization", auth), 415);
        problem(gateway.send("POST", "/admin/api/connections", "{}", "authorization", auth, "content-type",
                "application/merge-patch+json"), 415);
    }

    @Test
    void withoutBroker_changesAreRefusedAtOnceAndSaidNotToBeApplied() {
        JsonNode problem = problem(gateway.admin("PATCH", "/settings", "{\"enabled\":false}"), 503);
        assertThat(problem.path("detail").asString()).contains("not applied").contains("broker");
        problem(gateway.admin("POST", "/connections/" + sender + "/suspend", "{\"reason\":\"r\"}"), 503);
        problem(gateway.admin("POST", "/connections/" + sender + "/approve", null), 503);
        problem(gateway.admin("DELETE", "/connections/" + sender, null), 503);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{", "[]", "\"x\"", "null"})
    void malformed(String body) {
        problem(gateway.admin("PATCH", "/settings", body), 400);
        problem(gateway.admin("POST", "/connections", body), 400);
    }

    @Test
    void create_namesAllThatIsWrong() {
        assertThat(wrongFields(gateway.admin("POST", "/connections", "{\"name\":5,\"limit\":1}")))
                .containsExactlyInAnyOrder("direction", "name", "site_url", "limit");
    }

    @Test
    void actions_takeAReasonOnlyWhereThereIsOne() {
        assertThat(wrongFields(gateway.admin("POST", "/connections/" + sender + "/suspend", "{\"reason\":5}")))
                .containsExactly("reason");
        assertThat(wrongFields(gateway.admin("POST", "/connections/" + sender + "/approve", "{\"reason\":\"r\"}")))
                .containsExactly("reason");
    }

    @Test
    void connections_withStatusInForceAndNothingSecret() {
        HttpResponse<String> response = gateway.admin("GET", "/connections", null);
        assertThat(response.body()).doesNotContain("fingerprint").doesNotContain("sealed").doesNotContain("token");
        JsonNode all = json(response).path("connections");
        assertThat(all.valueStream().map(one -> one.path("site_url").asString()))
                .containsExactlyInAnyOrder("http://sender.example", "http://receiver.example");
        JsonNode shown = json(gateway.admin("GET", "/connections/" + sender, null));
        assertThat(shown.path("direction").asString()).isEqualTo("sender");
        assertThat(shown.path("status").asString()).isEqualTo("revoked");
        assertThat(shown.path("imposed").path("kind").asString()).isEqualTo("revoked");
        assertThat(shown.path("imposed").path("reason").asString()).isEqualTo("a reason");
        assertThat(shown.path("settings").path("max_records_per_request").intValue()).isEqualTo(10_000);
        assertThat(shown.path("notify").isBoolean()).isTrue();
    }

    @Test
    void connections_byDirectionAndBounded() {
        assertThat(json(gateway.admin("GET", "/connections?direction=receiver&limit=500", null)).path("connections")
                .valueStream()
                .map(one -> one.path("status").asString())).containsExactly("suspended");
        assertThat(json(gateway.admin("GET", "/connections?limit=1", null)).path("connections")).hasSize(1);
        for (String query : List.of("direction=both", "limit=0", "limit=501", "limit=x", "limit=", "page=2")) {
            problem(gateway.admin("GET", "/connections?" + query, null), 400);
        }
    }

    @Test
    void pathsAndMethods() {
        problem(gateway.admin("GET", "/nothing", null), 404);
        problem(gateway.admin("GET", "/connections/no-uuid", null), 404);
        problem(gateway.admin("GET", "/connections/" + UUID.randomUUID(), null), 404);
        problem(gateway.admin("POST", "/connections/" + UUID.randomUUID() + "/revoke", null), 404);
        HttpResponse<String> response = gateway.admin("PUT", "/settings", "{}");
        problem(response, 405);
        assertThat(response.headers().firstValue("allow")).contains("GET, PATCH");
    }

    @Test
    void tables_asTheWorkersSeeThem() throws Exception {
        gateway.execute("""
                INSERT INTO syncline.capture_status (table_name, state, cause, remedy, updated_at) VALUES
                    ('live', 'live', NULL, NULL, now()), ('left', 'left_out', 'no key', 'add one', now()),
                    ('waiting', 'waiting', NULL, NULL, now()), ('applying', 'live', NULL, NULL, now())""");
        gateway.execute(
                """
                INSERT INTO syncline.replica_table (table_name, topic, partitions, state, cause, replica_name, generation,
                    schema, row_count, size_bytes, as_of, next_row_count, next_size_bytes, last_generation, changed_at,
                    checksum, next_checksum, began, next_began, last_change, known_since, depends_on)
                    VALUES
                    ('live', 'a', 1, 'live', NULL, 'r', 1, '{}', 3, 30, now() - interval '1 hour', 0, 0, 1, now(), 0, 0, 0, 0, 0, 0, '{}'),
                    ('applying', 'b', 1, 'waiting', NULL, NULL, NULL, NULL, 0, 0, NULL, 7, 70, 1, now(), 0, 0, 0, 0, 0, 0, '{}'),
                    ('refresh', 'd', 1, 'refreshing', NULL, 'r2', 1, '{}', 3, 30, now(), 0, 0, 1, now(), 0, 0, 0, 0, 0, 0, '{}'),
                    ('gone', 'c', 1, 'marked', 'halted', NULL, NULL, NULL, 0, 0, NULL, 0, 0, 1, now(), 0, 0, 0, 0, 0, 0, '{}')""");
        gateway.execute("INSERT INTO syncline.capture_request VALUES ('d', 'its numbers have gone back', now())");
        gateway.execute("""
                INSERT INTO syncline.capture_source (id, state, epoch, holder, setting, value, problem, remedy,
                    retry_may_fix, warnings, slot_name, publication, updated_at) VALUES
                    (1, 'failed', 1, 'w', 'wal_level', 'replica', 'too low', 'set it to logical', false, '', 's', 'p',
                    now())""");
        JsonNode answer = json(gateway.admin("GET", "/tables", null));
        assertThat(answer.path("source").path("remedy").asString()).isEqualTo("set it to logical");
        assertThat(answer.path("tables")
                .valueStream()
                .map(one -> one.path("name").asString() + " " + one.path("state").asString() + " "
                        + one.path("row_count") + " " + one.path("cause")))
                .containsExactly("applying waiting null null", "gone marked null \"halted\"",
                        "left left_out null \"no key\"", "live live 3 null",
                        "refresh refreshing 3 \"its numbers have gone back\"", "waiting waiting null null");
        assertThat(answer.path("tables")
                .valueStream()
                .filter(one -> !one.path("remedy").isNull())
                .map(one -> one.path("name").asString() + ": " + one.path("remedy").asString()))
                .as("also of a fault that only the copy has")
                .containsExactly(
                        "gone: it is read anew by itself where that may help; if it stays so, change in the source what the"
                                + " cause names",
                        "left: add one", "refresh: it is read anew by itself");
        assertThat(lag(answer, "waiting").isNull()).isTrue();
        assertThat(lag(answer, "live").longValue()).as("nothing is known but when it was read")
                .isBetween(3_600_000L, 3_700_000L);
        gateway.execute("UPDATE syncline.capture_source SET state = 'running', updated_at = now(), behind_bytes = 7,"
                + " lag_ms = 5, known_until = now()");
        answer = json(gateway.admin("GET", "/tables", null));
        assertThat(answer.path("source").path("lag_ms").longValue()).isEqualTo(5);
        assertThat(answer.path("source").path("behind_bytes").longValue()).isEqualTo(7);
        assertThat(lag(answer, "live").longValue()).as("what is known of the source is not known of this table's copy")
                .isBetween(3_600_000L, 3_700_000L);
        gateway.execute("""
                INSERT INTO syncline.capture_table (table_name, topic, generation, complete, snapshot, consistent_lsn,
                    fingerprint, gone, changed_at, known_until, keeps_up)
                SELECT name, name, 1, true, '', 0, '', false, now(), now() - interval '30 min', false
                FROM unnest(ARRAY['live', 'applying', 'gone']) name""");
        answer = json(gateway.admin("GET", "/tables", null));
        assertThat(lag(answer, "live").longValue()).isBetween(1_800_000L, 1_900_000L);
        assertThat(lag(answer, "gone").isNull()).as("nothing is served").isTrue();
        gateway.execute("UPDATE syncline.capture_table SET keeps_up = true");
        String asOf = asOf("live");
        assertThat(Duration.between(Instant.parse(asOf), Instant.now())).isLessThan(Duration.ofMinutes(10));
        // The source goes away: the time stands still.
        gateway.execute("UPDATE syncline.capture_source SET state = 'failed', updated_at = now(), lag_ms = NULL");
        assertThat(asOf("live")).isEqualTo(asOf);
    }

    private String asOf(String name) throws Exception {
        return table(json(gateway.admin("GET", "/tables", null)), name).path("as_of").asString();
    }

    private static JsonNode lag(JsonNode tables, String name) {
        return table(tables, name).path("lag_ms");
    }

    private static JsonNode table(JsonNode tables, String name) {
        return tables.path("tables")
                .valueStream()
                .filter(one -> one.path("name").asString().equals(name))
                .findFirst()
                .orElseThrow();
    }
}
