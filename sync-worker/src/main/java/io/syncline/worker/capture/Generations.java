package io.syncline.worker.capture;

import io.syncline.worker.marks.StateMarks;
import java.util.Map;

/**
 * The generations of one session. Their numbers are made of the session's epoch and a count in memory, never of what the state
 * database says: that may have been restored, and a number that comes twice stands for two snapshots.
 */
final class Generations {

    /** How many numbers an epoch has. */
    static final long PER_EPOCH = 1_000_000;

    private final long epoch;
    private final long trustedFrom;
    private final CaptureStore store;
    private final StateMarks marks;
    private long given;

    /** @param trustedFrom no generation of an older epoch than this one may be gone on with */
    Generations(long epoch, long trustedFrom, CaptureStore store, StateMarks marks) {
        this.epoch = epoch;
        this.trustedFrom = trustedFrom;
        this.store = store;
        this.marks = marks;
    }

    long epoch() {
        return epoch;
    }

    /** The number of the next one, of whatever table. */
    synchronized long next() {
        if (given == PER_EPOCH - 1) {
            throw new IllegalStateException("epoch " + epoch + " has begun " + given
                    + " generations, which is all that it has numbers for; a new epoch goes on");
        }
        return epoch * PER_EPOCH + ++given;
    }

    long trustedFrom() {
        return trustedFrom;
    }

    /** Whether a generation is of an epoch that is trusted. */
    boolean trusts(long generation) {
        return generation >= trustedFrom * PER_EPOCH;
    }

    /** Generations, by their tables' topics, that the state database has: acknowledged before anything is sent of them. */
    void begun(Map<String, Long> generations) {
        marks.generations(generations);
    }

    /** What there is of a table, up to a generation, is not gone on with, whatever becomes of the state database. */
    void giveUp(CapturedTable table, long generation) throws SupersededException {
        // In this order: that the state database lacks what the marks have is how a restored one is known.
        store.giveUp(epoch, table.name(), generation);
        marks.givenUp(table.topic(), generation);
    }
}
