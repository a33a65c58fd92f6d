package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.worker.capture.RowCounts.RowHash;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RowCountsTest {

    @Test
    void countsAsAMapDoes() {
        Random random = new Random(1);
        RowCounts counts = new RowCounts(_ -> {});
        Map<RowHash, Integer> expected = new HashMap<>();
        for (int i = 0; i < 200_000; i++) {
            RowHash row = row(random.nextInt(random.nextBoolean() ? 100 : 50_000));
            int difference = random.nextInt(3) - 1;
            assertThat(counts.add(row, difference)).isEqualTo(expected.merge(row, difference, Integer::sum));
        }
        expected.forEach((row, count) -> assertThat(counts.count(row)).isEqualTo(count));
        assertThat(counts.hasNegative()).isEqualTo(expected.values().stream().anyMatch(count -> count < 0));
        counts.clear();
        assertThat(counts.count(row(1))).isZero();
        assertThat(counts.hasNegative()).isFalse();
    }

    @Test
    void rowsThatComeAndGo_takeNoMoreRoom() {
        RowCounts counts = new RowCounts(_ -> {});
        int room = counts.room();
        for (int i = 0; i < 10_000; i++) {
            counts.add(row(i), 1);
            counts.add(row(i), -1);
        }
        assertThat(counts.room()).isEqualTo(room);
    }

    @Test
    void roomIsBounded() {
        RowCounts counts = new RowCounts(room -> {
            if (room > 1000) {
                throw new IllegalStateException("no room for " + room);
            }
        });
        assertThatThrownBy(() -> {
            for (int i = 0; i < 2000; i++) {
                counts.add(row(i), 1);
            }
        }).hasMessage("no room for 1364");
    }

    private static RowHash row(int number) {
        return RowHash.of(("{\"n\":" + number + "}").getBytes(StandardCharsets.UTF_8));
    }
}
