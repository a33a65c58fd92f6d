package io.syncline.gateway.state;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An estimate of the state database's time, which deadlines are in. It only has to be good enough: before a gateway says
 * that a deadline has passed, it asks the database itself.
 */
public final class DatabaseClock {

    /**
     * What the deciders of a partition take for now.
     *
     * @param server which run of which server says so
     */
    public record Reading(Instant time, String server) {}

    private record Sample(Instant database, String server, Map<Integer, Instant> heads, long nanoTime) {}

    private final LongSupplier nanoTime;
    private volatile @Nullable Sample sample;

    public DatabaseClock(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /**
     * The database said its time somewhere between these two readings of our own clock.
     *
     * @param heads the time of each partition's last event, which its deciders never go back behind
     */
    public void measured(Instant database, String server, Map<Integer, Instant> heads, long asked, long answered) {
        sample = new Sample(database, server, Map.copyOf(heads), asked + (answered - asked) / 2);
    }

    /** The time now in a partition, or empty if the database has never been reached. */
    public Optional<Reading> now(int partition) {
        Sample last = sample;
        if (last == null) {
            return Optional.empty();
        }
        Instant clock = last.database().plusNanos(nanoTime.getAsLong() - last.nanoTime());
        // Ahead of the clock where that was once ahead of the truth: what is due before it would be late already.
        Instant head = last.heads().getOrDefault(partition, clock);
        return Optional.of(new Reading(head.isAfter(clock) ? head : clock, last.server()));
    }
}
