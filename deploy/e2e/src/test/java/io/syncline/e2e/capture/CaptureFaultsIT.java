package io.syncline.e2e.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.syncline.worker.capture.Capture;
import io.syncline.worker.capture.CaptureProperties;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.util.unit.DataSize;

/** Whatever dies or is taken away: nothing is lost, and the slot never passes what Kafka has acknowledged. */
class CaptureFaultsIT {

    /** Capture pauses for up to half a minute when it has failed several times. */
    private static final Duration SOON = Duration.ofMinutes(3);

    @TempDir Path directory;

    private CapturedSource source;

    @BeforeEach
    void start() {
        source = new CapturedSource(directory);
        source.execute("CREATE TABLE t (id int PRIMARY KEY, v text)",
                "INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 100) g");
    }

    @AfterEach
    void stop() {
        source.close();
    }

    @Test
    void whileTheBrokerIsAway_theSlotStays_andThenEverythingArrives() {
        source.startCapture();
        long generation = awaitRead();
        awaitConfirmed();
        source.broker().close();
        String before = confirmed();
        source.execute("UPDATE t SET v = v || 'x'", "DELETE FROM t WHERE id < 10");
        String end = source.ask("SELECT pg_current_wal_lsn()").getFirst();
        await().during(Duration.ofSeconds(5))
                .atMost(SOON)
                .until(
                        () -> source
                                .ask("SELECT confirmed_flush_lsn < '" + end
                                        + "' FROM pg_replication_slots WHERE slot_name = 'syncline'")
                                .equals(List.of("t")));
        assertThat(confirmed()).isNotNull().as("before %s", before);
        source.startBroker();
        awaitEqual();
        awaitConfirmed();
        assertThat(generation()).isEqualTo(generation);
    }

    @Test
    void aSnapshotThatKafkaDoesNotTake_letsGoOfTheSource_andIsReadAnew() {
        Duration longest = Duration.ofSeconds(6);
        // 100 MB that cannot be compressed: more than a producer keeps for a broker that is away.
        source.execute("CREATE TABLE big (id int PRIMARY KEY, v text)",
                "INSERT INTO big SELECT g, (SELECT string_agg(encode(sha512((g * 8 + n)::text::bytea), 'hex'), '')"
                        + " FROM generate_series(1, 8) n) FROM generate_series(1, 100000) g");
        source.sluice().shut();
        source.startImpatientCapture(longest);
        source.awaitReading("big", SOON);
        source.broker().close();
        assertThat(source.isReading("big")).as("the COPY was begun before, and is now to be read on").isTrue();
        source.sluice().open();
        await("and then no longer").atMost(SOON)
                .until(() -> source.ask("SELECT 1 FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = '"
                        + CapturedSource.SOURCE + "' AND xact_start < clock_timestamp() - interval '1 s'").isEmpty());
        // Statistics that are just being gathered give way after a second.
        source.execute("SET lock_timeout = '1min'; ALTER TABLE big ADD COLUMN w int",
                "UPDATE big SET v = 'changed' WHERE id <= 10", "DELETE FROM big WHERE id > 20000",
                "UPDATE t SET v = 'changed'");
        source.startBroker();
        awaitEqual();
        source.awaitEqual("big", SOON);
    }

    @Test
    void aLaterSnapshot_keepsNoWalWhileItIsRead() {
        source.startCapture();
        awaitRead();
        source.sluice().shut();
        source.execute("CREATE TABLE small (id int PRIMARY KEY)",
                "BEGIN; CREATE TABLE big (id int PRIMARY KEY, v text);"
                        + "INSERT INTO big SELECT g, repeat(md5(g::text), 8) FROM generate_series(1, 300000) g; COMMIT");
        source.awaitReading("big", SOON);
        await("the slot of its moment is gone").atMost(SOON)
                .until(() -> source.ask("SELECT slot_name FROM pg_replication_slots").equals(List.of("syncline")));
        assertThat(source.isReading("big")).isTrue();
        source.sluice().open();
        source.awaitEqual("big", SOON);
        source.awaitEqual("small", SOON);
    }

    @Test
    void aSourceThatRestarts_isGoneOnWith() {
        source.startCapture();
        long generation = awaitRead();
        source.database().restart();
        source.execute("UPDATE t SET v = v || 'x'");
        awaitEqual();
        source.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots",
                "UPDATE t SET v = v || 'y'");
        awaitEqual();
        assertThat(generation()).isEqualTo(generation);
    }

    @Test
    void aStateDatabaseThatRestarts_isGoneOnWith() {
        source.startCapture();
        awaitEqual();
        source.stateServer().restart();
        source.execute("UPDATE t SET v = v || 'x'", "CREATE TABLE u (id int PRIMARY KEY)", "INSERT INTO u VALUES (1)");
        awaitEqual();
        source.awaitEqual("u", SOON);
    }

    @Test
    void aSlotThatIsGone_isMadeAnew_andNoGhostsStay() {
        Capture capture = source.startCapture();
        long generation = awaitRead();
        stop(capture);
        source.execute("SELECT pg_drop_replication_slot('syncline')", "DELETE FROM t WHERE id <= 50",
                "UPDATE t SET v = 'z' WHERE id > 90");
        source.startCapture();
        awaitEqual();
        assertThat(generation()).isGreaterThan(generation);
    }

    @Test
    void aSlotThatHasLostItsWal_isMadeAnew() {
        Capture capture = source.startCapture();
        long generation = awaitRead();
        stop(capture);
        source.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'", "SELECT pg_reload_conf()",
                "DELETE FROM t WHERE id <= 50");
        await().atMost(SOON).until(() -> {
            source.execute("SELECT pg_logical_emit_message(false, 'test', 'WAL')", "SELECT pg_switch_wal()",
                    "CHECKPOINT");
            return source.ask("SELECT wal_status FROM pg_replication_slots").equals(List.of("lost"));
        });
        source.startCapture();
        awaitEqual();
        assertThat(generation()).isGreaterThan(generation);
    }

    /** As when it is dropped behind our check, and Debezium makes it without a word; and then the worker dies. */
    @Test
    void aSlotThatOthersHaveMade_isNotGoneOnWith() throws SQLException {
        Capture capture = source.startCapture();
        long generation = awaitRead();
        stop(capture);
        source.execute("SELECT pg_drop_replication_slot('syncline')", "DELETE FROM t WHERE id <= 50",
                "SELECT pg_create_logical_replication_slot('syncline', 'pgoutput')");
        try (Connection state = source.stateDatabase().getConnection(); Statement statement = state.createStatement()) {
            statement.execute("UPDATE syncline.capture_source SET unverified_start = 1");
        }
        source.startCapture();
        awaitEqual();
        assertThat(generation()).isGreaterThan(generation);
        await().atMost(SOON)
                .until(() -> source.askState("SELECT 1 FROM syncline.capture_source WHERE unverified_start IS NULL")
                        .size() == 1);
    }

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
    void aTableThatLosesItsKeyWhileTheBrokerIsAway_isTakenOutAllTheSame() {
        source.execute("CREATE TABLE loses (id int CONSTRAINT loses_key PRIMARY KEY, v text)",
                "INSERT INTO loses VALUES (1, 'x')");
        source.startCapture();
        source.awaitEqual("loses", SOON);
        source.broker().close();
        source.execute("ALTER TABLE loses DROP CONSTRAINT loses_key");
        await().atMost(SOON)
                .ignoreExceptions()
                .untilAsserted(() -> source.execute("UPDATE loses SET v = v || 'y'"));
        source.startBroker();
    }

    @Test
    void aSlotThatKeepsTooMuchWal_isDropped_andEverythingIsCapturedAnew() {
        source.setMaxRetainedWal(DataSize.ofMegabytes(40));
        source.startCapture();
        long generation = awaitRead();
        source.broker().close();
        source.execute("CREATE TABLE filler AS SELECT repeat(md5(g::text), 50) FROM generate_series(1, 40000) g",
                "DELETE FROM t WHERE id < 50", "DROP TABLE filler", "SELECT pg_switch_wal()");
        await().atMost(SOON)
                .until(() -> source.ask("SELECT 1 FROM pg_replication_slots WHERE slot_name = 'syncline'").isEmpty());
        source.startBroker();
        // What was under way when the slot was dropped may arrive first.
        await().atMost(SOON).until(() -> generation() > generation);
        awaitEqual();
        await().atMost(SOON)
                .until(() -> source
                        .askState("SELECT 1 FROM syncline.capture_source WHERE state = 'running' AND lag_ms < 5000")
                        .size() == 1);
    }

    /** From the copy of a volume, say: the same system, the same timeline. */
    @Test
    void aSourceThatIsRestored_andHasWrittenMoreThanItHasLost_isCapturedAnew() {
        Capture capture = source.startCapture();
        awaitRead();
        Path backup = source.backUp();
        source.execute("UPDATE t SET v = 'lost'", "INSERT INTO t SELECT g, 'lost' FROM generate_series(1001, 1100) g");
        awaitEqual();
        long generation = generation();
        awaitConfirmed();
        String end = source.ask("SELECT pg_current_wal_insert_lsn()").getFirst();
        await("that is told").atMost(SOON)
                .until(() -> source
                        .askState("SELECT confirmed_lsn::pg_lsn >= '" + end + "' FROM syncline.capture_source")
                        .equals(List.of("t")));
        capture.stop();
        source.restore(backup);
        source.execute("CREATE TABLE filler AS SELECT md5(g::text) FROM generate_series(1, 100000) g",
                "UPDATE t SET v = 'other' WHERE id <= 50");
        assertThat(source.ask("SELECT pg_current_wal_insert_lsn() > '" + end + "'")).containsExactly("t");
        source.startCapture();
        awaitEqual();
        assertThat(generation()).isGreaterThan(generation);
    }

    @Test
    void aSourceThatIsAnotherSystem_isCapturedAnew() throws SQLException {
        Capture capture = source.startCapture();
        long generation = awaitRead();
        capture.stop();
        try (Connection state = source.stateDatabase().getConnection(); Statement statement = state.createStatement()) {
            statement.execute("UPDATE syncline.capture_source SET system_identifier = '1'");
        }
        source.startCapture();
        await().atMost(SOON).until(() -> generation() > generation);
        awaitEqual();
        await().atMost(SOON)
                .until(() -> source.askState("SELECT 1 FROM syncline.capture_source WHERE system_identifier = '1'")
                        .isEmpty());
    }

    @Test
    void whatTheSlotKeeps_isToldAndWarnedOf_whileTheBrokerIsAway() {
        source.setMaxRetainedWal(DataSize.ofMegabytes(100));
        source.startImpatientCapture(Duration.ofSeconds(6));
        long generation = awaitRead();
        source.broker().close();
        source.execute("CREATE TABLE filler AS SELECT repeat(md5(g::text), 50) FROM generate_series(1, 40000) g",
                "DELETE FROM t WHERE id < 50", "DROP TABLE filler");
        await().atMost(SOON)
                .until(() -> !source
                        .askState(
                                "SELECT 1 FROM syncline.capture_source WHERE state <> 'running' AND retained_bytes > 52428800"
                                        + " AND warnings LIKE '%MB of WAL kept%'")
                        .isEmpty());
        source.startBroker();
        awaitEqual();
        assertThat(generation()).isEqualTo(generation);
    }

    @Test
    void aSourceWhoseWalEndsEarlierThanItDid_isCapturedAnew() throws SQLException {
        Capture capture = source.startCapture();
        long generation = awaitRead();
        capture.stop();
        try (Connection state = source.stateDatabase().getConnection(); Statement statement = state.createStatement()) {
            statement.execute("UPDATE syncline.capture_source SET confirmed_lsn = 'FFFF/0'");
        }
        source.startCapture();
        await().atMost(SOON).until(() -> generation() > generation);
        awaitEqual();
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
        assertThat(source.askState("SELECT table_name FROM syncline.capture_status WHERE state = 'marked'")).isEmpty();
    }

    /** A table with a default is opened by whoever asks for its columns by the usual views; a partition, by who asks for the tree. */
    @Test
    void tablesThatTheirOwnerHasLocked_keepNoOtherWaiting() throws Exception {
        source.execute("CREATE TABLE plain (id int PRIMARY KEY, v text DEFAULT 'x')", "INSERT INTO plain VALUES (1)",
                "CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)",
                "CREATE TABLE leaf PARTITION OF parted FOR VALUES FROM (0) TO (10)",
                "INSERT INTO parted VALUES (1, 'x')");
        source.startCapture();
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
            owner.rollback();
        }
        source.awaitEqual("later", SOON);
        source.awaitEqual("plain", SOON);
        source.awaitEqual("parted", SOON);
        assertThat(source.askState("SELECT epoch FROM syncline.capture_epoch")).isEqualTo(epoch);
    }

    private void signalWalSender(String signal) throws Exception {
        String pid = source.ask("SELECT active_pid FROM pg_replication_slots WHERE slot_name = 'syncline'").getFirst();
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
        source.awaitEqual("g", SOON);
        assertThat(source.topics().rows("g")).containsEntry("[1]", "{\"id\":1,\"n\":21,\"doubled\":42}");
    }

    @Test
    void whenOneCapturerEnds_anotherGoesOn() {
        Capture first = source.startCapture();
        long generation = awaitRead();
        source.startCapture();
        source.execute("UPDATE t SET v = v || 'x'");
        awaitEqual();
        first.stop();
        source.execute("UPDATE t SET v = v || 'y'");
        awaitEqual();
        assertThat(generation()).isEqualTo(generation);
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

    /** Two that both believe that it is their turn: as after a freeze. */
    @Test
    void aCapturerThatIsOvertaken_movesNothing() {
        source.startCapture();
        long generation = awaitRead();
        List<String> epoch = source.askState("SELECT epoch FROM syncline.capture_epoch");
        Capture other = source.startCaptureInAnotherGroup();
        await("the other has begun").atMost(SOON)
                .until(() -> !source.askState("SELECT epoch FROM syncline.capture_epoch").equals(epoch));
        for (int i = 0; i < 20; i++) {
            source.execute("UPDATE t SET v = v || '" + i + "'", "INSERT INTO t VALUES (" + (1000 + i) + ", 'new')");
        }
        awaitEqual();
        other.stop();
        source.execute("UPDATE t SET v = 'end'");
        awaitEqual();
        assertThat(generation()).isEqualTo(generation);
    }

    /** Writers, schema changes, requests and capturers that come and go, all at once; then peace. */
    @Test
    void inTheEndTheTopicIsTheTable() throws Exception {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("seed " + seed);
        source.execute("CREATE TABLE w (a int, b text, n int, body text, PRIMARY KEY (a, b))",
                "CREATE TABLE k (a int, b text)", "ALTER TABLE k REPLICA IDENTITY FULL");
        AtomicBoolean over = new AtomicBoolean();
        List<CompletableFuture<Void>> writers = List.of(write(new Random(seed), over),
                write(new Random(seed + 1), over),
                write(new Random(seed + 2), over));
        Random random = new Random(seed + 3);
        Capture capture = source.startCapture();
        for (int round = 0; round < 6; round++) {
            Thread.sleep(1500 + random.nextInt(2500));
            switch (random.nextInt(4)) {
                case 0 -> source.execute("ALTER TABLE w ADD COLUMN c" + round + " int DEFAULT " + round);
                case 1 -> source
                        .execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active");
                case 2 -> {
                    try (Connection state = source.stateDatabase().getConnection();
                            Statement statement = state.createStatement()) {
                        statement.execute(
                                "INSERT INTO syncline.capture_request VALUES ('syncline.table.public.w', 'test', now()) ON CONFLICT DO NOTHING");
                    }
                }
                default -> {
                    capture.stop();
                    capture = source.startCapture();
                }
            }
        }
        over.set(true);
        writers.forEach(CompletableFuture::join);
        source.execute("INSERT INTO w (a, b) VALUES (-1, 'the last')");
        source.awaitEqual("w", SOON);
        source.awaitEqualBag("k", SOON);
        assertThat(source.topics().rows("w")).containsKey("[-1,\"the last\"]");
    }

    private CompletableFuture<Void> write(Random random, AtomicBoolean over) {
        return aside(() -> {
            try (Connection connection = source.connect(); Statement statement = connection.createStatement()) {
                connection.setAutoCommit(false);
                while (!over.get()) {
                    int statements = 1 + random.nextInt(random.nextInt(20) == 0 ? 200 : 5);
                    try {
                        for (int i = 0; i < statements; i++) {
                            statement.execute(statement(random));
                        }
                        if (random.nextInt(10) == 0) {
                            connection.rollback();
                        } else {
                            connection.commit();
                        }
                    } catch (SQLException e) {
                        // A key that is taken, or a deadlock.
                        connection.rollback();
                    }
                }
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    /** In a thread of its own: the common pool has but one on a machine of two processors. */
    private static CompletableFuture<Void> aside(Runnable work) {
        return CompletableFuture.runAsync(work, task -> Thread.ofPlatform().start(task));
    }

    private static String statement(Random random) {
        String key = "a = " + random.nextInt(40) + " AND b = '" + (char) ('a' + random.nextInt(5)) + "'";
        if (random.nextInt(4) == 0) {
            String some = "ctid IN (SELECT ctid FROM k WHERE a = " + random.nextInt(5) + " LIMIT "
                    + (1 + random.nextInt(3)) + ")";
            return switch (random.nextInt(random.nextInt(50) == 0 ? 5 : 4)) {
                case 0, 1 -> "INSERT INTO k SELECT " + random.nextInt(5) + ", 'b' FROM generate_series(1, "
                        + (1 + random.nextInt(4)) + ")";
                case 2 -> "UPDATE k SET a = " + random.nextInt(5) + " WHERE " + some;
                case 3 -> "DELETE FROM k WHERE " + some;
                default -> "TRUNCATE k";
            };
        }
        return switch (random.nextInt(random.nextInt(50) == 0 ? 9 : 8)) {
            case 0, 1,
                    2 -> "INSERT INTO w (a, b, n, body) VALUES (" + random.nextInt(40) + ", '"
                            + (char) ('a' + random.nextInt(5)) + "', "
                            + random.nextInt(1000) + ", repeat(md5(random()::text), " + (1 + random.nextInt(300))
                            + ")) ON CONFLICT DO NOTHING";
            case 3, 4 -> "UPDATE w SET n = n + 1 WHERE " + key;
            case 5 -> "UPDATE w SET a = a + 50 WHERE " + key;
            case 6, 7 -> "DELETE FROM w WHERE " + key;
            default -> random.nextInt(3) == 0 ? "TRUNCATE w" : "SAVEPOINT s; UPDATE w SET n = -1; ROLLBACK TO s";
        };
    }

    private void awaitEqual() {
        source.awaitEqual("t", SOON);
    }

    /** Read, and remembered to be: gives the generation, with which whoever captures next can go on. */
    private long awaitRead() {
        awaitEqual();
        source.awaitRemembered("t", SOON);
        return generation();
    }

    private long generation() {
        return source.topics().generation("t");
    }

    /** Until the slot is free, a moment after its reader has gone. */
    private void stop(Capture capture) {
        capture.stop();
        await().atMost(SOON)
                .until(() -> source.ask("SELECT active FROM pg_replication_slots WHERE slot_name = 'syncline'")
                        .equals(List.of("f")));
    }

    private String confirmed() {
        return source.ask("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = 'syncline'")
                .getFirst();
    }

    private void awaitConfirmed() {
        String end = source.ask("SELECT pg_current_wal_insert_lsn()").getFirst();
        await().atMost(SOON)
                .until(() -> source
                        .ask("SELECT confirmed_flush_lsn >= '" + end
                                + "' FROM pg_replication_slots WHERE slot_name = 'syncline'")
                        .equals(List.of("t")));
    }
}
