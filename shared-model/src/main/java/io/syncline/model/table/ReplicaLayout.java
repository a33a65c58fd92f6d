package io.syncline.model.table;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;

/** How a replica table is named and what its columns are called: the worker writes them, the gateway reads them. */
public final class ReplicaLayout {

    /** The database schema of all replica tables. */
    public static final String SCHEMA = "syncline_replica";

    /** The column of the row's wire JSON; NULL is a tombstone. */
    public static final String WIRE = "wire";

    /** The column of a tombstone's key, a JSON object of its columns; NULL for a row. */
    public static final String REMOVED_KEY = "removed_key";

    /** The column of the number of the change that wrote the row or tombstone: it only grows, over generations too. */
    public static final String CHANGED = "changed";

    /** The most characters of the table's own name; with the generation's digits it stays below PostgreSQL's 63. */
    private static final int MAX_NAME_LENGTH = 40;

    private ReplicaLayout() {}

    /** The name of the replica table of one generation, without its schema and quotes. */
    public static String tableName(TableName table, long generation) {
        return table.escaped(MAX_NAME_LENGTH) + "." + generation;
    }

    /** A replica table's name as SQL has it. */
    public static String qualified(String replicaName) {
        return SCHEMA + "." + quoted(replicaName);
    }

    /** The column of the key's column at {@code index}, from 0. */
    public static String keyColumn(int index) {
        return "k" + (index + 1);
    }

    /**
     * The type of a key's column there. An enum has a type of its own, named by its labels: two tables whose enums are the
     * same share it, and one whose enum has changed gets another.
     */
    public static String keyType(KeyColumn column) {
        return column.labels().isEmpty() ? column.nativeType() : SCHEMA + "." + quoted(enumName(column.labels()));
    }

    /** The name of the enum type with these labels, without its schema and quotes. */
    public static String enumName(List<String> labels) {
        StringBuilder all = new StringBuilder();
        labels.forEach(label -> all.append(label.length()).append(':').append(label));
        return "enum." + HexFormat.of().formatHex(Sha256.of(all.toString().getBytes(StandardCharsets.UTF_8)), 0, 16);
    }

    /** An identifier in SQL's quotes, whatever its characters. */
    public static String quoted(String identifier) {
        return '"' + identifier.replace("\"", "\"\"") + '"';
    }

    /** A literal that means the same whatever {@code standard_conforming_strings} says. */
    public static String literal(String value) {
        return "E'" + value.replace("\\", "\\\\").replace("'", "''") + "'";
    }
}
