package io.syncline.e2e.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.syncline.e2e.JavaProcess;
import io.syncline.e2e.SyncCluster;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A capturer that stands still in the middle of a snapshot, its sessions open, while another takes over; then it wakes up. */
class FrozenCapturerIT {

    private static final Duration SOON = Duration.ofMinutes(4);
    private static final String SITE = "site";
    private static final String READING = "SELECT count(*) FROM pg_stat_progress_copy WHERE datname = current_database()";

    @TempDir Path directory;

    @Test
    void frozenInTheMiddleOfASnapshot_itKeepsNobodyWaiting_andLeavesNoHolesAndNoGhosts() throws SQLException {
        try (SyncCluster cluster = SyncCluster.start(directory);
                Sluice sluice = new Sluice(cluster.database().port())) {
            execute(cluster, "CREATE TABLE big (id int PRIMARY KEY, v text)",
                    "INSERT INTO big SELECT g, repeat(md5(g::text), 4) FROM generate_series(1, 300000) g");
            sluice.shut();
            JavaProcess frozen = cluster.startWorkerProcess("frozen", SyncCluster.SOURCE_URL + sluice.url(SITE),
                    "--syncline.worker.session-timeout=6s");
            await().atMost(SOON).until(() -> ask(cluster, READING) == 1);
            frozen.freeze();
            assertThat(ask(cluster, READING)).as("it is in the middle").isOne();
            sluice.open();
            cluster.startWorkerProcess("other", "--syncline.worker.session-timeout=6s");
            // As long as the other may take to start.
            execute(cluster, "SET lock_timeout = '4min'; ALTER TABLE big ADD COLUMN w int DEFAULT 7",
                    "DELETE FROM big WHERE id % 3 = 0", "UPDATE big SET v = 'changed' WHERE id % 1000 = 1",
                    "INSERT INTO big VALUES (1000000, 'new', 1)");

            try (TopicFold topics = new TopicFold(cluster.broker().bootstrapServers())) {
                awaitEqual(cluster, topics);
                await("what has been read is remembered").atMost(SOON)
                        .until(() -> askState(cluster,
                                "SELECT count(*) FROM syncline.capture_table WHERE table_name = 'big' AND complete") == 1);
                long generation = topics.generation("big");
                frozen.thaw();
                execute(cluster, "UPDATE big SET v = 'again' WHERE id % 1000 = 2",
                        "DELETE FROM big WHERE id = 1000000");
                awaitEqual(cluster, topics);
                await("the replica has it").atMost(SOON)
                        .until(() -> ask(cluster, "SELECT count(*) FROM big") == askState(cluster,
                                "SELECT row_count FROM syncline.replica_table WHERE table_name = 'big' AND state = 'live'"));
                assertThat(topics.generation("big")).isEqualTo(generation);
                assertThat(frozen.alive()).isTrue();
            }
        }
    }

    private static void awaitEqual(SyncCluster cluster, TopicFold topics) {
        await().atMost(SOON).pollInterval(Duration.ofMillis(500)).untilAsserted(() -> {
            assertThat(topics.isComplete("big")).isTrue();
            Map<String, String> expected = SourceOracle.rows(cluster.database(), SITE, "big");
            Map<String, String> rows = topics.rows("big");
            if (!rows.equals(expected)) {
                assertThat(rows.size()).isEqualTo(expected.size());
                assertThat(rows).isEqualTo(expected);
            }
        });
    }

    private static void execute(SyncCluster cluster, String... statements) throws SQLException {
        try (Connection connection = cluster.database().connect(SITE);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private static long ask(SyncCluster cluster, String sql) throws SQLException {
        return ask(cluster, SITE, sql);
    }

    private static long askState(SyncCluster cluster, String sql) throws SQLException {
        return ask(cluster, "syncline", sql);
    }

    private static long ask(SyncCluster cluster, String database, String sql) throws SQLException {
        try (Connection connection = cluster.database().connect(database);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            return row.next() ? row.getLong(1) : -1;
        }
    }
}
