package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SourceTimesTest {

    private final SourceTimes times = new SourceTimes(42);

    @Test
    void itsOwnMessage_isTheSourcesTimeToTheMicrosecond() {
        assertThat(times.parse("42:1780000000123456")).isEqualTo(Instant.parse("2026-05-28T20:26:40.123456Z"));
    }

    /** Debezium's heartbeat, a session of before, and what others write under the name. */
    @ParameterizedTest
    @ValueSource(strings = {"", "41:1780000000123456", "42:", "42:x", "42:-1", "42:1780000000123456 ",
        "42:99999999999999999999999999"})
    void anythingElse_isNoTime(String content) {
        assertThat(times.parse(content)).isNull();
    }

    @Test
    void beforeTheCatalogueHasBeenLookedAt_noTimeIsKnown() {
        assertThat(times.known(Instant.now())).isNull();
    }
}
