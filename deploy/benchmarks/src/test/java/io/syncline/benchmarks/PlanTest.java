package io.syncline.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.benchmarks.site.Layout;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class PlanTest {

    @Test
    void of_nothing_isThePublishedRun() {
        Plan plan = Plan.of();

        assertThat(plan.layouts()).containsExactly(Layout.TOGETHER, Layout.APART);
        assertThat(plan.connections()).containsExactly(1, 16, 64, 256);
        assertThat(plan.warmUp()).isEqualTo(Duration.ofSeconds(60));
        assertThat(plan.profile()).isNull();
    }

    @Test
    void of_options() {
        Plan plan = Plan.of("--layouts=apart", "--connections=8", "--slice=500ms");

        assertThat(plan.layouts()).containsExactly(Layout.APART);
        assertThat(plan.connections()).containsExactly(8);
        assertThat(plan.slice()).isEqualTo(Duration.ofMillis(500));
    }

    @Test
    void of_unknownOption_isRefusedByName() {
        assertThatThrownBy(() -> Plan.of("--warmup=1s")).hasMessageContaining("--warmup");
    }
}
