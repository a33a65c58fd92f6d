package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PgSnapshotTest {

    @Test
    void seesWhatWasOver() {
        PgSnapshot snapshot = PgSnapshot.parse("100:105:100,103");
        assertThat(snapshot.sees(99)).isTrue();
        assertThat(snapshot.sees(100)).isFalse();
        assertThat(snapshot.sees(101)).isTrue();
        assertThat(snapshot.sees(103)).isFalse();
        assertThat(snapshot.sees(104)).isTrue();
        assertThat(snapshot.sees(105)).isFalse();
        assertThat(snapshot.sees(2_000_000)).isFalse();
        assertThat(snapshot).hasToString("100:105:100,103");
    }

    @Test
    void comparesAcrossTheWrapOfTransactionIds() {
        long era = 1L << 32;
        PgSnapshot before = PgSnapshot.parse((era - 2) + ":" + (era - 1) + ":");
        assertThat(before.sees(0xfffffffdL)).isTrue();
        assertThat(before.sees(0xffffffffL)).isFalse();
        assertThat(before.sees(3)).as("the first of the next era").isFalse();

        PgSnapshot after = PgSnapshot.parse((era + 10) + ":" + (era + 12) + ":" + (era + 10));
        assertThat(after.sees(0xffffffffL)).as("of the era before").isTrue();
        assertThat(after.sees(9)).isTrue();
        assertThat(after.sees(10)).isFalse();
        assertThat(after.sees(11)).isTrue();
        assertThat(after.sees(12)).isFalse();
    }
}
