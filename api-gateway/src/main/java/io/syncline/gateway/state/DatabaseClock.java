package io.syncline.gateway.state;

import java.time.Instant;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An estimate of the state database's time, which deadlines are in. It only has to be good enough: before a gateway says
 * that a deadline has passed, it asks the database itself.
 */
public final class DatabaseClock {

    private record Sample(Instant database, long nanoTime) {}

    private final LongSupplier nanoTime;
    private volatile @Nullable Sample sample;

    public DatabaseClock(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** The database said its time somewhere between these two readings of our own clock. */
    void measured(Instant database, long asked, long answered) {
        sample = new Sample(database, asked + (answered - asked) / 2);
    }

    /** The database's time now, or empty if it has never been reached. */
    public Optional<Instant> now() {
        Sample last = sample;
        return last == null ? Optional.empty()
                : Optional.of(last.database().plusNanos(nanoTime.getAsLong() - last.nanoTime()));
    }
}
