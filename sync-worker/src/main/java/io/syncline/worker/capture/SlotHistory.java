package io.syncline.worker.capture;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How reading from the slot has failed so far: turns in a row whose slot began at the same place and could not be decoded behind it.
 *
 * @param startLsn    where the slot stood when they began
 * @param failures    how many; 0 for none
 * @param abandonedAt when a slot was abandoned for such a failure the last time; null if never
 */
record SlotHistory(long startLsn, int failures, @Nullable Instant abandonedAt) {

    static final SlotHistory NONE = new SlotHistory(0, 0, null);

    /** One may be an accident. */
    private static final int ENOUGH = 2;

    /** Everything is read anew then: a source that makes such changes again and again is not read over and over. */
    private static final Duration SHORTEST_BETWEEN = Duration.ofHours(1);

    /** What is to be done about a slot. */
    sealed interface Verdict {

        /** It may get past the place, or has never failed there. */
        record Retry() implements Verdict {}

        /** It never gets past the place: another one is made, and everything is captured into new generations. */
        record Abandon() implements Verdict {}

        /** It never gets past the place, and the last one has been abandoned too short a time ago. */
        record Stop(Instant until) implements Verdict {}
    }

    /** With one more failure. */
    SlotHistory failed(long start) {
        return new SlotHistory(start, start == startLsn ? failures + 1 : 1, abandonedAt);
    }

    Verdict verdict(long start, Instant now) {
        if (start != startLsn || failures < ENOUGH) {
            return new Verdict.Retry();
        }
        // Of two servers' clocks, maybe: a time ahead of now must not stop capture for longer than one that is past.
        Instant before = abandonedAt;
        return before != null && Duration.between(before, now).abs().compareTo(SHORTEST_BETWEEN) < 0
                ? new Verdict.Stop(before.plus(SHORTEST_BETWEEN))
                : new Verdict.Abandon();
    }
}
