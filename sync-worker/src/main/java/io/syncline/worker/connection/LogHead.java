package io.syncline.worker.connection;

import io.syncline.model.log.ChainReader;
import java.time.Instant;
import java.util.Arrays;

/**
 * Where a partition stands in the database.
 *
 * @param fence             epoch of the owner: the offset of its fence in the events topic
 * @param sequence          of the last event, 0 before the first
 * @param hash              of that event
 * @param nextRequestOffset the first request that is not decided
 * @param time              of the last decision; event times never run backwards
 * @param published         how far the log is known to hold what the database has
 */
record LogHead(
        int partition,
        long fence,
        long sequence,
        byte[] hash,
        long nextRequestOffset,
        Instant time,
        Published published) {

    /**
     * @param offset of the events topic: the log is read on from here
     * @param head   where a {@link ChainReader} stands that has read all before it
     */
    record Published(long offset, ChainReader.Head head) {

        static final Published NOTHING = new Published(0, ChainReader.Head.start());
    }

    /** Before a partition's first owner. */
    static LogHead start(int partition) {
        ChainReader.Head head = ChainReader.Head.start();
        return new LogHead(partition, head.fence(), head.sequence(), head.hash(), 0, Instant.EPOCH, Published.NOTHING);
    }

    /** Whether nobody has written the partition since this head was read or written. */
    boolean isStill(LogHead found) {
        return fence == found.fence && sequence == found.sequence && Arrays.equals(hash, found.hash);
    }

    ChainReader.Head chain() {
        return new ChainReader.Head(fence, sequence, hash);
    }

    LogHead publishedUpTo(Published known) {
        return new LogHead(partition, fence, sequence, hash, nextRequestOffset, time, known);
    }

    LogHead withNextRequest(long offset) {
        return new LogHead(partition, fence, sequence, hash, offset, time, published);
    }

    @Override
    public String toString() {
        return "partition " + partition + " at event " + sequence + " under fence " + fence + ", next request "
                + nextRequestOffset;
    }
}
