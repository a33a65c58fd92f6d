package io.syncline.e2e.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.syncline.worker.capture.Capture;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.springframework.util.unit.DataSize;

/** Whatever becomes of the slot, and of the source behind it: what it keeps is bounded, and what it no longer has is read anew. */
class SlotFaultsIT extends OneTableCaptured {

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
    void aSlotThatOthersHaveMade_isNotGoneOnWith() {
        Capture capture = source.startCapture();
        long generation = awaitRead();
        stop(capture);
        source.execute("SELECT pg_drop_replication_slot('syncline')", "DELETE FROM t WHERE id <= 50",
                "SELECT pg_create_logical_replication_slot('syncline', 'pgoutput')");
        source.executeInState("UPDATE syncline.capture_source SET unverified_start = 1");
        source.startCapture();
        awaitEqual();
        assertThat(generation()).isGreaterThan(generation);
        await().atMost(SOON)
                .until(() -> source.askState("SELECT 1 FROM syncline.capture_source WHERE unverified_start IS NULL")
                        .size() == 1);
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
    void aSourceThatIsAnotherSystem_isCapturedAnew() {
        Capture capture = source.startCapture();
        long generation = awaitRead();
        capture.stop();
        source.executeInState("UPDATE syncline.capture_source SET system_identifier = '1'");
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
        source.execute("DELETE FROM t WHERE id < 50",
                "SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000)) FROM generate_series(1, 65)");
        await().atMost(SOON)
                .until(() -> !source
                        .askState(
                                "SELECT 1 FROM syncline.capture_source WHERE state <> 'running' AND retained_bytes > 52428800"
                                        + " AND warnings LIKE '%MB of WAL kept%' AND problem LIKE 'Kafka %'")
                        .isEmpty());
        source.startBroker();
        awaitEqual();
        assertThat(generation()).isEqualTo(generation);
    }

    /** WIN1252 has bytes that stand for nothing, and the source takes them. */
    @Test
    void aChangeThatTheSourceCannotConvert_keepsItsTableOutOfTheStream_andTheOthersGoOn() {
        source.recreate("WIN1252");
        source.execute("CREATE TABLE t (id int PRIMARY KEY, v text)", "INSERT INTO t VALUES (1, 'é')",
                "CREATE TABLE bad (id int PRIMARY KEY, v text)", "INSERT INTO bad VALUES (1, 'ü')");
        Capture capture = source.startCapture();
        long generation = awaitRead();
        source.awaitEqual("bad", SOON);
        source.execute("INSERT INTO bad VALUES (2, convert_from('\\x81', 'WIN1252'))",
                "INSERT INTO t VALUES (2, 'ß')");
        await().atMost(SOON).until(() -> generation() > generation);
        awaitEqual();
        assertThat(source.ask("SELECT prrelid::regclass FROM pg_publication_rel")).containsExactly("t");
        await().atMost(SOON)
                .until(() -> !source.askState("SELECT 1 FROM syncline.capture_status WHERE table_name = 'bad'"
                        + " AND cause LIKE '%cannot be told in UTF-8%0x81%'").isEmpty());
        source.execute("UPDATE bad SET v = 'ö' WHERE id = 2");
        source.awaitEqual("bad", SOON);
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(
                        source.askState("SELECT cause FROM syncline.capture_status WHERE table_name = 'bad'"))
                        .singleElement()
                        .asString()
                        .contains("its changes are not streamed: a change of it at ", "cannot be decoded: ", "0x81"));
        awaitConfirmed();
        long read = generation();
        stop(capture);
        source.execute("UPDATE t SET v = v || '!'", "UPDATE bad SET v = v || '!'");
        source.startCapture();
        awaitEqual();
        source.awaitEqual("bad", SOON);
        assertThat(generation()).isEqualTo(read);
        source.execute("ALTER TABLE bad ADD w text");
        await().atMost(SOON)
                .until(() -> source.ask("SELECT prrelid::regclass FROM pg_publication_rel").contains("bad"));
        source.awaitEqual("bad", SOON);
    }

    /** Transactions that were open, or of which a part had been read, when the reader ended. */
    @Test
    void aRestartBetweenTheChangesOfOpenTransactions_losesNothing_dbz76_dbz51() throws SQLException {
        Capture capture = source.startCapture();
        long generation = awaitRead();
        for (int round = 0; round < 2; round++) {
            try (Connection early = source.connect();
                    Connection late = source.connect();
                    Statement first = early.createStatement();
                    Statement second = late.createStatement()) {
                early.setAutoCommit(false);
                late.setAutoCommit(false);
                first.execute("INSERT INTO t SELECT g, 'early' FROM generate_series(10001, 10100) g");
                second.execute("UPDATE t SET v = v || 'late' WHERE id <= 50");
                source.execute("INSERT INTO t VALUES (" + (2000 + round) + ", 'between')");
                awaitEqual();
                awaitRemembered(capture);
                second.execute("DELETE FROM t WHERE id = " + (90 + round));
                late.commit();
                capture = source.startCapture();
                first.execute("UPDATE t SET id = id + " + 1000 * (round + 1) + " WHERE v = 'early'");
                early.commit();
            }
            awaitEqual();
        }
        assertThat(generation()).isEqualTo(generation);
    }

    private void awaitRemembered(Capture capture) {
        awaitConfirmed();
        stop(capture);
    }

    /** Each table by another thread and session, while every transaction writes to all of them. */
    @Test
    void tablesThatAreReadInParallel_areReadUnderOneExportedSnapshot_dbz2330() {
        List<String> tables = List.of("p1", "p2", "p3", "p4");
        for (String table : tables) {
            source.execute("CREATE TABLE " + table + " (id int PRIMARY KEY, n int)", "INSERT INTO " + table
                    + " SELECT g, 0 FROM generate_series(1, 20000) g");
        }
        AtomicBoolean done = new AtomicBoolean();
        CompletableFuture<Void> writer = aside(() -> {
            while (!done.get()) {
                source.execute("BEGIN; " + tables.stream()
                        .map(table -> "UPDATE " + table + " SET n = n + 1 WHERE id % 1000 = 7")
                        .collect(Collectors.joining("; ")) + "; COMMIT");
            }
        });
        try {
            source.startCapture();
            tables.forEach(table -> source.awaitRemembered(table, SOON));
            assertThat(
                    source.askState("SELECT DISTINCT snapshot || ' at ' || consistent_lsn FROM syncline.capture_table"))
                    .hasSize(1);
        } finally {
            done.set(true);
            writer.join();
        }
        tables.forEach(table -> source.awaitEqual(table, SOON));
        assertThat(tables.stream().map(table -> source.topics().rows(table).get("[7]")).distinct()).hasSize(1);
    }

    @Test
    void aSourceWhoseWalEndsEarlierThanItDid_isCapturedAnew() {
        Capture capture = source.startCapture();
        long generation = awaitRead();
        capture.stop();
        source.executeInState("UPDATE syncline.capture_source SET confirmed_lsn = 'FFFF/0'");
        source.startCapture();
        await().atMost(SOON).until(() -> generation() > generation);
        awaitEqual();
    }
}
