package io.syncline.worker.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ChangeNumbersTest {

    private static final long FIVE_MINUTES = 300_000_000;

    private final List<Long> reserved = new ArrayList<>();
    private final ChangeNumbers numbers = of();

    @Test
    void aNumber_isReservedBeforeItIsGiven() {
        assertThatThrownBy(() -> numbers.verify("a", 1000)).isInstanceOf(ChangeNumbers.UnreservedException.class);
        assertThatThrownBy(() -> numbers.next("a", 0, 1000)).isInstanceOf(ChangeNumbers.UnreservedException.class);
        assertThat(next("a", 0, 1000)).isEqualTo(1000);
        assertThat(reserved).containsExactly(1000 + FIVE_MINUTES);
        assertThat(next("a", 1000, 1000)).isEqualTo(1001);
        assertThat(next("a", 1001, 1_000_000)).isEqualTo(1_000_000);
        assertThat(reserved).hasSize(1);
        assertThat(next("a", 0, 1001 + FIVE_MINUTES)).isEqualTo(1001 + FIVE_MINUTES);
        assertThat(reserved).hasSize(2);
    }

    @Test
    void onAnotherServer_allNumbersAreAboveEveryBound_alsoWhereItsClockIsBehind() {
        next("a", 0, 5_000_000);
        of().reserve(unreserved(of(), "a", 900_000_000));
        long newest = reserved.stream().max(Long::compare).orElseThrow();
        assertThat(next("b", 7, 1000)).isEqualTo(newest + 1);
        assertThat(next("b", newest + 1, 1000)).isEqualTo(newest + 2);
        assertThat(next("b", 0, 1000)).as("of a table that is new there").isEqualTo(newest + 1);
    }

    @Test
    void onAServerThatIsNotTrustedAnyMore_allNumbersAreAboveEveryBound() {
        next("a", 0, 1000);
        numbers.distrust();
        assertThat(next("a", 0, 1000)).isEqualTo(1001 + FIVE_MINUTES);
    }

    @Test
    void aTableWhoseNumbersAreAhead_goesOnFromThere() {
        assertThat(next("a", 1L << 60, 1000)).isEqualTo((1L << 60) + 1);
        assertThat(reserved.getLast()).isGreaterThan(1L << 60);
        assertThat(next("a", 5, 1000)).isEqualTo(1000);
    }

    @Test
    void whereNothingCanBeReserved_noNumberIsGiven() {
        ChangeNumbers without = new ChangeNumbers(() -> 0, _ -> {
            throw new IllegalStateException("Kafka is away");
        });
        ChangeNumbers.UnreservedException wanted = unreserved(without, "a", 1000);
        assertThatThrownBy(() -> without.reserve(wanted)).hasMessage("Kafka is away");
        assertThatThrownBy(() -> without.next("a", 0, 1000)).isInstanceOf(ChangeNumbers.UnreservedException.class);
    }

    private ChangeNumbers of() {
        return new ChangeNumbers(() -> reserved.stream().mapToLong(Long::longValue).max().orElse(0), reserved::add);
    }

    private long next(String server, long last, long now) {
        while (true) {
            try {
                return numbers.next(server, last, now);
            } catch (ChangeNumbers.UnreservedException e) {
                numbers.reserve(e);
            }
        }
    }

    private static ChangeNumbers.UnreservedException unreserved(ChangeNumbers of, String server, long now) {
        return catchThrowableOfType(ChangeNumbers.UnreservedException.class, () -> of.verify(server, now));
    }
}
