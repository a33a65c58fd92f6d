package io.syncline.worker.capture;

import io.syncline.model.table.TableName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Up to which time of the source each streamed table's copy has everything. Sent is not yet applied: a time holds for a copy once
 * the replica has applied what had been sent of the table by then. Until that is so the time is kept, so that a table that always
 * has something on its way gets on, too.
 */
final class CopyTimes {

    private final Map<TableName, Sent> awaited = new HashMap<>();

    /**
     * What has been sent of a table.
     *
     * @param generation  which the replica must serve
     * @param lastOffsets of the newest record of the stream in each partition, -1 for none
     */
    record Reach(long generation, List<Long> lastOffsets) {}

    /** What had been sent of a table when all that the source had at a time had been sent. */
    record Sent(Instant until, Reach reach) {}

    /**
     * What can be known of a table now.
     *
     * @param now  what has been sent of it by now
     * @param mark the newest time that came by the stream, with what had been sent by then; null if none has come since the
     *             generation was complete
     */
    record Followed(TableName table, String topic, Reach now, @Nullable Sent mark) {}

    /**
     * Where the replica stands.
     *
     * @param generation that is served, and to which records here are applied
     */
    record Applied(String topic, int partition, long generation, long nextOffset) {}

    /**
     * @param keepUp the tables whose copies have all that has been sent
     * @param until  up to when the copies of others have everything, as far as that is new
     */
    record Known(Set<TableName> keepUp, Map<TableName, Instant> until) {}

    /** @param followed the streamed tables that go on as they are; a table that is not among them stands still */
    Known known(Collection<Followed> followed, Collection<Applied> applied) {
        Map<String, List<Applied>> positions = new HashMap<>();
        applied.forEach(one -> positions.computeIfAbsent(one.topic(), _ -> new ArrayList<>()).add(one));
        Set<TableName> keepUp = new HashSet<>();
        Map<TableName, Instant> until = new HashMap<>();
        Map<TableName, Sent> before = Map.copyOf(awaited);
        awaited.clear();
        for (Followed table : followed) {
            List<Applied> reached = positions.getOrDefault(table.topic(), List.of());
            if (has(reached, table.now())) {
                keepUp.add(table.table());
                continue;
            }
            Sent waiting = before.get(table.table());
            Sent mark = table.mark();
            if (mark != null && has(reached, mark.reach())) {
                until.put(table.table(), mark.until());
            } else if (waiting != null && waiting.reach().generation() == table.now().generation()) {
                if (has(reached, waiting.reach())) {
                    until.put(table.table(), waiting.until());
                    waiting = mark;
                }
                if (waiting != null) {
                    awaited.put(table.table(), waiting);
                }
            } else if (mark != null) {
                awaited.put(table.table(), mark);
            }
        }
        return new Known(keepUp, until);
    }

    private static boolean has(List<Applied> reached, Reach reach) {
        for (int partition = 0; partition < reach.lastOffsets().size(); partition++) {
            int number = partition;
            long last = reach.lastOffsets().get(partition);
            if (reached.stream()
                    .noneMatch(one -> one.partition() == number && one.generation() == reach.generation()
                            && one.nextOffset() > last)) {
                return false;
            }
        }
        return true;
    }
}
