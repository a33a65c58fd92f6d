package io.syncline.benchmarks.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.benchmarks.load.Slice;
import io.syncline.benchmarks.site.ProcessorTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class ReportTest {

    private static final Duration SECOND = Duration.ofSeconds(1);

    @Test
    void figures_addSlicesUp() {
        Figures figures = Figures.of(List.of(slice(100, 1_000), slice(300, 3_000)),
                new ProcessorTime(0, 0, Map.of("worker", 8L)), 2);

        assertThat(figures.answered()).isEqualTo(400);
        assertThat(figures.perSecond()).isEqualTo(200);
        assertThat(figures.perSecondOfSlices()).containsExactly(100.0, 300.0);
        assertThat(figures.p50Ms()).isBetween(2.9, 3.1);
        // 80 ms for the 400 answers counted and as many in the lead-in.
        assertThat(figures.cpuMicrosPerAnswer()).containsEntry("worker", 100.0);
    }

    @Test
    void markdown_tellsRatioAndAims() {
        Figures site = Figures.of(List.of(slice(80, 2_000)), ProcessorTime.none(), 1);
        Figures control = Figures.of(List.of(slice(100, 1_000)), ProcessorTime.none(), 1);
        Report report = new Report("test", "A test", Instant.EPOCH, "abc", "mvn",
                new Machine("cpu", 2, 24, "Linux", "25"),
                List.of("By hand."),
                List.of(new Report.Section.Compared("Together", "site", "control",
                        List.of(new Step(64, site, control, List.of(0.81, 0.79), 1)))),
                List.of(Aim.atLeast("of the control's rate", 0.8, 0.8), Aim.below("p99 in ms", 41, 40)));

        assertThat(report.markdown()).contains("| 64 | site | **0.80** (0.79–0.81) | 80 | 2.00 |",
                "of the control's rate: 0.8 ✓, aim ≥ 0.8", "p99 in ms: 41 ✗ missed, aim < 40",
                "others used the machine during 1 rounds of 2");
    }

    private static Slice slice(int answered, long micros) {
        Histogram histogram = new Histogram(3);
        histogram.recordValueWithCount(micros, answered);
        return new Slice(SECOND, answered, 0, null, histogram);
    }
}
