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
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.RecordDeserializationException;
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

    /** How many there are; 0 where the topic is not there. */
    public int partitions() {
        return partitions(patience);
    }

    /** @param longest the broker may say nothing; then {@link TimeoutException} */
    public int partitions(Duration longest) {
        return consumer.partitionsFor(Topics.EVENTS, longest).size();
    }

    /** A partition of the log. */
    public PartitionRecords partition(int partition) {
        return new PartitionRecords() {

            @Override
            public int partition() {
                return partition;
            }

            @Override
            public long beginning() {
                return extent(Topics.EVENTS, partition).beginning();
            }

            @Override
            public long end() {
                return extent(Topics.EVENTS, partition).end();
            }

            @Override
            public void read(long from, long to, Each each) {
                EventLogReader.this.read(partition, from, to, each);
            }
        };
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
        for (long position = from; position < to; position = consumer.position(topicPartition)) {
            for (ConsumerRecord<byte[], byte[]> record : poll(topicPartition, position, each)) {
                heard = System.nanoTime();
                if (record.offset() < to) {
                    each.record(record.offset(), logRecord(record));
                }
            }
            if (consumer.position(topicPartition) > position) {
                // Transaction markers, too, are heard of, though nobody is given them.
                heard = System.nanoTime();
            }
            if (System.nanoTime() - heard > patience.toNanos()) {
                throw new TimeoutException("the broker gave nothing of " + topicPartition + " behind offset "
                        + consumer.position(topicPartition) + " for " + patience.toSeconds() + " s");
            }
        }
    }

    /**
     * One record that cannot be decoded (its checksum does not fit, or it is too large for our memory once it is
     * decompressed) must not keep what lies behind it from being read.
     */
    private Iterable<ConsumerRecord<byte[], byte[]>> poll(TopicPartition partition, long position, Each each) {
        try {
            return consumer.poll(POLL);
        } catch (OutOfMemoryError | KafkaException e) {
            if (!undecodable(e)) {
                throw e;
            }
            long at = Math.max(position, consumer.position(partition));
            each.record(at, LogRecord.unreadable(e instanceof OutOfMemoryError
                    ? "it does not fit into this process's memory (" + e.getMessage() + ")"
                    : String.valueOf(e.getMessage())));
            consumer.seek(partition, at + 1);
            return List.of();
        }
    }

    /** The client throws a plain KafkaException for a batch or record of which a checksum or a length is wrong. */
    private static boolean undecodable(Throwable e) {
        return e instanceof OutOfMemoryError || e instanceof CorruptRecordException
                || e instanceof RecordDeserializationException
                || e.getClass() == KafkaException.class && e.getMessage() != null
                        && (e.getMessage().contains("is invalid, cause:")
                                || e.getMessage().contains("Received exception when fetching the next record")
                                || e.getMessage().startsWith("Encountered corrupt message"));
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
