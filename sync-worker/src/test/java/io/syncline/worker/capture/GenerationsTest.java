package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.worker.marks.MarksUnderTest;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

class GenerationsTest {

    @Test
    void numbers_areGreaterThanAllOfOlderEpochs_andThanThoseOfBeforeTheMarks() {
        Generations older = of(500, 0);
        Generations newer = of(501, 0);
        assertThat(older.next()).isEqualTo(500_000_001);
        assertThat(older.next()).isEqualTo(500_000_002);
        assertThat(newer.next()).isEqualTo(501_000_001);
        assertThat(of(1, 0).next()).isGreaterThan(999_999);
    }

    @Test
    void numbersThatAreUsedUp_endTheSession() {
        Generations generations = of(3, 0);
        for (int i = 1; i < Generations.PER_EPOCH - 1; i++) {
            generations.next();
        }
        assertThat(generations.next()).isEqualTo(3_999_999);
        assertThatThrownBy(generations::next).isInstanceOf(IllegalStateException.class)
                .hasMessage(
                        "epoch 3 has begun 999999 generations, which is all that it has numbers for; a new epoch goes on");
    }

    @Test
    void generationsOfOlderEpochs_areNotTrustedWhereTheStateDatabaseWentBack() {
        assertThat(of(9, 0).trusts(62)).isTrue();
        assertThat(of(9, 8).trusts(7_999_999)).isFalse();
        assertThat(of(9, 8).trusts(8_000_001)).isTrue();
        assertThat(of(9, 9).trusts(62)).isFalse();
    }

    private static Generations of(long epoch, long trustedFrom) {
        return new Generations(epoch, trustedFrom, new CaptureStore(new PGSimpleDataSource()),
                MarksUnderTest.inMemory());
    }
}
