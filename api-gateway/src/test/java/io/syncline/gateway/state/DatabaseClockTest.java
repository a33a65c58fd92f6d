package io.syncline.gateway.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

class DatabaseClockTest {

    private static final Instant T = Instant.parse("2026-11-23T12:00:00Z");

    private long nanoTime = -5;
    private final DatabaseClock clock = new DatabaseClock(() -> nanoTime);

    @Test
    void unknownUntilMeasured() {
        assertThat(clock.now()).isEmpty();
    }

    @Test
    void runsOnFromTheMiddleOfTheRoundTrip() {
        clock.measured(T, 1_000, 3_000);
        nanoTime = 5_000;
        assertThat(clock.now()).contains(T.plusNanos(3_000));
    }

    @Test
    void theLastMeasurementCounts() {
        clock.measured(T, 0, 0);
        clock.measured(T.minusSeconds(9), 0, 0);
        nanoTime = 0;
        assertThat(clock.now()).contains(T.minusSeconds(9));
    }
}
