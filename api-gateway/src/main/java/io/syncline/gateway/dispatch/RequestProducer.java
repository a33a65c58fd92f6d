package io.syncline.gateway.dispatch;

import io.syncline.model.connection.Request;
import io.syncline.model.log.RequestRecord;
import io.syncline.model.log.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Appends requests to their topic. Whether one arrived is not asked: its reply says so, or the deadline rule does. */
final class RequestProducer implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RequestProducer.class);

    private final KafkaSettings settings;
    private final int partitions;
    private volatile @Nullable Producer<byte[], byte[]> producer;
    private boolean closed;

    RequestProducer(KafkaSettings settings, int partitions) {
        this.settings = settings;
        this.partitions = partitions;
    }

    int partitionOf(Request request) {
        return partitionOf(key(request), partitions);
    }

    /** @return whether the broker has it; fails where that is not known */
    CompletableFuture<Void> send(int partition, RequestRecord request) {
        CompletableFuture<Void> acknowledged = new CompletableFuture<>();
        try {
            var unused = producer().send(
                    new ProducerRecord<>(Topics.REQUESTS, partition, key(request.request()), request.toJson()),
                    (metadata, failure) -> {
                        if (failure == null) {
                            acknowledged.complete(null);
                        } else {
                            failed(request.requestId(), failure);
                            acknowledged.completeExceptionally(failure);
                        }
                    });
        } catch (KafkaException | IllegalStateException e) {
            // Even now it may lie in the log: only the look-up past the deadline can tell.
            failed(request.requestId(), e);
            acknowledged.completeExceptionally(e);
        }
        return acknowledged;
    }

    /** Tells all gateways something, once; who misses it hears it the next time. */
    void tell(byte[] key, byte[] value) {
        try {
            var unused = producer().send(new ProducerRecord<>(Topics.REPLIES, 0, key, value));
        } catch (KafkaException | IllegalStateException e) {
            log.debug("the other gateways were not told: {}", e.toString());
        }
    }

    private static byte[] key(Request request) {
        return request.key().getBytes(StandardCharsets.UTF_8);
    }

    /** As Kafka's default partitioner, which everybody else uses who writes to this topic. */
    static int partitionOf(byte[] key, int partitions) {
        return Utils.toPositive(Utils.murmur2(key)) % partitions;
    }

    private static void failed(UUID requestId, Exception failure) {
        log.debug("request {} may not have reached the broker: {}", requestId, failure.toString());
    }

    private Producer<byte[], byte[]> producer() {
        Producer<byte[], byte[]> made = producer;
        return made == null ? make() : made;
    }

    /** Made with the first request: an address that does not resolve (yet) makes the constructor throw. */
    private synchronized Producer<byte[], byte[]> make() {
        Producer<byte[], byte[]> made = producer;
        if (closed) {
            throw new IllegalStateException("the gateway is stopping");
        }
        if (made == null) {
            made = new KafkaProducer<>(settings.producer());
            producer = made;
        }
        return made;
    }

    @Override
    public synchronized void close() {
        closed = true;
        Producer<byte[], byte[]> made = producer;
        if (made != null) {
            made.close(Duration.ofSeconds(2));
        }
    }
}
