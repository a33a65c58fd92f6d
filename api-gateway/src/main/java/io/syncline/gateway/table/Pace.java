package io.syncline.gateway.table;

import java.time.Duration;

/**
 * Whether a receiver takes as much as it has to in the time that it keeps us waiting. What the database needs is not its
 * fault, and what it took quickly in one window is no credit for the next.
 */
final class Pace {

    private final long leastBytesPerSecond;
    private final long windowNanos;
    private long bytes;
    private long nanos;

    /** @param window over how much waiting it is averaged */
    Pace(long leastBytesPerSecond, Duration window) {
        this.leastBytesPerSecond = leastBytesPerSecond;
        this.windowNanos = window.toNanos();
    }

    /** Whether, with this write, the receiver is found to be too slow. */
    boolean tooSlow(long written, long took) {
        bytes += written;
        nanos += took;
        if (nanos < windowNanos) {
            return false;
        }
        boolean slow = bytes < leastBytesPerSecond * (nanos / 1e9);
        bytes = 0;
        nanos = 0;
        return slow;
    }
}
