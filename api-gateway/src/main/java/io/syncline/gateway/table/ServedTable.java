package io.syncline.gateway.table;

import io.syncline.model.table.ColumnInfo;
import io.syncline.model.table.TableSchema;
import java.time.Instant;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A table whose copy is complete, as it is served now.
 *
 * @param asOf the source's time that the rows are of
 */
record ServedTable(TableSchema schema, String replicaName, long rows, Instant asOf) {

    String name() {
        return schema.table().name();
    }

    /** The names of the columns whose values are bytes: {@code PhoenixKit-Sync} wants those marked. */
    Set<String> binaryColumns() {
        return schema.columns()
                .stream()
                .filter(column -> column.nativeType().equals("uuid") || column.nativeType().equals("bytea"))
                .map(ColumnInfo::columnName)
                .collect(Collectors.toUnmodifiableSet());
    }
}
