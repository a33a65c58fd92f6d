package io.syncline.e2e.connection;

import static io.syncline.e2e.connection.ConnectionRing.PARTITIONS;
import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.e2e.EventLog;
import io.syncline.e2e.LogFoldsToState;
import io.syncline.e2e.SyncCluster;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.worker.connection.PartitionStatus;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The key file is the same for every gateway and worker: who has another one neither writes to the log nor answers. */
class KeyFilesIT {

    private static final String NO_CAPTURE = "--syncline.capture.enabled=false";

    @TempDir Path directory;
    private String otherKeys;

    @BeforeEach
    void makeOtherKeys() throws IOException {
        Path file = directory.resolve("other-keys");
        CredentialKeys.writeNew(file, new SecureRandom());
        otherKeys = SyncCluster.KEY_FILE + file;
    }

    @Test
    void workerWithAnotherKeyFile_stopsEveryPartition_andTheRightOneGoesOn() {
        try (SyncCluster cluster = SyncCluster.start(directory)) {
            ConfigurableApplicationContext first = cluster.startWorker(NO_CAPTURE);
            ConnectionRing.awaitOwned(first, PARTITIONS);
            // Nothing is sent again by this one: there is nothing in the log behind its fences.
            first.close();
            ConfigurableApplicationContext second = cluster.startWorker(NO_CAPTURE);
            ConnectionRing.awaitOwned(second, PARTITIONS);
            second.close();
            EventLog before = EventLog.read(cluster.broker().bootstrapServers(), cluster.keys());

            ConfigurableApplicationContext wrong = cluster.startWorker(NO_CAPTURE, otherKeys);
            Awaitility.await().atMost(ConnectionRing.PATIENCE).untilAsserted(() -> {
                Map<Integer, PartitionStatus> partitions = ConnectionRing.partitions(wrong);
                assertThat(partitions).hasSize(PARTITIONS);
                assertThat(partitions.values()).allSatisfy(partition -> {
                    assertThat(partition.kind()).isEqualTo(PartitionStatus.Kind.STOPPED);
                    assertThat(partition.detail()).contains("this is not the cluster's key file",
                            "syncline.credentials.key-file");
                });
            });
            wrong.close();
            EventLog after = EventLog.read(cluster.broker().bootstrapServers(), cluster.keys());
            assertThat(after.foreign()).isEmpty();
            assertThat(after.fences()).isEqualTo(before.fences());

            ConnectionRing.awaitOwned(cluster.startWorker(NO_CAPTURE), PARTITIONS);
        }
    }

    @Test
    void gatewayWithAnotherKeyFile_isNotReady_saysWhy_andTakesNoRegistration() {
        try (SyncCluster cluster = SyncCluster.start(directory)) {
            cluster.startWorker(NO_CAPTURE);
            SyncCluster.Gateway right = cluster.startGateway();
            Awaitility.await("a worker decides")
                    .atMost(ConnectionRing.PATIENCE)
                    .until(() -> right
                            .admin("PATCH", "/settings", "{\"enabled\":true,\"incoming_mode\":\"auto_accept\"}")
                            .statusCode() == 200);

            SyncCluster.Gateway wrong = cluster.startUnreadyGateway(otherKeys);
            Awaitility.await().atMost(ConnectionRing.PATIENCE).untilAsserted(() -> {
                JsonNode broker = JsonMapper.shared()
                        .readTree(wrong.get("/actuator/health/readiness").body())
                        .at("/components/broker");
                assertThat(broker.path("status").asString()).isEqualTo("OUT_OF_SERVICE");
                assertThat(broker.at("/details/cause").asString()).contains("not the cluster's key file");
                assertThat(broker.at("/details/remedy").asString()).contains("syncline.credentials.key-file");
            });
            HttpResponse<String> refused = register(wrong, "http://wrong.example");
            assertThat(refused.statusCode()).as(refused.body()).isEqualTo(503);
            assertThat(wrong.get("/actuator/health/readiness").statusCode()).isEqualTo(503);
            HttpResponse<String> taken = register(right, "http://right.example");
            assertThat(taken.statusCode()).as(taken.body()).isEqualTo(200);
            assertThat(LogFoldsToState.atRest(cluster).counted()).extracting(event -> event.key())
                    .containsExactlyInAnyOrder("settings", "http://right.example");
        }
    }

    private static HttpResponse<String> register(SyncCluster.Gateway gateway, String site) {
        return gateway.call("register-connection", """
                {"sender_url":"%s","connection_name":"n","auth_token":"token of %s"}""".formatted(site, site));
    }
}
