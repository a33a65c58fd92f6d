package io.syncline.gateway.state;

import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How far each partition of the event log is known to reach, and when its end was read last. Replies, the database's own
 * {@code log_sequence} and the log itself say so; each of them only what Kafka has acknowledged.
 *
 * <p>Time is counted in <em>sights</em>: each database server that this gateway meets for the first time is one. A server
 * may be answered from in a partition whose end was read after its sight, for only then is it known what it must have.
 */
public final class HighWater {

    private static final String NOT_YET = "it has not been read yet";

    private final int partitions;
    private final AtomicLongArray published;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Condition wanted = lock.newCondition();
    /** Counted before a waiter looks, so that {@link #seen} takes the lock only where it is needed. */
    private final AtomicInteger waiting = new AtomicInteger();
    /** The sights that there were when the reading of the end began, -1 before the first reading. */
    private final long[] readAt;
    private final String[] whyUnread;
    private final boolean[] asked;
    private long sights;

    /** @param partitions of the event log */
    public HighWater(int partitions) {
        this.partitions = partitions;
        this.published = new AtomicLongArray(partitions);
        this.readAt = new long[partitions];
        this.whyUnread = new String[partitions];
        this.asked = new boolean[partitions];
        Arrays.fill(readAt, -1);
        Arrays.fill(whyUnread, NOT_YET);
    }

    /**
     * What was known at one moment.
     *
     * @param published by partition, the last event that the log is known to have
     * @param readAt    by partition, the sights when the last reading of its end began
     */
    record Mark(long[] published, long[] readAt) {}

    public int partitions() {
        return partitions;
    }

    /** The log has the partition's events up to this one. */
    public void seen(int partition, long sequence) {
        if (partition < 0 || partition >= partitions || published.get(partition) >= sequence) {
            return;
        }
        published.accumulateAndGet(partition, sequence, Math::max);
        if (waiting.get() > 0) {
            signal();
        }
    }

    /** The last event of the partition that is known to be in the log. */
    public long published(int partition) {
        return published.get(partition);
    }

    /** How many servers have been met; asked for before the ends are read. */
    public long sights() {
        lock.lock();
        try {
            return sights;
        } finally {
            lock.unlock();
        }
    }

    /** A server is met for the first time: the ends have to be read again. */
    long sight() {
        lock.lock();
        try {
            sights++;
            wanted.signalAll();
            return sights;
        } finally {
            lock.unlock();
        }
    }

    /**
     * The partition's end was read, and {@link #seen} has been told of it.
     *
     * @param began what {@link #sights} said before the reading
     */
    public void endRead(int partition, long began) {
        lock.lock();
        try {
            readAt[partition] = Math.max(readAt[partition], began);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The partition's end could not be read; it is tried again. */
    public void endUnread(int partition, String why) {
        lock.lock();
        try {
            whyUnread[partition] = why;
        } finally {
            lock.unlock();
        }
    }

    String whyUnread(int partition) {
        lock.lock();
        try {
            return whyUnread[partition];
        } finally {
            lock.unlock();
        }
    }

    /** Has the partition's end read, soon: the database has more than the log is known to have. */
    public void ask(int partition) {
        lock.lock();
        try {
            asked[partition] = true;
            wanted.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until some partitions' ends have to be read, and says which; none if the time is over before. */
    public Set<Integer> awaitWanted(Duration longest) throws InterruptedException {
        long nanos = longest.toNanos();
        lock.lock();
        try {
            while (true) {
                Set<Integer> which = new TreeSet<>();
                for (int partition = 0; partition < partitions; partition++) {
                    if (asked[partition] || readAt[partition] < sights) {
                        which.add(partition);
                        asked[partition] = false;
                    }
                }
                if (!which.isEmpty() || nanos <= 0) {
                    return which;
                }
                nanos = wanted.awaitNanos(nanos);
            }
        } finally {
            lock.unlock();
        }
    }

    Mark mark() {
        lock.lock();
        try {
            long[] now = new long[partitions];
            Arrays.setAll(now, published::get);
            return new Mark(now, readAt.clone());
        } finally {
            lock.unlock();
        }
    }

    /** Waits until the log is known to have this event; false where it is not after so long. */
    public boolean awaitPublished(int partition, long sequence, Duration longest) throws InterruptedException {
        long nanos = longest.toNanos();
        lock.lock();
        waiting.incrementAndGet();
        try {
            while (published.get(partition) < sequence) {
                if (nanos <= 0) {
                    return false;
                }
                nanos = changed.awaitNanos(nanos);
            }
            return true;
        } finally {
            waiting.decrementAndGet();
            lock.unlock();
        }
    }

    /** Waits until an end has been read, or for so long. */
    void awaitChange(Duration longest) throws InterruptedException {
        lock.lock();
        try {
            var unused = changed.awaitNanos(longest.toNanos());
        } finally {
            lock.unlock();
        }
    }

    private void signal() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
