package io.syncline.model.table;

import java.util.List;

/**
 * A table's columns in ordinal order and its key.
 *
 * @param key       the primary key's columns in the key's order; never empty for a captured table
 * @param dependsOn the other tables of the same schema that its foreign keys name, by name
 */
public record TableSchema(TableName table, List<ColumnInfo> columns, List<KeyColumn> key, List<String> dependsOn) {

    public TableSchema {
        columns = List.copyOf(columns);
        key = List.copyOf(key);
        dependsOn = List.copyOf(dependsOn);
    }

    public TableSchema(TableName table, List<ColumnInfo> columns, List<KeyColumn> key) {
        this(table, columns, key, List.of());
    }
}
