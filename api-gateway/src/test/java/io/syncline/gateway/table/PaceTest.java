package io.syncline.gateway.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class PaceTest {

    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    private final Pace pace = new Pace(1_000, Duration.ofSeconds(10));

    @Test
    void enough_isNeverTooSlow() {
        for (int i = 0; i < 100; i++) {
            assertThat(pace.tooSlow(1_000, SECOND)).isFalse();
        }
    }

    @Test
    void tooLittle_isFoundAfterTheWindow() {
        for (int i = 0; i < 9; i++) {
            assertThat(pace.tooSlow(900, SECOND)).isFalse();
        }
        assertThat(pace.tooSlow(900, SECOND)).isTrue();
    }

    @Test
    void oneWriteThatTakesForEver() {
        assertThat(pace.tooSlow(65_536, 66 * SECOND)).isTrue();
    }

    @Test
    void whatWasTakenQuicklyInOneWindow_isNoCreditForTheNext() {
        assertThat(pace.tooSlow(1_000_000_000, 9 * SECOND)).isFalse();
        assertThat(pace.tooSlow(10, SECOND)).isFalse();
        for (int i = 0; i < 9; i++) {
            assertThat(pace.tooSlow(10, SECOND)).isFalse();
        }
        assertThat(pace.tooSlow(10, SECOND)).isTrue();
    }

    @Test
    void zero_asksForNothing() {
        assertThat(new Pace(0, Duration.ofSeconds(10)).tooSlow(0, 1_000 * SECOND)).isFalse();
    }
}
