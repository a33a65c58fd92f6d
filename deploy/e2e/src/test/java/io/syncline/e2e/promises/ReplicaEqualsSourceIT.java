package io.syncline.e2e.promises;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.syncline.e2e.SyncCluster;
import io.syncline.e2e.WorkerProcess;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
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
 * Promise 6: when writes stop, every captured table's replica equals the source, row for row, whatever was killed or frozen
 * meanwhile.
 */
class ReplicaEqualsSourceIT {

    private static final Logger LOG = LoggerFactory.getLogger(ReplicaEqualsSourceIT.class);

    private static final Duration WRITING = Duration.ofSeconds(40);
    private static final Duration SESSION = Duration.ofSeconds(6);
    private static final Duration CAUGHT_UP = Duration.ofSeconds(90);

    /** Table, and the key that a row of a number has. */
    private enum Table {
        BY_BIGINT("by_bigint", "id bigint", "id", "%1$d"), BY_UUID("by_uuid", "id uuid", "id",
                "('00000000-0000-0000-0000-' || lpad(%1$d::text, 12, '0'))::uuid"),
        BY_TEXT("by Text", "\"the Key\" varchar(20)", "\"the Key\"", "'k' || %1$d"), BY_TWO("by_two",
                "a int, b text", "a, b", "%1$d / 10, chr(65 + %1$d %% 10)");

        final String name;
        final String columns;
        final String keyColumns;
        final String key;

        Table(String name, String columns, String keyColumns, String key) {
            this.name = name;
            this.columns = columns;
            this.keyColumns = keyColumns;
            this.key = key;
        }

        String keyOf(int number) {
            return key.formatted(number);
        }
    }

    @TempDir private Path directory;

    @Test
    void replicaEqualsSource_workersKilledAndFrozenUnderWrites() throws Exception {
        long seed = Long.getLong("syncline.seed", System.nanoTime());
        LOG.info("seed {} (give it again by -Dsyncline.seed)", seed);
        try (SyncCluster cluster = SyncCluster.start(directory);
                ExecutorService writers = Executors
                        .newFixedThreadPool(3)) {
            for (Table table : Table.values()) {
                execute(cluster, "CREATE TABLE \"" + table.name + "\" (" + table.columns
                        + ", v bigint, payload text, extra jsonb, PRIMARY KEY (" + table.keyColumns + "))");
            }
            List<WorkerProcess> workers = new ArrayList<>(List.of(worker(cluster, 0), worker(cluster, 1)));
            SyncCluster.Gateway gateway = cluster.startGateway();
            gateway.admin("PATCH", "/settings", "{\"enabled\":true}");
            await().atMost(CAUGHT_UP)
                    .untilAsserted(() -> assertThat(gateway.admin("POST", "/connections",
                            "{\"direction\":\"sender\",\"name\":\"t\",\"site_url\":\"http://t.example\",\"status\":\"active\","
                                    + "\"auth_token\":\"tok-t\",\"max_records_per_request\":1000000}")
                            .statusCode()).isIn(201, 409));

            long end = System.nanoTime() + WRITING.toNanos();
            List<Future<Integer>> writing = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                Random random = new Random(seed + i);
                writing.add(writers.submit((Callable<Integer>) () -> write(cluster, random, end)));
            }
            faults(cluster, workers, new Random(seed ^ 7), end);
            int transactions = 0;
            for (Future<Integer> one : writing) {
                transactions += one.get();
            }
            LOG.info("{} transactions written", transactions);

            for (Table table : Table.values()) {
                await(table.name).atMost(CAUGHT_UP).pollInterval(Duration.ofMillis(500)).untilAsserted(() -> {
                    Map<String, JsonNode> source = source(cluster, table);
                    Map<String, JsonNode> replica = replica(gateway, table);
                    assertThat(replica.keySet()).isEqualTo(source.keySet());
                    assertThat(replica).isEqualTo(source);
                    assertThat(listed(gateway, table)).isEqualTo(source.size());
                });
            }
        }
    }

    private static WorkerProcess worker(SyncCluster cluster, int number) {
        return cluster.startWorkerProcess("worker-" + number,
                "--syncline.worker.session-timeout=" + SESSION.toSeconds() + "s");
    }

    /** Each few seconds one of the two is killed, or frozen for longer than its session lasts. */
    private static void faults(SyncCluster cluster, List<WorkerProcess> workers, Random random, long end)
            throws InterruptedException {
        int number = workers.size();
        while (System.nanoTime() < end) {
            Thread.sleep(2_000 + random.nextInt(4_000));
            int victim = random.nextInt(workers.size());
            if (random.nextInt(3) == 0) {
                workers.get(victim).freeze();
                Thread.sleep(SESSION.toMillis() + 2_000);
                workers.get(victim).thaw();
            } else {
                workers.get(victim).kill();
                workers.set(victim, worker(cluster, number++));
            }
        }
    }

    private static int write(SyncCluster cluster, Random random, long end) throws SQLException {
        int transactions = 0;
        long version = random.nextInt(1_000_000) * 1_000_000L;
        try (Connection connection = cluster.database().connect("site")) {
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                while (System.nanoTime() < end) {
                    for (int i = 0; i <= random.nextInt(20); i++) {
                        statement.addBatch(statement(random, ++version));
                    }
                    try {
                        statement.executeBatch();
                        if (random.nextInt(10) == 0) {
                            connection.rollback();
                        } else {
                            connection.commit();
                        }
                        transactions++;
                    } catch (SQLException e) {
                        // Deadlocks and keys that are there already: the writers do not agree on anything.
                        connection.rollback();
                    }
                    statement.clearBatch();
                }
            }
        }
        return transactions;
    }

    private static String statement(Random random, long version) {
        Table table = Table.values()[random.nextInt(Table.values().length)];
        String name = '"' + table.name + '"';
        String key = table.keyOf(random.nextInt(500));
        String where = " WHERE (" + table.keyColumns + ") = (" + key + ")";
        int kind = random.nextInt(1000);
        if (kind == 0) {
            return "TRUNCATE " + name;
        }
        if (kind < 250) {
            return "DELETE FROM " + name + where;
        }
        if (kind < 300) {
            return "UPDATE " + name + " SET (" + table.keyColumns + ") = ROW(" + table.keyOf(random.nextInt(500))
                    + ")" + where + " AND NOT EXISTS (SELECT FROM " + name + " WHERE (" + table.keyColumns + ") = ("
                    + table.keyOf(random.nextInt(500)) + "))";
        }
        if (kind < 600) {
            // Leaves a long payload where it lies: pgoutput does not send it.
            return "UPDATE " + name + " SET v = " + version + where;
        }
        String payload = random.nextInt(20) == 0
                ? "(SELECT string_agg(md5((g + " + version + ")::text), '') FROM generate_series(1, 300) g)"
                : "'p" + version + "'";
        return "INSERT INTO " + name + " VALUES (" + key + ", " + version + ", " + payload + ", '{\"n\": " + version
                + "}') ON CONFLICT (" + table.keyColumns + ") DO UPDATE SET v = excluded.v, payload = excluded.payload,"
                + " extra = excluded.extra";
    }

    private static Map<String, JsonNode> source(SyncCluster cluster, Table table) throws SQLException {
        Map<String, JsonNode> rows = new TreeMap<>();
        try (Connection connection = cluster.database().connect("site");
                Statement statement = connection.createStatement();
                ResultSet found = statement.executeQuery("SELECT row_to_json(t) FROM \"" + table.name + "\" t")) {
            while (found.next()) {
                put(rows, JsonMapper.shared().readTree(found.getString(1)));
            }
        }
        return rows;
    }

    private static Map<String, JsonNode> replica(SyncCluster.Gateway gateway, Table table) {
        HttpResponse<String> answer = gateway.call("pull-data",
                "{\"auth_token_hash\":\"" + HASH + "\",\"table_name\":\"" + table.name + "\"}");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        Map<String, JsonNode> rows = new TreeMap<>();
        JsonMapper.shared().readTree(answer.body()).path("data").forEach(row -> put(rows, row));
        return rows;
    }

    /** Of {@code tok-t}. */
    private static final String HASH = io.syncline.model.credential.TokenHash.ofToken("tok-t").text();

    private static void put(Map<String, JsonNode> rows, JsonNode row) {
        String key = row.propertyStream()
                .filter(column -> !List.of("v", "payload", "extra").contains(column.getKey()))
                .map(column -> column.getValue().asString())
                .toList()
                .toString();
        assertThat(rows.put(key, row)).as("two rows with key " + key).isNull();
    }

    private static long listed(SyncCluster.Gateway gateway, Table table) {
        return JsonMapper.shared()
                .readTree(gateway.call("list-tables", "{\"auth_token_hash\":\"" + HASH + "\"}").body())
                .path("tables")
                .valueStream()
                .filter(entry -> entry.path("name").asString().equals(table.name))
                .mapToLong(entry -> entry.path("row_count").longValue())
                .findFirst()
                .orElse(-1);
    }

    private static void execute(SyncCluster cluster, String sql) throws SQLException {
        try (Connection connection = cluster.database().connect("site");
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
