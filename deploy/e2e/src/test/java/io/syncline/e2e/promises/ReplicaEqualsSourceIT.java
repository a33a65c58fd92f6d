package io.syncline.e2e.promises;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.syncline.e2e.FaultCluster;
import io.syncline.e2e.Follower;
import io.syncline.e2e.JavaProcess;
import io.syncline.e2e.ReplicaComparison;
import io.syncline.e2e.SyncCluster;
import io.syncline.model.credential.TokenHash;
import io.syncline.model.table.RowChecksum;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Promise 6: when writes stop, every captured table's replica equals the source, row for row, whatever was written, changed, killed,
 * frozen, lost or restored meanwhile.
 *
 * <p>Each round makes tables up from its seed, writes to them by several writers whose statements are the seed's, lets the faults of
 * {@link PropertyFault} happen, and then has PostgreSQL compare the source's rows with what the gateway gives. A round that failed is
 * repeated by {@code -Dsyncline.seed=<its seed>}; {@code -Dsyncline.property.time=PT3H} goes on for three hours, and
 * {@code mvn verify -Pcampaign} for as long as that, on three brokers. {@code -Dsyncline.property.faults=STATE_RESTORED,DDL_UNDONE}
 * draws from these alone.
 */
class ReplicaEqualsSourceIT {

    private static final Logger LOG = LoggerFactory.getLogger(ReplicaEqualsSourceIT.class);

    /** No round begins after this time: with starting and the last round that makes three minutes. */
    private static final Duration TIME = Duration.parse(System.getProperty("syncline.property.time", "PT110S"));
    private static final int BROKERS = Integer.getInteger("syncline.property.brokers", 1);
    private static final Set<PropertyFault> FAULTS = PropertyFault
            .named(System.getProperty("syncline.property.faults", "WORKER_KILLED,WORKER_FROZEN,BROKERS_LOST"));
    /** The ordinary build's; a campaign takes another one each time. */
    private static final long SEED = 20_261_201;
    private static final Duration WRITING = Duration.ofSeconds(20);
    private static final Duration SESSION = Duration.ofSeconds(6);
    private static final Duration CAUGHT_UP = Duration.ofMinutes(5);
    private static final int WRITERS = 3;
    private static final List<String> WORKERS = List.of("worker-1", "worker-2");
    /** The writers do not agree on anything with each other, nor with the owner who changes tables. */
    private static final Set<String> WRITERS_OWN = Set.of("40P01", "23505", "40001", "23514", "42P01", "42703", "42804",
            "42P10", "0A000", "22P02", "55P03", "57014");

    /** Of {@code tok-t}. */
    private static final String HASH = TokenHash.ofToken("tok-t").text();

    @TempDir private Path directory;
    private final Map<PropertyFault, Integer> made = new ConcurrentHashMap<>();
    private @Nullable Path backup;

    @Test
    void replicaEqualsSource_whateverIsKilledLostRestoredOrUndoneUnderWrites() throws Exception {
        Long given = Long.getLong("syncline.seed");
        int rounds = 0;
        int divergences = 0;
        try (FaultCluster cluster = FaultCluster.start(directory, BROKERS);
                ExecutorService threads = Executors.newFixedThreadPool(WRITERS + 2)) {
            execute(cluster, RandomTable.TYPES);
            startWorkers(cluster);
            SyncCluster.Gateway gateway = cluster.startGateway(FaultCluster.Client.GATEWAY_1);
            // Workers that are still starting decide nothing.
            await().atMost(CAUGHT_UP)
                    .untilAsserted(() -> assertThat(
                            gateway.admin("PATCH", "/settings", "{\"enabled\":true}").statusCode()).isEqualTo(200));
            await().atMost(CAUGHT_UP)
                    .untilAsserted(() -> assertThat(gateway.admin("POST", "/connections",
                            "{\"direction\":\"sender\",\"name\":\"t\",\"site_url\":\"http://t.example\",\"status\":\"active\","
                                    + "\"auth_token\":\"tok-t\",\"max_records_per_request\":1000000,"
                                    + "\"rate_limit_requests_per_minute\":1000000}")
                            .statusCode()).isIn(201, 409));
            long end = System.nanoTime() + TIME.toNanos();
            long seed = given != null ? given : Boolean.getBoolean("syncline.campaign") ? System.nanoTime() : SEED;
            do {
                LOG.info("round {}, seed {} (-Dsyncline.seed={} repeats it)", ++rounds, seed, seed);
                try {
                    round(cluster, gateway, threads, seed);
                } catch (Exception | AssertionError e) {
                    divergences++;
                    throw new AssertionError("round " + rounds + " with seed " + seed + "; -Dsyncline.seed=" + seed
                            + " repeats it", e);
                }
                seed = new Random(seed).nextLong();
            } while (given == null && System.nanoTime() < end);
        } finally {
            LOG.info("{} rounds, {} divergences, faults {}", rounds, divergences, new TreeMap<>(made));
        }
    }

    private void round(FaultCluster cluster, SyncCluster.Gateway gateway, ExecutorService threads, long seed)
            throws Exception {
        Random random = new Random(seed);
        List<RandomTable> tables = new ArrayList<>();
        for (int i = 3 + random.nextInt(3); i > 0; i--) {
            tables.add(new RandomTable(i, random));
        }
        for (RandomTable table : tables) {
            execute(cluster, table.create());
        }
        long end = System.nanoTime() + WRITING.toNanos();
        List<Future<Integer>> writing = new ArrayList<>();
        for (int i = 0; i < WRITERS; i++) {
            Random own = new Random(random.nextLong());
            writing.add(threads.submit((Callable<Integer>) () -> write(cluster, tables, own, end)));
        }
        List<Follower> followers = tables.stream()
                .map(table -> new Follower(gateway, HASH, table.name(), table.keyless(), seed))
                .toList();
        Future<?> following = threads.submit(() -> {
            while (System.nanoTime() < end) {
                followers.forEach(Follower::follow);
            }
        });
        Random owners = new Random(random.nextLong());
        SourceFaults source = new SourceFaults(cluster.source(), tables, owners);
        Future<?> owning = threads.submit(() -> {
            faults(owners, end, 500, 3_000, PropertyFault::ofSource, (fault, _) -> source.make(fault));
            return null;
        });
        faults(new Random(random.nextLong()), end, 2_000, 6_000, fault -> !fault.ofSource(),
                (fault, drawn) -> machine(cluster, fault, drawn));
        owning.get();
        source.resetSettings();
        int transactions = 0;
        for (Future<Integer> one : writing) {
            transactions += one.get();
        }
        following.get();
        LOG.info("{} transactions on {}", transactions, tables);

        for (int i = 0; i < tables.size(); i++) {
            RandomTable table = tables.get(i);
            Follower follower = followers.get(i);
            await(table.toString()).atMost(CAUGHT_UP).pollInterval(Duration.ofMillis(500)).untilAsserted(() -> {
                List<String> replica = ReplicaComparison.replica(gateway, HASH, table.name());
                assertThat(ReplicaComparison.differences(cluster.source(), table.quoted(), replica)).isEmpty();
                JsonNode listed = ReplicaComparison.listed(gateway, HASH, table.name());
                assertThat(listed.path("row_count").longValue(-1)).isEqualTo(replica.size());
                assertThat(listed.path("checksum").asString("")).isEqualTo(RowChecksum.text(replica.stream()
                        .mapToLong(row -> RowChecksum.of(row.getBytes(StandardCharsets.UTF_8)))
                        .sum()));
                follower.follow();
                Map<String, String> followed = follower.rows();
                assertThat(followed.values()).containsExactlyInAnyOrderElementsOf(
                        replica.stream().map(row -> JsonMapper.shared().readTree(row).toString()).toList());
            });
        }
        for (RandomTable table : tables) {
            execute(cluster, "DROP TABLE " + table.quoted());
        }
        await("the dropped tables are gone").atMost(CAUGHT_UP)
                .pollInterval(Duration.ofMillis(500))
                .untilAsserted(() -> assertThat(tables.stream()
                        .map(table -> ReplicaComparison.listed(gateway, HASH, table.name()))
                        .filter(JsonNode::isObject)).isEmpty());
    }

    private interface Making {
        void make(PropertyFault fault, Random random) throws Exception;
    }

    /** Each kind once before one of them comes again. */
    private void faults(Random random, long end, int least, int most, Predicate<PropertyFault> which, Making making)
            throws Exception {
        List<PropertyFault> kinds = FAULTS.stream().filter(which).toList();
        List<PropertyFault> deck = new ArrayList<>();
        while (!kinds.isEmpty() && System.nanoTime() < end) {
            Thread.sleep(least + random.nextInt(most - least));
            if (deck.isEmpty()) {
                deck.addAll(kinds);
                Collections.shuffle(deck, random);
            }
            PropertyFault fault = deck.removeLast();
            LOG.info("fault {}", fault);
            made.merge(fault, 1, Integer::sum);
            making.make(fault, random);
        }
    }

    private static void startWorkers(FaultCluster cluster) {
        WORKERS.stream()
                .filter(name -> !cluster.workerRuns(name))
                .forEach(name -> cluster.startWorker(name, "--syncline.capture.refresh-interval=3s"));
    }

    /** After each one, everything is there again, but for what it has lost. */
    private void machine(FaultCluster cluster, PropertyFault fault, Random random) throws Exception {
        JavaProcess worker = cluster.worker(WORKERS.get(random.nextInt(WORKERS.size())));
        switch (fault) {
            case WORKER_KILLED -> worker.kill();
            case WORKER_FROZEN -> {
                worker.freeze();
                // For longer than its session lasts.
                Thread.sleep(SESSION.toMillis() + 2_000);
                worker.thaw();
            }
            case BROKERS_LOST -> {
                int stays = 1 + random.nextInt(BROKERS);
                List<Integer> lost = IntStream.rangeClosed(1, BROKERS)
                        .filter(broker -> broker != stays || BROKERS == 1)
                        .boxed()
                        .toList();
                lost.forEach(cluster::killBroker);
                Thread.sleep(random.nextInt(4_000));
                lost.forEach(cluster::startBroker);
                cluster.awaitBrokers();
            }
            case STATE_RESTORED -> {
                Path taken = backup;
                if (taken == null) {
                    backup = cluster.state().backup();
                    Thread.sleep(1_000 + random.nextInt(4_000));
                    taken = backup;
                }
                backup = null;
                cluster.state().restore(taken);
            }
            case STATE_FAILED_OVER -> {
                cluster.state().startStandby();
                cluster.state().cutStandby();
                Thread.sleep(random.nextInt(4_000));
                cluster.state().failOver();
            }
            case DDL_UNDONE, PARTITION_DETACHED, PUBLICATION_CHANGED, SETTINGS_CHANGED ->
                    throw new IllegalArgumentException(fault + " is one of the source");
        }
        startWorkers(cluster);
    }

    private static int write(FaultCluster cluster, List<RandomTable> tables, Random random, long end)
            throws SQLException {
        int transactions = 0;
        long version = random.nextInt(1_000_000) * 1_000_000L;
        try (Connection connection = cluster.source().connect("site");
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            while (System.nanoTime() < end) {
                try {
                    Savepoint savepoint = null;
                    for (int i = 0; i <= random.nextInt(20); i++) {
                        statement.execute(
                                tables.get(random.nextInt(tables.size())).statement(random, ++version));
                        if (random.nextInt(10) == 0) {
                            savepoint = connection.setSavepoint();
                        } else if (savepoint != null && random.nextInt(6) == 0) {
                            connection.rollback(savepoint);
                        }
                    }
                    if (random.nextInt(10) == 0) {
                        connection.rollback();
                    } else {
                        connection.commit();
                    }
                    transactions++;
                } catch (SQLException e) {
                    connection.rollback();
                    if (!WRITERS_OWN.contains(String.valueOf(e.getSQLState()))) {
                        throw e;
                    }
                }
            }
        }
        return transactions;
    }

    private static void execute(FaultCluster cluster, String sql) throws SQLException {
        try (Connection connection = cluster.source().connect("site");
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
