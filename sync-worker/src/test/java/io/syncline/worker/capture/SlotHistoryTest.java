package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.worker.capture.SlotHistory.Verdict;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class SlotHistoryTest {

    private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");

    @Test
    void aSlotThatNeverFailed_isReadOn() {
        assertThat(SlotHistory.NONE.verdict(0, NOW)).isEqualTo(new Verdict.Retry());
        assertThat(SlotHistory.NONE.verdict(100, NOW)).isEqualTo(new Verdict.Retry());
    }

    @Test
    void oneFailure_mayBeAnAccident() {
        assertThat(SlotHistory.NONE.failed(100).verdict(100, NOW)).isEqualTo(new Verdict.Retry());
    }

    @Test
    void twoAtTheSamePlace_areNone() {
        assertThat(SlotHistory.NONE.failed(100).failed(100).verdict(100, NOW)).isEqualTo(new Verdict.Abandon());
    }

    @Test
    void whereTheSlotHasMovedInBetween_itIsReadOn() {
        assertThat(SlotHistory.NONE.failed(100).failed(200).verdict(200, NOW)).isEqualTo(new Verdict.Retry());
        assertThat(SlotHistory.NONE.failed(100).failed(100).verdict(101, NOW)).isEqualTo(new Verdict.Retry());
        assertThat(SlotHistory.NONE.failed(100).failed(200).failed(200).verdict(200, NOW))
                .isEqualTo(new Verdict.Abandon());
    }

    @Test
    void atMostOnceAnHour() {
        Instant before = NOW.minus(Duration.ofMinutes(59));
        assertThat(new SlotHistory(100, 2, before).verdict(100, NOW))
                .isEqualTo(new Verdict.Stop(before.plus(Duration.ofHours(1))));
        assertThat(new SlotHistory(100, 2, before).failed(100).verdict(100, NOW)).isInstanceOf(Verdict.Stop.class);
        assertThat(new SlotHistory(100, 1, before).verdict(100, NOW)).isEqualTo(new Verdict.Retry());
        assertThat(new SlotHistory(100, 9, NOW.minus(Duration.ofHours(1))).verdict(100, NOW))
                .isEqualTo(new Verdict.Abandon());
    }

    @Test
    void aClockThatWentBack_stopsNothingForLonger() {
        assertThat(new SlotHistory(100, 2, NOW.plus(Duration.ofDays(1))).verdict(100, NOW))
                .isEqualTo(new Verdict.Abandon());
    }
}
