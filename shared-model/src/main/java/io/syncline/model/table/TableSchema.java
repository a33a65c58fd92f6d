package io.syncline.model.table;

import java.util.List;

/**
 * A table's columns in ordinal order and its key.
 *
 * @param key the primary key's columns in the key's order; never empty for a captured table
 */
public record TableSchema(TableName table, List<ColumnInfo> columns, List<KeyColumn> key) {

    public TableSchema {
        columns = List.copyOf(columns);
        key = List.copyOf(key);
    }
}
