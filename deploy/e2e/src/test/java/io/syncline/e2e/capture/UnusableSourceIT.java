package io.syncline.e2e.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.e2e.SyncCluster;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A source that cannot be captured: operators are told which setting, its value and the remedy; connections go on. */
class UnusableSourceIT {

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @TempDir Path directory;

    @Test
    void walLevelReplica() {
        try (SyncCluster cluster = SyncCluster.start(directory, Map.of("wal_level", "replica"))) {
            cluster.startWorker();
            SyncCluster.Gateway gateway = cluster.startGateway();
            assertRegisters(gateway);
            awaitSource(gateway, "wal_level", "replica", "ALTER SYSTEM SET wal_level = 'logical'");
        }
    }

    @Test
    void urlThatIsNone_isToldWithoutTheUsersName() {
        try (SyncCluster cluster = SyncCluster.start(directory)) {
            cluster.startWorker(SyncCluster.SOURCE_URL + "postgres://reader:secret@db.example/shop?sslmode=require");
            SyncCluster.Gateway gateway = cluster.startGateway();
            assertRegisters(gateway);
            awaitSource(gateway, "syncline.source.url", "postgres://db.example/shop?…",
                    "give jdbc:postgresql://host:port/database");
        }
    }

    private static void assertRegisters(SyncCluster.Gateway gateway) {
        Awaitility.await("a worker decides")
                .atMost(PATIENCE)
                .until(() -> gateway.admin("PATCH", "/settings", "{\"enabled\":true,\"incoming_mode\":\"auto_accept\"}")
                        .statusCode() == 200);
        HttpResponse<String> registered = gateway.call("register-connection",
                "{\"sender_url\":\"http://one.example\",\"connection_name\":\"n\",\"auth_token\":\"token\"}");
        assertThat(registered.statusCode()).as(registered.body()).isEqualTo(200);
    }

    private static void awaitSource(SyncCluster.Gateway gateway, String setting, String value, String remedy) {
        Awaitility.await("operators are told").atMost(PATIENCE).untilAsserted(() -> {
            HttpResponse<String> tables = gateway.admin("GET", "/tables", null);
            assertThat(tables.statusCode()).as(tables.body()).isEqualTo(200);
            assertThat(tables.body()).doesNotContain("secret");
            JsonNode source = JsonMapper.shared().readTree(tables.body()).path("source");
            assertThat(source.path("state").asString()).as(tables.body()).isEqualTo("failed");
            assertThat(source.path("setting").asString()).isEqualTo(setting);
            assertThat(source.path("value").asString()).isEqualTo(value);
            assertThat(source.path("problem").asString()).isNotEmpty();
            assertThat(source.path("remedy").asString()).contains(remedy);
        });
    }
}
