package io.syncline.e2e.connection;

import static io.syncline.e2e.connection.ConnectionRing.registration;
import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.e2e.EventLog;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.Outcome;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.Topics;
import io.syncline.worker.WorkerApplication;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an auditor is told by {@code java -jar sync-worker.jar verify-log}. */
class VerifyLogIT {

    @TempDir Path directory;

    private record Run(int code, String output) {}

    @Test
    void wholeLog_thenASecondCopy_thenAnAlteredRecord_thenADeletedOne() throws Exception {
        try (ConnectionRing ring = new ConnectionRing(directory)) {
            ConnectionRing.awaitOwned(ring.startWorker("one"), ConnectionRing.PARTITIONS);
            ring.connect();
            ring.enable(IncomingMode.AUTO_ACCEPT);
            register(ring, "http://one.example");

            EventLog log = EventLog.read(ring.bootstrapServers(), ring.keys());
            Run whole = verify(ring);
            assertThat(whole.code()).as(whole.output()).isZero();
            assertThat(whole.output()).endsWith("The log is whole.\n");
            log.heads()
                    .forEach((partition, head) -> assertThat(whole.output()).contains("partition " + partition + ": "
                            + head.sequence() + " events, 1 fences, last hash "
                            + HexFormat.of().formatHex(head.hash())));

            ConsumerRecord<byte[], byte[]> fact = eventOf(ring, "http://one.example");
            long copied = append(ring, fact, fact.value());
            Run copy = verify(ring);
            assertThat(copy.output()).contains("partition " + fact.partition() + ", offset " + copied + ": void: ");
            assertThat(copy.code()).as(copy.output()).isZero();

            byte[] value = fact.value().clone();
            value[value.length / 2] ^= 1;
            long altered = append(ring, fact, value);
            Run withForeign = verify(ring);
            assertThat(withForeign.code()).as(withForeign.output()).isZero();
            assertThat(withForeign.output())
                    .contains("partition " + fact.partition() + ", offset " + altered
                            + ": foreign or altered: the hash is not that of the record")
                    .endsWith("The log is whole. 1 foreign record in it: no part of it.\n");
            Run strict = verify(ring, "--strict");
            assertThat(strict.code()).as(strict.output()).isEqualTo(1);

            try (Admin admin = Admin.create(Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, ring.bootstrapServers()))) {
                admin.deleteRecords(Map.of(new TopicPartition(Topics.EVENTS, fact.partition()),
                        RecordsToDelete.beforeOffset(1))).all().get();
            }
            Run deleted = verify(ring);
            assertThat(deleted.code()).as(deleted.output()).isEqualTo(1);
            assertThat(deleted.output())
                    .contains("partition " + fact.partition() + ": the log begins at offset 1: HOLE")
                    .contains("the fence at offset 0")
                    .endsWith("The log is NOT whole.\n");
        }
    }

    @Test
    void anotherKeyFile_provesNothing_andUsageIsToldApart() throws Exception {
        try (ConnectionRing ring = new ConnectionRing(directory)) {
            ConnectionRing.awaitOwned(ring.startWorker("one"), ConnectionRing.PARTITIONS);
            Path other = directory.resolve("other-keys");
            CredentialKeys.writeNew(other, new SecureRandom());
            String broker = "--spring.kafka.bootstrap-servers=" + ring.bootstrapServers();
            Run foreign = run(broker, "--syncline.credentials.key-file=" + other);
            assertThat(foreign.code()).as(foreign.output()).isEqualTo(1);
            assertThat(foreign.output()).contains("partition 0, offset 0: foreign or altered: it was made with a key"
                    + " that is not in the key file", "NOT PROVEN");

            Run wrong = run("everything");
            assertThat(wrong.code()).as(wrong.output()).isEqualTo(2);
            assertThat(wrong.output()).contains("verify-log has no option 'everything'", "usage: ");
            Run unknown = run(broker, "--from=2026-01-01");
            assertThat(unknown.code()).as(unknown.output()).isEqualTo(2);
            assertThat(unknown.output()).contains("verify-log has no option '--from=2026-01-01'");
            Run nobody = run("--spring.kafka.bootstrap-servers=127.0.0.1:1",
                    "--syncline.credentials.key-file=" + directory.resolve("keys"));
            assertThat(nobody.code()).as(nobody.output()).isEqualTo(2);
            assertThat(nobody.output()).contains("No broker answers at 127.0.0.1:1", "spring.kafka.bootstrap-servers");
            Run misspelt = worker("verify-logs", broker);
            assertThat(misspelt.code()).as(misspelt.output()).isEqualTo(2);
            assertThat(misspelt.output()).contains("no command 'verify-logs'", "usage: ");
            Run noKeys = run(broker);
            assertThat(noKeys.code()).as(noKeys.output()).isEqualTo(2);
            assertThat(noKeys.output()).contains("syncline.credentials.key-file is not set");
        }
    }

    private static void register(ConnectionRing ring, String site) {
        assertThat(ring.ask(registration(site))).isInstanceOf(Outcome.Accepted.class);
    }

    private Run verify(ConnectionRing ring, String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.add("--spring.kafka.bootstrap-servers=" + ring.bootstrapServers());
        arguments.add("--syncline.credentials.key-file=" + directory.resolve("keys"));
        return run(arguments.toArray(String[]::new));
    }

    /** As an auditor does: in a process of its own, of which there is an exit code and what it printed. */
    private static Run run(String... arguments) throws IOException, InterruptedException {
        return worker("verify-log", arguments);
    }

    private static Run worker(String name, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m",
                "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path"),
                WorkerApplication.class.getName(), name));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Run(process.waitFor(), output);
    }

    private static ConsumerRecord<byte[], byte[]> eventOf(ConnectionRing ring, String site) {
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, ring.bootstrapServers()), new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(Topics.EVENTS)
                    .stream()
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            while (true) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    if (new String(record.key(), StandardCharsets.UTF_8).equals(site)) {
                        return record;
                    }
                }
            }
        }
    }

    /** @return its offset */
    private static long append(ConnectionRing ring, ConsumerRecord<byte[], byte[]> like, byte[] value)
            throws InterruptedException, ExecutionException {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, ring.bootstrapServers()), new ByteArraySerializer(),
                new ByteArraySerializer())) {
            return producer.send(new ProducerRecord<>(like.topic(), like.partition(), like.timestamp(), like.key(),
                    value, like.headers())).get().offset();
        }
    }
}
