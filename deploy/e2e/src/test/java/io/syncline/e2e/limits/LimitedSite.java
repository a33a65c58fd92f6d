package io.syncline.e2e.limits;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.e2e.SyncCluster;
import io.syncline.e2e.SyncCluster.Gateway;
import io.syncline.model.credential.AuthToken;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A site with three gateways and a table to pull, for the tests of limits. */
final class LimitedSite implements AutoCloseable {

    static final int ROWS = 300;
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final AtomicInteger MADE = new AtomicInteger();

    final SyncCluster cluster;
    final List<Gateway> gateways = new ArrayList<>();
    private ConfigurableApplicationContext worker;

    LimitedSite(Path directory, int gatewayCount, String... gatewaySettings) throws SQLException {
        this(SyncCluster.start(directory), gatewayCount, gatewaySettings);
    }

    /** On a cluster that has just been started. */
    LimitedSite(SyncCluster cluster, int gatewayCount, String... gatewaySettings) throws SQLException {
        this.cluster = cluster;
        try (Connection source = cluster.database().connect("site"); Statement statement = source.createStatement()) {
            statement.execute("CREATE TABLE goods (id int PRIMARY KEY, name text);"
                    + " INSERT INTO goods SELECT n, 'thing ' || n FROM generate_series(1, " + ROWS + ") n;"
                    + " CREATE TABLE secrets (id int PRIMARY KEY)");
        }
        worker = cluster.startWorker();
        for (int i = 0; i < gatewayCount; i++) {
            gateways.add(cluster.startGateway(gatewaySettings));
        }
        Awaitility.await("the worker decides")
                .atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> admin("PATCH", "/settings",
                        "{\"enabled\":true,\"incoming_mode\":\"auto_accept\"}", 200));
        awaitLive("goods", "secrets");
    }

    private void awaitLive(String... tables) {
        Awaitility.await("the tables are captured")
                .atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> assertThat(
                        admin("GET", "/tables", null, 200).get("tables")
                                .valueStream()
                                .filter(table -> table.get("state").asString().equals("live"))
                                .map(table -> table.get("name").asString()))
                        .contains(tables));
    }

    /** One more table to pull, with rows of so many bytes. */
    void fillTable(String table, int rows, int bytes) throws SQLException {
        try (Connection source = cluster.database().connect("site"); Statement statement = source.createStatement()) {
            statement.execute("CREATE TABLE " + table + " (id int PRIMARY KEY, t text); INSERT INTO " + table
                    + " SELECT n, repeat('x', " + bytes + ") FROM generate_series(1, " + rows + ") n");
        }
        awaitLive(table);
    }

    void stopWorker() {
        worker.close();
    }

    void startWorker() {
        worker = cluster.startWorker();
    }

    Gateway gateway(int number) {
        return gateways.get(number % gateways.size());
    }

    JsonNode admin(String method, String path, @org.jspecify.annotations.Nullable String json, int status) {
        HttpResponse<String> response = gateway(0).admin(method, path, json);
        assertThat(response.statusCode()).as(method + " " + path + " " + response.body()).isEqualTo(status);
        return response.body().isEmpty() ? JSON.createObjectNode() : JSON.readTree(response.body());
    }

    /** A sender connection of ours, as its receiver knows it. */
    record Peer(String site, String uuid, String hash) {

        String body(String table, String... more) {
            StringBuilder body = new StringBuilder(
                    "{\"auth_token_hash\":\"" + hash + "\",\"table_name\":\"" + table + "\"");
            for (String field : more) {
                body.append(',').append(field);
            }
            return body.append('}').toString();
        }
    }

    /** Opens a connection with these limits: JSON fields. */
    Peer peer(String... limits) {
        int number = MADE.incrementAndGet();
        String site = "http://peer-" + number + ".example";
        AuthToken token = new AuthToken("token-of-" + number);
        JsonNode made = admin("POST", "/connections",
                "{\"direction\":\"sender\",\"name\":\"Peer\",\"site_url\":\"" + site + "\",\"auth_token\":\""
                        + token.text() + "\",\"status\":\"active\",\"notify\":false"
                        + (limits.length == 0 ? "" : "," + String.join(",", limits)) + "}",
                201);
        return new Peer(site, made.get("uuid").asString(), token.hash().text());
    }

    HttpResponse<String> pull(int gateway, Peer peer) {
        return gateway(gateway).call("pull-data", peer.body("goods"));
    }

    /**
     * What a call is answered in the end: asked again for as long as it is told that nothing was begun, which is no answer to
     * what these tests ask, and true of a machine that stood still for longer than a call waits.
     */
    static HttpResponse<String> inTheEnd(Supplier<HttpResponse<String>> call) {
        return Awaitility.await("another answer than 503")
                .atMost(Duration.ofMinutes(2))
                .pollDelay(Duration.ZERO)
                .until(call::get, answer -> answer.statusCode() != 503);
    }

    static int rows(HttpResponse<String> response) {
        JsonNode body = json(response);
        return body.has("data") ? body.get("data").size() : body.get("records").size();
    }

    static JsonNode json(HttpResponse<String> response) {
        return JSON.readTree(response.body());
    }

    static String error(HttpResponse<String> response) {
        return response.statusCode() + " " + json(response).path("error").asString("");
    }

    /** The history of a peer's transfers, newest first. */
    List<JsonNode> history(Peer peer) {
        return admin("GET", "/transfers?site_url=" + peer.site(), null, 200).get("transfers").valueStream().toList();
    }

    String queried(String sql) {
        try (Connection state = cluster.database().connect("syncline");
                Statement statement = state.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            return row.next() ? String.valueOf(row.getString(1)) : "";
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        cluster.close();
    }
}
