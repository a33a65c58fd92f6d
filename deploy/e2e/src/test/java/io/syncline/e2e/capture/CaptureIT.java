package io.syncline.e2e.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever the owner does to a table: the topics say what it is, and nothing of the owner's fails or waits. */
class CaptureIT {

    private static final Duration SOON = Duration.ofMinutes(2);

    @TempDir static Path directory;

    private static CapturedSource source;

    @BeforeAll
    static void start() {
        source = new CapturedSource(directory);
        source.execute("CREATE TABLE customers (id bigint PRIMARY KEY, name text NOT NULL, balance numeric(10,2))",
                "INSERT INTO customers SELECT g, 'name ' || g, g * 1.5 FROM generate_series(1, 1000) g");
        source.startCapture();
    }

    @AfterAll
    static void stop() {
        source.close();
    }

    @Test
    void rowsThatAreThere_andWhatThenHappensToThem() {
        awaitEqual("customers");
        source.execute("INSERT INTO customers VALUES (1001, 'new', NULL)",
                "UPDATE customers SET balance = balance + 1 WHERE id <= 10",
                "DELETE FROM customers WHERE id BETWEEN 20 AND 30", "UPDATE customers SET id = -id WHERE id = 40",
                "BEGIN; INSERT INTO customers VALUES (2000, 'undone', 1); ROLLBACK");
        awaitEqual("customers");
        source.execute("TRUNCATE customers", "INSERT INTO customers VALUES (5, 'after', 1)");
        assertThat(awaitEqual("customers")).containsOnlyKeys("[5]");
    }

    @Test
    void tablesThatAreTruncatedTogether() {
        source.execute("CREATE TABLE mother (id int PRIMARY KEY)",
                "CREATE TABLE child (id int PRIMARY KEY, mother int REFERENCES mother)",
                "INSERT INTO mother SELECT generate_series(1, 10)",
                "INSERT INTO child SELECT g, g FROM generate_series(1, 10) g");
        awaitEqual("mother");
        awaitEqual("child");
        source.execute("TRUNCATE mother CASCADE", "INSERT INTO mother VALUES (7)");
        assertThat(awaitEqual("mother")).containsOnlyKeys("[7]");
        assertThat(awaitEqual("child")).isEmpty();
    }

    @Test
    void columnsThatAreComputedWhenTheyAreRead() {
        // Before PostgreSQL 18 there were none.
        String kind = source.ask("SELECT current_setting('server_version_num')::int >= 180000").equals(List.of("t"))
                ? "VIRTUAL"
                : "STORED";
        source.execute(
                "CREATE TABLE computed (id int PRIMARY KEY, n int, doubled int GENERATED ALWAYS AS (n * 2) " + kind
                        + ", v text)",
                "INSERT INTO computed (id, n) SELECT g, g FROM generate_series(1, 10) g");
        awaitEqual("computed");
        source.execute("UPDATE computed SET n = n + 1 WHERE id < 5", "INSERT INTO computed (id, n) VALUES (11, 11)",
                "DELETE FROM computed WHERE id = 6");
        assertThat(awaitEqual("computed")).containsEntry("[1]",
                "{\"id\":1,\"n\":2,\"doubled\":4,\"v\":null}");
    }

    @Test
    void tablesOfUnusualShapes() {
        source.execute("CREATE TABLE no_columns ()", "INSERT INTO no_columns DEFAULT VALUES",
                "INSERT INTO no_columns DEFAULT VALUES", "CREATE TABLE no_columns_whole ()",
                "ALTER TABLE no_columns_whole REPLICA IDENTITY FULL", "INSERT INTO no_columns_whole DEFAULT VALUES",
                "CREATE TABLE only_generated (g int GENERATED ALWAYS AS (1 + 1) STORED)",
                "INSERT INTO only_generated DEFAULT VALUES", "INSERT INTO only_generated DEFAULT VALUES",
                "CREATE TABLE generated_key (g int GENERATED ALWAYS AS (3) STORED PRIMARY KEY)",
                "INSERT INTO generated_key DEFAULT VALUES",
                "DO $$ BEGIN EXECUTE (SELECT 'CREATE TABLE key_of_32 (' || string_agg(format('k%s %s', i, CASE WHEN i % 2 = 0"
                        + " THEN 'int' ELSE 'text' END), ', ') || ', PRIMARY KEY (' || string_agg('k' || i, ', ') || '))'"
                        + " FROM generate_series(1, 32) i); END $$",
                "INSERT INTO key_of_32 SELECT n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n"
                        + " FROM generate_series(1, 5) n",
                "DO $$ BEGIN EXECUTE (SELECT 'CREATE TABLE of_1600_columns (c1 int PRIMARY KEY, ' || string_agg(format("
                        + "'c%s int DEFAULT %s', i, i), ', ') || ')' FROM generate_series(2, 1600) i); END $$",
                "INSERT INTO of_1600_columns VALUES (1), (2)");
        List<String> keyless = List.of("no_columns", "no_columns_whole", "only_generated");
        keyless.forEach(table -> source.awaitEqualBag(table, SOON));
        awaitEqual("generated_key");
        awaitEqual("key_of_32");
        awaitWide("1600");
        source.execute("INSERT INTO no_columns DEFAULT VALUES", "DELETE FROM no_columns_whole",
                "DELETE FROM only_generated WHERE ctid = (SELECT min(ctid) FROM only_generated)",
                "DELETE FROM generated_key", "UPDATE key_of_32 SET k32 = 9, k1 = 'x' WHERE k2 < 3",
                "DELETE FROM key_of_32 WHERE k2 = 5", "UPDATE of_1600_columns SET c1600 = -1 WHERE c1 = 1",
                "DELETE FROM of_1600_columns WHERE c1 = 2");
        keyless.forEach(table -> source.awaitEqualBag(table, SOON));
        awaitEqual("generated_key");
        awaitEqual("key_of_32");
        awaitWide("-1");
    }

    /** @param last what the first row has in its last column */
    private static void awaitWide(String last) {
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(source.topics().isComplete("of_1600_columns")).isTrue();
            assertThat(source.topics().rows("of_1600_columns").values()).containsExactlyInAnyOrderElementsOf(
                    source.ask("SELECT row_to_json(t)::text FROM of_1600_columns t"));
            assertThat(source.topics().rows("of_1600_columns").get("[1]")).endsWith("\"c1600\":" + last + "}");
        });
    }

    @Test
    void keysThatDifferOnlyForPostgres_areTwoRows() {
        source.execute("CREATE TABLE bounds (k int[] PRIMARY KEY, v text)",
                "INSERT INTO bounds VALUES ('{1,2}', 'plain'), ('[0:1]={1,2}', 'bound')",
                "CREATE TABLE documents_by (k jsonb PRIMARY KEY, v text)",
                "INSERT INTO documents_by VALUES ('\"abc\"', 's'), ('null', 'n'), ('1.0', 'd'), ('{\"b\":1,\"a\":2}', 'o')",
                "CREATE TABLE questions (k tsquery PRIMARY KEY, v text)",
                "INSERT INTO questions VALUES ('a & (b & c)', 'right'), ('(a & b) & c', 'left')");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(source.topics().rows("bounds")).isEqualTo(Map.of("[[1,2]]",
                        "{\"k\":[1,2],\"v\":\"plain\"}", "[\"[0:1]={1,2}\"]",
                        "{\"k\":\"[0:1]={1,2}\",\"v\":\"bound\"}")));
        awaitEqual("documents_by");
        source.awaitEqualBag("questions", SOON);
        source.execute("DELETE FROM bounds WHERE k = '{1,2}'", "UPDATE documents_by SET k = '1.00' WHERE v = 'd'",
                "DELETE FROM documents_by WHERE k IN ('\"abc\"', 'null')", "DELETE FROM questions WHERE v = 'left'");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(source.topics().rows("bounds")).containsOnlyKeys("[\"[0:1]={1,2}\"]"));
        awaitEqual("documents_by");
        source.awaitEqualBag("questions", SOON);
    }

    @Test
    void typesThatNobodyHereKnows_goAsTheirText() {
        source.execute("CREATE EXTENSION ltree", "CREATE EXTENSION cube", "CREATE EXTENSION seg",
                "CREATE TYPE span AS RANGE (subtype = float8)",
                "CREATE TABLE strange (id int PRIMARY KEY, l ltree, ls ltree[], c cube, s seg, r span)",
                "INSERT INTO strange VALUES (1, 'a.b', '{a.b,c}', '(1,2),(3,4)', '1 .. 2', '[1,2)')",
                "INSERT INTO strange (id) VALUES (2)");
        awaitEqual("strange");
        source.execute("UPDATE strange SET l = 'a.c', ls = '{}', c = '(1)', s = '~3', r = 'empty' WHERE id = 2");
        assertThat(awaitEqual("strange")).containsEntry("[1]",
                "{\"id\":1,\"l\":\"a.b\",\"ls\":[\"a.b\",\"c\"],\"c\":\"(1, 2),(3, 4)\",\"s\":\"1 .. 2\",\"r\":\"[1,2)\"}");
    }

    @Test
    void aTableMadeWhileRunning_isThere() {
        source.execute("CREATE TABLE \"Late Comer\" (code varchar(20) PRIMARY KEY, v uuid DEFAULT gen_random_uuid())",
                "INSERT INTO \"Late Comer\" (code) SELECT 'c' || g FROM generate_series(1, 50) g");
        awaitEqual("Late Comer");
        source.execute("UPDATE \"Late Comer\" SET code = code || 'x'");
        awaitEqual("Late Comer");
    }

    @Test
    void valuesThatAnUpdateLeavesUntouched_areStillThere() {
        source.execute(
                "CREATE TABLE documents (id int PRIMARY KEY, body text, tags text[], n int, doubled int GENERATED ALWAYS AS (n * 2) STORED)",
                "INSERT INTO documents SELECT g, (SELECT string_agg(md5((g * s)::text), '') FROM generate_series(1, 2000) s),"
                        + " ARRAY(SELECT md5((g + s)::text) FROM generate_series(1, 2000) s), g FROM generate_series(1, 20) g");
        awaitEqual("documents");
        source.execute("UPDATE documents SET n = n + 1", "UPDATE documents SET id = id + 100 WHERE id <= 5",
                "BEGIN; UPDATE documents SET n = 0 WHERE id = 7; DELETE FROM documents WHERE id = 7; COMMIT",
                "UPDATE documents SET n = 9 WHERE id = 8; UPDATE documents SET body = 'short' WHERE id = 8");
        assertThat(awaitEqual("documents").get("[101]")).contains("\"doubled\":4");
    }

    @Test
    void changedColumns_areFollowed() {
        source.execute("CREATE TABLE changing (id int PRIMARY KEY, a int, b text)",
                "INSERT INTO changing VALUES (1, 1, 'x'), (2, 2, 'y')");
        awaitEqual("changing");
        source.execute("ALTER TABLE changing ADD COLUMN c numeric NOT NULL DEFAULT 1.50",
                "UPDATE changing SET a = 7 WHERE id = 1");
        awaitEqual("changing");
        source.execute("ALTER TABLE changing DROP COLUMN b", "INSERT INTO changing VALUES (3, 3, 4)");
        awaitEqual("changing");
        source.execute("ALTER TABLE changing RENAME COLUMN a TO renamed");
        awaitEqual("changing");
        source.execute("ALTER TABLE changing ALTER COLUMN renamed TYPE text USING 'no ' || renamed",
                "UPDATE changing SET renamed = 'y' WHERE id = 2");
        awaitEqual("changing");
        source.execute("ALTER TABLE changing ALTER COLUMN c TYPE numeric USING c + 1");
        awaitEqual("changing");
        source.execute("ALTER TABLE changing ALTER COLUMN c SET DEFAULT 3");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(
                        Objects.requireNonNull(source.topics().schema("changing")).columns().get(2).columnDefault())
                        .isEqualTo("3"));
        awaitEqual("changing");
    }

    @Test
    void changedTypes_areFollowed() {
        source.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')", "CREATE TYPE pair AS (a int, m mood)",
                "CREATE TABLE moods (id int PRIMARY KEY, m mood, p pair, ms mood[])",
                "INSERT INTO moods VALUES (1, 'ok', ROW(1, 'ok'), '{ok,sad}')");
        awaitEqual("moods");
        source.execute("ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'");
        awaitEqual("moods");
        source.execute("ALTER TYPE pair ADD ATTRIBUTE c int");
        awaitEqual("moods");
        source.execute("ALTER TYPE mood ADD VALUE 'glad'", "UPDATE moods SET m = 'glad'");
        awaitEqual("moods");
    }

    @Test
    void aTableTakenOutAndPutBackByAnybody_isReadAnew() {
        source.execute("CREATE TABLE back (id int PRIMARY KEY, v text)", "INSERT INTO back VALUES (1, 'x')");
        awaitEqual("back");
        // Unless capture has put it back before.
        source.execute("BEGIN; ALTER PUBLICATION syncline DROP TABLE back; UPDATE back SET v = 'y'; COMMIT;"
                + "DO $$BEGIN ALTER PUBLICATION syncline ADD TABLE back; EXCEPTION WHEN duplicate_object THEN NULL; END$$");
        awaitEqual("back");
    }

    /** 40 MB of values that have to be read from the source, for changes of one batch. */
    @Test
    void manyLargeValuesThatAnUpdateLeavesUntouched() {
        source.execute("CREATE TABLE heavy (id int PRIMARY KEY, n int, body text)",
                "ALTER TABLE heavy ALTER COLUMN body SET STORAGE EXTERNAL",
                "INSERT INTO heavy SELECT g, 0, repeat(md5(g::text), 1250) FROM generate_series(1, 1000) g");
        awaitEqual("heavy");
        source.execute("UPDATE heavy SET n = 1");
        awaitEqual("heavy");
    }

    @Test
    void aTableDropped_renamed_andMadeAgain() {
        source.execute("CREATE TABLE here (id int PRIMARY KEY, v text)", "INSERT INTO here VALUES (1, 'first')");
        awaitEqual("here");
        source.execute("ALTER TABLE here RENAME TO there");
        awaitEqual("there");
        await().atMost(SOON).until(() -> source.topics().isDropped("here"));
        source.execute("DROP TABLE there", "CREATE TABLE there (code text PRIMARY KEY)",
                "INSERT INTO there VALUES ('second')");
        awaitEqual("there");
        source.execute("DROP TABLE there");
        await().atMost(SOON).until(() -> source.topics().isDropped("there"));
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(source.statusOfTables()).doesNotContainKeys("here", "there"));
    }

    @Test
    void aTableThatLosesItsKey_isTakenOutAtOnce_andComesBackWithOne() {
        source.execute("CREATE TABLE loses (id int, v text, CONSTRAINT loses_key PRIMARY KEY (id))",
                "INSERT INTO loses VALUES (1, 'x')");
        awaitEqual("loses");
        source.execute("ALTER TABLE loses DROP CONSTRAINT loses_key");
        await().atMost(SOON)
                .ignoreExceptions()
                .untilAsserted(() -> source.execute("UPDATE loses SET v = v || 'y'"));
        source.awaitEqualBag("loses", SOON);
        assertThat(source.topics().isDropped("loses")).isFalse();
        source.execute("UPDATE loses SET v = 'z'");
        source.awaitEqualBag("loses", SOON);
        source.execute("ALTER TABLE loses ADD PRIMARY KEY (id)");
        awaitEqual("loses");
        source.execute("UPDATE loses SET v = 'streamed'");
        awaitEqual("loses");
    }

    @Test
    void withoutAKey_butWithWholeRows_equalRowsAreCounted() {
        source.execute("CREATE TABLE bag (a int, b text, big text)", "ALTER TABLE bag REPLICA IDENTITY FULL",
                "ALTER TABLE bag ALTER COLUMN big SET STORAGE EXTERNAL",
                "INSERT INTO bag SELECT g % 10, 'b', repeat('x', 5000) FROM generate_series(1, 100) g");
        awaitEqualBag("bag");
        source.execute("DELETE FROM bag WHERE ctid IN (SELECT ctid FROM bag WHERE a = 3 LIMIT 4)",
                "UPDATE bag SET b = 'c' WHERE a < 5",
                "INSERT INTO bag VALUES (NULL, NULL, NULL), (NULL, NULL, NULL)", "UPDATE bag SET a = a WHERE a = 7",
                "BEGIN; INSERT INTO bag VALUES (1, 'undone', ''); ROLLBACK",
                "BEGIN; INSERT INTO bag VALUES (1, 'x', ''), (1, 'x', ''); DELETE FROM bag WHERE b = 'x'; COMMIT");
        awaitEqualBag("bag");
        long generation = source.topics().generation("bag");
        source.execute("UPDATE bag SET a = 1 WHERE ctid = (SELECT ctid FROM bag WHERE a = 2 LIMIT 1)");
        awaitEqualBag("bag");
        assertThat(source.topics().generation("bag")).isEqualTo(generation);
        source.execute("TRUNCATE bag", "INSERT INTO bag VALUES (1, 'after', 'x'), (1, 'after', 'x')");
        assertThat(awaitEqualBag("bag")).hasSize(2);
        assertThat(Objects.requireNonNull(source.topics().schema("bag")).keyless()).isTrue();
    }

    @Test
    void withoutAKey_aTableIsReadAnewOnASchedule_andNeverPublished() {
        source.execute("CREATE TABLE heap (a int, b text)", "INSERT INTO heap VALUES (1, 'x'), (1, 'x'), (2, NULL)");
        source.awaitEqualBag("heap", SOON);
        source.execute("UPDATE heap SET b = 'y' WHERE a = 2",
                "DELETE FROM heap WHERE ctid = (SELECT min(ctid) FROM heap)");
        source.awaitEqualBag("heap", SOON);
        assertThat(source.ask("SELECT 1 FROM pg_publication_tables WHERE tablename = 'heap'")).isEmpty();
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(
                        source.askState("SELECT cause FROM syncline.capture_status WHERE table_name = 'heap'"))
                        .containsExactly(
                                "it is read anew every 3 s, since its changes are not streamed: it has no primary key: published, its UPDATE and DELETE would fail"));
    }

    @Test
    void byAnIndexThatIsTheIdentity() {
        source.execute("CREATE TABLE by_index (id int PRIMARY KEY, u text NOT NULL UNIQUE, v text)",
                "ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_u_key",
                "CREATE TABLE only_index (u int NOT NULL, w int NOT NULL, v text, CONSTRAINT only_index_key UNIQUE (w, u))",
                "ALTER TABLE only_index REPLICA IDENTITY USING INDEX only_index_key",
                "CREATE TABLE whole (u int NOT NULL UNIQUE, v text)", "ALTER TABLE whole REPLICA IDENTITY FULL");
        for (String table : List.of("by_index", "only_index")) {
            awaitEqual(table);
        }
        source.execute("INSERT INTO by_index SELECT g, 'u' || g, 'v' FROM generate_series(1, 20) g",
                "UPDATE by_index SET id = id + 100 WHERE id < 5", "UPDATE by_index SET u = u || 'x' WHERE id = 7",
                "UPDATE by_index SET u = 'both', id = 0 WHERE id = 8", "DELETE FROM by_index WHERE id > 15",
                "INSERT INTO only_index SELECT g, g % 3, 'v' FROM generate_series(1, 20) g",
                "UPDATE only_index SET w = 9 WHERE u = 4",
                "DELETE FROM only_index WHERE w = 2", "INSERT INTO whole VALUES (1, 'x'), (2, 'y')",
                "UPDATE whole SET u = 3 WHERE u = 1");
        awaitEqual("by_index");
        awaitEqual("only_index");
        assertThat(source.awaitEqualBag("whole", SOON)).containsOnlyKeys("[2]", "[3]");
    }

    @Test
    void partitionsAreServedUnderTheirRoot() {
        source.execute(
                "CREATE TABLE \"Parted\" (id int, at date, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
                "CREATE TABLE parted_24 PARTITION OF \"Parted\" FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
                "CREATE TABLE parted_25 PARTITION OF \"Parted\" FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (id)",
                "CREATE TABLE parted_25_1 PARTITION OF parted_25 FOR VALUES IN (1, 2, 3)",
                "CREATE TABLE parted_25_x PARTITION OF parted_25 DEFAULT",
                "INSERT INTO \"Parted\" SELECT g, '2024-06-01'::date + g * 30, 'v' FROM generate_series(1, 15) g");
        awaitEqual("Parted");
        source.execute("UPDATE \"Parted\" SET v = 'w' WHERE id < 9",
                "UPDATE \"Parted\" SET at = '2025-12-31' WHERE id = 2",
                "DELETE FROM parted_24 WHERE id = 3", "INSERT INTO parted_25 VALUES (99, '2025-05-05', 'direct')");
        awaitEqual("Parted");
        long generation = source.topics().generation("Parted");
        source.execute("TRUNCATE parted_25_1");
        awaitEqual("Parted");
        source.execute("CREATE TABLE parted_26 (LIKE \"Parted\" INCLUDING ALL)",
                "INSERT INTO parted_26 VALUES (1, '2026-02-02', 'brought')",
                "ALTER TABLE \"Parted\" ATTACH PARTITION parted_26 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')");
        awaitEqual("Parted");
        source.execute("UPDATE \"Parted\" SET v = 'seen' WHERE at > '2026-01-01'",
                "ALTER TABLE \"Parted\" DETACH PARTITION parted_24");
        awaitEqual("Parted");
        assertThat(source.topics().generation("Parted")).isGreaterThan(generation);
        source.execute("ALTER TABLE parted_26 REPLICA IDENTITY NOTHING");
        await().atMost(SOON)
                .ignoreExceptions()
                .untilAsserted(() -> source.execute("UPDATE \"Parted\" SET v = 'goes on'"));
        awaitEqual("Parted");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(source.statusOfTables()).doesNotContainKeys("parted_25", "parted_25_1",
                        "parted_26"));
    }

    private static Map<String, String> awaitEqualBag(String table) {
        return source.awaitEqualBag(table, SOON);
    }

    @Test
    void tablesThatCannotBePublished_areLeftAlone_andTheirOwnersWritesGoOn() {
        source.execute("CREATE TABLE o_no_key (id int, v text)",
                "CREATE TABLE o_deferrable (id int PRIMARY KEY DEFERRABLE, v text)",
                "CREATE TABLE o_nothing (id int PRIMARY KEY, v text); ALTER TABLE o_nothing REPLICA IDENTITY NOTHING",
                "CREATE TABLE o_gone (id int NOT NULL, v text); CREATE UNIQUE INDEX o_gone_i ON o_gone (id); ALTER TABLE o_gone REPLICA IDENTITY USING INDEX o_gone_i; DROP INDEX o_gone_i",
                "CREATE TABLE o_full (id int PRIMARY KEY, v text, g int GENERATED ALWAYS AS (id + 1) STORED); ALTER TABLE o_full REPLICA IDENTITY FULL",
                "CREATE UNLOGGED TABLE o_unlogged (id int PRIMARY KEY, v text)",
                "CREATE TABLE o_root (id int, v text) PARTITION BY RANGE (id); CREATE TABLE o_leaf PARTITION OF o_root FOR VALUES FROM (0) TO (10)",
                "CREATE TABLE o_case (id int PRIMARY KEY, v text, \"V\" text)",
                "CREATE VIEW o_view AS SELECT 1", "CREATE TABLE schema_migrations (version int PRIMARY KEY, v text)",
                "CREATE TABLE \"schemaXlike\" (id int PRIMARY KEY, v text)",
                "CREATE TABLE phoenix_kit_user_tokens (id int PRIMARY KEY, v text)");
        List<String> out = new ArrayList<>(
                List.of("o_no_key", "o_deferrable", "o_nothing", "o_unlogged", "o_root", "o_case", "o_gone"));
        if (source.ask("SELECT current_setting('server_version_num')::int >= 180000").equals(List.of("t"))) {
            out.add("o_full");
        }
        source.execute("INSERT INTO o_deferrable VALUES (1, 'x')", "INSERT INTO o_case VALUES (1, 'x', 'X')",
                "INSERT INTO o_full (id) VALUES (1)");
        for (String table : List.of("o_deferrable", "o_nothing", "o_unlogged", "o_case", "o_full")) {
            awaitEqual(table);
        }
        source.awaitEqualBag("o_no_key", SOON);
        source.awaitEqualBag("o_root", SOON);
        awaitEqual("schemaXlike");
        assertThat(source.ask("SELECT tablename FROM pg_publication_tables WHERE pubname = 'syncline'"))
                .doesNotContainAnyElementsOf(out)
                .doesNotContain("schema_migrations", "phoenix_kit_user_tokens", "o_view", "o_leaf");
        assertThat(source.statusOfTables()).doesNotContainKeys("o_view", "schema_migrations",
                "phoenix_kit_user_tokens");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(source
                        .askState("SELECT remedy FROM syncline.capture_status WHERE table_name = 'o_no_key'"))
                        .containsExactly(
                                "ALTER TABLE public.\"o_no_key\" ADD PRIMARY KEY (…), or REPLICA IDENTITY FULL"));
        out.add("o_full");
        for (String table : out) {
            source.execute("UPDATE " + table + " SET v = 'y'", "DELETE FROM " + table);
        }
    }

    @Test
    void anOwnerWhoAltersATableWhileItIsRead_doesNotWait() throws SQLException {
        source.sluice().shut();
        // At once: rows that come after the table come by the stream.
        source.execute("BEGIN; CREATE TABLE big (id int PRIMARY KEY, v text);"
                + "INSERT INTO big SELECT g, repeat(md5(g::text), 8) FROM generate_series(1, 300000) g; COMMIT");
        source.awaitReading("big", SOON);
        try (Connection owner = source.connect(); Statement statement = owner.createStatement()) {
            // The reader would stay in his way for as long as the sluice is shut.
            statement.execute("SET lock_timeout = '1min'");
            statement.execute("ALTER TABLE big ADD COLUMN w int");
        } finally {
            source.sluice().open();
        }
        assertThat(awaitEqual("big")).hasSize(300_000);
    }

    @Test
    void aCollationThatTheStateDatabaseLacks_isToldOf_andTheTableReadAnewWhenItHasIt() throws SQLException {
        source.execute("CREATE COLLATION special FROM \"C\"", "CREATE TABLE words (w text COLLATE special PRIMARY KEY)",
                "INSERT INTO words VALUES ('a'), ('B')");
        awaitEqual("words");
        long generation = source.topics().generation("words");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(source.askState(
                        "SELECT state || ': ' || cause FROM syncline.capture_status WHERE table_name = 'words'"))
                        .singleElement()
                        .asString()
                        .startsWith("live: the state database has no collation special"));
        source.executeInState("CREATE COLLATION special FROM \"C\"");
        await().atMost(SOON).until(() -> source.topics().generation("words") > generation);
        awaitEqual("words");
        await().atMost(SOON)
                .until(() -> source.askState(
                        "SELECT state FROM syncline.capture_status WHERE table_name = 'words' AND cause IS NULL")
                        .equals(List.of("live")));
    }

    @Test
    void theReplicasWishForANewGeneration_isGranted() {
        source.execute("CREATE TABLE wished (id int PRIMARY KEY)", "INSERT INTO wished VALUES (1)");
        awaitEqual("wished");
        int before = source.topics().generations("wished");
        source.executeInState(
                "INSERT INTO syncline.capture_request VALUES ('syncline.table.public.wished', 'test', now())");
        await().atMost(SOON).until(() -> source.topics().generations("wished") > before);
        awaitEqual("wished");
        await().atMost(SOON).until(() -> source.askState("SELECT topic FROM syncline.capture_request").isEmpty());
        assertThat(source.topics().generations("wished")).isEqualTo(before + 1);
    }

    @Test
    void aRowThatIsTooLarge_haltsItsTable_andNoOther() {
        source.execute("CREATE TABLE large (id int PRIMARY KEY, v text)", "INSERT INTO large VALUES (1, 'x')",
                "CREATE TABLE beside (id int PRIMARY KEY)");
        awaitEqual("large");
        source.execute("INSERT INTO large VALUES (2, repeat('x', 3000000))", "INSERT INTO beside VALUES (1)");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(source.topics().halted("large")).isEqualTo(
                        "table large: the row with key [2] is larger than syncline.capture.max-row-bytes (2097152 bytes as JSON)"));
        awaitEqual("beside");
        await().atMost(SOON).until(() -> "marked".equals(source.statusOfTables().get("large")));
        source.execute("UPDATE large SET v = 'short' WHERE id = 2", "ALTER TABLE large ADD COLUMN w int");
        awaitEqual("large");
        assertThat(source.topics().halted("large")).isNull();
    }

    private static Map<String, String> awaitEqual(String table) {
        return source.awaitEqual(table, SOON);
    }
}
