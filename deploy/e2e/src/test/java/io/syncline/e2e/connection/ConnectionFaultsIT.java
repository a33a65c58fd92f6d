package io.syncline.e2e.connection;

import static io.syncline.e2e.connection.ConnectionRing.PARTITIONS;
import static io.syncline.e2e.connection.ConnectionRing.awaitOwned;
import static io.syncline.e2e.connection.ConnectionRing.owned;
import static io.syncline.e2e.connection.ConnectionRing.registration;
import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.e2e.EventLog;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.Topics;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.context.ConfigurableApplicationContext;

/** What the ring does when a part of it goes away, changes, or is tampered with. */
class ConnectionFaultsIT {

    @TempDir Path directory;

    @Test
    void partitionsMoveBetweenWorkers_andNothingIsLostOrTwice() {
        try (ConnectionRing ring = new ConnectionRing(directory)) {
            ConfigurableApplicationContext first = ring.startWorker("first");
            awaitOwned(first, PARTITIONS);
            ring.connect();
            ring.enable(IncomingMode.AUTO_ACCEPT);
            registerAll(ring, "before", 40);
            ConfigurableApplicationContext second = ring.startWorker("second");
            Awaitility.await().atMost(ConnectionRing.PATIENCE).until(() -> owned(first) == 2 && owned(second) == 2);
            registerAll(ring, "shared", 40);
            first.close();
            awaitOwned(second, PARTITIONS);
            registerAll(ring, "after", 40);
            assertLogAndRows(ring, 120);
        }
    }

    @Test
    void databaseThatIsRestarted_isTakenForAnother_andNothingIsLost() {
        try (ConnectionRing ring = new ConnectionRing(directory)) {
            ConfigurableApplicationContext worker = ring.startWorker("one");
            awaitOwned(worker, PARTITIONS);
            ring.connect();
            ring.enable(IncomingMode.AUTO_ACCEPT);
            registerAll(ring, "before", 40);
            ring.database().restart();
            registerAll(ring, "after", 40);
            assertLogAndRows(ring, 80);
        }
    }

    @Test
    void databaseThatLostItsEnd_isRolledForwardFromTheLog() {
        try (ConnectionRing ring = new ConnectionRing(directory)) {
            ConfigurableApplicationContext worker = ring.startWorker("one");
            awaitOwned(worker, PARTITIONS);
            ring.connect();
            ring.enable(IncomingMode.AUTO_ACCEPT);
            registerAll(ring, "kept", 20);
            // In the order in which a worker locks them, which looks every now and then: neither waits for the other.
            List<String> tables = List.of("log_head", "settings", "connection", "imposition", "request_outcome",
                    "connection_event");
            tables.forEach(table -> ring.execute("CREATE TABLE public." + table + " AS TABLE syncline." + table));
            // Looked at here: what is put back may be rolled forward before anybody can look.
            assertThat(ring.column("SELECT count(*) FROM public.connection")).containsExactly("20");
            registerAll(ring, "lost", 20);
            // What a standby has that took over too early: all that was, some time ago.
            ring.execute(tables.stream()
                    .map(table -> "TRUNCATE syncline." + table + "; INSERT INTO syncline." + table
                            + " SELECT * FROM public." + table)
                    .collect(java.util.stream.Collectors.joining(";", "BEGIN;", ";COMMIT")));
            ring.database().restart();
            Awaitility.await("rolled forward without a request")
                    .atMost(ConnectionRing.PATIENCE)
                    .ignoreExceptions()
                    .until(() -> ring.column("SELECT count(*) FROM syncline.connection"), List.of("40")::equals);
            registerAll(ring, "after", 20);
            assertLogAndRows(ring, 60);
        }
    }

    /** As one line from a console producer, which used to stop a partition, and the settings with it, for good. */
    @Test
    void foreignRecords_stopNothing_underARunningOwnerAndAfterATakeover() {
        try (ConnectionRing ring = new ConnectionRing(directory)) {
            ConfigurableApplicationContext worker = ring.startWorker("one");
            awaitOwned(worker, PARTITIONS);
            ring.connect();
            writeForeignRecords(ring);
            ring.enable(IncomingMode.AUTO_ACCEPT);
            registerAll(ring, "running", 12);
            writeForeignRecords(ring);
            registerAll(ring, "again", 12);
            Awaitility.await()
                    .atMost(ConnectionRing.PATIENCE)
                    .untilAsserted(() -> assertThat(ConnectionRing.partitions(worker).values())
                            .anySatisfy(status -> assertThat(status.detail()).contains("foreign records passed over")));
            // While a foreign record is the last one, too.
            writeForeignRecords(ring);
            worker.close();
            ConfigurableApplicationContext next = ring.startWorker("next");
            awaitOwned(next, PARTITIONS);
            assertThat(ConnectionRing.partitions(next).values()).allSatisfy(
                    status -> assertThat(status.detail()).contains("foreign record",
                            "passed over, the last at offset"));
            writeForeignRecords(ring);
            ring.enable(IncomingMode.AUTO_ACCEPT);
            registerAll(ring, "after", 12);
            EventLog log = EventLog.read(ring.bootstrapServers(), ring.keys());
            assertThat(log.foreign()).hasSizeGreaterThanOrEqualTo(4 * FOREIGN_KINDS * PARTITIONS);
            assertThat(log.holes()).isEmpty();
            assertLogAndRows(ring, log, 36);
        }
    }

    private static final int FOREIGN_KINDS = 4;

    private static void writeForeignRecords(ConnectionRing ring) {
        try (KafkaProducer<byte[], byte[]> stranger = new KafkaProducer<>(
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, ring.bootstrapServers(),
                        ProducerConfig.COMPRESSION_TYPE_CONFIG, "zstd", ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
                        16 * 1024 * 1024, ProducerConfig.TRANSACTIONAL_ID_CONFIG, "stranger"),
                new ByteArraySerializer(), new ByteArraySerializer())) {
            stranger.initTransactions();
            for (int partition = 0; partition < PARTITIONS; partition++) {
                // A transaction leaves a marker, which takes an offset and is no record.
                stranger.beginTransaction();
                stranger.send(new ProducerRecord<>(Topics.EVENTS, partition, null, new byte[]{1}));
                stranger.send(new ProducerRecord<>(Topics.EVENTS, partition, new byte[]{1}, null));
                stranger.send(new ProducerRecord<>(Topics.EVENTS, partition, new byte[0], new byte[8_000_000]));
                stranger.commitTransaction();
                stranger.beginTransaction();
                stranger.send(new ProducerRecord<>(Topics.EVENTS, partition, null, new byte[]{2}));
                // What is not sent yet would not even be begun.
                stranger.flush();
                stranger.abortTransaction();
            }
        }
    }

    private static void registerAll(ConnectionRing ring, String name, int count) {
        for (int i = 0; i < count; i++) {
            String site = "http://" + name + "-" + i + ".example";
            assertThat(ring.ask(registration(site))).as(site).isInstanceOf(Outcome.Accepted.class);
        }
    }

    private static void assertLogAndRows(ConnectionRing ring, int registrations) {
        EventLog log = EventLog.read(ring.bootstrapServers(), ring.keys());
        assertThat(log.foreign()).isEmpty();
        assertLogAndRows(ring, log, registrations);
    }

    private static void assertLogAndRows(ConnectionRing ring, EventLog log, int registrations) {
        assertThat(log.counted().stream().filter(event -> event.event() instanceof SiteEvent.ConnectionRegistered))
                .hasSize(registrations)
                .extracting(LoggedEvent::key)
                .doesNotHaveDuplicates();
        assertThat(ring.column("SELECT count(*) FROM syncline.connection"))
                .containsExactly(Integer.toString(registrations));
        assertThat(ring.column("SELECT sum(sequence) FROM syncline.log_head"))
                .containsExactly(Integer.toString(registrations + 1));
    }
}
