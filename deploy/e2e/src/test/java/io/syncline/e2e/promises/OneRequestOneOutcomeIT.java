package io.syncline.e2e.promises;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.e2e.EventLog;
import io.syncline.e2e.JavaProcess;
import io.syncline.e2e.LogFoldsToState;
import io.syncline.e2e.SyncCluster;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.log.ChainReader;
import io.syncline.model.log.LoggedEvent;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Promise 1 under kill -9 and SIGSTOP: an answered request has exactly one effect and exactly one fact, one that was told
 * <em>not applied</em> has none, and the log's chain is whole.
 */
class OneRequestOneOutcomeIT {

    private static final int FAULTS = 20;
    private static final int REQUESTS_A_SECOND = 200;
    /** Callers that wait at once; on a machine that is too slow for the rate, the rest is not asked. */
    private static final int MOST_WAITING = 500;
    private static final Duration SESSION_TIMEOUT = Duration.ofSeconds(2);
    /** Every so many faults, this many requests are decided before the next one: else a slow machine would do nothing but start. */
    private static final int FAULTS_IN_A_ROW = 4;
    private static final int DECIDED_BETWEEN = 100;
    private static final Pattern UUID = Pattern.compile("\"connection_uuid\":\"([^\"]+)\"");

    /** What a caller was told. */
    private enum Told {
        APPLIED,
        /** Not applied: that is what the look-up found behind the deadline. */
        LOOKED_UP,
        /** Not applied: a worker got it behind the deadline, and said so. */
        TOO_LATE,
        /** Not applied: the gateway knew beforehand that it cannot ask, so no worker has ever seen it. */
        NOT_ASKED, NOT_KNOWN, NO_ANSWER, OTHER
    }

    private record Answered(Told told, String text) {}

    @TempDir Path directory;

    @Test
    void workersKilledAndFrozenUnderLoad_everyAnswerIsTrue() throws Exception {
        long seed = Long.getLong("syncline.seed", System.nanoTime());
        System.out.println("OneRequestOneOutcomeIT: replay with -Dsyncline.seed=" + seed);
        Random random = new Random(seed);
        Map<String, Answered> answers = new ConcurrentHashMap<>();
        try (SyncCluster cluster = SyncCluster.start(directory)) {
            String[] settings = {"--syncline.worker.session-timeout=" + SESSION_TIMEOUT.toMillis() + "ms",
                "--syncline.capture.enabled=false"};
            JavaProcess[] workers = {cluster.startWorkerProcess("worker-0", settings),
                cluster.startWorkerProcess("worker-1", settings)};
            // As in production, so that deadlines pass while nobody decides.
            SyncCluster.Gateway gateway = cluster.startGateway("--syncline.gateway.reply-timeout=5s");
            Awaitility.await("a worker decides")
                    .atMost(Duration.ofMinutes(2))
                    .until(() -> gateway
                            .admin("PATCH", "/settings", "{\"enabled\":true,\"incoming_mode\":\"auto_accept\"}")
                            .statusCode() == 200);

            try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
                    ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor()) {
                AtomicInteger number = new AtomicInteger();
                Semaphore waiting = new Semaphore(MOST_WAITING);
                var load = clock.scheduleAtFixedRate(() -> {
                    if (waiting.tryAcquire()) {
                        String site = "http://site-" + number.getAndIncrement() + ".example";
                        callers.execute(() -> {
                            answers.put(site, register(gateway, site));
                            waiting.release();
                        });
                    }
                }, 0, 1_000_000 / REQUESTS_A_SECOND, TimeUnit.MICROSECONDS);
                for (int fault = 0; fault < FAULTS; fault++) {
                    if (fault == FAULTS / 2) {
                        freezeAllBeyondADeadline(workers, gateway, answers);
                    }
                    int before = answers.size();
                    int pause = random.nextInt(3 * REQUESTS_A_SECOND);
                    if (fault % FAULTS_IN_A_ROW == 0) {
                        long decided = applied(answers);
                        Awaitility.await("requests are decided in spite of the faults")
                                .atMost(Duration.ofMinutes(3))
                                .until(() -> applied(answers) >= decided + DECIDED_BETWEEN);
                    }
                    Awaitility.await("load goes on")
                            .atMost(Duration.ofMinutes(3))
                            .pollInterval(Duration.ofMillis(5))
                            .until(() -> answers.size() > before + pause);
                    int victim = random.nextInt(workers.length);
                    if (fault % 2 == 0) {
                        workers[victim].kill();
                        workers[victim] = cluster.startWorkerProcess("worker-" + victim, settings);
                    } else {
                        freezeBeyondItsSession(workers[victim], workers[1 - victim], random);
                    }
                }
                awaitDecidingAgain(gateway, answers);
                load.cancel(false);
            }
            verify(cluster, answers);
        }
    }

    /** Until somebody who asked when nobody could decide any more has been told that it was not applied. */
    private static void freezeAllBeyondADeadline(JavaProcess[] workers, SyncCluster.Gateway gateway,
            Map<String, Answered> answers) {
        for (JavaProcess worker : workers) {
            worker.freeze();
        }
        AtomicInteger number = new AtomicInteger();
        Awaitility.await("a request is not applied while all workers are frozen")
                .atMost(Duration.ofMinutes(3))
                .pollDelay(Duration.ZERO)
                .until(() -> {
                    String site = "http://frozen-" + number.getAndIncrement() + ".example";
                    Answered answer = register(gateway, site);
                    answers.put(site, answer);
                    return answer.told() == Told.LOOKED_UP;
                });
        for (JavaProcess worker : workers) {
            worker.thaw();
        }
    }

    private static void freezeBeyondItsSession(JavaProcess victim, JavaProcess other, Random random) {
        long frozenAt = System.nanoTime();
        Duration frozen = SESSION_TIMEOUT.plusMillis(500 + random.nextInt(2_000));
        victim.freeze();
        Awaitility.await("the session has timed out")
                .atMost(Duration.ofMinutes(1))
                .until(() -> System.nanoTime() - frozenAt > frozen.toNanos());
        assertThat(other.alive()).isTrue();
        victim.thaw();
    }

    private static long applied(Map<String, Answered> answers) {
        return answers.values().stream().filter(answer -> answer.told() == Told.APPLIED).count();
    }

    private static void awaitDecidingAgain(SyncCluster.Gateway gateway, Map<String, Answered> answers) {
        Awaitility.await("requests are decided after the last fault")
                .atMost(Duration.ofMinutes(3))
                .until(() -> register(gateway, "http://after-" + answers.size() + "-" + System.nanoTime() + ".example")
                        .told() == Told.APPLIED);
    }

    private static Answered register(SyncCluster.Gateway gateway, String site) {
        HttpResponse<String> response;
        try {
            response = gateway.call("register-connection", """
                    {"sender_url":"%s","connection_name":"n","auth_token":"token of %s"}""".formatted(site, site));
        } catch (UncheckedIOException e) {
            return new Answered(Told.NO_ANSWER, e.toString());
        }
        String text = response.body();
        if (response.statusCode() == 200) {
            return new Answered(Told.APPLIED, text);
        }
        return response.statusCode() == 503
                ? new Answered(toldBy(text), text)
                : new Answered(Told.OTHER, response.statusCode() + " " + text);
    }

    private static Told toldBy(String text) {
        if (text.contains("was not applied: no worker took the request in time")) {
            return Told.LOOKED_UP;
        }
        if (text.contains("came too late and was not applied")) {
            return Told.TOO_LATE;
        }
        if (text.contains("not applied") || text.contains("cannot be used now") || text.contains("is too slow now")) {
            return Told.NOT_ASKED;
        }
        return text.contains("not known") ? Told.NOT_KNOWN : Told.OTHER;
    }

    private static void verify(SyncCluster cluster, Map<String, Answered> answers) throws SQLException {
        Map<Told, Long> told = answers.values()
                .stream()
                .collect(Collectors.groupingBy(Answered::told, TreeMap::new, Collectors.counting()));
        System.out.println("OneRequestOneOutcomeIT: " + told);
        assertThat(answers.values().stream().filter(answer -> answer.told() == Told.OTHER)).isEmpty();
        assertThat(told).as("what is to be true has been told").containsKeys(Told.APPLIED, Told.LOOKED_UP);
        assertThat(told.getOrDefault(Told.NO_ANSWER, 0L)).as("the gateway answers").isLessThan(answers.size() / 20);

        awaitRest(cluster);
        EventLog log = LogFoldsToState.atRest(cluster);
        System.out.println("OneRequestOneOutcomeIT: " + log.counted().size() + " events, " + log.fences() + " fences, "
                + log.voided().size() + " void");
        assertThat(log.foreign()).isEmpty();
        assertThat(log.fences()).as("faults move partitions").isGreaterThan(log.heads().size());
        Map<String, Long> eventsBySite = log.counted()
                .stream()
                .filter(event -> event.event() instanceof SiteEvent.ConnectionRegistered)
                .collect(Collectors.groupingBy(LoggedEvent::key, Collectors.counting()));
        assertThat(eventsBySite.values()).as("nothing twice").allMatch(count -> count == 1);
        Map<String, String> rows = rows(cluster);
        assertThat(eventsBySite.keySet()).as("no row without an event, no event without a row")
                .isEqualTo(rows.keySet());

        answers.forEach((site, answer) -> {
            switch (answer.told()) {
                case APPLIED -> assertThat(rows.get(site)).as(site).isEqualTo(uuidIn(answer.text()));
                case LOOKED_UP, TOO_LATE, NOT_ASKED ->
                        assertThat(rows).as("told: " + answer.text()).doesNotContainKey(site);
                case NOT_KNOWN, NO_ANSWER, OTHER -> {}
            }
        });
    }

    /**
     * The database stands where the log stands. A partition that the last fault moved may be taken over after every request is
     * answered, which raises its fence in the one and, a moment later, in the other.
     */
    private static void awaitRest(SyncCluster cluster) {
        Awaitility.await("the database stands where the log stands")
                .atMost(Duration.ofMinutes(3))
                .untilAsserted(() -> {
                    EventLog read = EventLog.read(cluster.broker().bootstrapServers(), cluster.keys());
                    assertThat(heads(cluster)).isEqualTo(read.heads()
                            .entrySet()
                            .stream()
                            .collect(Collectors.toMap(Map.Entry::getKey, one -> text(one.getValue()))));
                });
    }

    private static String uuidIn(String answer) {
        Matcher matcher = UUID.matcher(answer);
        assertThat(matcher.find()).as(answer).isTrue();
        return matcher.group(1);
    }

    private static String text(ChainReader.Head head) {
        return head.fence() + "/" + head.sequence() + "/" + HexFormat.of().formatHex(head.hash());
    }

    private static Map<String, String> rows(SyncCluster cluster) throws SQLException {
        return query(cluster, "SELECT site_url, uuid FROM syncline.connection", result -> result);
    }

    private static Map<Integer, String> heads(SyncCluster cluster) throws SQLException {
        return query(cluster,
                "SELECT partition, fence || '/' || sequence || '/' || encode(hash, 'hex') FROM syncline.log_head",
                Integer::valueOf);
    }

    private static <K> Map<K, String> query(SyncCluster cluster, String sql, Function<String, K> key)
            throws SQLException {
        Map<K, String> found = new HashMap<>();
        try (Connection connection = cluster.database().connect("syncline");
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            while (result.next()) {
                assertThat(found.put(key.apply(result.getString(1)), result.getString(2))).as("twice").isNull();
            }
        }
        return found;
    }
}
