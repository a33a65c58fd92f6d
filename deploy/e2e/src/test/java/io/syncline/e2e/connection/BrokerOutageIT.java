package io.syncline.e2e.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.e2e.EventLog;
import io.syncline.e2e.JavaProcess;
import io.syncline.e2e.LogFoldsToState;
import io.syncline.e2e.SyncCluster;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.log.LoggedEvent;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The broker goes away under registrations that are running: callers hear 503 and what became of their request, readiness is
 * red with the cause, every process lives, and when the broker is back all go on by themselves.
 */
class BrokerOutageIT {

    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final int CALLERS = 4;
    private static final int SOME = 40;

    @TempDir Path directory;
    private final Map<String, HttpResponse<String>> answers = new ConcurrentHashMap<>();
    private final AtomicInteger number = new AtomicInteger();

    @Test
    void brokerAway_thenThereAgain_everyAnswerIsTrue() throws Exception {
        try (SyncCluster cluster = SyncCluster.start(directory)) {
            JavaProcess worker = cluster.startWorkerProcess("worker", "--syncline.capture.enabled=false");
            // As in production, so that deadlines pass while nobody decides.
            SyncCluster.Gateway gateway = cluster.startGateway("--syncline.gateway.reply-timeout=5s");
            Awaitility.await("a worker decides")
                    .atMost(PATIENCE)
                    .until(() -> gateway
                            .admin("PATCH", "/settings", "{\"enabled\":true,\"incoming_mode\":\"auto_accept\"}")
                            .statusCode() == 200);
            AtomicBoolean over = new AtomicBoolean();
            List<Thread> callers = new ArrayList<>();
            for (int i = 0; i < CALLERS; i++) {
                callers.add(Thread.ofVirtual().start(() -> {
                    while (!over.get()) {
                        if (register(gateway).statusCode() == 503) {
                            // Nobody who is told to come again later does so at once.
                            LockSupport.parkNanos(Duration.ofMillis(200).toNanos());
                        }
                    }
                }));
            }
            try {
                awaitMoreApplied();
                cluster.broker().close();
                Awaitility.await("readiness is red with the cause").atMost(PATIENCE).untilAsserted(() -> {
                    HttpResponse<String> readiness = gateway.get("/actuator/health/readiness");
                    assertThat(readiness.statusCode()).isEqualTo(503);
                    JsonNode broker = JsonMapper.shared().readTree(readiness.body()).at("/components/broker");
                    assertThat(broker.path("status").asString()).isEqualTo("OUT_OF_SERVICE");
                    assertThat(broker.at("/details/cause").asString()).contains("the broker cannot be reached");
                    assertThat(broker.at("/details/remedy").asString()).contains("spring.kafka.bootstrap-servers");
                });
                HttpResponse<String> refused = register(gateway);
                assertThat(refused.statusCode()).as(refused.body()).isEqualTo(503);
                assertThat(refused.body()).startsWith("{\"success\":false,\"error\":\"")
                        .contains("not applied")
                        .doesNotContain("Exception");
                assertThat(refused.headers().firstValue("retry-after")).isPresent();
                assertThat(gateway.get("/actuator/health/liveness").statusCode()).isEqualTo(200);
                assertThat(worker.alive()).isTrue();

                cluster.startBrokerAgain();
                awaitMoreApplied();
                Awaitility.await("readiness is green again")
                        .atMost(PATIENCE)
                        .until(() -> gateway.get("/actuator/health/readiness").statusCode() == 200);
                assertThat(worker.alive()).isTrue();
            } finally {
                over.set(true);
                for (Thread caller : callers) {
                    caller.join();
                }
            }
            verify(LogFoldsToState.atRest(cluster));
        }
    }

    private void verify(EventLog log) {
        assertThat(log.foreign()).isEmpty();
        List<String> registered = log.counted()
                .stream()
                .filter(event -> event.event() instanceof SiteEvent.ConnectionRegistered)
                .map(LoggedEvent::key)
                .toList();
        assertThat(registered).as("nothing twice").doesNotHaveDuplicates();
        answers.forEach((site, answer) -> {
            switch (answer.statusCode()) {
                case 200 -> assertThat(registered).as("told: " + answer.body()).contains(site);
                case 503 -> {
                    // What the gateway could not even look up before it asked a worker is not applied, too.
                    if (answer.body().contains("not applied") || answer.body().contains("cannot be used now")) {
                        assertThat(registered).as("told: " + answer.body()).doesNotContain(site);
                    } else {
                        assertThat(answer.body()).contains("not known");
                    }
                }
                default -> throw new AssertionError(site + ": " + answer.statusCode() + " " + answer.body());
            }
        });
    }

    private void awaitMoreApplied() {
        long before = applied();
        Awaitility.await("registrations are applied").atMost(PATIENCE).until(() -> applied() >= before + SOME);
    }

    private long applied() {
        return answers.values().stream().filter(answer -> answer.statusCode() == 200).count();
    }

    private HttpResponse<String> register(SyncCluster.Gateway gateway) {
        String site = "http://site-" + number.getAndIncrement() + ".example";
        HttpResponse<String> answer = gateway.call("register-connection", """
                {"sender_url":"%s","connection_name":"n","auth_token":"token of %s"}""".formatted(site, site));
        answers.put(site, answer);
        return answer;
    }
}
