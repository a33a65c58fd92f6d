package io.syncline.worker.connection;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Makes the connection room's Kafka clients: the settings that the promises rest on stand here and nowhere else. */
final class KafkaClients {

    static final String GROUP = "syncline.connection";
    /** The most records of one poll, and so of one transaction. */
    static final int BATCH = 500;
    /** Longer than any statement and commit of the loop may take. */
    private static final Duration LONGEST_BATCH = Duration.ofSeconds(60);
    /** After which a producer says of a record that it could not be sent. */
    static final Duration EVENT_DELIVERY = Duration.ofSeconds(30);
    static final Duration REPLY_DELIVERY = Duration.ofSeconds(5);
    static final Duration ASKED_DELIVERY = Duration.ofSeconds(10);
    /** So long beyond that, a producer that has said nothing never will: its thread has ended. */
    static final Duration DELIVERY_MARGIN = Duration.ofSeconds(10);

    private final Map<String, Object> common;
    private final String worker;
    private final Duration sessionTimeout;
    private final Duration heartbeatInterval;
    private final AtomicInteger made = new AtomicInteger();

    /**
     * @param common servers and security
     * @param worker this worker's name, which its clients carry
     */
    KafkaClients(Map<String, Object> common, String worker, Duration sessionTimeout, Duration heartbeatInterval) {
        this.common = Map.copyOf(common);
        this.worker = worker;
        this.sessionTimeout = sessionTimeout;
        this.heartbeatInterval = heartbeatInterval;
    }

    /** For readers of the log. */
    Map<String, Object> named(String purpose) {
        Map<String, Object> settings = new HashMap<>(common);
        settings.put(CommonClientConfigs.CLIENT_ID_CONFIG, worker + "-" + purpose + "-" + made.getAndIncrement());
        return settings;
    }

    Consumer<byte[], byte[]> requests() {
        Map<String, Object> settings = named("requests");
        settings.put(ConsumerConfig.GROUP_ID_CONFIG, GROUP);
        // A worker that comes or goes moves only the partitions that have to move: each move costs a takeover.
        settings.put(ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG, CooperativeStickyAssignor.class.getName());
        settings.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, (int) sessionTimeout.toMillis());
        settings.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, (int) heartbeatInterval.toMillis());
        settings.put(ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG, (int) LONGEST_BATCH.toMillis());
        settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, BATCH);
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ConsumerConfig.FETCH_MIN_BYTES_CONFIG, 1);
        // A partition that is resumed joins the next fetch: the one under way must not wait long for nothing.
        settings.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 100);
        settings.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, 10_000);
        settings.put(ConsumerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1_000);
        return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** For events and fences: nothing is acknowledged that can be lost, and nothing overtakes. */
    Producer<byte[], byte[]> events(int maxRecordBytes) {
        Map<String, Object> settings = named("events");
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        settings.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 1);
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        settings.put(ProducerConfig.BATCH_SIZE_CONFIG, Math.min(256 * 1024, maxRecordBytes));
        settings.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, maxRecordBytes);
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 5_000);
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 10_000);
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) EVENT_DELIVERY.toMillis());
        settings.put(ProducerConfig.RETRY_BACKOFF_MS_CONFIG, 20);
        settings.put(ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1_000);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** For requests of the worker's own, which are asked again if they are lost. */
    Producer<byte[], byte[]> askers() {
        Map<String, Object> settings = named("askers");
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        settings.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 2 * 1024 * 1024L);
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 2_000);
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 5_000);
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) ASKED_DELIVERY.toMillis());
        settings.put(ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1_000);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** For replies, which may be lost: a gateway that gets none looks the outcome up. */
    Producer<byte[], byte[]> replies() {
        Map<String, Object> settings = named("replies");
        settings.put(ProducerConfig.ACKS_CONFIG, "1");
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, false);
        // The rest of a batch's replies go together, behind the first: each request costs the broker, and every gateway a fetch.
        settings.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 1);
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        settings.put(ProducerConfig.BATCH_SIZE_CONFIG, 64 * 1024);
        settings.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 8 * 1024 * 1024L);
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 500);
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 3_000);
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) REPLY_DELIVERY.toMillis());
        settings.put(ProducerConfig.RETRY_BACKOFF_MS_CONFIG, 20);
        settings.put(ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1_000);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }
}
