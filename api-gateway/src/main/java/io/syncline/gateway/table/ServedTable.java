package io.syncline.gateway.table;

import io.syncline.model.table.ColumnInfo;
import io.syncline.model.table.TableSchema;
import java.util.Set;
import java.util.stream.Collectors;

/** A table whose copy is complete, as it is served now. */
record ServedTable(TableSchema schema, String replicaName, long rows) {

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
