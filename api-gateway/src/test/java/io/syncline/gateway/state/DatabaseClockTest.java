package io.syncline.gateway.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DatabaseClockTest {

    private static final Instant T = Instant.parse("2026-11-23T12:00:00Z");

    private static final String SERVER = "2026-11-23 11:00:00+00";

    private long nanoTime = -5;
    private final DatabaseClock clock = new DatabaseClock(() -> nanoTime);

    @Test
    void unknownUntilMeasured() {
        assertThat(clock.now(0)).isEmpty();
    }

    @Test
    void runsOnFromTheMiddleOfTheRoundTrip() {
        measured(T, 1_000, 3_000);
        nanoTime = 5_000;
        assertThat(clock.now(0)).contains(new DatabaseClock.Reading(T.plusNanos(3_000), SERVER));
    }

    @Test
    void theLastMeasurementCounts() {
        measured(T, 0, 0);
        measured(T.minusSeconds(9), 0, 0);
        nanoTime = 0;
        assertThat(clock.now(0)).contains(new DatabaseClock.Reading(T.minusSeconds(9), SERVER));
    }

    @Test
    void aPartitionWhoseEventsAreAheadOfTheClock_hasTheirTime() {
        Instant ahead = T.plusSeconds(3_600);
        clock.measured(T, SERVER, Map.of(1, ahead, 2, T.minusSeconds(1)), 0, 0);
        nanoTime = 0;
        assertThat(clock.now(1)).contains(new DatabaseClock.Reading(ahead, SERVER));
        assertThat(clock.now(2)).contains(new DatabaseClock.Reading(T, SERVER));
        assertThat(clock.now(3)).contains(new DatabaseClock.Reading(T, SERVER));
    }

    private void measured(Instant database, long asked, long answered) {
        clock.measured(database, SERVER, Map.of(), asked, answered);
    }
}
