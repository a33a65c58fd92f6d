package io.syncline.gateway.dispatch;

import io.syncline.gateway.state.HighWater;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.Fence;
import io.syncline.model.log.LogRecord;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.MalformedRecordException;
import io.syncline.model.log.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.Header;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the last records of each partition of the event log, at start: what a gateway that has seen no reply yet must find in
 * the database it answers from, and whether the cluster's keys are ours.
 */
final class LogEnds {

    private static final Logger log = LoggerFactory.getLogger(LogEnds.class);
    private static final Duration LONGEST = Duration.ofSeconds(5);
    private static final int FIRST_LOOK = 16;
    /** How many records that nobody of ours wrote are looked behind: more are a matter for verify-log. */
    private static final int LAST_LOOK = 4_096;

    private final KafkaSettings settings;
    private final CredentialKeys keys;
    private final HighWater highWater;

    LogEnds(KafkaSettings settings, CredentialKeys keys, HighWater highWater) {
        this.settings = settings;
        this.keys = keys;
        this.highWater = highWater;
    }

    /** Whose keys the log's ends were written with. */
    enum Written {
        /** With ours. */
        BY_US,
        /** Nothing has been written yet, so that it is not known. */
        NOT_YET,
        /** There are records, and none that our keys verify. */
        BY_OTHERS
    }

    /** Throws what the client throws where the broker does not answer. */
    Written read(int partitions) {
        List<TopicPartition> notOurs = new ArrayList<>();
        boolean ours = false;
        try (Consumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings.consumer("ends"))) {
            List<TopicPartition> events = IntStream.range(0, partitions)
                    .mapToObj(partition -> new TopicPartition(Topics.EVENTS, partition))
                    .toList();
            consumer.assign(events);
            Map<TopicPartition, Long> first = consumer.beginningOffsets(events);
            Map<TopicPartition, Long> end = consumer.endOffsets(events);
            for (TopicPartition partition : events) {
                consumer.pause(consumer.assignment());
                consumer.resume(List.of(partition));
                long from = first.getOrDefault(partition, 0L);
                long to = end.getOrDefault(partition, 0L);
                if (from < to) {
                    if (readEnd(consumer, partition, from, to)) {
                        ours = true;
                    } else {
                        notOurs.add(partition);
                    }
                }
            }
        }
        if (!ours && !notOurs.isEmpty()) {
            return Written.BY_OTHERS;
        }
        // The keys are right, so it is the partition that is not: its workers stop there, and the others' go on.
        notOurs.forEach(partition -> log.warn("{}: none of the last records was written by a worker of this cluster;"
                + " see which with: java -jar sync-worker.jar verify-log", partition));
        highWater.logRead();
        return ours ? Written.BY_US : Written.NOT_YET;
    }

    /** Whether anything there was written with our keys. */
    private boolean readEnd(Consumer<byte[], byte[]> consumer, TopicPartition partition, long first, long end) {
        for (int back = FIRST_LOOK; back <= LAST_LOOK; back *= 4) {
            long from = Math.max(first, end - back);
            OptionalLong highest = highestBetween(consumer, partition, from, end);
            if (highest.isPresent()) {
                highWater.seen(partition.partition(), highest.getAsLong());
                return true;
            }
            if (from == first) {
                break;
            }
        }
        return false;
    }

    private OptionalLong highestBetween(Consumer<byte[], byte[]> consumer, TopicPartition partition, long from,
            long end) {
        long deadline = System.nanoTime() + LONGEST.toNanos();
        Highest highest = new Highest();
        consumer.seek(partition, from);
        while (consumer.position(partition) < end) {
            if (System.nanoTime() - deadline > 0) {
                throw new TimeoutException(
                        "the end of " + partition + " could not be read in " + LONGEST.toSeconds() + " s");
            }
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200)).records(partition)) {
                take(record, highest);
            }
        }
        return highest.sequence;
    }

    private static final class Highest {
        private OptionalLong sequence = OptionalLong.empty();
        private long fence = -1;

        void raise(long one) {
            sequence = OptionalLong.of(Math.max(one, sequence.orElse(one)));
        }
    }

    /** An event behind a fence that is newer than its own is void: its worker had lost the partition. */
    private void take(ConsumerRecord<byte[], byte[]> record, Highest highest) {
        TreeMap<String, byte[]> headers = new TreeMap<>();
        for (Header header : record.headers()) {
            headers.put(header.key(), header.value());
        }
        LogRecord read = new LogRecord(record.key(), record.value(), record.timestamp(), headers);
        try {
            if (Fence.isFence(read)) {
                highest.raise(Fence.read(record.partition(), read, keys).headSequence());
                highest.fence = record.offset();
            } else {
                LoggedEvent event = LoggedEvent.read(record.partition(), read, keys);
                if (event.fence() >= highest.fence) {
                    highest.raise(event.sequence());
                }
            }
        } catch (MalformedRecordException e) {
            log.debug("{} is not of this cluster: {}", record.offset(), e.why());
        }
    }
}
