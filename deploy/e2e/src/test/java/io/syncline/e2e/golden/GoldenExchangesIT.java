package io.syncline.e2e.golden;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.e2e.LogFoldsToState;
import io.syncline.e2e.SyncCluster;
import io.syncline.model.credential.AuthToken;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The recorded exchanges, as one scenario, against the whole ring: broker, databases, worker, Debezium, gateway. */
class GoldenExchangesIT {

    private static final String PREFIX = "phoenix_kit";

    @TempDir Path directory;

    @Test
    void everyRecordedExchange_getsItsAnswer() throws Exception {
        try (SyncCluster cluster = SyncCluster.start(directory)) {
            load(cluster, "/golden/source_tables.sql");
            cluster.startWorker();
            SyncCluster.Gateway gateway = cluster.startGateway();
            awaitCaptured(gateway);
            AsPostgres asPostgres = new AsPostgres(cluster.database());

            List<String> wrong = new ArrayList<>();
            TreeSet<String> failed = new TreeSet<>();
            for (Exchange exchange : Exchange.recorded()) {
                Optional<String> difference = prepare(gateway, exchange)
                        .or(() -> send(gateway, exchange).differsFrom(exchange.expect(), asPostgres));
                if (difference.isPresent()) {
                    failed.add(exchange.title());
                    if (!NotCovered.NAMES.contains(exchange.title())) {
                        wrong.add(exchange.title() + ": " + difference.get());
                    }
                }
            }
            assertThat(wrong).as("exchanges with another answer").isEmpty();
            assertThat(failed).as("exchanges that hold now: strike them off NotCovered").isEqualTo(NotCovered.NAMES);
            assertThat(LogFoldsToState.atRest(cluster).foreign()).isEmpty();
        }
    }

    private static Answer send(SyncCluster.Gateway gateway, Exchange exchange) {
        Map<String, String> headers = new LinkedHashMap<>();
        exchange.node()
                .get("headers")
                .propertyStream()
                .forEach(header -> headers.put(header.getKey(), header.getValue().asString()));
        HttpResponse<String> response = gateway.send(exchange.method(), exchange.path(PREFIX), headers,
                exchange.body());
        return new Answer(response.statusCode(), response.body());
    }

    /** Does what a recording's {@code setup} says, as an operator would; says what went wrong, if anything did. */
    private static Optional<String> prepare(SyncCluster.Gateway gateway, Exchange exchange) {
        for (JsonNode step : exchange.setup()) {
            Optional<String> wrong = step.propertyStream().map(one -> switch (one.getKey()) {
                case "enabled", "incoming_mode", "incoming_password" -> {
                    ObjectNode settings = JsonNodeFactory.instance.objectNode();
                    settings.set(one.getKey(), one.getValue());
                    yield operator(gateway, "PATCH", "/settings", settings.toString());
                }
                case "create_connection" -> create(gateway, one.getValue());
                case "delete_connection" -> operator(gateway, "DELETE", "/connections/" + uuidOf(gateway,
                        one.getValue().get("direction").asString(), one.getValue().get("site_url").asString()), null);
                default -> Optional.of("setup '" + one.getKey() + "' is unknown to this test");
            }).flatMap(Optional::stream).findFirst();
            if (wrong.isPresent()) {
                return wrong.map(text -> "setup: " + text);
            }
        }
        return Optional.empty();
    }

    private static Optional<String> create(SyncCluster.Gateway gateway, JsonNode recorded) {
        ObjectNode connection = ((ObjectNode) recorded).deepCopy();
        String status = connection.get("status").asString();
        boolean used = connection.has("downloads_used") || connection.has("records_downloaded");
        if (connection.has("outside_allowed_hours")) {
            int far = (Instant.now().atOffset(ZoneOffset.UTC).getHour() + 12) % 24;
            connection.put("allowed_hours_start", far).put("allowed_hours_end", far);
        }
        connection.remove(List.of("downloads_used", "records_downloaded", "outside_allowed_hours"));
        connection.put("notify", false);
        switch (status) {
            case "pending", "active" -> connection.put("status", status);
            case "suspended", "revoked" -> connection.put("status", "active");
            case "expired" -> connection.put("status", "active").put("expires_at", "2020-01-01T00:00:00Z");
            default -> throw new IllegalArgumentException(status);
        }
        HttpResponse<String> response = gateway.admin("POST", "/connections", connection.toString());
        if (response.statusCode() != 201) {
            return Optional.of("POST connections gave " + response.statusCode() + " " + response.body());
        }
        String uuid = Exchange.JSON.readTree(response.body()).get("uuid").asString();
        if (used) {
            useUp(gateway, connection.get("auth_token").asString());
        }
        return switch (status) {
            case "suspended" ->
                    operator(gateway, "POST", "/connections/" + uuid + "/suspend", "{\"reason\":\"recorded\"}");
            case "revoked" ->
                    operator(gateway, "POST", "/connections/" + uuid + "/revoke", "{\"reason\":\"recorded\"}");
            default -> Optional.empty();
        };
    }

    /** One pull is all that the recorded connections with used-up limits allow. */
    private static void useUp(SyncCluster.Gateway gateway, String token) {
        HttpResponse<String> response = gateway.call("pull-data",
                "{\"auth_token_hash\":\"" + new AuthToken(token).hash().text() + "\",\"table_name\":\"text_pk\"}");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    }

    private static String uuidOf(SyncCluster.Gateway gateway, String direction, String siteUrl) {
        HttpResponse<String> response = gateway.admin("GET", "/connections?direction=" + direction + "&limit=500",
                null);
        return Exchange.JSON.readTree(response.body())
                .get("connections")
                .valueStream()
                .filter(one -> one.get("site_url").asString().equals(siteUrl))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + direction + " connection of " + siteUrl))
                .get("uuid")
                .asString();
    }

    private static Optional<String> operator(SyncCluster.Gateway gateway, String method, String path,
            @org.jspecify.annotations.Nullable String json) {
        HttpResponse<String> response = gateway.admin(method, path, json);
        return response.statusCode() / 100 == 2 ? Optional.empty()
                : Optional.of(method + " " + path + " gave " + response.statusCode() + " " + response.body());
    }

    /** Waits until no table's first snapshot is under way; those that this version does not capture say so. */
    private static void awaitCaptured(SyncCluster.Gateway gateway) {
        Awaitility.await("every table is captured")
                .atMost(Duration.ofMinutes(3))
                .pollInterval(Duration.ofMillis(250))
                .untilAsserted(() -> {
                    HttpResponse<String> response = gateway.admin("GET", "/tables", null);
                    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
                    JsonNode tables = Exchange.JSON.readTree(response.body()).get("tables");
                    assertThat(tables.size()).isGreaterThan(90);
                    assertThat(tables.valueStream().filter(table -> table.get("state").asString().equals("waiting")))
                            .isEmpty();
                });
    }

    private static void load(SyncCluster cluster, String resource) throws IOException, SQLException {
        try (InputStream sql = Objects.requireNonNull(GoldenExchangesIT.class.getResourceAsStream(resource));
                Connection connection = cluster.database().connect("site");
                Statement statement = connection.createStatement()) {
            statement.execute(new String(sql.readAllBytes(), StandardCharsets.UTF_8));
        }
    }
}
