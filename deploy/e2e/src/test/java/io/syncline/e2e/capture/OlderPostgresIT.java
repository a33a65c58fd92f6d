package io.syncline.e2e.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.syncline.worker.capture.Capture;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Sources of older versions, each with the state database on the same server: every type and every kind of table, by snapshot, by
 * stream, and behind a restart. All other tests run on the newest version, and on this one with {@code -Dsyncline.postgres=14}.
 */
class OlderPostgresIT {

    private static final Duration SOON = Duration.ofMinutes(2);

    private static final List<String> KEYED = List.of("o_key", "o_index", "o_identity", "o_parted", "o_deferrable",
            "o_whole_generated");

    @TempDir Path directory;

    /** The oldest; a campaign names them all. */
    static Stream<String> versions() {
        return Stream.of(System.getProperty("syncline.postgres.versions", "14").split(","));
    }

    @ParameterizedTest
    @MethodSource("versions")
    void everyTypeAndEveryKindOfTable(String version) {
        try (CapturedSource source = CapturedSource.onPostgres(version, directory)) {
            assertThat(source.ask("SELECT current_setting('server_version_num')::int / 10000"))
                    .containsExactly(version);
            EveryType values = EveryType.madeIn(source);
            source.execute(
                    "CREATE TABLE o_key (id int PRIMARY KEY, n int, body text, doubled int GENERATED ALWAYS AS (n * 2) STORED)",
                    "ALTER TABLE o_key ALTER COLUMN body SET STORAGE EXTERNAL",
                    "CREATE TABLE o_index (id int PRIMARY KEY, u text NOT NULL UNIQUE, v text)",
                    "ALTER TABLE o_index REPLICA IDENTITY USING INDEX o_index_u_key",
                    "CREATE TABLE o_identity (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text)",
                    "CREATE TABLE o_parted (id int, at date, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
                    "CREATE TABLE o_parted_24 PARTITION OF o_parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
                    "CREATE TABLE o_parted_25 PARTITION OF o_parted FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
                    "CREATE TABLE o_deferrable (id int PRIMARY KEY DEFERRABLE, v text)",
                    "CREATE TABLE o_whole_generated (id int PRIMARY KEY, v text, g int GENERATED ALWAYS AS (id + 1) STORED)",
                    "ALTER TABLE o_whole_generated REPLICA IDENTITY FULL",
                    "CREATE TABLE o_bag (a int, v text)", "ALTER TABLE o_bag REPLICA IDENTITY FULL",
                    "CREATE TABLE o_heap (a int, v text)");
            source.execute("INSERT INTO o_key SELECT g, g, repeat(md5(g::text), 200) FROM generate_series(1, 20) g",
                    "INSERT INTO o_index SELECT g, 'u' || g, 'v' FROM generate_series(1, 20) g",
                    "INSERT INTO o_identity (v) SELECT 'v' FROM generate_series(1, 5)",
                    "INSERT INTO o_parted SELECT g, '2024-06-01'::date + g * 30, 'v' FROM generate_series(1, 15) g",
                    "INSERT INTO o_deferrable VALUES (1, 'x'), (2, 'y')",
                    "INSERT INTO o_whole_generated VALUES (1, 'x'), (2, 'y')",
                    "INSERT INTO o_bag VALUES (1, 'x'), (1, 'x'), (2, NULL)",
                    "INSERT INTO o_heap VALUES (1, 'x'), (1, 'x'), (2, NULL)");

            Capture capture = source.startCapture();
            values.awaitComplete();
            values.verify("snapshot");
            Map<String, Long> generations = values.generations();
            awaitEqual(source);

            values.writeAgain();
            change(source, "a");
            values.awaitStream();
            values.verify("stream");
            awaitEqual(source);
            assertThat(source.ask("SELECT tablename FROM pg_publication_tables WHERE pubname = 'syncline'"))
                    .contains("o_key", "o_index", "o_identity", "o_parted", "o_bag", "o_whole_generated")
                    .doesNotContain("o_deferrable", "o_heap");

            source.execute("TRUNCATE o_key, o_bag", "INSERT INTO o_key VALUES (1, 1, 'after')",
                    "INSERT INTO o_bag VALUES (9, 'after'), (9, 'after')",
                    "ALTER TABLE o_identity ADD COLUMN w numeric NOT NULL DEFAULT 1.50",
                    "ALTER TABLE o_index ALTER COLUMN v TYPE varchar(9) USING 'r' || v",
                    "CREATE TABLE o_parted_26 PARTITION OF o_parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
                    "INSERT INTO o_parted VALUES (1, '2026-05-05', 'new')");
            awaitEqual(source);

            values.awaitRemembered();
            capture.stop();
            values.writeAgain();
            change(source, "b");
            source.startCapture();
            values.awaitStream();
            values.verify("stream behind a restart");
            assertThat(values.generations()).as("nothing has been read anew").isEqualTo(generations);
            awaitEqual(source);
            // On a schedule of seconds.
            source.awaitEqualBag("o_heap", SOON);

            Undone undone = Undone.madeIn(source);
            undone.awaitEqual(SOON);
            Map<String, Long> untouched = undone.generations();
            undone.happenAtOnce();
            undone.nothingHappens();
            undone.awaitEqual(SOON);
            assertThat(undone.generations()).isEqualTo(untouched);
            undone.happenToThePublication();
            undone.awaitEqual(SOON);
        }
    }

    /** Up to 17 a slot looks for it as it was when a change was made: what was changed without one can never be decoded. */
    @ParameterizedTest
    @MethodSource("versions")
    void aPublicationThatIsDropped_isMadeAgain_andTheSlotGivenUp(String version) {
        try (CapturedSource source = CapturedSource.onPostgres(version, directory)) {
            source.execute("CREATE TABLE t (id int PRIMARY KEY, v text)", "INSERT INTO t VALUES (1, 'x')");
            source.startCapture();
            source.awaitEqual("t", SOON);
            source.execute("INSERT INTO t VALUES (2, 'streamed')");
            source.awaitEqual("t", SOON);
            long generation = source.topics().generation("t");
            source.execute("DROP PUBLICATION syncline", "INSERT INTO t VALUES (3, 'made without a publication')");
            await().atMost(SOON).until(() -> source.topics().generation("t") > generation);
            source.awaitEqual("t", SOON);
            source.execute("UPDATE t SET v = v || '!'");
            source.awaitEqual("t", SOON);
            await().atMost(SOON)
                    .until(() -> !source
                            .askState(
                                    "SELECT 1 FROM syncline.capture_source WHERE state = 'running' AND problem IS NULL")
                            .isEmpty());
        }
    }

    /** An update, a changed key and a deletion in each table, which its owner must be free to make. */
    private static void change(CapturedSource source, String value) {
        source.execute("UPDATE o_key SET n = n + 1", "UPDATE o_key SET id = id + 100 WHERE id < 5",
                "DELETE FROM o_key WHERE id BETWEEN 10 AND 12", "UPDATE o_index SET id = id + 100 WHERE id < 5",
                "UPDATE o_index SET u = u || '" + value + "' WHERE id IN (7, 8)", "DELETE FROM o_index WHERE id = 9",
                "UPDATE o_identity SET v = '" + value + "' WHERE id < 3",
                "INSERT INTO o_identity (v) VALUES ('" + value + "')",
                "UPDATE o_parted SET v = '" + value + "' WHERE id < 9",
                "UPDATE o_parted SET at = '2025-12-31' WHERE id = 2", "DELETE FROM o_parted WHERE id = 3",
                "UPDATE o_deferrable SET v = v || '" + value + "'", "DELETE FROM o_deferrable WHERE id = 1",
                "UPDATE o_whole_generated SET v = '" + value + "', id = id + 10 WHERE id < 100",
                "UPDATE o_bag SET v = '" + value + "' WHERE ctid = (SELECT min(ctid) FROM o_bag)",
                "INSERT INTO o_bag VALUES (1, 'x'), (3, '" + value + "')",
                "UPDATE o_heap SET v = '" + value + "' WHERE a = 2",
                "DELETE FROM o_heap WHERE ctid = (SELECT min(ctid) FROM o_heap)");
    }

    private static void awaitEqual(CapturedSource source) {
        KEYED.forEach(table -> source.awaitEqual(table, SOON));
        source.awaitEqualBag("o_bag", SOON);
    }
}
