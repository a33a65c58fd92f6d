package io.syncline.e2e.promises;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.syncline.e2e.SyncCluster;
import io.syncline.e2e.WorkerProcess;
import io.syncline.model.credential.TokenHash;
import io.syncline.model.table.RowChecksum;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Promise 6: when writes stop, every captured table's replica equals the source, row for row, whatever was written, killed or
 * frozen meanwhile.
 *
 * <p>Each round makes tables up from its seed, writes to them by several writers whose statements are the seed's, kills and
 * freezes workers, and then has PostgreSQL compare the source's rows with what the gateway gives. A round that failed is
 * repeated by {@code -Dsyncline.seed=<its seed>}; {@code -Dsyncline.property.time=PT3H} goes on for three hours, and
 * {@code mvn verify -Pcampaign} for as long as that.
 */
class ReplicaEqualsSourceIT {

    private static final Logger LOG = LoggerFactory.getLogger(ReplicaEqualsSourceIT.class);

    /** No round begins after this time: with starting and the last round that makes three minutes. */
    private static final Duration TIME = Duration.parse(System.getProperty("syncline.property.time", "PT140S"));
    private static final Duration WRITING = Duration.ofSeconds(20);
    private static final Duration SESSION = Duration.ofSeconds(6);
    private static final Duration CAUGHT_UP = Duration.ofMinutes(5);
    private static final int WRITERS = 3;

    /** Of {@code tok-t}. */
    private static final String HASH = TokenHash.ofToken("tok-t").text();

    @TempDir private Path directory;
    private int workers;

    @Test
    void replicaEqualsSource_workersKilledAndFrozenUnderWrites() throws Exception {
        Long given = Long.getLong("syncline.seed");
        try (SyncCluster cluster = SyncCluster.start(directory);
                ExecutorService threads = Executors.newFixedThreadPool(WRITERS + 1)) {
            execute(cluster, RandomTable.TYPES);
            List<WorkerProcess> running = new ArrayList<>(List.of(worker(cluster), worker(cluster)));
            SyncCluster.Gateway gateway = cluster.startGateway();
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
            long seed = given == null ? System.nanoTime() : given;
            int rounds = 0;
            do {
                LOG.info("round {}, seed {} (-Dsyncline.seed={} repeats it)", ++rounds, seed, seed);
                try {
                    round(cluster, gateway, running, threads, seed);
                } catch (Exception | AssertionError e) {
                    throw new AssertionError("round with seed " + seed + "; -Dsyncline.seed=" + seed + " repeats it",
                            e);
                }
                seed = new Random(seed).nextLong();
            } while (given == null && System.nanoTime() < end);
            LOG.info("{} rounds held", rounds);
        }
    }

    private void round(SyncCluster cluster, SyncCluster.Gateway gateway, List<WorkerProcess> running,
            ExecutorService threads, long seed) throws Exception {
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
                .map(table -> new Follower(gateway, HASH, table, seed))
                .toList();
        Future<?> following = threads.submit(() -> {
            while (System.nanoTime() < end) {
                followers.forEach(Follower::follow);
            }
        });
        faults(cluster, running, new Random(random.nextLong()), end);
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
                List<String> replica = replica(gateway, table);
                assertThat(differences(cluster, table, replica)).isEmpty();
                JsonNode listed = listed(gateway, table);
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
                .untilAsserted(() -> assertThat(
                        tables.stream().map(table -> listed(gateway, table)).filter(JsonNode::isObject)).isEmpty());
    }

    private WorkerProcess worker(SyncCluster cluster) {
        return cluster.startWorkerProcess("worker-" + workers++,
                "--syncline.worker.session-timeout=" + SESSION.toSeconds() + "s",
                "--syncline.capture.refresh-interval=3s");
    }

    /** Each few seconds one of the two is killed, or frozen for longer than its session lasts. */
    private void faults(SyncCluster cluster, List<WorkerProcess> running, Random random, long end)
            throws InterruptedException {
        while (System.nanoTime() < end) {
            Thread.sleep(2_000 + random.nextInt(4_000));
            int victim = random.nextInt(running.size());
            if (random.nextInt(3) == 0) {
                running.get(victim).freeze();
                Thread.sleep(SESSION.toMillis() + 2_000);
                running.get(victim).thaw();
            } else {
                running.get(victim).kill();
                running.set(victim, worker(cluster));
            }
        }
    }

    private static int write(SyncCluster cluster, List<RandomTable> tables, Random random, long end)
            throws SQLException {
        int transactions = 0;
        long version = random.nextInt(1_000_000) * 1_000_000L;
        try (Connection connection = cluster.database().connect("site");
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
                    // Deadlocks, keys that are there already, rows that have moved to another partition: the writers do not agree on
                    // anything.
                    if (!List.of("40P01", "23505", "40001").contains(e.getSQLState())) {
                        throw e;
                    }
                }
            }
        }
        return transactions;
    }

    /** All rows as the gateway streams them. */
    private static List<String> replica(SyncCluster.Gateway gateway, RandomTable table) {
        HttpResponse<String> answer = gateway.send("POST", "/phoenix_kit/sync/api/pull-data",
                Map.of("content-type", "application/json", "accept", "application/x-ndjson"),
                "{\"auth_token_hash\":\"" + HASH + "\",\"table_name\":"
                        + JsonMapper.shared().writeValueAsString(table.name())
                        + "}");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        List<String> lines = new ArrayList<>(answer.body().lines().toList());
        JsonNode last = JsonMapper.shared().readTree(lines.removeLast());
        assertThat(last.path("rows").longValue(-1)).isEqualTo(lines.size());
        return lines;
    }

    /** Has PostgreSQL read the replica's rows as rows of the table, and say which are in one of them only. */
    private static List<String> differences(SyncCluster cluster, RandomTable table, List<String> replica)
            throws SQLException {
        List<String> differences = new ArrayList<>();
        try (Connection connection = cluster.database().connect("site");
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TEMP TABLE replica (wire text)");
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO replica SELECT unnest(?)")) {
                insert.setArray(1, connection.createArrayOf("text", replica.toArray()));
                insert.executeUpdate();
            }
            String source = "SELECT t::text AS row FROM " + table.quoted() + " t";
            String copy = "SELECT (json_populate_record(NULL::" + table.quoted()
                    + ", wire::json))::text AS row FROM replica";
            try (ResultSet row = statement.executeQuery("(SELECT 'only in the source: ' || row FROM (" + source
                    + " EXCEPT ALL " + copy
                    + ") s ORDER BY 1 LIMIT 3) UNION ALL (SELECT 'only in the replica: ' || row FROM ("
                    + copy + " EXCEPT ALL " + source + ") r ORDER BY 1 LIMIT 3)")) {
                while (row.next()) {
                    differences.add(row.getString(1));
                }
            }
        }
        return differences;
    }

    /** The table's entry; a missing node if it is not listed. */
    private static JsonNode listed(SyncCluster.Gateway gateway, RandomTable table) {
        return JsonMapper.shared()
                .readTree(gateway.call("list-tables", "{\"auth_token_hash\":\"" + HASH + "\"}").body())
                .path("tables")
                .valueStream()
                .filter(entry -> entry.path("name").asString().equals(table.name()))
                .findFirst()
                .orElseGet(tools.jackson.databind.node.MissingNode::getInstance);
    }

    private static void execute(SyncCluster cluster, String sql) throws SQLException {
        try (Connection connection = cluster.database().connect("site");
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
