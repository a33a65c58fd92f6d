package io.syncline.e2e.connection;

import io.syncline.e2e.TestPostgres;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.Request;
import io.syncline.model.connection.SettingsChangeRequested;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.credential.SealedSecret;
import io.syncline.model.log.ReplyRecord;
import io.syncline.model.log.RequestRecord;
import io.syncline.model.log.Topics;
import io.syncline.standalone.EmbeddedBroker;
import io.syncline.standalone.EmbeddedDatabase;
import io.syncline.worker.WorkerApplication;
import io.syncline.worker.connection.ConnectionRoom;
import io.syncline.worker.connection.PartitionStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.springframework.context.ConfigurableApplicationContext;

/** Broker, database and workers, spoken to as a gateway does: requests into one topic, replies out of another. */
final class ConnectionRing implements AutoCloseable {

    static final int PARTITIONS = 4;
    static final Duration PATIENCE = Duration.ofMinutes(2);

    private final EmbeddedBroker broker;
    private final EmbeddedDatabase database;
    private final Path keyFile;
    private final List<ConfigurableApplicationContext> workers = new ArrayList<>();
    private final Map<UUID, CompletableFuture<ReplyRecord>> waiting = new ConcurrentHashMap<>();
    private final List<ReplyRecord> replies = new java.util.concurrent.CopyOnWriteArrayList<>();
    private KafkaProducer<byte[], byte[]> producer;
    private Thread tail;
    private volatile boolean closed;

    ConnectionRing(Path directory) {
        try {
            keyFile = directory.resolve("keys");
            CredentialKeys.writeNew(keyFile, new SecureRandom());
            database = TestPostgres.start();
            database.createDatabase("syncline");
            broker = EmbeddedBroker.start(directory.resolve("kafka"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    EmbeddedBroker broker() {
        return broker;
    }

    EmbeddedDatabase database() {
        return database;
    }

    CredentialKeys keys() {
        return CredentialKeys.read(keyFile);
    }

    String bootstrapServers() {
        return broker.bootstrapServers();
    }

    List<String> arguments(String name, String... settings) {
        List<String> arguments = new ArrayList<>(List.of("--spring.kafka.bootstrap-servers=" + bootstrapServers(),
                "--spring.datasource.url=" + database.url("syncline"),
                "--spring.datasource.username=" + database.username(),
                "--spring.datasource.password=" + database.password(), "--syncline.credentials.key-file=" + keyFile,
                "--syncline.capture.enabled=false", "--syncline.worker.name=" + name,
                // The members of the group hear of each other by it; their sessions outlast a machine that stands still.
                "--syncline.worker.heartbeat-interval=500ms"));
        arguments.addAll(List.of(settings));
        return arguments;
    }

    ConfigurableApplicationContext startWorker(String name, String... settings) {
        ConfigurableApplicationContext worker = WorkerApplication.application()
                .run(arguments(name, settings).toArray(String[]::new));
        workers.add(worker);
        return worker;
    }

    static Map<Integer, PartitionStatus> partitions(ConfigurableApplicationContext worker) {
        return worker.getBean(ConnectionRoom.class).partitions();
    }

    static long owned(ConfigurableApplicationContext worker) {
        return partitions(worker).values()
                .stream()
                .filter(status -> status.kind() == PartitionStatus.Kind.OWNED)
                .count();
    }

    static void awaitOwned(ConfigurableApplicationContext worker, int partitions) {
        Awaitility.await("partitions owned")
                .atMost(PATIENCE)
                .untilAsserted(() -> org.assertj.core.api.Assertions.assertThat(owned(worker)).isEqualTo(partitions));
    }

    /** Listens to replies from now on; the topics must be there. */
    void connect() {
        producer = new KafkaProducer<>(
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers(), ProducerConfig.LINGER_MS_CONFIG, 0),
                new ByteArraySerializer(), new ByteArraySerializer());
        CompletableFuture<Void> listening = new CompletableFuture<>();
        tail = Thread.ofPlatform().daemon().name("replies").start(() -> listen(listening));
        listening.join();
    }

    private void listen(CompletableFuture<Void> listening) {
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers()), new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(Topics.REPLIES)
                    .stream()
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToEnd(partitions);
            partitions.forEach(consumer::position);
            listening.complete(null);
            while (!closed) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    ReplyRecord reply = ReplyRecord.read(record.value());
                    replies.add(reply);
                    CompletableFuture<ReplyRecord> future = waiting.get(reply.requestId());
                    if (future != null) {
                        future.complete(reply);
                    }
                }
            }
        } catch (RuntimeException e) {
            listening.completeExceptionally(e);
        }
    }

    List<ReplyRecord> replies() {
        return replies;
    }

    CompletableFuture<ReplyRecord> submit(Request request) {
        return submit(new RequestRecord(UUID.randomUUID(), Instant.now().plus(PATIENCE), request));
    }

    CompletableFuture<ReplyRecord> submit(RequestRecord record) {
        // A new one for what is sent twice: the second reply is waited for, too.
        CompletableFuture<ReplyRecord> reply = new CompletableFuture<>();
        waiting.put(record.requestId(), reply);
        send(record, reply);
        return reply;
    }

    /** A reply may be lost, for which a gateway makes up by looking; whoever asks again is told the same again. */
    private void send(RequestRecord record, CompletableFuture<ReplyRecord> reply) {
        produce(record.request().key(), record.toJson());
        CompletableFuture.delayedExecutor(10, TimeUnit.SECONDS).execute(() -> {
            if (!reply.isDone() && !closed) {
                send(record, reply);
            }
        });
    }

    void produce(String key, byte[] value) {
        producer.send(new ProducerRecord<>(Topics.REQUESTS, key.getBytes(StandardCharsets.UTF_8), value));
    }

    Outcome ask(Request request) {
        return answer(submit(request));
    }

    static Outcome answer(CompletableFuture<ReplyRecord> reply) {
        return reply.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join().outcome();
    }

    void enable(IncomingMode mode) {
        ask(new SettingsChangeRequested(true, mode, false, null, "test"));
    }

    static SiteRequest.RegistrationRequested registration(String site) {
        return new SiteRequest.RegistrationRequested(SiteUrl.asSent(site), UUID.randomUUID(), "n",
                new CredentialFingerprint(hex(site)), new SealedSecret("k", new byte[]{1, 2, 3}), null, "192.0.2.1",
                "PhoenixKit-Sync/1.0");
    }

    static String hex(String text) {
        return "%064x".formatted(new java.math.BigInteger(1, text.getBytes(StandardCharsets.UTF_8)))
                .substring(0, 64)
                .toLowerCase(java.util.Locale.ROOT);
    }

    void execute(String sql) {
        try (Connection connection = database.connect("syncline");
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    List<String> column(String sql) {
        try (Connection connection = database.connect("syncline");
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            List<String> values = new ArrayList<>();
            while (rows.next()) {
                values.add(rows.getString(1));
            }
            return values;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        closed = true;
        workers.reversed().forEach(ConfigurableApplicationContext::close);
        if (producer != null) {
            producer.close(Duration.ZERO);
        }
        broker.close();
        database.close();
    }
}
