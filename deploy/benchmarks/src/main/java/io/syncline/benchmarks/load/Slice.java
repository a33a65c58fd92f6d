package io.syncline.benchmarks.load;

import java.time.Duration;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * What came of one stretch of load.
 *
 * @param answered with 200, within the measured time
 * @param failed   answered otherwise
 * @param failure  one of those answers
 * @param micros   of the ones answered with 200
 */
public record Slice(Duration measured, long answered, long failed, @Nullable String failure, Histogram micros) {

    public double perSecond() {
        return answered * 1e9 / measured.toNanos();
    }
}
