package io.syncline.worker.capture;

import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import io.syncline.worker.capture.encode.RowEncoder;
import io.syncline.worker.capture.encode.ValueType;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A table of the source as it is at one moment, with all that is needed to read and encode its rows.
 *
 * @param fingerprint   of the table, its columns and its key: another one means that its rows may have changed without a change
 *                      record, so that a new snapshot is needed
 * @param partitioned   whether its rows lie in partitions
 * @param places        of its storage: other ones mean that it has been rewritten
 * @param estimatedRows as the source's statistics have it; below 0 if they have not
 * @param keyColumns    the key's columns by their place in {@code columns}, in the key's order; none if it has no key
 * @param unpublished   why its changes are not streamed: it is read anew on a schedule instead; null if they are
 * @param unordered     why its order is not known by a name; null if it is
 */
record SourceTable(
        long oid,
        TableSchema schema,
        String fingerprint,
        boolean partitioned,
        String places,
        long estimatedRows,
        List<Column> columns,
        int[] keyColumns,
        RowEncoder encoder,
        @Nullable LeftOut unpublished,
        @Nullable LeftOut unordered) {

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

    /** For SQL: what to read its rows from. */
    String rows() {
        return partitioned ? qualifiedName() : "ONLY " + qualifiedName();
    }

    /** Whether its rows are told apart by nothing but what they are. */
    boolean keyless() {
        return keyColumns.length == 0;
    }

    /** Whether its changes come by the stream. */
    boolean streamed() {
        return unpublished == null;
    }

    /** The same table, read on the schedule. */
    SourceTable unpublished(LeftOut why) {
        // Another fingerprint: a generation that was read like this cannot be gone on with by the stream.
        return new SourceTable(oid, schema, fingerprint + ":unpublished", partitioned, places, estimatedRows, columns,
                keyColumns,
                encoder,
                why, unordered);
    }

    boolean hasGeneratedColumns() {
        return columns.stream().anyMatch(Column::generated);
    }

    /** Whether a row is told from equal ones by where it lies: nobody has to know it again but for as long as it lies there. */
    boolean toldByPlace() {
        return keyless() && !streamed();
    }

    /** For SQL: its columns, and what else tells its rows apart. */
    String selectList() {
        Stream<String> names = columns.stream().map(column -> Sql.identifier(column.name()));
        return Stream.concat(names, toldByPlace() ? Stream.of(KeylessKey.PLACE) : Stream.empty())
                .collect(Collectors.joining(", "));
    }
}
