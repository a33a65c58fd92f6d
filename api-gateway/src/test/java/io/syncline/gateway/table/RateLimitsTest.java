package io.syncline.gateway.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** In no minute more calls than the share. */
class RateLimitsTest {

    private static final UUID CONNECTION = UUID.randomUUID();

    private long now = 1_000_000_000_000L;
    private int gateways = 1;
    private final RateLimits limits = new RateLimits(() -> now, () -> gateways);

    @Test
    void asManyAsAllowed_thenNone_untilTheFirstIsAMinuteOld() {
        for (int i = 0; i < 5; i++) {
            assertThat(limits.take(CONNECTION, 5)).isZero();
            pass(Duration.ofSeconds(2));
        }
        assertThat(limits.take(CONNECTION, 5)).isEqualTo(Duration.ofSeconds(51));
        pass(Duration.ofSeconds(50));
        assertThat(limits.take(CONNECTION, 5)).isEqualTo(Duration.ofSeconds(1));
        pass(Duration.ofSeconds(1));
        assertThat(limits.take(CONNECTION, 5)).isZero();
        assertThat(limits.take(CONNECTION, 5)).isEqualTo(Duration.ofSeconds(2));
    }

    @Test
    void whoIsRefused_usesNothingUp() {
        assertThat(limits.take(CONNECTION, 1)).isZero();
        for (int i = 0; i < 1_000; i++) {
            assertThat(limits.take(CONNECTION, 1)).isPositive();
        }
        pass(Duration.ofSeconds(61));
        assertThat(limits.take(CONNECTION, 1)).isZero();
    }

    @Test
    void connectionsDoNotShare_andIdleOnesAreForgotten() {
        assertThat(limits.take(CONNECTION, 1)).isZero();
        assertThat(limits.take(UUID.randomUUID(), 1)).isZero();
        assertThat(limits.size()).isEqualTo(2);
        pass(Duration.ofSeconds(200));
        assertThat(limits.take(CONNECTION, 1)).isZero();
        assertThat(limits.size()).isEqualTo(1);
    }

    @Test
    void shareOfSeveralGateways_isRoundedUp() {
        gateways = 3;
        for (int i = 0; i < 34; i++) {
            assertThat(limits.take(CONNECTION, 100)).isZero();
        }
        assertThat(limits.take(CONNECTION, 100)).isPositive();
        gateways = 2;
        assertThat(limits.take(CONNECTION, 100)).as("one has gone").isZero();
        gateways = 4;
        assertThat(limits.take(CONNECTION, 100)).as("more have come").isPositive();
    }

    @Test
    void inNoMinuteMore() {
        java.util.Random random = new java.util.Random(7);
        java.util.ArrayDeque<Long> taken = new java.util.ArrayDeque<>();
        for (int i = 0; i < 20_000; i++) {
            pass(Duration.ofMillis(random.nextInt(400)));
            if (limits.take(CONNECTION, 100).isZero()) {
                taken.add(now);
                while (taken.getFirst() <= now - Duration.ofMinutes(1).toNanos()) {
                    taken.removeFirst();
                }
                assertThat(taken).hasSizeLessThanOrEqualTo(100);
            }
        }
    }

    private void pass(Duration time) {
        now += time.toNanos();
    }
}
