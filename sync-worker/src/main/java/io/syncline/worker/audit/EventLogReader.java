package io.syncline.worker.audit;

import io.syncline.model.log.LogRecord;
import io.syncline.model.log.Topics;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads records of the events topic by their offsets, without a consumer group. Not for several threads at once. */
public final class EventLogReader implements AutoCloseable {

    /** A header that no writer of ours has: with it, the hash is not the record's, and the record is foreign. */
    private static final String REPEATED = "ce_!repeated";
    private static final Duration POLL = Duration.ofMillis(500);

    private final Consumer<byte[], byte[]> consumer;
    private final Duration patience;

    /**
     * @param kafka    client settings: servers, security
     * @param patience how long the broker may say nothing
     */
    public EventLogReader(Map<String, Object> kafka, Duration patience) {
        Map<String, Object> settings = new TreeMap<>(kafka);
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        // What lies before the log's beginning or behind its end is a fault to be told, not a place to start from.
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_uncommitted");
        settings.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) patience.toMillis());
        this.consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        this.patience = patience;
    }

    /** Takes a record and its offset. */
    @FunctionalInterface
    public interface Each {

        void record(long offset, LogRecord record);
    }

    public int partitions() {
        return consumer.partitionsFor(Topics.EVENTS).size();
    }

    /**
     * What there is of a partition.
     *
     * @param beginning offset of the first record that is still there
     * @param end       offset behind the last
     */
    public record Extent(long beginning, long end) {}

    /** What there is now of a partition of the log, or of another topic. */
    public Extent extent(String topic, int partition) {
        TopicPartition asked = new TopicPartition(topic, partition);
        // Not needed for the answer, but the client warns of each answer about what is not assigned.
        consumer.assign(List.of(asked));
        long beginning = only(consumer.beginningOffsets(List.of(asked)));
        return new Extent(beginning, Math.max(beginning, only(consumer.endOffsets(List.of(asked)))));
    }

    private static long only(Map<TopicPartition, Long> offsets) {
        return offsets.values().iterator().next();
    }

    /** Reads from one offset up to another one, that one excluded. */
    public void read(int partition, long from, long to, Each each) {
        TopicPartition topicPartition = new TopicPartition(Topics.EVENTS, partition);
        consumer.assign(List.of(topicPartition));
        consumer.seek(topicPartition, from);
        long heard = System.nanoTime();
        while (consumer.position(topicPartition) < to) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                heard = System.nanoTime();
                if (record.offset() < to) {
                    each.record(record.offset(), logRecord(record));
                }
            }
            if (System.nanoTime() - heard > patience.toNanos()) {
                throw new TimeoutException("the broker gave nothing of " + topicPartition + " behind offset "
                        + consumer.position(topicPartition) + " for " + patience.toSeconds() + " s");
            }
        }
    }

    static LogRecord logRecord(ConsumerRecord<byte[], byte[]> record) {
        SortedMap<String, byte[]> headers = new TreeMap<>();
        for (Header header : record.headers()) {
            // Of two headers with one name, one reader takes the first and another the last.
            if (headers.put(header.key(), header.value()) != null) {
                headers.put(REPEATED, new byte[0]);
            }
        }
        return new LogRecord(record.key(), record.value(), record.timestamp(), headers);
    }

    @Override
    public void close() {
        consumer.close(org.apache.kafka.clients.consumer.CloseOptions.timeout(Duration.ZERO));
    }
}
