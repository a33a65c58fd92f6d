package io.syncline.worker.replica;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.table.Place;
import io.syncline.model.table.TableChange;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How long PostgreSQL lets a worker be silent within a transaction before it takes the worker for frozen. */
class LongestPauseTest {

    @Test
    void smallRows_fiveSeconds_soThatAFrozenWorkerHoldsItsLocksNoLonger() {
        assertThat(ReplicaTransaction.longestPause(List.of(batch(200), batch(0)))).isBetween(Duration.ofSeconds(5),
                Duration.ofMillis(5_100));
    }

    @Test
    void largeRows_timeToConvertAndSendThemOnAMachineWithTooMuchToDo() {
        assertThat(ReplicaTransaction.longestPause(List.of(batch(64 << 20)))).isEqualTo(Duration.ofSeconds(37));
        assertThat(ReplicaTransaction.longestPause(List.of(batch(32 << 20, 16 << 20), batch(16 << 20))))
                .isEqualTo(Duration.ofSeconds(37));
    }

    private static Batch batch(int... rowBytes) {
        List<Batch.Entry> entries = new java.util.ArrayList<>();
        for (int bytes : rowBytes) {
            TableChange change = bytes == 0 ? new TableChange.EpochBegun(1)
                    : new TableChange.Upsert(1, new Place(1, 1, 1, 0), new byte[1], new byte[bytes]);
            entries.add(new Batch.Entry(entries.size(), new Batch.Content.Change(change)));
        }
        return new Batch(Position.trustingNothing("topic", 0, "id", 0), 1, entries, entries.size());
    }
}
