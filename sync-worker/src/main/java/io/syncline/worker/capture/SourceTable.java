package io.syncline.worker.capture;

import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import io.syncline.worker.capture.encode.RowEncoder;
import io.syncline.worker.capture.encode.ValueType;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A table of the source as it is at one moment, with all that is needed to read and encode its rows.
 *
 * @param fingerprint   of the table, its columns and its key: another one means that its rows may have changed without a change
 *                      record, so that a new snapshot is needed
 * @param fileNode      of its storage: another one means that it has been rewritten
 * @param estimatedRows as the source's statistics have it; below 0 if they have not
 * @param keyColumns    the key's columns by their place in {@code columns}, in the key's order
 */
record SourceTable(
        long oid,
        TableSchema schema,
        String fingerprint,
        long fileNode,
        long estimatedRows,
        List<Column> columns,
        int[] keyColumns,
        RowEncoder encoder) {

    /**
     * @param typeOid   the column's own type, a domain for instance
     * @param type      how its text becomes JSON
     * @param generated whether the source computes it: such columns are not in the WAL
     */
    record Column(String name, long typeOid, String nativeType, ValueType type, boolean generated) {}

    SourceTable {
        columns = List.copyOf(columns);
    }

    TableName name() {
        return schema.table();
    }

    /** For SQL. */
    String qualifiedName() {
        return "public." + Sql.identifier(name().name());
    }

    boolean hasGeneratedColumns() {
        return columns.stream().anyMatch(Column::generated);
    }

    /** Its columns for a SELECT. */
    String selectList() {
        return columns.stream().map(column -> Sql.identifier(column.name())).collect(Collectors.joining(", "));
    }
}
