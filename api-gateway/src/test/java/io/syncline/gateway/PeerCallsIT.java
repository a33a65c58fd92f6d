package io.syncline.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.gateway.state.HighWater;
import io.syncline.gateway.state.Partitions;
import io.syncline.model.connection.ConnectionSettings;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What peers get without any worker: the whole web stack over a real PostgreSQL, and no broker. */
class PeerCallsIT {

    private static final String SITE = "http://one.example";
    private static final String TOKEN = "tok-one";
    private static final List<String> CALLS = List.of("register-connection", "verify-connection", "update-status",
            "delete-connection", "get-connection-status", "list-tables", "table-schema", "table-records", "pull-data");
    private static final String DISABLED = "{\"success\":false,\"error\":\"DB Sync module is disabled\"}";

    @TempDir static Path directory;

    private static GatewayUnderTest gateway;

    @BeforeAll
    static void start() throws Exception {
        gateway = GatewayUnderTest.start(directory);
        gateway.receiver(SITE, TOKEN, "active");
        gateway.sender("http://active.example", "tok-active", true, ConnectionSettings.DEFAULTS);
        gateway.sender("http://pending.example", "tok-pending", false, ConnectionSettings.DEFAULTS);
        gateway.sender("http://suspended.example", "tok-suspended", true, ConnectionSettings.DEFAULTS);
        gateway.impose("http://suspended.example", "sender", "suspended");
        gateway.sender("http://expired.example", "tok-expired", true, expiring(Instant.now().minusSeconds(3_600)));
        // Usable as soon as the pool has made its first connection.
        Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> status().statusCode() == 200);
    }

    @AfterAll
    static void stop() throws Exception {
        gateway.close();
    }

    @BeforeEach
    void enable() throws Exception {
        gateway.settings(true, "auto_accept", null);
    }

    private static ConnectionSettings expiring(Instant at) {
        ConnectionSettings d = ConnectionSettings.DEFAULTS;
        return new ConnectionSettings(d.maxRecordsPerRequest(), null, null, List.of(), List.of(), List.of(), null, null,
                null, d.approvalMode(), List.of(), d.rateLimitRequestsPerMinute(), at);
    }

    private static HttpResponse<String> status() {
        return gateway.send("GET", "/phoenix_kit/sync/api/status", "");
    }

    private static void assertAnswer(HttpResponse<String> response, int status, String body) {
        assertThat(response.body()).isEqualTo(body);
        assertThat(response.statusCode()).isEqualTo(status);
        assertThat(response.headers().firstValue("content-type").map(type -> type.replace(" ", "")))
                .contains("application/json;charset=utf-8");
    }

    private static String error(String sentence) {
        return "{\"success\":false,\"error\":\"" + sentence + "\"}";
    }

    private static String missing(String... fields) {
        return "{\"success\":false,\"error\":\"Missing required fields\",\"fields\":[\"" + String.join("\",\"", fields)
                + "\"]}";
    }

    private static String invalid(String... fields) {
        return missing(fields).replace("Missing required fields", "Invalid fields");
    }

    @Test
    void status_tellsTheMode() throws Exception {
        assertAnswer(status(), 200, "{\"enabled\":true,\"incoming_mode\":\"auto_accept\",\"password_required\":false}");
        gateway.settings(false, "require_password", null);
        assertAnswer(status(), 200,
                "{\"enabled\":false,\"incoming_mode\":\"require_password\",\"password_required\":true}");
        gateway.execute("DELETE FROM syncline.settings");
        assertAnswer(status(), 200,
                "{\"enabled\":false,\"incoming_mode\":\"require_approval\",\"password_required\":false}");
    }

    @Test
    void disabled_comesBeforeEverythingButTheFormOfTheCall() throws Exception {
        gateway.settings(false, "deny_all", null);
        for (String call : CALLS) {
            assertAnswer(gateway.call(call, "{}"), 503, DISABLED);
            assertAnswer(gateway.call(call, "{\"sender_url\":\"" + SITE + "\",\"auth_token_hash\":\""
                    + GatewayUnderTest.hash(TOKEN)
                    + "\",\"table_name\":\"t\",\"receiver_url\":\"x\",\"status\":\"active\","
                    + "\"connection_name\":\"n\",\"auth_token\":\"t\"}"), 503, DISABLED);
            assertThat(gateway.call(call, "{").statusCode()).isEqualTo(400);
        }
    }

    @Test
    void missingFields_inTheCallsOrder() {
        assertAnswer(gateway.call("register-connection", "{}"), 400,
                missing("sender_url", "connection_name", "auth_token"));
        assertAnswer(gateway.call("register-connection", ""), 400,
                missing("sender_url", "connection_name", "auth_token"));
        assertAnswer(gateway.call("verify-connection", "{\"sender_url\":null,\"auth_token_hash\":\"\"}"), 400,
                missing("sender_url", "auth_token_hash"));
        assertAnswer(gateway.call("update-status", "{\"sender_url\":\"x\",\"status\":\"bogus\"}"), 400,
                missing("auth_token_hash"));
        assertAnswer(gateway.call("delete-connection", "{}"), 400, missing("sender_url", "auth_token_hash"));
        assertAnswer(gateway.call("get-connection-status", "{\"sender_url\":\"x\"}"), 400,
                missing("receiver_url", "auth_token_hash"));
        assertAnswer(gateway.call("list-tables", "{}"), 400, missing("auth_token_hash"));
        assertAnswer(gateway.call("pull-data", "{}"), 400, missing("auth_token_hash", "table_name"));
        assertAnswer(gateway.call("table-schema", "{}"), 400,
                error("Missing required fields: auth_token_hash, table_name"));
        assertAnswer(gateway.call("table-records", "{\"auth_token_hash\":\"x\"}"), 400,
                error("Missing required fields: table_name"));
    }

    @Test
    void fieldsOfTheWrongKind() {
        assertAnswer(gateway.call("verify-connection", "{\"sender_url\":123,\"auth_token_hash\":[\"x\"]}"), 400,
                invalid("sender_url", "auth_token_hash"));
        assertAnswer(gateway.call("register-connection",
                "{\"sender_url\":\"not a url\",\"connection_name\":true,\"auth_token\":[],\"password\":5}"), 400,
                invalid("sender_url", "connection_name", "auth_token", "password"));
        assertAnswer(gateway.call("verify-connection", "{\"sender_url\":\"a\\u0000\",\"auth_token_hash\":\"x\"}"), 400,
                invalid("sender_url"));
    }

    @Test
    void denyAll_comesBeforeMissingFields() throws Exception {
        gateway.settings(true, "deny_all", null);
        assertAnswer(gateway.call("register-connection", "{}"), 403, error("Incoming connections are not allowed"));
        assertAnswer(verify(SITE, TOKEN), 200, "{\"success\":true,\"exists\":true}");
    }

    @Test
    void password_isAskedForBehindTheFields() throws Exception {
        String wanted = "Password required for incoming connections";
        gateway.settings(true, "require_password", null);
        assertAnswer(register("\"whatever\""), 401, error(wanted));
        gateway.settings(true, "require_password",
                "$argon2id$v=19$m=16384,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g");
        assertAnswer(register("null"), 401, error(wanted));
        assertAnswer(register("\"\""), 401, error(wanted));
        assertAnswer(register("\"nope\""), 401, error("Invalid password"));
        assertAnswer(register("5"), 400, invalid("password"));
        assertAnswer(gateway.call("register-connection", "{\"password\":\"nope\"}"), 400,
                missing("sender_url", "connection_name", "auth_token"));
    }

    private static HttpResponse<String> register(String password) {
        return gateway.call("register-connection",
                "{\"sender_url\":\"http://p.example\",\"connection_name\":\"P\",\"auth_token\":\"t\",\"password\":"
                        + password + "}");
    }

    private static HttpResponse<String> verify(String site, String token) {
        return gateway.call("verify-connection",
                "{\"sender_url\":\"" + site + "\",\"auth_token_hash\":\"" + GatewayUnderTest.hash(token) + "\"}");
    }

    @Test
    void verify_byUrlAsSentAndHash_inEitherDirection() {
        assertAnswer(verify(SITE, TOKEN), 200, "{\"success\":true,\"exists\":true}");
        assertAnswer(verify("http://active.example", "tok-active"), 200, "{\"success\":true,\"exists\":true}");
        assertAnswer(verify(SITE + "/", TOKEN), 404, "{\"success\":false,\"exists\":false}");
        assertAnswer(verify(SITE, "other"), 404, "{\"success\":false,\"exists\":false}");
        assertAnswer(gateway.call("verify-connection",
                "{\"sender_url\":\"" + SITE + "\",\"auth_token_hash\":\"' OR 1=1 --\"}"), 404,
                "{\"success\":false,\"exists\":false}");
    }

    /** Committed by a worker that could not publish it: a failover that loses commits would take it back. */
    @Test
    void whatIsNotInTheEventLog_isShownToNobody() throws Exception {
        Partitions partitions = new Partitions(4);
        HighWater highWater = gateway.bean(HighWater.class);
        String shown = "http://one-more.example";
        UUID uuid = gateway.sender(shown, "tok-unpublished", true, ConnectionSettings.DEFAULTS);
        String byHash = "{\"auth_token_hash\":\"" + GatewayUnderTest.hash("tok-unpublished")
                + "\",\"table_name\":\"t\",\"receiver_url\":\"x\"}";
        List<Callable<Integer>> looks = List.of(() -> asked("verify-connection", "{\"sender_url\":\"" + shown
                + "\",\"auth_token_hash\":\"" + GatewayUnderTest.hash("tok-unpublished") + "\"}"),
                () -> asked("get-connection-status", byHash), () -> asked("list-tables", byHash),
                () -> asked("pull-data", byHash), () -> looked("/connections/" + uuid), () -> looked("/connections"),
                () -> looked("/connections?site_url=" + shown), () -> looked("/events"),
                () -> looked("/events?site_url=" + shown), () -> looked("/transfers"),
                () -> looked("/transfers?state=waiting&site_url=" + shown),
                () -> looked("/transfers/" + UUID.randomUUID()), () -> looked("/connections/" + UUID.randomUUID()));
        long published = highWater.published(partitions.of(shown));
        gateway.commitEvent(shown, partitions.of(shown), published + 1);
        try {
            for (int i = 0; i < looks.size(); i++) {
                assertThat(looks.get(i).call()).as("look " + i).isEqualTo(503);
            }
            assertThat(gateway.once("GET", "/admin/api/connections/" + uuid, "", "authorization",
                    "Bearer " + GatewayUnderTest.ADMIN_TOKEN).body()).contains("event " + (published + 1))
                    .contains("not known to be in the event log yet");
            // Of sites that it does not concern, everything is shown.
            assertThat(gateway.call("verify-connection", "{\"sender_url\":\"" + SITE + "\",\"auth_token_hash\":\""
                    + GatewayUnderTest.hash(TOKEN) + "\"}").statusCode()).isEqualTo(200);
            assertThat(gateway.admin("GET", "/events?site_url=" + SITE, null).statusCode()).isEqualTo(200);
        } finally {
            highWater.seen(partitions.of(shown), published + 1);
        }
        for (int i = 0; i < looks.size(); i++) {
            int look = i;
            Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> looks.get(look).call() != 503);
        }
    }

    private static int asked(String call, String json) {
        return gateway.once("POST", "/phoenix_kit/sync/api/" + call, json, "content-type", "application/json", "accept",
                "application/json").statusCode();
    }

    private static int looked(String path) {
        return gateway.once("GET", "/admin/api" + path, "", "authorization", "Bearer " + GatewayUnderTest.ADMIN_TOKEN)
                .statusCode();
    }

    @Test
    void settingsThatAreNotInTheEventLog_areShownToNobody() throws Exception {
        Partitions partitions = new Partitions(4);
        HighWater highWater = gateway.bean(HighWater.class);
        int partition = partitions.of("settings");
        long published = highWater.published(partition);
        gateway.commitEvent("settings", partition, published + 1);
        try {
            assertThat(gateway.once("GET", "/phoenix_kit/sync/api/status", "").statusCode()).isEqualTo(503);
            assertThat(looked("/settings")).isEqualTo(503);
            assertThat(looked("/operators")).isEqualTo(503);
        } finally {
            highWater.seen(partition, published + 1);
        }
        Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> looked("/settings") == 200);
    }

    @Test
    void updateStatus_unknownValueBeforeTheLookUp() {
        for (String status : List.of("\"pending\"", "\"expired\"", "\"ACTIVE\"", "\" active\"", "1", "[\"active\"]",
                "true", "{}")) {
            assertAnswer(gateway.call("update-status",
                    "{\"sender_url\":\"http://nobody\",\"auth_token_hash\":\"x\",\"status\":" + status + "}"), 400,
                    error("Invalid status value"));
        }
    }

    @Test
    void connectionStatus_isTheOneInForce() {
        assertAnswer(connectionStatus("tok-active"), 200,
                "{\"success\":true,\"status\":\"active\",\"name\":\"S http://active.example\"}");
        assertAnswer(connectionStatus("tok-suspended"), 200,
                "{\"success\":true,\"status\":\"suspended\",\"name\":\"S http://suspended.example\"}");
        assertAnswer(connectionStatus("tok-expired"), 200,
                "{\"success\":true,\"status\":\"expired\",\"name\":\"S http://expired.example\"}");
        assertAnswer(connectionStatus(TOKEN), 404, error("Connection not found"));
    }

    private static HttpResponse<String> connectionStatus(String token) {
        return gateway.call("get-connection-status",
                "{\"receiver_url\":\"x\",\"auth_token_hash\":\"" + GatewayUnderTest.hash(token) + "\"}");
    }

    @Test
    void tableCalls_knowTheConnection() {
        assertAnswer(tables(TOKEN), 401, error("Invalid connection"));
        assertAnswer(tables("nobody"), 401, error("Invalid connection"));
        assertAnswer(tables("tok-pending"), 403, error("Connection is not active"));
        assertAnswer(tables("tok-suspended"), 403, error("Connection is not active"));
        assertAnswer(tables("tok-expired"), 403, error("Connection has expired"));
        assertAnswer(tables("tok-active"), 200, "{\"success\":true,\"tables\":[]}");
    }

    private static HttpResponse<String> tables(String token) {
        return gateway.call("list-tables", "{\"auth_token_hash\":\"" + GatewayUnderTest.hash(token) + "\"}");
    }

    @Test
    void withoutBroker_whatNeedsAWorkerIsRefused() {
        HttpResponse<String> response = gateway.call("register-connection",
                "{\"sender_url\":\"http://new.example\",\"connection_name\":\"N\",\"auth_token\":\"t\"}");
        assertThat(response.statusCode()).isEqualTo(503);
        assertThat(response.body()).isEqualTo("{\"success\":false,\"error\":\"The request was not applied:"
                + " Kafka cannot be used now; try again later\"}");
        assertThat(response.headers().firstValue("retry-after")).isPresent();
        assertThat(connectionStatus("tok-pending").statusCode()).isEqualTo(503);
    }

    @Test
    void transport_pathAndMethod() {
        assertAnswer(gateway.send("POST", "/phoenix_kit/sync/api/nothing", ""), 404, error("Not found"));
        assertAnswer(gateway.send("GET", "/phoenix_kit/sync/api", ""), 404, error("Not found"));
        for (String call : CALLS) {
            for (String method : List.of("GET", "PUT", "DELETE", "PATCH", "OPTIONS")) {
                HttpResponse<String> response = gateway.send(method, "/phoenix_kit/sync/api/" + call, "");
                assertThat(response.statusCode()).isEqualTo(405);
                assertThat(response.headers().firstValue("allow")).contains("POST");
            }
        }
        HttpResponse<String> posted = gateway.send("POST", "/phoenix_kit/sync/api/status", "");
        assertThat(posted.statusCode()).isEqualTo(405);
        assertThat(posted.headers().firstValue("allow")).contains("GET, HEAD");
        HttpResponse<String> head = gateway.send("HEAD", "/phoenix_kit/sync/api/status", "");
        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(head.body()).isEmpty();
        assertThat(gateway.send("GET", "/phoenix_kit/other", "").statusCode()).isEqualTo(404);
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/html", "application/xml", "application/json;q=0"})
    void transport_accept(String accept) {
        for (String call : CALLS) {
            assertThat(gateway.send("POST", "/phoenix_kit/sync/api/" + call, "{", "accept", accept, "content-type",
                    "text/plain").statusCode()).isEqualTo(406);
        }
        assertThat(gateway.send("GET", "/phoenix_kit/sync/api/status", "", "accept", accept).statusCode())
                .isEqualTo(406);
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", "application/xml", "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=B", "application/json; charset=latin1"})
    void transport_contentType(String type) {
        assertThat(gateway.send("POST", "/phoenix_kit/sync/api/verify-connection",
                "--B\r\nContent-Disposition: form-data; name=\"sender_url\"\r\n\r\na\r\n--B--\r\n", "content-type",
                type).statusCode()).isEqualTo(415);
    }

    @Test
    void transport_contentTypeInAnyCase_queryIsNoBody() {
        assertAnswer(gateway.send("POST", "/phoenix_kit/sync/api/verify-connection",
                "{\"sender_url\":\"a\",\"auth_token_hash\":\"x\"}", "content-type", "Application/JSON;Charset=UTF-8"),
                404, "{\"success\":false,\"exists\":false}");
        assertAnswer(gateway.send("POST", "/phoenix_kit/sync/api/verify-connection?sender_url=a&auth_token_hash=x",
                "{}", "content-type", "application/json"), 400, missing("sender_url", "auth_token_hash"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"sender_url\": ", "\"abc\"", "[]", "null", "5", "{} {}", "\u0000"})
    void transport_malformed(String body) {
        for (String call : CALLS) {
            HttpResponse<String> response = gateway.call(call, body);
            assertThat(response.statusCode()).isEqualTo(400);
            assertThat(response.body()).startsWith("{\"success\":false,\"error\":");
        }
    }

    @Test
    void transport_tooLarge() throws Exception {
        String large = "{\"sender_url\":\"" + "x".repeat(1_048_576) + "\"}";
        HttpResponse<String> response = gateway.call("verify-connection", large);
        assertThat(response.statusCode()).isEqualTo(413);
        assertThat(response.body()).startsWith("{\"success\":false,\"error\":");
        String announced = gateway.raw("POST /phoenix_kit/sync/api/verify-connection HTTP/1.1\r\nHost: x\r\n"
                + "Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{");
        assertThat(announced).startsWith("HTTP/1.1 413");
        String chunked = gateway.raw("POST /phoenix_kit/sync/api/verify-connection HTTP/1.1\r\nHost: x\r\n"
                + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                + ("10000\r\n" + "x".repeat(65_536) + "\r\n").repeat(17) + "0\r\n\r\n");
        assertThat(chunked).as("a body comes with its length").startsWith("HTTP/1.1 411");
    }

    @Test
    void transport_bodyThatDoesNotArriveWhole() throws Exception {
        String answer = gateway.raw("POST /phoenix_kit/sync/api/verify-connection HTTP/1.1\r\nHost: x\r\n"
                + "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"sender_url\":");
        assertThat(answer).startsWith("HTTP/1.1 400");
    }

    @Test
    void nothingSaysMoreThanItMust() {
        String html = gateway.send("GET", "/nothing", "", "accept", "text/html").body();
        assertThat(html).doesNotContain("Exception").doesNotContain("Tomcat").doesNotContain("spring");
        assertThat(gateway.send("GET", "/actuator/env", "").statusCode()).isEqualTo(404);
    }
}
