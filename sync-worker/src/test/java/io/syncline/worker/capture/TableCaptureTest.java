package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.worker.capture.TableCapture.Handled;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class TableCaptureTest {

    private static final Duration HEARTBEATS = Duration.ofSeconds(20);
    private static final Handled LAST = new Handled(1_000_000, 30);

    @Test
    void lag_isThatOfTheLastChange_whileHeartbeatsMayBeOnTheirWay() {
        assertThat(TableCapture.lag(LAST, 0, 1_009_000, HEARTBEATS)).isEqualTo(Duration.ofMillis(30));
    }

    @Test
    void lag_growsWithLongSilence() {
        assertThat(TableCapture.lag(LAST, 0, 1_025_000, HEARTBEATS)).isEqualTo(Duration.ofMillis(25_030));
    }

    @Test
    void lag_growsWhileChangesAreInHand_andOnlyFromWhenTheyCame() {
        assertThat(TableCapture.lag(LAST, 1_009_000, 1_009_000, HEARTBEATS)).isEqualTo(Duration.ofMillis(30));
        assertThat(TableCapture.lag(LAST, 1_009_000, 1_012_000, HEARTBEATS)).isEqualTo(Duration.ofMillis(3_030));
    }
}
