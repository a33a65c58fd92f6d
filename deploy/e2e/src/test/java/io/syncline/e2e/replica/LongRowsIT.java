package io.syncline.e2e.replica;

import static org.awaitility.Awaitility.await;

import io.syncline.e2e.SyncCluster;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows that are small on their way, and more than a worker's memory once they are unpacked. */
class LongRowsIT {

    private static final int ROWS = 4_000;

    @TempDir Path directory;

    @Test
    void rowsOf96Kilobytes_passThroughAWorkerOf256Megabytes() throws SQLException {
        try (SyncCluster cluster = SyncCluster.start(directory)) {
            try (Connection source = cluster.database().connect("site");
                    Statement statement = source.createStatement()) {
                statement.execute("CREATE TABLE long (id int PRIMARY KEY, v text)");
                statement.execute("INSERT INTO long SELECT g, repeat(md5(g::text), 3000) FROM generate_series(1, "
                        + ROWS + ") g");
            }
            cluster.startWorkerProcess("worker");
            // The worker makes the schema that is asked.
            await().atMost(Duration.ofMinutes(4)).ignoreExceptions().until(() -> rows(cluster) == ROWS);
        }
    }

    private static long rows(SyncCluster cluster) throws SQLException {
        try (Connection state = cluster.database().connect("syncline");
                Statement statement = state.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT row_count FROM syncline.replica_table WHERE table_name = 'long' AND state = 'live'")) {
            return row.next() ? row.getLong(1) : -1;
        }
    }
}
