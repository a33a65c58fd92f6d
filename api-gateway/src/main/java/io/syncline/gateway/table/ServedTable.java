package io.syncline.gateway.table;

import io.syncline.gateway.table.PullToken.AsOf;
import io.syncline.model.table.ColumnInfo;
import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A table whose copy is complete, as it is served now.
 *
 * @param asOf the source's time that the rows are of
 * @param lag  how long ago that was, as far as is known
 */
record ServedTable(
        TableSchema schema,
        String replicaName,
        long rows,
        String state,
        Instant asOf,
        Duration lag,
        Changes changes) {

    private static final Set<String> BYTES = Set.of("uuid", "bytea", "uuid[]", "bytea[]");

    /**
     * What is known of its changes, by their numbers.
     *
     * @param began      the generation's changes all came after this one
     * @param last       the newest
     * @param knownSince what changed since an older one is no longer known
     */
    record Changes(long generation, long began, long last, long knownSince) {

        AsOf asOf() {
            return new AsOf(generation, last);
        }

        /** Whether it can be told what changed since then. */
        boolean know(AsOf since) {
            return since.change() >= knownSince && since.change() <= last && since.generation() <= generation;
        }

        /** The change after which everything is to be told. Of another generation nobody compared what is in both. */
        long after(AsOf since) {
            return since.generation() == generation ? since.change() : Math.min(since.change(), began);
        }
    }

    String name() {
        return schema.table().name();
    }

    TableName table() {
        return schema.table();
    }

    /** Whether its rows are told apart by what they are: the copy's key is none that anybody could ask by. */
    boolean keyless() {
        return schema.key().stream().anyMatch(column -> column.name().isEmpty());
    }

    /** What an answer says of the copy in its headers. */
    Map<String, String> headers() {
        return Map.of("X-Syncline-State", state, "X-Syncline-As-Of", changes.asOf().text(table()),
                "X-Syncline-As-Of-Time", asOf.toString(), "X-Syncline-Lag-Ms",
                Long.toString(Math.max(0, lag.toMillis())));
    }

    /** The names of the columns whose values are bytes: {@code PhoenixKit-Sync} wants those marked. */
    Set<String> binaryColumns() {
        return schema.columns()
                .stream()
                .filter(column -> BYTES.contains(column.nativeType()))
                .map(ColumnInfo::columnName)
                .collect(Collectors.toUnmodifiableSet());
    }
}
