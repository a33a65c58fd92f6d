package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.table.TableName;
import io.syncline.worker.capture.CopyTimes.Applied;
import io.syncline.worker.capture.CopyTimes.Followed;
import io.syncline.worker.capture.CopyTimes.Known;
import io.syncline.worker.capture.CopyTimes.Reach;
import io.syncline.worker.capture.CopyTimes.Sent;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class CopyTimesTest {

    private static final TableName ORDERS = new TableName("orders");
    private static final Known NOTHING = new Known(Set.of(), Map.of());
    private static final Known ALL = new Known(Set.of(ORDERS), Map.of());

    private final CopyTimes times = new CopyTimes();

    @Test
    void aTableOfWhichNothingWasSent_keepsUpOnceThisEpochsMarkHasBeenApplied() {
        assertThat(times.known(List.of(followed(7, reach(7, -1, -1), null)), List.of())).isEqualTo(NOTHING);
        assertThat(times.known(List.of(followed(7, reach(7, -1, -1), null)), at(7, 3))).isEqualTo(NOTHING);
        assertThat(times.known(List.of(followed(7, reach(7, -1, -1), null)), at(7, 3, 1))).isEqualTo(ALL);
    }

    @Test
    void aChangeInOnePartition_isAwaitedThere() {
        Followed table = followed(7, reach(7, 10, 20), sent(1, 7, 10, 20));
        assertThat(times.known(List.of(table), at(7, 11, 20))).isEqualTo(NOTHING);
        assertThat(times.known(List.of(table), at(7, 11, 21))).isEqualTo(ALL);
    }

    @Test
    void anotherGenerationThanTheOneThatIsFollowed_provesNothing() {
        assertThat(times.known(List.of(followed(7, reach(7, 10), sent(1, 7, 10))), at(6, 99))).isEqualTo(NOTHING);
        assertThat(times.known(List.of(followed(7, reach(7, 10), sent(1, 7, 10))), at(8, 99))).isEqualTo(NOTHING);
    }

    @Test
    void aTableThatAlwaysHasSomethingOnItsWay_getsOn() {
        assertThat(times.known(List.of(followed(7, reach(7, 15), sent(1, 7, 10))), at(7, 5))).isEqualTo(NOTHING);
        assertThat(times.known(List.of(followed(7, reach(7, 25), sent(2, 7, 20))), at(7, 15))).isEqualTo(until(1));
        assertThat(times.known(List.of(followed(7, reach(7, 35), sent(3, 7, 30))), at(7, 25))).isEqualTo(until(2));
    }

    @Test
    void aReplicaThatIsFurtherThanTheTimeBefore_isKnownByTheNewest() {
        assertThat(times.known(List.of(followed(7, reach(7, 15), sent(1, 7, 10))), at(7, 5))).isEqualTo(NOTHING);
        assertThat(times.known(List.of(followed(7, reach(7, 25), sent(2, 7, 20))), at(7, 21))).isEqualTo(until(2));
    }

    @Test
    void whatWasAwaitedOfAGenerationThatWasGivenUp_isForgotten() {
        assertThat(times.known(List.of(followed(7, reach(7, 15), sent(1, 7, 10))), at(7, 5))).isEqualTo(NOTHING);
        assertThat(times.known(List.of(), at(7, 99))).isEqualTo(NOTHING);
        assertThat(times.known(List.of(followed(8, reach(8, 15), null)), at(8, 12))).isEqualTo(NOTHING);
    }

    @Test
    void anOffsetThatIsNotKnown_isNeverReached() {
        assertThat(times.known(List.of(followed(7, reach(7, Long.MAX_VALUE), null)), at(7, Long.MAX_VALUE)))
                .isEqualTo(NOTHING);
    }

    private static Followed followed(long generation, Reach now, @Nullable Sent mark) {
        assertThat(now.generation()).isEqualTo(generation);
        return new Followed(ORDERS, "topic", now, mark);
    }

    private static Sent sent(long second, long generation, long... lastOffsets) {
        return new Sent(Instant.ofEpochSecond(second), reach(generation, lastOffsets));
    }

    private static Known until(long second) {
        return new Known(Set.of(), Map.of(ORDERS, Instant.ofEpochSecond(second)));
    }

    private static Reach reach(long generation, long... lastOffsets) {
        return new Reach(generation, IntStream.range(0, lastOffsets.length).mapToObj(i -> lastOffsets[i]).toList());
    }

    private static List<Applied> at(long generation, long... nextOffsets) {
        return IntStream.range(0, nextOffsets.length)
                .mapToObj(partition -> new Applied("topic", partition, generation, nextOffsets[partition]))
                .toList();
    }
}
