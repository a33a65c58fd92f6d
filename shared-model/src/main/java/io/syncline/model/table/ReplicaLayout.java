package io.syncline.model.table;

/** How a replica table is named and what its columns are called: the worker writes them, the gateway reads them. */
public final class ReplicaLayout {

    /** The database schema of all replica tables. */
    public static final String SCHEMA = "syncline_replica";

    /** The column of the row's wire JSON; NULL is a tombstone. */
    public static final String WIRE = "wire";

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

    /** An identifier in SQL's quotes, whatever its characters. */
    public static String quoted(String identifier) {
        return '"' + identifier.replace("\"", "\"\"") + '"';
    }
}
