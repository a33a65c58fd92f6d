package io.syncline.gateway.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** How many gateways share a limit: whoever was heard of lately, by one's own clock. */
class LiveGatewaysTest {

    private long now = 77;
    private final LiveGateways gateways = new LiveGateways("self", () -> now);

    @Test
    void alone_itIsOne() {
        assertThat(gateways.count()).isEqualTo(1);
        gateways.heard("self");
        assertThat(gateways.count()).isEqualTo(1);
    }

    @Test
    void others_countUntilTheyLeaveOrAreSilent() {
        gateways.heard("self");
        assertThat(gateways.heard("a")).as("a new one is told of us").isTrue();
        assertThat(gateways.heard("a")).isFalse();
        gateways.heard("b");
        assertThat(gateways.count()).isEqualTo(3);
        gateways.left("b");
        assertThat(gateways.count()).isEqualTo(2);
        pass(9, "a");
        assertThat(gateways.count()).isEqualTo(2);
        pass(10);
        assertThat(gateways.count()).isEqualTo(1);
    }

    @Test
    void whoIsDeaf_takesNobodyForGone_norRightAfterwards() {
        gateways.heard("self");
        gateways.heard("a");
        now += Duration.ofMinutes(5).toNanos();
        assertThat(gateways.count()).as("the broker is away").isEqualTo(2);
        gateways.heard("self");
        assertThat(gateways.count()).as("it is back, the others' beats come next").isEqualTo(2);
        pass(11);
        assertThat(gateways.count()).isEqualTo(1);
    }

    /** Seconds go by in which this gateway hears itself, and these. */
    private void pass(int seconds, String... others) {
        for (int i = 0; i < seconds; i++) {
            now += Duration.ofSeconds(1).toNanos();
            gateways.heard("self");
            for (String other : others) {
                gateways.heard(other);
            }
        }
    }
}
