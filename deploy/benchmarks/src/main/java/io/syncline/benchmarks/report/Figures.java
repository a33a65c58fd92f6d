package io.syncline.benchmarks.report;

import io.syncline.benchmarks.load.Slice;
import io.syncline.benchmarks.site.ProcessorTime;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * What one side did at one number of connections, over all its slices.
 *
 * @param failed             answers other than 200
 * @param failure            one of them
 * @param perSecondOfSlices  the rate of each slice, lowest first
 * @param cpuMicrosPerAnswer processor time by process, for each answer
 */
public record Figures(
        long answered,
        long failed,
        @Nullable String failure,
        double perSecond,
        List<Double> perSecondOfSlices,
        double p50Ms,
        double p90Ms,
        double p99Ms,
        double p999Ms,
        double maxMs,
        Map<String, Double> cpuMicrosPerAnswer) {

    /** Linux counts processor time for us in hundredths of a second. */

    /**
     * @param wholePerMeasured the time over which processor time was counted, by the time in which answers were
     */
    public static Figures of(List<Slice> slices, ProcessorTime spent, double wholePerMeasured) {
        Histogram micros = new Histogram(slices.getFirst().micros());
        Duration measured = Duration.ZERO;
        long answered = 0;
        long failed = 0;
        micros.reset();
        for (Slice slice : slices) {
            micros.add(slice.micros());
            measured = measured.plus(slice.measured());
            answered += slice.answered();
            failed += slice.failed();
        }
        double whole = Math.max(1, answered * wholePerMeasured);
        Map<String, Double> cpu = new LinkedHashMap<>();
        spent.ours().forEach((name, ticks) -> cpu.put(name, rounded(ticks * ProcessorTime.MICROS_A_TICK / whole, 1)));
        return new Figures(answered, failed,
                slices.stream().map(Slice::failure).filter(Objects::nonNull).findFirst().orElse(null),
                rounded(answered * 1e9 / measured.toNanos(), 1),
                slices.stream().map(slice -> rounded(slice.perSecond(), 1)).sorted().toList(), millis(micros, 50),
                millis(micros, 90), millis(micros, 99), millis(micros, 99.9), micros.getMaxValue() / 1000.0, cpu);
    }

    private static double millis(Histogram micros, double percentile) {
        return micros.getValueAtPercentile(percentile) / 1000.0;
    }

    static double rounded(double value, int digits) {
        double factor = Math.pow(10, digits);
        return Math.round(value * factor) / factor;
    }
}
