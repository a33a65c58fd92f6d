package io.syncline.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedBrokerIT {

    private static final TopicPartition FIRST = new TopicPartition("syncline.test", 0);

    @TempDir Path directory;

    @Test
    void start_keepsRecordsAndPortOverRestart() throws Exception {
        int port;
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory)) {
            port = broker.port();
            makeTopic(broker);
            send(broker, "one");
        }
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory)) {
            assertThat(broker.port()).isEqualTo(port);
            send(broker, "two");
            assertThat(read(broker, 2)).containsExactly("one", "two");
        }
    }

    @Test
    void start_keepsRecordsOnAnotherPort() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory)) {
            makeTopic(broker);
            send(broker, "one");
        }
        int other = RememberedPort.anyFree();
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, other, Map.of())) {
            assertThat(broker.bootstrapServers()).isEqualTo("127.0.0.1:" + other);
            assertThat(read(broker, 1)).containsExactly("one");
        }
    }

    @Test
    void start_keepsWhatAKilledProcessHadAcknowledged() throws Exception {
        int port;
        try (ChildJvm child = ChildJvm.start(BrokerChild.class, directory.toString())) {
            port = Integer.parseInt(child.awaitLine("port "));
            child.awaitLine("acknowledged");
            child.kill();
        }
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory)) {
            assertThat(broker.port()).isEqualTo(port);
            assertThat(read(broker, 1)).containsExactly("one");
        }
    }

    @Test
    void start_twoInOneJvm() throws Exception {
        try (EmbeddedBroker one = EmbeddedBroker.start(directory.resolve("one"));
                EmbeddedBroker two = EmbeddedBroker.start(directory.resolve("two"))) {
            makeTopic(one);
            makeTopic(two);
            send(one, "one");
            assertThat(read(one, 1)).containsExactly("one");
            assertThat(one.port()).isNotEqualTo(two.port());
        }
    }

    @Test
    void start_saysThatThePortIsTaken() {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("one"))) {
            assertThatThrownBy(() -> EmbeddedBroker.start(directory.resolve("two"), broker.port(), Map.of()))
                    .hasMessageContaining("port %d on 127.0.0.1 is taken", broker.port());
        }
    }

    @Test
    void startGuarded_letsNobodyInWithoutThePassword() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.startGuarded(directory)) {
            makeTopic(broker);
            send(broker, "one");
            assertThat(read(broker, 1)).containsExactly("one");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("password"))))
                    .isEqualTo("rw-------");
            Map<String, Object> wrong = settings(broker);
            wrong.computeIfPresent("sasl.jaas.config",
                    (name, login) -> login.toString().replaceAll("password=\"[^\"]*", "password=\"wrong"));
            assertThatThrownBy(() -> topics(wrong)).hasMessageContaining("Authentication failed");
            Map<String, Object> none = Map.of("bootstrap.servers", broker.bootstrapServers(), "default.api.timeout.ms",
                    3000, "request.timeout.ms", 2000);
            assertThatThrownBy(() -> topics(none)).isInstanceOf(Exception.class);
            Map<String, Object> controller = Map.of("bootstrap.controllers",
                    "127.0.0.1:" + Files.readString(directory.resolve("controller-port")).strip(),
                    "default.api.timeout.ms", 3000, "request.timeout.ms", 2000);
            assertThatThrownBy(() -> topics(controller)).isInstanceOf(Exception.class);
        }
    }

    private static void topics(Map<String, Object> settings) throws Exception {
        try (Admin admin = Admin.create(settings)) {
            admin.describeCluster().nodes().get();
        }
    }

    /** Acknowledges one record and waits to be killed. */
    static final class BrokerChild {
        public static void main(String[] args) throws Exception {
            EmbeddedBroker broker = EmbeddedBroker.start(Path.of(args[0]));
            System.out.println("port " + broker.port());
            makeTopic(broker);
            send(broker, "one");
            System.out.println("acknowledged");
            System.in.read();
        }
    }

    private static void makeTopic(EmbeddedBroker broker) throws Exception {
        try (Admin admin = Admin.create(settings(broker))) {
            admin.createTopics(List.of(new NewTopic(FIRST.topic(), 1, (short) 1))).all().get();
        }
    }

    private static void send(EmbeddedBroker broker, String text) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings(broker), new ByteArraySerializer(),
                new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>(FIRST.topic(), text.getBytes(StandardCharsets.UTF_8))).get();
        }
    }

    private static Map<String, Object> settings(EmbeddedBroker broker) {
        Map<String, Object> settings = new HashMap<>(broker.clientSecurity());
        settings.put("bootstrap.servers", broker.bootstrapServers());
        return settings;
    }

    private static List<String> read(EmbeddedBroker broker, int count) {
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings(broker), new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            consumer.assign(List.of(FIRST));
            consumer.seekToBeginning(List.of(FIRST));
            List<String> texts = new ArrayList<>();
            long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
            while (texts.size() < count && System.nanoTime() < end) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    texts.add(new String(record.value(), StandardCharsets.UTF_8));
                }
            }
            return texts;
        }
    }
}
