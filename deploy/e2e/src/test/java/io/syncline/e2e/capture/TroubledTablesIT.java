package io.syncline.e2e.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.syncline.worker.capture.Capture;
import io.syncline.worker.capture.CaptureProperties;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.springframework.boot.context.properties.bind.Binder;

/** What is wrong with one table, or keeps us from it, is told, and no other table waits for it. */
class TroubledTablesIT extends OneTableCaptured {

    @Test
    void aTableThatWasHalted_isReadAnewAfterARestart() {
        Capture capture = source.startCapture();
        long generation = awaitRead();
        source.execute("INSERT INTO t VALUES (1000, repeat('x', 3000000))", "INSERT INTO t VALUES (1001, 'passed')");
        await().atMost(SOON).until(() -> source.topics().halted("t") != null);
        awaitConfirmed();
        capture.stop();
        source.execute("DELETE FROM t WHERE id = 1000");
        source.startCapture();
        awaitEqual();
        assertThat(generation()).isGreaterThan(generation);
    }

    @Test
    void valuesOf32MegabytesPass_andOneThatTheBrokerDoesNotTakeHaltsItsTableAlone() throws Exception {
        source.setMaxRowBytes(new Binder().bindOrCreate("syncline.capture", CaptureProperties.class).maxRowBytes());
        String bytes = "\"\\\\x" + "ab".repeat(32 << 20) + "\"";
        String quotes = "\"" + "\\\"".repeat(32 << 20) + "\"";
        String insertBytes = "INSERT INTO large (id, v) SELECT %d, decode(repeat('ab', 33554432), 'hex')";
        String setQuotes = ", w = repeat('\"', 33554432)";
        source.execute("CREATE TABLE large (id int PRIMARY KEY, v bytea, w text)", insertBytes.formatted(1),
                "INSERT INTO large VALUES (2)", "UPDATE large SET id = 2" + setQuotes + " WHERE id = 2");
        source.startCapture();
        awaitLarge(bytes, 1, quotes, 2);
        source.execute("DELETE FROM large WHERE id = 1", insertBytes.formatted(3),
                "UPDATE large SET id = 4" + setQuotes + " WHERE id = 2");
        awaitLarge(bytes, 3, quotes, 4);
        source.execute("UPDATE large SET id = 5 WHERE id = 4");
        awaitLarge(bytes, 3, quotes, 5);
        try (Admin admin = Admin.create(source.kafka())) {
            admin.incrementalAlterConfigs(
                    Map.of(new ConfigResource(ConfigResource.Type.TOPIC, "syncline.table.public.large"),
                            List.of(new AlterConfigOp(new ConfigEntry("max.message.bytes", "1000000"),
                                    AlterConfigOp.OpType.SET))))
                    .all()
                    .get();
        }
        source.execute("INSERT INTO t VALUES (1000, 'x')");
        // The broker's log may heed the setting a moment after the setting has been taken.
        await().atMost(SOON).pollInterval(Duration.ofSeconds(2)).untilAsserted(() -> {
            source.execute(
                    "INSERT INTO large (id, w) SELECT (SELECT max(id) + 1 FROM large), string_agg(md5(g::text), '')"
                            + " FROM generate_series(1, 100000) g");
            assertThat(source.topics().halted("large")).contains("a row is larger than Kafka takes");
        });
        awaitEqual();
    }

    @Test
    void ofTablesWithoutAKey_theOneThatHasTooManyRowsIsMarkedAlone_andGoesOnAsItsOperatorIsTold() {
        source.setMaxKeylessRows(100);
        source.execute("CREATE TABLE large (a int, b text)", "ALTER TABLE large REPLICA IDENTITY FULL",
                "INSERT INTO large SELECT g, 'b' FROM generate_series(1, 95) g",
                "CREATE TABLE small (a int)", "ALTER TABLE small REPLICA IDENTITY FULL",
                "INSERT INTO small VALUES (1), (1), (2)", "CREATE TABLE heap (a int)",
                "INSERT INTO heap SELECT g % 500 FROM generate_series(1, 800) g",
                "CREATE TABLE parted (a int) PARTITION BY RANGE (a)",
                "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (200)",
                "CREATE TABLE parted_2 PARTITION OF parted DEFAULT",
                "INSERT INTO parted SELECT g % 300 FROM generate_series(1, 500) g");
        source.startCapture();
        for (String table : List.of("large", "small", "heap", "parted")) {
            source.awaitEqualBag(table, SOON);
        }
        source.execute("INSERT INTO small SELECT g FROM generate_series(1, 20) g");
        await().atMost(SOON).until(() -> "marked".equals(source.statusOfTables().get("large")));
        assertThat(source
                .askState("SELECT cause || '; ' || remedy FROM syncline.capture_status WHERE table_name = 'large'"))
                .singleElement()
                .asString()
                .contains("together they have more than syncline.capture.max-keyless-rows (100)",
                        "ALTER TABLE … REPLICA IDENTITY DEFAULT, to have it read anew");
        source.execute("UPDATE small SET a = a + 1");
        source.awaitEqualBag("small", SOON);
        source.execute("ALTER TABLE large REPLICA IDENTITY DEFAULT");
        source.awaitEqualBag("large", SOON);
        source.awaitEqualBag("heap", SOON);
        await().atMost(SOON)
                .until(() -> source.askState("SELECT table_name FROM syncline.capture_status WHERE state = 'marked'")
                        .isEmpty());
    }

    @Test
    void whatIsDoneToTablesAndUndone_betweenTwoLooks_orWhileNobodyLooks_losesNothing_andWhatTouchesNoRowReadsNothingAnew() {
        Undone undone = Undone.madeIn(source);
        Capture capture = source.startCapture();
        undone.awaitEqual(SOON);
        undone.awaitRemembered(SOON);
        Map<String, Long> generations = undone.generations();
        undone.happenAtOnce();
        undone.nothingHappens();
        undone.awaitEqual(SOON);
        assertThat(undone.generations()).isEqualTo(generations);
        undone.awaitRemembered(SOON);
        stop(capture);
        source.execute("DROP INDEX u_calm_w", "UPDATE u_identity SET id = 1 WHERE id = 10",
                "INSERT INTO u_identity VALUES (2, 2)",
                "DELETE FROM u_renamed WHERE id = 9", "INSERT INTO u_renamed VALUES (2, 'v')",
                "DELETE FROM u_deep WHERE id = 2", "DELETE FROM u_parted WHERE id = 100",
                "DELETE FROM u_columns WHERE id = 3", "DELETE FROM u_calm_parted WHERE id = 3",
                "DELETE FROM u_visitor WHERE id = 203", "INSERT INTO u_taken VALUES (1, 'back')");
        undone.happenAtOnce();
        undone.nothingHappens();
        capture = source.startCapture();
        undone.awaitEqual(SOON);
        assertThat(undone.generations()).isEqualTo(generations);
        undone.happenToThePublication();
        undone.awaitEqual(SOON);
        undone.awaitRemembered(SOON);
        stop(capture);
        source.execute("UPDATE u_inserts SET v = 'z'", "INSERT INTO u_inserts VALUES (2, 'again')");
        undone.happenToThePublication();
        source.startCapture();
        undone.awaitEqual(SOON);
    }

    @Test
    void aPublicationThatOthersHaveAltered_isPutRight_andOneThatWasDroppedIsMadeAgain() {
        String options = "SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate AND pubviaroot FROM pg_publication"
                + " WHERE pubname = 'syncline'";
        Capture capture = source.startCapture();
        awaitRead();
        source.execute("CREATE TABLE keyless (a int)", "CREATE SCHEMA away", "CREATE TABLE away.far (a int)",
                "ALTER PUBLICATION syncline SET (publish = 'insert', publish_via_partition_root = false)",
                "UPDATE t SET v = 'not published' WHERE id = 1", "DELETE FROM t WHERE id = 2",
                "ALTER PUBLICATION syncline ADD TABLE away.far");
        awaitEqual();
        await().atMost(SOON).until(() -> source.ask(options).equals(List.of("t")));
        awaitRead();
        if (source.ask("SELECT current_setting('server_version_num')::int >= 150000").equals(List.of("t"))) {
            source.execute("ALTER PUBLICATION syncline SET TABLE t WHERE (id > 50)",
                    "UPDATE t SET v = 'filtered' WHERE id < 9");
            awaitEqual();
            source.execute("ALTER PUBLICATION syncline SET TABLE t (id)", "UPDATE t SET v = 'not listed' WHERE id < 9");
            awaitEqual();
            source.execute("ALTER PUBLICATION syncline ADD TABLES IN SCHEMA public");
            await().atMost(SOON)
                    .until(() -> source.ask("SELECT 1 FROM pg_publication_namespace").isEmpty());
            source.execute("INSERT INTO keyless VALUES (1)", "UPDATE keyless SET a = 2");
        }
        await().atMost(SOON)
                .until(() -> source.ask("SELECT tablename FROM pg_publication_tables WHERE pubname = 'syncline'")
                        .equals(List.of("t")));
        awaitEqual();
        source.execute("DROP PUBLICATION syncline", "INSERT INTO t VALUES (900, 'while there is none')",
                "UPDATE t SET v = 'while there is none' WHERE id = 90");
        awaitEqual();
        source.execute("UPDATE t SET v = 'streamed' WHERE id = 91");
        awaitRead();
        awaitConfirmed();
        stop(capture);
        source.execute("DROP PUBLICATION syncline", "DELETE FROM t WHERE id > 95",
                "CREATE PUBLICATION syncline FOR TABLE t WITH (publish_via_partition_root = true)",
                "UPDATE t SET v = 'again' WHERE id < 5");
        source.startCapture();
        awaitEqual();
        source.execute("UPDATE t SET v = 'streamed again' WHERE id = 91");
        awaitEqual();
        await().atMost(SOON).until(() -> "live".equals(source.statusOfTables().get("t")));
        assertThat(source.askState("SELECT state FROM syncline.capture_source")).containsExactly("running");
    }

    /** A table with a default is opened by whoever asks for its columns by the usual views; a partition, by who asks for the tree. */
    @Test
    void tablesThatTheirOwnerHasLocked_keepNoOtherWaiting() throws Exception {
        source.execute("CREATE TABLE plain (id int PRIMARY KEY, v text DEFAULT 'x')", "INSERT INTO plain VALUES (1)",
                "CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)",
                "CREATE TABLE leaf PARTITION OF parted FOR VALUES FROM (0) TO (10)",
                "INSERT INTO parted VALUES (1, 'x')");
        Capture capture = source.startCapture();
        awaitRead();
        source.awaitEqual("plain", SOON);
        source.awaitEqual("parted", SOON);
        List<String> epoch = source.askState("SELECT epoch FROM syncline.capture_epoch");
        try (Connection owner = source.connect(); Statement statement = owner.createStatement()) {
            owner.setAutoCommit(false);
            // The stream comes to these changes, its first of their tables, when the tables are locked already.
            signalWalSender("STOP");
            try {
                source.execute("UPDATE plain SET v = 'y'", "UPDATE parted SET v = 'y'");
                statement.execute("LOCK TABLE plain, leaf IN ACCESS EXCLUSIVE MODE");
            } finally {
                signalWalSender("CONT");
            }
            source.execute("CREATE TABLE later (id int PRIMARY KEY, v text DEFAULT 'z')",
                    "INSERT INTO later VALUES (1)", "UPDATE t SET v = v || 'x'");
            awaitEqual();
            // Its snapshot waits until the owner's transaction is over.
            await("the catalogue is looked at").atMost(SOON)
                    .until(() -> source.ask("SELECT prrelid::regclass FROM pg_publication_rel").contains("later"));
            await("nobody waits for a table").atMost(SOON)
                    .until(() -> source.ask("SELECT pid FROM pg_locks WHERE NOT granted AND locktype = 'relation'")
                            .isEmpty());
            assertThat(source.askState("SELECT epoch FROM syncline.capture_epoch")).isEqualTo(epoch);
            stop(capture);
            source.execute("UPDATE t SET v = v || 'y'");
            source.startCapture();
            awaitEqual();
            owner.rollback();
        }
        source.awaitEqual("later", SOON);
        source.awaitEqual("plain", SOON);
        source.awaitEqual("parted", SOON);
    }

    private void signalWalSender(String signal) throws Exception {
        // The stream may begin after the snapshot has been read.
        String pid = await().atMost(SOON)
                .until(() -> source
                        .ask("SELECT active_pid FROM pg_replication_slots WHERE slot_name = 'syncline' AND active")
                        .stream()
                        .findFirst(), Optional::isPresent)
                .orElseThrow();
        assertThat(new ProcessBuilder("kill", "-" + signal, pid).inheritIO().start().waitFor()).isZero();
    }

    @Test
    void aCatalogueThatIsLocked_isLookedAtAgain_andTheStreamGoesOn() throws Exception {
        String told = "SELECT 1 FROM syncline.capture_source WHERE state = 'running' AND warnings LIKE '%cannot be looked at%'";
        source.startCapture();
        awaitRead();
        List<String> epoch = source.askState("SELECT epoch FROM syncline.capture_epoch");
        try (Connection owner = source.connect(); Statement statement = owner.createStatement()) {
            owner.setAutoCommit(false);
            statement.execute("LOCK TABLE pg_attrdef IN ACCESS EXCLUSIVE MODE");
            await().atMost(SOON).until(() -> !source.askState(told).isEmpty());
            source.execute("UPDATE t SET v = v || 'x'", "CREATE TABLE later (id int PRIMARY KEY)",
                    "INSERT INTO later VALUES (1)");
            awaitEqual();
            owner.rollback();
        }
        source.awaitEqual("later", SOON);
        await().atMost(SOON).until(() -> source.askState(told).isEmpty());
        assertThat(source.askState("SELECT epoch FROM syncline.capture_epoch")).isEqualTo(epoch);
    }

    /** As CREATE INDEX CONCURRENTLY holds it, VALIDATE CONSTRAINT and VACUUM, for as long as they take. */
    @Test
    void aTableThatCannotBePublishedYet_waits_andSaysWhy() throws SQLException {
        source.execute("CREATE TABLE busy (id int PRIMARY KEY)", "INSERT INTO busy VALUES (1)");
        try (Connection owner = source.connect(); Statement statement = owner.createStatement()) {
            owner.setAutoCommit(false);
            statement.execute("LOCK TABLE busy IN SHARE UPDATE EXCLUSIVE MODE");
            source.startCapture();
            awaitEqual();
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(source
                            .askState(
                                    "SELECT state || ': ' || cause FROM syncline.capture_status WHERE table_name = 'busy'"))
                            .singleElement(InstanceOfAssertFactories.STRING)
                            .startsWith("waiting: it cannot be published yet: ")
                            .contains("an index of it is built CONCURRENTLY"));
            owner.rollback();
        }
        source.awaitEqual("busy", SOON);
        await().atMost(SOON).until(() -> "live".equals(source.statusOfTables().get("busy")));
    }

    /** Its commit waits for a standby: the WAL has it, other sessions do not see it. */
    /** In a database that is not even captured, before the slot is made, and before a table's snapshot. */
    @Test
    void transactionsThatASnapshotWaitsFor_areNamed() throws SQLException {
        try (CapturedSource other = new CapturedSource(directory.resolve("other"),
                Map.of("max_prepared_transactions", "5"));
                Connection elsewhere = other.database().connect("postgres");
                Statement there = elsewhere.createStatement()) {
            other.execute("CREATE TABLE first (id int PRIMARY KEY)", "INSERT INTO first VALUES (1)");
            there.execute("CREATE TABLE elsewhere (id int)");
            there.execute("BEGIN; INSERT INTO elsewhere VALUES (1); PREPARE TRANSACTION 'it''s forgotten'");
            other.startCapture();
            awaitWait(other, "first", "prepared transaction 'it''s forgotten' in database postgres",
                    "ROLLBACK PREPARED 'it''s forgotten'");
            there.execute("ROLLBACK PREPARED 'it''s forgotten'");
            other.awaitEqual("first", SOON);

            try (Connection owner = other.connect(); Statement writing = owner.createStatement()) {
                owner.setAutoCommit(false);
                writing.execute("INSERT INTO first VALUES (2)");
                other.execute("CREATE TABLE second (id int PRIMARY KEY)");
                int pid = owner.unwrap(PGConnection.class).getBackendPID();
                awaitWait(other, "second", "a transaction of session " + pid + " (user",
                        "SELECT pg_terminate_backend(" + pid + ")");
                owner.commit();
            }
            other.awaitEqual("second", SOON);
            other.awaitEqual("first", SOON);
        }
    }

    private static void awaitWait(CapturedSource source, String table, String cause, String remedy) {
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(source.askState(
                        "SELECT state || ': ' || cause || ' — ' || remedy FROM syncline.capture_status WHERE table_name = '"
                                + table + "'"))
                        .singleElement()
                        .asString()
                        .startsWith("waiting: ")
                        .contains(cause, remedy));
    }

    @Test
    void aRowThatNobodySeesYet_isNotTakenForOneThatIsGone() {
        source.execute("CREATE TABLE g (id int PRIMARY KEY, n int, doubled int GENERATED ALWAYS AS (n * 2) STORED)",
                "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "ALTER SYSTEM SET synchronous_commit = local");
        // Settings that are only reloaded come into force at any time after that.
        source.database().restart();
        source.startCapture();
        source.awaitEqual("g", SOON);
        CompletableFuture<Void> writer = aside(
                () -> source.execute("SET synchronous_commit = on; INSERT INTO g VALUES (1, 21)"));
        await().atMost(SOON)
                .until(() -> !source.ask("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'").isEmpty());
        source.execute("INSERT INTO t VALUES (1000, 'before it')");
        await().during(Duration.ofSeconds(1))
                .atMost(SOON)
                .until(() -> source.topics().rows("g").isEmpty());
        source.execute("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()");
        writer.join();
        assertThat(source.awaitEqual("g", SOON)).containsEntry("[1]", "{\"id\":1,\"n\":21,\"doubled\":42}");
    }

    /** Before the start, while the stream runs, and before another start. */
    @Test
    void tablesThatDebeziumCannotRead_keepNoOtherWaiting() {
        source.execute("CREATE TABLE legacy (id int PRIMARY KEY, v text, \"V\" text)",
                "INSERT INTO legacy VALUES (1, 'v', 'V')",
                "CREATE TABLE dotted (id int PRIMARY KEY, \"İ\" text, U&\"I\\0307\" text)",
                "INSERT INTO dotted VALUES (1, 'a', 'b')",
                "CREATE TABLE \"\"\"t1\" (id int PRIMARY KEY, v text)", "INSERT INTO \"\"\"t1\" VALUES (1, 'x')",
                "CREATE TABLE \"a.b\"\"\" (id int PRIMARY KEY, v text)", "INSERT INTO \"a.b\"\"\" VALUES (1, 'x')",
                "CREATE TABLE \"\"\"t\"\"\" (id int PRIMARY KEY, v text)", "INSERT INTO \"\"\"t\"\"\" VALUES (1, 'x')");
        List<String> odd = List.of("legacy", "dotted", "\"t1", "a.b\"", "\"t\"");
        Capture capture = source.startCapture();
        awaitRead();
        odd.forEach(table -> source.awaitEqual(table, SOON));
        source.execute("INSERT INTO \"\"\"t\"\"\" VALUES (2, 'y')", "UPDATE t SET v = v || '!'",
                "CREATE TABLE later (id int PRIMARY KEY, v text, \"V\" text)", "INSERT INTO later VALUES (1, 'v', 'V')",
                "CREATE TABLE \"it''s\" (id int PRIMARY KEY)", "INSERT INTO \"it''s\" VALUES (1)");
        awaitEqual();
        source.awaitEqual("later", SOON);
        source.awaitEqual("\"t\"", SOON);
        assertThat(source.ask("SELECT prrelid::regclass FROM pg_publication_rel")).contains("t")
                .doesNotContain("legacy", "dotted", "later");
        assertThat(source.askState("SELECT cause FROM syncline.capture_status WHERE table_name = '\"t1'"))
                .singleElement(InstanceOfAssertFactories.STRING)
                .contains("its changes are not streamed: Debezium cannot read its name");
        List<String> epoch = source.askState("SELECT epoch FROM syncline.capture_epoch");
        stop(capture);
        source.execute("UPDATE t SET v = v || '?'", "INSERT INTO legacy VALUES (2, 'v', 'V')");
        source.startCapture();
        awaitEqual();
        source.awaitEqual("legacy", SOON);
        source.execute("ALTER TABLE legacy RENAME COLUMN \"V\" TO w", "INSERT INTO legacy VALUES (3, 'v', 'w')");
        source.awaitEqual("legacy", SOON);
        await().atMost(SOON)
                .until(() -> source.ask("SELECT prrelid::regclass FROM pg_publication_rel").contains("legacy"));
        source.execute("INSERT INTO legacy VALUES (4, 'v', 'w')", "UPDATE t SET v = v || '.'");
        source.awaitEqual("legacy", SOON);
        awaitEqual();
        assertThat(source.askState("SELECT epoch - " + epoch.getFirst() + " FROM syncline.capture_epoch"))
                .containsExactly("1");
    }

    @Test
    void keysThatAreNotANumber_orInfinite_dbz2333() {
        List<String> tables = List.of("f8", "f4", "nu");
        List<String> types = List.of("float8", "float4", "numeric");
        for (int i = 0; i < 3; i++) {
            source.execute("CREATE TABLE " + tables.get(i) + " (k " + types.get(i) + " PRIMARY KEY, v text)",
                    "INSERT INTO " + tables.get(i)
                            + " VALUES ('NaN', 'a'), ('Infinity', 'b'), ('-Infinity', 'c'), (1.5, 'd')");
        }
        source.startCapture();
        awaitRead();
        tables.forEach(table -> assertThat(source.awaitEqual(table, SOON)).hasSize(4));
        for (String table : tables) {
            source.execute("UPDATE " + table + " SET v = v || '!'");
            source.awaitEqual(table, SOON);
            source.execute("DELETE FROM " + table + " WHERE k = 'NaN'",
                    "UPDATE " + table + " SET k = 'NaN' WHERE k = 1.5",
                    "DELETE FROM " + table + " WHERE k = 'Infinity'",
                    "INSERT INTO " + table + " VALUES ('Infinity', 'e')");
            assertThat(source.awaitEqual(table, SOON)).hasSize(3);
        }
    }

    /** Shapes that SQL allows and nobody makes on purpose: before the start, in the stream, and behind a restart. */
    @Test
    void oddTables_keepNoOtherWaiting() {
        String wide = IntStream.range(1, 1600).mapToObj(i -> "c" + i + " int").collect(Collectors.joining(", "));
        List<String> make = List.of("CREATE EXTENSION IF NOT EXISTS hstore",
                "CREATE TYPE \"odd \"\"type\"\"\" AS ENUM ('a''b', 'c\"d', ' ', '{,}')",
                "CREATE TYPE pair AS (a int, gone text, b text)", "ALTER TYPE pair DROP ATTRIBUTE gone",
                "CREATE DOMAIN ints AS int[] CHECK (cardinality(VALUE) < 9)",
                "CREATE TABLE o_wide (id int PRIMARY KEY, " + wide + ")",
                "CREATE TABLE o_names (id int PRIMARY KEY, before text, after text, op text, source text, ts_ms text,"
                        + " lsn text, \"a.b\" text, \"__debezium_unavailable_value\" text, \" \" text, \"\"\"half\" text)",
                "CREATE TABLE o_types (id int PRIMARY KEY, e \"odd \"\"type\"\"\", es \"odd \"\"type\"\"\"[], p pair,"
                        + " n1 numeric(2, -3), n2 numeric(3, 5), d interval day to second(2), y interval year, b bit varying(3))",
                "CREATE TABLE o_defaults (id int PRIMARY KEY, v text DEFAULT (E'a\\\\b''\"' || now()::text), w int[] DEFAULT '{1,2}',"
                        + " j jsonb DEFAULT '{\"a\": [1]}', x timestamptz DEFAULT 'infinity', z \"odd \"\"type\"\"\" DEFAULT '{,}')",
                "CREATE TABLE o_generated (id int PRIMARY KEY, n int, g int GENERATED ALWAYS AS (n * 2) STORED)",
                "CREATE TABLE o_deep (id int, a int, b int, PRIMARY KEY (id, a, b)) PARTITION BY RANGE (a)",
                "CREATE TABLE o_deep_1 PARTITION OF o_deep DEFAULT PARTITION BY RANGE (b)",
                "CREATE TABLE o_deep_2 PARTITION OF o_deep_1 DEFAULT PARTITION BY HASH (id)",
                "CREATE TABLE o_deep_3 PARTITION OF o_deep_2 FOR VALUES WITH (MODULUS 1, REMAINDER 0) PARTITION BY LIST (id)",
                "CREATE TABLE o_deep_4 PARTITION OF o_deep_3 DEFAULT",
                "CREATE TABLE o_parent (id int PRIMARY KEY, v text)",
                "CREATE TABLE o_child (w text, PRIMARY KEY (id)) INHERITS (o_parent)",
                "CREATE TABLE o_typed OF pair (PRIMARY KEY (a))",
                "CREATE TABLE o_extension (id int PRIMARY KEY, h hstore)",
                "CREATE TABLE \"" + "ü".repeat(31) + "x\" (id int PRIMARY KEY, v text)",
                "CREATE TABLE o_ints (id int PRIMARY KEY, i ints)",
                "CREATE TABLE o_none ()", "CREATE TABLE o_none_whole ()",
                "ALTER TABLE o_none_whole REPLICA IDENTITY FULL",
                "CREATE TABLE o_gone (id int PRIMARY KEY, v text)", "ALTER TABLE o_gone DROP id, DROP v");
        source.execute(make.toArray(String[]::new));
        // Not o_wide: PostgreSQL cannot parse what its oracle would ask.
        List<String> tables = List.of("o_names", "o_types", "o_defaults", "o_generated", "o_deep", "o_parent",
                "o_child", "o_typed", "o_extension", "ü".repeat(31) + "x", "t");
        writeOdd(1);
        Capture capture = source.startCapture();
        awaitRead();
        tables.forEach(table -> source.awaitEqual(table, SOON));
        writeOdd(2);
        tables.forEach(table -> source.awaitEqual(table, SOON));
        List<String> epoch = source.askState("SELECT epoch FROM syncline.capture_epoch");
        source.execute("DROP EXTENSION hstore CASCADE", "ALTER TYPE pair ADD ATTRIBUTE c int CASCADE",
                "ALTER TYPE \"odd \"\"type\"\"\" RENAME VALUE ' ' TO ''", "UPDATE t SET v = v || '!'");
        tables.forEach(table -> source.awaitEqual(table, SOON));
        await("o_wide").atMost(SOON)
                .until(() -> source.topics().rows("o_wide").size() == 2 && source.topics()
                        .rows("o_wide")
                        .get("[2]")
                        .startsWith("{\"id\":2,\"c1\":1,\"c2\":2,\"c3\":null,"));
        await("o_ints").atMost(SOON)
                .until(() -> "{\"id\":2,\"i\":[1,2]}".equals(source.topics().rows("o_ints").get("[2]")));
        for (String table : List.of("o_none", "o_none_whole", "o_gone")) {
            await(table).atMost(SOON)
                    .until(() -> List.copyOf(source.topics().rows(table).values()).equals(List.of("{}", "{}")));
        }
        assertThat(source.askState("SELECT epoch FROM syncline.capture_epoch")).isEqualTo(epoch);
        stop(capture);
        source.execute("UPDATE t SET v = v || '?'", "UPDATE o_deep SET a = a + 1",
                "UPDATE o_names SET \"before\" = 'y'");
        source.startCapture();
        tables.forEach(table -> source.awaitEqual(table, SOON));
        assertThat(source.askState("SELECT epoch - " + epoch.getFirst() + " FROM syncline.capture_epoch"))
                .containsExactly("1");
    }

    private void writeOdd(int id) {
        source.execute("INSERT INTO o_wide (id, c1, c1599) VALUES (" + id + ", 1, 2)",
                "INSERT INTO o_names VALUES (" + id + ", 'b', 'a', 'o', 's', 't', 'l', 'ab', 'u', 'x', 'h')",
                "INSERT INTO o_types VALUES (" + id
                        + ", '{,}', ARRAY['a''b', 'c\"d', ' ', '{,}']::\"odd \"\"type\"\"\"[], (1, 'x'),"
                        + " 12345, 0.00123, '1 day 2.345 s', '3 years', '101')",
                "INSERT INTO o_defaults (id) VALUES (" + id + ")",
                "INSERT INTO o_generated (id, n) VALUES (" + id + ", 21)",
                "INSERT INTO o_deep VALUES (" + id + ", 1, 1)", "INSERT INTO o_parent VALUES (" + id + ", 'p')",
                "INSERT INTO o_child VALUES (" + id + ", 'c', 'w')", "INSERT INTO o_typed VALUES (" + id + ", 'x')",
                "INSERT INTO o_extension VALUES (" + id + ", 'a=>1')",
                "INSERT INTO \"" + "ü".repeat(31) + "x\" VALUES (" + id + ", 'x')",
                "INSERT INTO o_ints VALUES (" + id + ", '{1,2}')",
                "INSERT INTO o_none DEFAULT VALUES",
                "INSERT INTO o_none_whole DEFAULT VALUES", "INSERT INTO o_gone DEFAULT VALUES",
                "UPDATE o_wide SET c2 = id",
                "UPDATE o_types SET e = ' '", "UPDATE o_typed SET b = b || 'y'", "UPDATE o_child SET v = v || 'z'");
    }

    /** The stream comes to what nobody could know when the table was published. */
    @Test
    void aStreamedTableThatIsMadeUnreadable_isPassedOver_andTheStreamGoesOn() {
        source.execute("CREATE TABLE altered (id int PRIMARY KEY, v text)", "INSERT INTO altered VALUES (1, 'x')",
                "CREATE TABLE renamed (id int PRIMARY KEY, v text)", "INSERT INTO renamed VALUES (1, 'x')",
                "CREATE TABLE passing (id int PRIMARY KEY, v text)", "INSERT INTO passing VALUES (1, 'x')");
        source.startCapture();
        awaitRead();
        for (String table : List.of("altered", "renamed", "passing")) {
            source.awaitEqual(table, SOON);
            source.awaitRemembered(table, SOON);
        }
        List<String> epoch = source.askState("SELECT epoch FROM syncline.capture_epoch");
        source.execute(
                "BEGIN; ALTER TABLE altered ADD \"V\" text; INSERT INTO altered VALUES (2, 'y', 'Y'); COMMIT;"
                        + "BEGIN; ALTER TABLE renamed RENAME TO \"\"\"renamed\"; INSERT INTO \"\"\"renamed\" VALUES (2, 'y'); COMMIT;"
                        + "BEGIN; ALTER TABLE passing ADD \"V\" text; INSERT INTO passing VALUES (2, 'y', 'Y');"
                        + " ALTER TABLE passing DROP \"V\"; INSERT INTO passing VALUES (3, 'z'); COMMIT;"
                        + "UPDATE t SET v = v || '!'");
        awaitEqual();
        source.awaitEqual("altered", SOON);
        source.awaitEqual("\"renamed", SOON);
        source.awaitEqual("passing", SOON);
        source.execute("UPDATE passing SET v = v || '!'", "UPDATE t SET v = v || '?'");
        source.awaitEqual("passing", SOON);
        awaitEqual();
        assertThat(source.askState("SELECT epoch FROM syncline.capture_epoch")).isEqualTo(epoch);
    }

    /** In the stream, in a snapshot, and where an unchanged value is asked for. */
    @Test
    void ofASourceWithoutAnEncoding_bytesThatAreNotUtf8KeepTheirTableAlone_untilTheyAreCorrected() {
        source.recreate("SQL_ASCII");
        String bad = "INSERT INTO %s VALUES (2, convert_from('\\x636166e9', 'SQL_ASCII'))";
        source.execute("CREATE TABLE t (id int PRIMARY KEY, v text)", "INSERT INTO t VALUES (1, 'é'), (2, '\uFFFD')",
                "CREATE TABLE before (id int PRIMARY KEY, v text)", bad.formatted("before"),
                "CREATE TABLE later (id int PRIMARY KEY, v text)", "INSERT INTO later VALUES (1, 'x')",
                "CREATE TABLE toasted (id int PRIMARY KEY, v text, n int)",
                "ALTER TABLE toasted ALTER v SET STORAGE EXTERNAL", "INSERT INTO toasted VALUES (1, 'x', 1)");
        source.startCapture();
        awaitRead();
        source.awaitEqual("later", SOON);
        source.awaitEqual("toasted", SOON);
        List<String> epoch = source.askState("SELECT epoch FROM syncline.capture_epoch");
        source.execute(bad.formatted("later"),
                "INSERT INTO toasted SELECT 2, repeat(convert_from('\\xe9', 'SQL_ASCII'), 10000), 2",
                "UPDATE toasted SET n = 3 WHERE id = 2", "UPDATE t SET v = v || '!'", "INSERT INTO t VALUES (3, 'ü')");
        awaitEqual();
        for (String table : List.of("before", "later", "toasted")) {
            await(table).atMost(SOON)
                    .until(() -> !source.askState("SELECT 1 FROM syncline.capture_status WHERE table_name = '" + table
                            + "' AND cause LIKE 'a row of it has a text that cannot be told in UTF-8%0xe9%'"
                            + " AND remedy LIKE 'correct the text%'").isEmpty());
        }
        source.execute("UPDATE t SET v = v || '?'");
        awaitEqual();
        source.execute("UPDATE before SET v = 'café'", "DELETE FROM later WHERE id = 2", "UPDATE toasted SET v = 'y'");
        for (String table : List.of("before", "later", "toasted")) {
            source.awaitEqual(table, SOON);
        }
        awaitEqual();
        assertThat(source.askState("SELECT epoch FROM syncline.capture_epoch")).isEqualTo(epoch);
    }

    /** Only whether it is so: nobody wants to be shown values of that size. */
    private void awaitLarge(String bytes, int bytesId, String quotes, int quotesId) {
        Map<String, String> expected = Map.of("[" + bytesId + "]",
                "{\"id\":" + bytesId + ",\"v\":" + bytes + ",\"w\":null}", "[" + quotesId + "]",
                "{\"id\":" + quotesId + ",\"v\":null,\"w\":" + quotes + "}");
        await().atMost(SOON)
                .pollInterval(Duration.ofSeconds(1))
                .until(() -> source.topics().rows("large").equals(expected));
    }
}
