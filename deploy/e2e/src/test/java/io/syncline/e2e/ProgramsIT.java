package io.syncline.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The jars themselves, started by the README's commands: what is on a class path may be missing or broken in them. */
class ProgramsIT {

    private static final int SIGTERM = 128 + 15;

    @TempDir Path directory;

    @Test
    void workerAndGateway_apart() throws Exception {
        Path keys = directory.resolve("syncline.keys");
        try (Program making = Program.start("sync-worker", directory, directory.resolve("keys.log"),
                List.of("keys", keys.getFileName().toString()))) {
            assertThat(making.awaitExit()).as(making.output()).isZero();
        }
        try (SyncCluster cluster = SyncCluster.start(directory);
                Program worker = Program.start("sync-worker", directory, directory.resolve("worker.log"),
                        workerArguments(cluster, keys));
                Program gateway = Program.start("api-gateway", directory, directory.resolve("gateway.log"),
                        gatewayArguments(cluster, keys))) {
            String port = gateway.awaitOutput("Tomcat started on port (\\d+)").group(1);
            SyncCluster.Gateway peers = cluster.gatewayAt(port);
            Awaitility.await()
                    .atMost(Duration.ofMinutes(3))
                    .untilAsserted(() -> assert200(
                            peers.admin("PATCH", "/settings", "{\"enabled\":true,\"incoming_mode\":\"auto_accept\"}")));
            assert200(peers.call("register-connection", """
                    {"sender_url":"https://one.example","connection_name":"One",\
                    "auth_token":"0123456789abcdef0123456789abcdef0123456789a"}"""));
            worker.awaitOutput("nothing reads the property syncline.capture.max-retained-wl: ");
            assertThat(gateway.endBySigterm()).as(gateway.output()).isEqualTo(SIGTERM);
            assertThat(worker.endBySigterm()).as(worker.output()).isEqualTo(SIGTERM);
        }
    }

    @Test
    void standalone_inAnEmptyFolder() throws Exception {
        Path folder = Files.createDirectory(directory.resolve("empty"));
        try (Program site = Program.start("syncline", folder, directory.resolve("syncline.log"),
                List.of("--server.port=0"))) {
            site.awaitOutput("Ctrl-C stops everything");
            assertThat(site.output()).contains("Syncline is ready after ", " 5 tables are served: ", "/list-tables\n",
                    "/pull-data\n");
            assertThat(site.endBySigterm()).as(site.output()).isEqualTo(SIGTERM);
            assertThat(site.output()).contains("Syncline stopped in ");
        }
    }

    private static List<String> workerArguments(SyncCluster cluster, Path keys) {
        List<String> arguments = cluster.common(SyncCluster.KEY_FILE + keys);
        arguments.add(SyncCluster.KEY_FILE + keys);
        arguments.add("--syncline.capture.max-retained-wl=2GB");
        return arguments;
    }

    private static List<String> gatewayArguments(SyncCluster cluster, Path keys) {
        List<String> arguments = cluster.common(SyncCluster.KEY_FILE + keys);
        arguments.add(SyncCluster.KEY_FILE + keys);
        arguments.addAll(List.of("--server.port=0", "--syncline.admin.token=" + SyncCluster.ADMIN_TOKEN,
                // That the machine stands still for some seconds is no fault.
                "--syncline.gateway.reply-timeout=30s"));
        return arguments;
    }

    private static void assert200(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    }
}
