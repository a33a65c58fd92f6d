package io.syncline.worker.replica;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;

/**
 * How much is read at once while memory is short: less each time that it runs out, in the end one record of one partition, so that
 * it is known at which one it ran out. Twice at the same one, and that does not fit; once may be for others' sake. For one thread.
 */
final class MemoryShortage {

    /** Of one poll, of which Kafka bounds the bytes only as they are when compressed: a hundredth of what they may become. */
    static final int MOST = 500;
    private static final long LASTS_NANOS = TimeUnit.MINUTES.toNanos(10);

    private final Map<TopicPartition, Long> suspects = new HashMap<>();
    private int records = MOST;
    private long since;

    /** The most records that are polled at once. */
    int records() {
        return records;
    }

    boolean isThere() {
        return records < MOST;
    }

    /** Whether only one partition is read at a time. */
    boolean isOneByOne() {
        return records == 1;
    }

    /** Memory has run out. */
    void struck(long now) {
        records = Math.max(1, records / 10);
        since = now;
    }

    /**
     * Memory has run out at the first record from an offset on, with nothing beside it.
     *
     * @return whether it is not for the first time
     */
    boolean isProvenAt(TopicPartition partition, long offset) {
        Long before = suspects.put(partition, offset);
        if (before == null || before != offset) {
            return false;
        }
        suspects.remove(partition);
        return true;
    }

    /** Whether so much time has passed that as much as usual may be read again. */
    boolean isOver(long now) {
        if (!isThere() || now - since < LASTS_NANOS) {
            return false;
        }
        records = MOST;
        suspects.clear();
        return true;
    }
}
