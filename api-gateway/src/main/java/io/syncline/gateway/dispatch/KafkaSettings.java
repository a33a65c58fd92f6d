package io.syncline.gateway.dispatch;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Settings of the gateway's Kafka clients. The operator's own (addresses, security) come first; those on which a promise
 * rests are ours.
 */
public final class KafkaSettings {

    private final Map<String, Object> producer;
    private final Map<String, Object> consumer;
    private final Map<String, Object> admin;
    private final Duration replyTimeout;
    /** Two gateways in one JVM must not share a client id: their metrics would collide. */
    private final String instance = UUID.randomUUID().toString().substring(0, 8);

    /** Takes what {@code spring.kafka.*} says for each kind of client. */
    public KafkaSettings(Map<String, Object> producer, Map<String, Object> consumer, Map<String, Object> admin,
            Duration replyTimeout) {
        this.producer = producer;
        this.consumer = consumer;
        this.admin = admin;
        this.replyTimeout = replyTimeout;
    }

    Map<String, Object> producer() {
        Map<String, Object> settings = common(producer, "requests");
        settings.remove(ProducerConfig.TRANSACTIONAL_ID_CONFIG);
        settings.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        settings.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        // What comes while one is on its way goes together with the next: no wait for whoever is alone, and under load the
        // broker handles a fraction of the requests, which cost it more than their records.
        settings.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 1);
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        // Given up well before the caller is: a request that the broker takes later would be refused for its deadline.
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, share(2, 5));
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, Math.toIntExact(deliveryTimeout().toMillis()));
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, share(1, 5));
        settings.put(ProducerConfig.RETRY_BACKOFF_MS_CONFIG, 50);
        return settings;
    }

    /** After so long the producer says of a record that it could not be sent. */
    Duration deliveryTimeout() {
        return Duration.ofMillis(share(4, 5));
    }

    Map<String, Object> consumer(String role) {
        Map<String, Object> settings = common(consumer, role);
        settings.remove(ConsumerConfig.GROUP_ID_CONFIG);
        settings.remove(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG);
        settings.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        settings.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest");
        // A record whose checksum is wrong must not keep what lies behind it from being read: hash and MAC prove events.
        settings.put(ConsumerConfig.CHECK_CRCS_CONFIG, false);
        settings.put(ConsumerConfig.FETCH_MIN_BYTES_CONFIG, 1);
        settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 5_000);
        settings.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, 5_000);
        settings.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, 5_000);
        return settings;
    }

    Map<String, Object> admin(String role) {
        Map<String, Object> settings = common(admin, role);
        settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, 3_000);
        settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, 3_000);
        return settings;
    }

    private Map<String, Object> common(Map<String, Object> given, String role) {
        Map<String, Object> settings = new HashMap<>(given);
        settings.put(CommonClientConfigs.CLIENT_ID_CONFIG, "syncline-gateway-" + role + "-" + instance);
        settings.put(CommonClientConfigs.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1_000);
        settings.putIfAbsent(CommonClientConfigs.SOCKET_CONNECTION_SETUP_TIMEOUT_MS_CONFIG, 2_000);
        return settings;
    }

    private int share(int numerator, int denominator) {
        return Math.toIntExact(Math.max(1, replyTimeout.toMillis() * numerator / denominator));
    }
}
