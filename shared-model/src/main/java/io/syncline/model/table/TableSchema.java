package io.syncline.model.table;

import java.util.List;

/**
 * A table's columns in ordinal order and its key.
 *
 * @param key       the primary key's columns in the key's order; {@link #NO_KEY} for a table that has none
 * @param dependsOn the other tables of the same schema that its foreign keys name, by name
 */
public record TableSchema(TableName table, List<ColumnInfo> columns, List<KeyColumn> key, List<String> dependsOn) {

    /**
     * The key of a table that has none: a hash of the row, and a number among equal rows. Neither is a column of it, as no column's
     * name is empty.
     */
    public static final List<KeyColumn> NO_KEY = List.of(new KeyColumn("", "uuid", null),
            new KeyColumn("", "bigint", null));

    public TableSchema {
        columns = List.copyOf(columns);
        key = List.copyOf(key);
        dependsOn = List.copyOf(dependsOn);
    }

    /** Whether its rows are told apart by nothing but what they are. */
    public boolean keyless() {
        return key.stream().anyMatch(column -> column.name().isEmpty());
    }

    public TableSchema(TableName table, List<ColumnInfo> columns, List<KeyColumn> key) {
        this(table, columns, key, List.of());
    }
}
