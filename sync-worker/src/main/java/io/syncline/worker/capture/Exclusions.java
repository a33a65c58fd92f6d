package io.syncline.worker.capture;

import io.syncline.model.table.TableName;
import io.syncline.worker.capture.DecodingStore.Excluded;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Tables that are kept out of the stream since a change of theirs could not be decoded. They are read on the schedule, until their
 * owner has altered them, or an hour is over and a reading of all their rows has succeeded.
 */
final class Exclusions {

    private static final String REMEDY = "correct the rows that cannot be converted; its changes are streamed again an hour later,"
            + " once all of it could be read, and at once when its columns are altered";

    private volatile Map<TableName, Excluded> excluded = Map.of();

    void set(Map<TableName, Excluded> now) {
        excluded = Map.copyOf(now);
    }

    Map<TableName, Excluded> all() {
        return excluded;
    }

    /** The same tables, those that are kept out without their changes. */
    Map<TableName, SourceTable> apply(Map<TableName, SourceTable> tables) {
        Map<TableName, Excluded> now = excluded;
        if (now.isEmpty()) {
            return tables;
        }
        Map<TableName, SourceTable> applied = new HashMap<>(tables);
        now.forEach((name, why) -> applied.computeIfPresent(name,
                (_, table) -> table.streamed() && identity(table).equals(why.identity())
                        ? table.unpublished(new LeftOut(why.cause(), REMEDY))
                        : table));
        return applied;
    }

    /** The table and its columns: what of it decides how a change is decoded. */
    static String identity(SourceTable table) {
        return table.columns()
                .stream()
                .map(column -> column.name() + " " + column.typeOid())
                .collect(Collectors.joining(", ", table.oid() + ": ", ""));
    }
}
