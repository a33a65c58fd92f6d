package io.syncline.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PairsTest {

    private static Pairs ratios(double... ratios) {
        return new Pairs(Arrays.stream(ratios).mapToObj(ratio -> new Pairs.Pair(200, 200 * ratio)).toList());
    }

    @Test
    void ratio_isTheMedianOfTheRatios_notTheRatioOfTheMedians() {
        Pairs pairs = new Pairs(Stream.of(new double[]{100, 90}, new double[]{200, 220}, new double[]{400, 440})
                .map(pair -> new Pairs.Pair(pair[0], pair[1]))
                .toList());

        assertThat(pairs.ratio()).isEqualTo(1.1);
    }

    @Test
    void ratio_ofAnEvenNumber_liesBetweenTheTwoInTheMiddle() {
        assertThat(ratios(0.5, 0.75, 1.25, 4).ratio()).isEqualTo(1);
    }

    @Test
    void interval_leavesOutTheLowestAndTheHighest() {
        Pairs pairs = ratios(0.25, 1.5, 0.5, 1, 8);

        assertThat(pairs.low()).isEqualTo(0.5);
        assertThat(pairs.high()).isEqualTo(1.5);
    }

    @Test
    void noPairs_areRefused() {
        assertThatThrownBy(() -> new Pairs(List.of())).hasMessageContaining("--pairs");
    }
}
