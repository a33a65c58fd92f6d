package io.syncline.worker.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ReplicaJanitorIT {

    private static final String TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'syncline_replica'";

    @Test
    void clean_dropsGarbageNobodyReadsAndPrunesOldTombstones() throws Exception {
        try (ReplicaDatabase database = new ReplicaDatabase();
                ReplicaJanitor janitor = new ReplicaJanitor(database.dataSource(), Duration.ofDays(7))) {
            for (String name : new String[]{"t.1", "t.2"}) {
                database.execute("CREATE TABLE syncline_replica.\"" + name
                        + "\" (k1 int PRIMARY KEY, wire text, changed bigint, removed_at timestamptz)");
            }
            database.execute("INSERT INTO syncline_replica.\"t.2\" SELECT g, CASE WHEN g > 25000 THEN '{}' END, g,"
                    + " CASE WHEN g <= 24000 THEN now() - interval '8 days' WHEN g <= 25000 THEN now() END"
                    + " FROM generate_series(1, 25010) g");
            database.execute("INSERT INTO syncline.replica_garbage VALUES ('t.1', now() - interval '2 hours')");
            database.execute(
                    "INSERT INTO syncline.replica_table VALUES ('t', 'topic', 1, 2, 'live', NULL, 't.2', 2, '{}',"
                            + " 10, 20, now(), NULL, NULL, NULL, 0, 0, now(), 0, 0, 0, 0, 30000, 5, '{}')");
            database.execute("CREATE TYPE syncline_replica.unused AS ENUM ('a')");
            database.execute("CREATE TYPE syncline_replica.used AS ENUM ('a')");
            database.execute("ALTER TABLE syncline_replica.\"t.2\" ADD COLUMN m syncline_replica.used");

            try (var connection = database.dataSource().getConnection(); var pull = connection.createStatement()) {
                connection.setAutoCommit(false);
                pull.execute("SELECT * FROM syncline_replica.\"t.1\"");
                janitor.clean(Duration.ofHours(1), Duration.ofDays(7));
                assertThat(database.column(TABLES)).containsExactlyInAnyOrder("t.1", "t.2");
                connection.rollback();
            }
            assertThat(database.value("SELECT count(*) FROM syncline_replica.\"t.2\"")).isEqualTo("1010");
            // Whoever asks for what was deleted since change 23,999 would not hear of that of 24,000.
            assertThat(database.value("SELECT known_since FROM syncline.replica_table")).isEqualTo("24000");
            assertThat(database.column("SELECT typname FROM pg_type WHERE typtype = 'e' AND typname LIKE '%used'"))
                    .containsExactly("used");

            janitor.clean(Duration.ofHours(3), Duration.ofDays(7));
            assertThat(database.column(TABLES)).containsExactlyInAnyOrder("t.1", "t.2");

            janitor.clean(Duration.ofHours(1), Duration.ofDays(7));
            assertThat(database.column(TABLES)).containsExactly("t.2");
            assertThat(database.column("SELECT replica_name FROM syncline.replica_garbage")).isEmpty();
        }
    }
}
