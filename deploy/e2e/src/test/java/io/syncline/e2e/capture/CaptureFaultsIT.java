package io.syncline.e2e.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.syncline.model.log.Topics;
import io.syncline.worker.capture.Capture;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Test;

/** Whatever dies or is taken away: nothing is lost, and the slot never passes what Kafka has acknowledged. */
class CaptureFaultsIT extends OneTableCaptured {

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
        awaitEqual();
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

    /** Within one epoch, and while its capturer runs: nothing but its own count of what it wrote tells it. */
    @Test
    void aStateDatabaseThatGoesBackWhileCaptureRuns_givesNoGenerationTwice() {
        source.execute("CREATE TABLE k (a int)", "ALTER TABLE k REPLICA IDENTITY FULL",
                "INSERT INTO k SELECT g % 5 FROM generate_series(1, 50) g");
        source.startCapture();
        awaitRead();
        source.awaitRemembered("k", SOON);
        source.keepState();
        source.execute("ALTER TABLE t ADD COLUMN w int DEFAULT 1", "TRUNCATE k", "INSERT INTO k VALUES (7), (7)");
        awaitRead();
        source.awaitEqualBag("k", SOON);
        long lost = generation();
        source.returnToKeptState();
        source.execute("ALTER TABLE t ADD COLUMN x int DEFAULT 2", "INSERT INTO k VALUES (8)",
                "DELETE FROM t WHERE id < 20");
        await("it is read again, as nothing there is trusted").atMost(SOON).until(() -> generation() > lost);
        awaitEqual();
        source.awaitEqualBag("k", SOON);
        source.awaitRemembered("t", SOON);
        String warned = "SELECT 1 FROM syncline.capture_source WHERE warnings LIKE '%what capture has written%'";
        await("and the warning is over").atMost(SOON).until(() -> source.askState(warned).isEmpty());
    }

    /** The restored database looks as good as ever: it has a complete generation, of the table as it still is. */
    @Test
    void aStateDatabaseRestoredFromABackup_isNotGoneOnWith() {
        Capture capture = source.startCapture();
        long kept = awaitRead();
        Path backup = source.backUpState();
        await().atMost(SOON)
                .ignoreExceptions()
                .untilAsserted(() -> source.executeInState(
                        "INSERT INTO syncline.capture_request VALUES ('syncline.table.public.t', 'test', now())"));
        await().atMost(SOON).until(() -> generation() > kept);
        awaitEqual();
        await().atMost(SOON)
                .until(() -> source.askState("SELECT generation FROM syncline.capture_table WHERE complete")
                        .equals(List.of(Long.toString(generation()))));
        long lost = generation();
        stop(capture);
        source.restoreState(backup);
        source.execute("UPDATE t SET v = 'changed' WHERE id < 50", "DELETE FROM t WHERE id > 90");
        source.startCapture();
        await().atMost(SOON).until(() -> generation() > lost);
        awaitEqual();
        assertThat(generation()).isGreaterThan(1_000_000);
    }

    /** Two that both believe that it is their turn: as after a freeze. */
    /** Rolling restarts, and scaling up and down. */
    @Test
    void workersThatComeAndGo_leaveTheStreamAlone() {
        source.startCapture();
        long generation = awaitRead();
        awaitRunning();
        String epoch = epoch();
        for (int i = 1; i <= 3; i++) {
            Capture other = source.startCapture();
            awaitMembers(2);
            Capture third = source.startCapture();
            awaitMembers(3);
            source.execute("INSERT INTO t VALUES (" + (1000 + i) + ", 'beside others')");
            awaitEqual();
            third.stop();
            other.stop();
            awaitMembers(1);
        }
        assertThat(epoch()).isEqualTo(epoch);
        assertThat(generation()).isEqualTo(generation);
    }

    /** A rolling upgrade: versions before this one had Kafka's own list of assignors. */
    @Test
    void aWorkerOfAnOlderVersionBeside_isToleratedInTheGroup() {
        source.startCapture();
        awaitRead();
        awaitRunning();
        String epoch = epoch();
        Map<String, Object> settings = new HashMap<>(source.kafka());
        settings.put("group.id", "syncline-capture");
        settings.put("allow.auto.create.topics", false);
        try (KafkaConsumer<byte[], byte[]> older = new KafkaConsumer<>(settings, new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            older.subscribe(List.of(Topics.CAPTURE_LEASE));
            await().atMost(SOON).until(() -> {
                var unused = older.poll(Duration.ofMillis(100));
                return members().size() == 2;
            });
            source.execute("INSERT INTO t VALUES (2001, 'beside an older one')");
            awaitEqual();
            assertThat(older.assignment()).isEmpty();
        }
        assertThat(epoch()).isEqualTo(epoch);
    }

    private void awaitRunning() {
        await().atMost(SOON)
                .until(() -> source.askState("SELECT state FROM syncline.capture_source").equals(List.of("running")));
    }

    private String epoch() {
        return source.askState("SELECT epoch FROM syncline.capture_epoch").getFirst();
    }

    private void awaitMembers(int count) {
        await().atMost(SOON).until(() -> members().size() == count);
    }

    /** Who has joined the group of the lease, once it is settled. */
    private Collection<MemberDescription> members() throws Exception {
        try (Admin admin = Admin.create(source.kafka())) {
            ConsumerGroupDescription group = admin.describeConsumerGroups(List.of("syncline-capture"))
                    .describedGroups()
                    .get("syncline-capture")
                    .get();
            return group.groupState() == GroupState.STABLE ? group.members() : List.of();
        }
    }

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
                    source.executeInState(
                            "INSERT INTO syncline.capture_request VALUES ('syncline.table.public.w', 'test', now()) ON CONFLICT DO NOTHING");
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
        source.awaitEqualBag("k", SOON);
        assertThat(source.awaitEqual("w", SOON)).containsKey("[-1,\"the last\"]");
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
                        // More than capture keeps up with would only be waited for in the end.
                        Thread.sleep(random.nextInt(10));
                    } catch (SQLException e) {
                        // A key that is taken, or a deadlock.
                        connection.rollback();
                    }
                }
            } catch (SQLException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
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
}
