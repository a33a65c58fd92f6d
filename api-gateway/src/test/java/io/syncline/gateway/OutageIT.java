package io.syncline.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.testing.HeldPort;
import io.syncline.model.testing.TestPostgres;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a gateway does while something that it needs is away, and that it never gives up. */
class OutageIT {

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    /** What peers hear, whatever the reason: that is for readiness and for operators. */
    private static final String DATABASE_AWAY = "The state database cannot be used now; try again later";

    @TempDir Path directory;

    private static JsonNode readiness(GatewayUnderTest gateway) {
        return JsonMapper.shared().readTree(gateway.send("GET", "/actuator/health/readiness", "").body());
    }

    private static void assertLives(GatewayUnderTest gateway) {
        HttpResponse<String> liveness = gateway.send("GET", "/actuator/health/liveness", "");
        assertThat(liveness.statusCode()).as(liveness.body()).isEqualTo(200);
    }

    private static void await(Callable<Boolean> condition) {
        Awaitility.await().atMost(PATIENCE).until(condition);
    }

    /** Nothing but 503 from the first call on; that it is for this reason, a slow machine may find out later. */
    private static void assert503(GatewayUnderTest gateway, String sentence) {
        for (String call : List.of("verify-connection", "register-connection", "list-tables", "update-status")) {
            await(() -> refused(gateway, call).equals("{\"success\":false,\"error\":\"" + sentence + "\"}"));
        }
    }

    private static String refused(GatewayUnderTest gateway, String call) {
        HttpResponse<String> response = gateway.call(call, "{\"sender_url\":\"x\",\"auth_token_hash\":\"x\"}");
        assertThat(response.statusCode()).as(call + response.body()).isEqualTo(503);
        assertThat(response.body()).startsWith("{\"success\":false,\"error\":\"")
                .doesNotContain("Exception")
                .doesNotContain("SQL");
        assertThat(response.headers().firstValue("retry-after")).isPresent();
        return response.body();
    }

    @Test
    void databaseAwayAtStartThenThereThenAwayAgain() throws Exception {
        Path keys = directory.resolve("keys");
        CredentialKeys.writeNew(keys, new SecureRandom());
        Path data = directory.resolve("pg");
        HeldPort port = new HeldPort();
        EmbeddedPostgres postgres = null;
        GatewayUnderTest gateway = GatewayUnderTest.startAlone(keys,
                "--spring.datasource.url=jdbc:postgresql://127.0.0.1:" + port.number() + "/postgres");
        try {
            gateway.logIsEmpty();
            assertLives(gateway);
            assert503(gateway, DATABASE_AWAY);
            assertThat(readiness(gateway).path("status").asString()).isEqualTo("OUT_OF_SERVICE");
            await(() -> readiness(gateway).at("/components/database/details/cause")
                    .asString()
                    .contains("the state database cannot be used"));
            assertThat(readiness(gateway).at("/components/database/details/remedy").asString())
                    .contains("spring.datasource.url");
            assertThat(readiness(gateway).at("/components/broker/details/remedy").asString())
                    .contains("spring.kafka.bootstrap-servers");
            assertThat(readiness(gateway).at("/components/replies/details/cause").asString()).isNotEmpty();

            postgres = TestPostgres.start(port, data);
            await(() -> readiness(gateway).at("/components/database/details/remedy")
                    .asString()
                    .contains("start a worker"));
            assert503(gateway, DATABASE_AWAY);
            await(() -> gateway.admin("GET", "/connections", null).body().contains("start a worker"));

            gateway.adopt(postgres);
            gateway.makeSchema();
            await(() -> readiness(gateway).at("/components/database/status").asString().equals("UP"));
            await(() -> gateway.send("GET", "/phoenix_kit/sync/api/status", "").statusCode() == 200);

            postgres.close();
            await(() -> readiness(gateway).at("/components/database/status").asString().equals("OUT_OF_SERVICE"));
            assertLives(gateway);
            assert503(gateway, DATABASE_AWAY);

            // Closing waits for its end, but not for long.
            await(() -> Files.notExists(data.resolve("postmaster.pid")));
            // Started again it may be another one, or lack what it had: without the log nobody knows.
            gateway.logCannotBeRead();
            postgres = TestPostgres.start(port, data);
            await(() -> gateway.admin("GET", "/connections", null).body().contains("cannot be read"));
            assert503(gateway, DATABASE_AWAY);
            await(() -> readiness(gateway).at("/components/database/details/cause")
                    .asString()
                    .contains(
                            "it is not known yet how far the event log has come: the end of partition 0 cannot be read"));
            gateway.logIsEmpty();
            await(() -> gateway.send("GET", "/phoenix_kit/sync/api/status", "").statusCode() == 200);
            await(() -> readiness(gateway).at("/components/database/status").asString().equals("UP"));
        } finally {
            gateway.closeGateway();
            if (postgres != null) {
                postgres.close();
            }
            port.close();
        }
    }

    @Test
    void withoutBrokerAtStart_nobodyIsAnsweredFromADatabaseThatMayBeBehind() throws Exception {
        Path keys = directory.resolve("keys");
        CredentialKeys.writeNew(keys, new SecureRandom());
        try (EmbeddedPostgres postgres = TestPostgres.start()) {
            GatewayUnderTest gateway = GatewayUnderTest.startAlone(keys,
                    "--spring.datasource.url=" + postgres.getJdbcUrl("postgres", "postgres"));
            try {
                gateway.adopt(postgres);
                gateway.makeSchema();
                assert503(gateway, DATABASE_AWAY);
                await(() -> gateway.admin("GET", "/connections", null)
                        .body()
                        .contains("it is not known yet how far the event log has come"));
                assertLives(gateway);
            } finally {
                gateway.closeGateway();
            }
        }
    }

    @Test
    void twoGatewaysInOneJvm_unresolvableBroker() throws Exception {
        Path keys = directory.resolve("keys");
        CredentialKeys.writeNew(keys, new SecureRandom());
        String broker = "--spring.kafka.bootstrap-servers=no-such-host.invalid:9092";
        GatewayUnderTest one = GatewayUnderTest.startAlone(keys, broker);
        GatewayUnderTest two = GatewayUnderTest.startAlone(keys, broker, "--syncline.prefix=/other/");
        try {
            await(() -> readiness(one).at("/components/broker/details/cause").asString().contains("cannot be reached"));
            assertLives(one);
            assertThat(two.send("POST", "/other/sync/api/nothing", "").body()).contains("\"success\":false");
            assertThat(two.send("POST", "/phoenix_kit/sync/api/verify-connection", "").statusCode()).isEqualTo(404);
        } finally {
            one.closeGateway();
            two.closeGateway();
        }
    }

    @Test
    void withoutKeys_itDoesNotStart_andSaysHowToMakeThem() {
        for (String[] arguments : List.of(new String[]{"--server.port=0"},
                new String[]{"--server.port=0", "--syncline.credentials.key-file=" + directory.resolve("none")})) {
            assertThatThrownBy(() -> GatewayApplication.application().run(arguments).close())
                    .hasStackTraceContaining("syncline.credentials.key-file")
                    .hasStackTraceContaining("java -jar sync-worker.jar keys");
        }
    }

    @Test
    void allWrongPropertiesAreNamedAtOnce() throws Exception {
        Path keys = directory.resolve("keys");
        CredentialKeys.writeNew(keys, new SecureRandom());
        assertThatThrownBy(() -> GatewayUnderTest.startAlone(keys, "--syncline.topics.partitions=0",
                "--syncline.gateway.reply-timeout=0s", "--syncline.prefix=a b"))
                .hasStackTraceContaining("syncline.topics.partitions is 0")
                .hasStackTraceContaining("syncline.gateway.reply-timeout is PT0S")
                .hasStackTraceContaining("syncline.prefix is 'a b'");
    }

    @Test
    void withoutAdminToken_theOperatorsApiSaysWhatToSet() throws Exception {
        Path keys = directory.resolve("keys");
        CredentialKeys.writeNew(keys, new SecureRandom());
        GatewayUnderTest gateway = GatewayUnderTest.startAlone(keys, "--syncline.admin.token=");
        try {
            HttpResponse<String> response = gateway.send("GET", "/admin/api/settings", "");
            assertThat(response.statusCode()).isEqualTo(403);
            assertThat(response.body()).contains("syncline.admin.token-file");
            // It may be an operator's of a name, and who has one cannot be looked up without a database.
            assertThat(gateway.admin("GET", "/settings", null).statusCode()).isEqualTo(503);
        } finally {
            gateway.closeGateway();
        }
    }
}
