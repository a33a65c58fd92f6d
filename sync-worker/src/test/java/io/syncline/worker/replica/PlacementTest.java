package io.syncline.worker.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class PlacementTest {

    private static final String TOPIC = "syncline.table.public.goods";

    @Test
    void storedPosition_isResumed() {
        Position stored = new Position(TOPIC, 0, "id", 50, 3, 2, 9, true);

        assertThat(place(stored, "id", 10, 50)).isEqualTo(new Placement.Resumed(stored));
        assertThat(place(stored, "id", 50, 60)).isEqualTo(new Placement.Resumed(stored));
    }

    @Test
    void noPosition_startsAtTheEndTrustingNothing() {
        assertThat(place(null, "id", 0, 60)).isEqualTo(new Placement.Distrusted(
                Position.trustingNothing(TOPIC, 0, "id", 60), "the replica has no position in " + TOPIC + "/0"));
    }

    @Test
    void anotherTopicId_startsAtTheEndTrustingNothing() {
        assertThat(place(new Position(TOPIC, 0, "id", 50, 3, 2, 9, true), "other", 0, 60)).isEqualTo(
                new Placement.Distrusted(Position.trustingNothing(TOPIC, 0, "other", 60),
                        TOPIC + " was deleted and made again"));
    }

    @Test
    void outOfRange_startsAtTheEndTrustingNothing() {
        Position stored = new Position(TOPIC, 0, "id", 50, 3, 2, 9, true);

        assertThat(place(stored, "id", 51, 60)).isInstanceOf(Placement.Distrusted.class);
        assertThat(place(stored, "id", 0, 49)).isEqualTo(new Placement.Distrusted(
                Position.trustingNothing(TOPIC, 0, "id", 49),
                "the replica stands at offset 50 of " + TOPIC + "/0, which has only 0 to 49"));
    }

    private static Placement place(@org.jspecify.annotations.Nullable Position stored, String topicId, long first,
            long end) {
        return Placement.of(TOPIC, 0, topicId, Optional.ofNullable(stored), first, end);
    }
}
