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
        RowCounts counts = new RowCounts(new KeylessRows(Integer.MAX_VALUE).share());
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
        RowCounts counts = new RowCounts(new KeylessRows(1).share());
        int room = counts.room();
        for (int i = 0; i < 10_000; i++) {
            counts.add(row(i), 1);
            counts.add(row(i), -1);
        }
        assertThat(counts.room()).isEqualTo(room);
    }

    @Test
    void asManyDifferentRowsAsAreAllowed_andNoMore() {
        KeylessRows all = new KeylessRows(1000);
        RowCounts counts = new RowCounts(all.share());
        for (int i = 0; i < 1000; i++) {
            counts.add(row(i), 2);
        }
        assertThatThrownBy(() -> counts.add(row(1000), 1)).hasMessageContaining("max-keyless-rows (1000)");
        counts.add(row(0), -2);
        assertThat(counts.add(row(1000), 1)).isEqualTo(1);
        counts.clear();
        for (int i = 0; i < 1000; i++) {
            counts.add(row(i), 1);
        }
        counts.end();
        assertThat(new RowCounts(all.share()).add(row(1), 1)).isEqualTo(1);
    }

    @Test
    void theTableWithTheMostRowsGivesWay() {
        KeylessRows all = new KeylessRows(100);
        RowCounts large = new RowCounts(all.share());
        RowCounts small = new RowCounts(all.share());
        for (int i = 0; i < 90; i++) {
            large.add(row(i), 1);
        }
        for (int i = 0; i < 10; i++) {
            small.add(row(i), 1);
        }
        assertThat(large.hasToGiveWay()).as("all have room").isFalse();
        small.add(row(10), 1);
        assertThat(large.hasToGiveWay()).isTrue();
        assertThat(small.hasToGiveWay()).isFalse();
        assertThatThrownBy(() -> large.add(row(90), 1)).hasMessageContaining("max-keyless-rows (100)");
        large.end();
        for (int i = 11; i < 100; i++) {
            small.add(row(i), 1);
        }
        assertThat(small.hasToGiveWay()).isFalse();
        assertThatThrownBy(() -> small.add(row(100), 1)).hasMessageContaining("max-keyless-rows (100)");
    }

    @Test
    void aRowIsToldByItsPlace_andWithoutOneByItsNumber() {
        byte[] json = "{}".getBytes(StandardCharsets.UTF_8);
        String here = text(KeylessKey.ofPlace(json, "16384", "(3,7)", 1));
        assertThat(here).endsWith(",196615]");
        assertThat(text(KeylessKey.ofPlace(json, "16384", "(3,8)", 2))).endsWith(",196616]");
        assertThat(text(KeylessKey.ofPlace(json, "16385", "(3,7)", 3))).isNotEqualTo(here).endsWith(",196615]");
        assertThat(text(KeylessKey.ofPlace(json, "16386", "(4294967295,0)", 4))).endsWith(",4]");
    }

    private static String text(byte[] key) {
        return new String(key, StandardCharsets.US_ASCII);
    }

    private static RowHash row(int number) {
        return RowHash.of(("{\"n\":" + number + "}").getBytes(StandardCharsets.UTF_8));
    }
}
