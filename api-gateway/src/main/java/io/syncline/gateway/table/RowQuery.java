package io.syncline.gateway.table;

import static io.syncline.model.table.ReplicaLayout.CHANGED;
import static io.syncline.model.table.ReplicaLayout.REMOVED_KEY;
import static io.syncline.model.table.ReplicaLayout.WIRE;
import static io.syncline.model.table.ReplicaLayout.keyColumn;
import static io.syncline.model.table.ReplicaLayout.literal;
import static io.syncline.model.table.ReplicaLayout.qualified;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Which rows of a replica table, by its key, and how many. Rendered as SQL text, since COPY takes no parameters: names
 * are quoted, numbers are numbers, and values are quoted literals that PostgreSQL reads as the key column's own type.
 *
 * @param conditions what must hold, besides being a row or a tombstone
 * @param inOrder    whether the rows can be had by the key's index in its order; else PostgreSQL may sort them
 */
record RowQuery(
        String replicaName,
        int keySize,
        List<String> conditions,
        boolean inOrder,
        long offset,
        long limit) {

    RowQuery {
        conditions = List.copyOf(conditions);
    }

    static RowQuery all(ServedTable table) {
        return new RowQuery(table.replicaName(), table.schema().key().size(), List.of(), true, 0, Long.MAX_VALUE);
    }

    RowQuery from(long newOffset) {
        return new RowQuery(replicaName, keySize, conditions, inOrder, newOffset, limit);
    }

    RowQuery atMost(long rows) {
        return new RowQuery(replicaName, keySize, conditions, inOrder, offset, Math.min(limit, rows));
    }

    /** Rows with one of these keys, each the texts of the key's columns. */
    RowQuery among(List<List<String>> keys, boolean arrays) {
        if (keySize == 1 && !arrays) {
            String ids = arrayOf(keys.stream().map(List::getFirst).toList());
            return where(keyColumn(0) + " = ANY (" + literal(ids) + ")", inOrder);
        }
        return where(keys.isEmpty() ? "false"
                : keys.stream().map(key -> compared("=", key)).collect(Collectors.joining(" OR ", "(", ")")), false);
    }

    /** Rows at or behind this key, or one that begins so. */
    RowQuery startingAt(List<String> key) {
        return where(compared(">=", key), inOrder);
    }

    /** Rows up to this key, or all that begin so. */
    RowQuery endingAt(List<String> key) {
        return where(compared("<=", key), inOrder);
    }

    RowQuery after(List<String> key) {
        return where(compared(">", key), inOrder);
    }

    /** Rows and tombstones that a later change than this one has written: few, as a rule. */
    RowQuery changedSince(long change) {
        return where(CHANGED + " > " + change, false);
    }

    /** Gives the rows' wire JSON in the key's order. */
    String rows() {
        return copy(WIRE);
    }

    /** Gives the keys of deleted rows as JSON objects in the key's order. */
    String deletedKeys() {
        return copy(REMOVED_KEY);
    }

    /**
     * Gives the texts of the key that ends a page of so many, and of the next one if there is one.
     *
     * @param deleted whether deleted rows count too
     */
    String endOfPage(long size, boolean deleted) {
        // Under a name of its own: a cast keeps the column's, and ORDER BY would take the text.
        String keys = IntStream.range(0, keySize)
                .mapToObj(i -> keyColumn(i) + "::text AS text" + i)
                .collect(Collectors.joining(", "));
        return select(keys, deleted ? List.of() : List.of(WIRE + " IS NOT NULL")) + " OFFSET " + (size - 1)
                + " LIMIT 2";
    }

    private String copy(String column) {
        return "COPY (" + select(column, List.of(column + " IS NOT NULL"))
                + (limit == Long.MAX_VALUE ? "" : " LIMIT " + limit) + (offset == 0 ? "" : " OFFSET " + offset)
                + ") TO STDOUT (FORMAT binary)";
    }

    private String select(String columns, List<String> more) {
        List<String> all = new ArrayList<>(more);
        all.addAll(conditions);
        String order = IntStream.range(0, keySize).mapToObj(i -> keyColumn(i)).collect(Collectors.joining(", "));
        return "SELECT " + columns + " FROM " + qualified(replicaName)
                + (all.isEmpty() ? "" : " WHERE " + String.join(" AND ", all)) + " ORDER BY " + order;
    }

    private RowQuery where(String condition, boolean stillInOrder) {
        List<String> more = new ArrayList<>(conditions);
        more.add(condition);
        return new RowQuery(replicaName, keySize, more, stillInOrder, offset, limit);
    }

    /** Compares the key's first columns with as many texts, as PostgreSQL compares rows. */
    private static String compared(String operator, List<String> key) {
        String columns = IntStream.range(0, key.size()).mapToObj(i -> keyColumn(i)).collect(Collectors.joining(", "));
        String values = key.stream().map(value -> literal(value)).collect(Collectors.joining(", "));
        return key.size() == 1
                ? columns + " " + operator + " " + values
                : "(" + columns + ") " + operator + " (" + values + ")";
    }

    /** A statement that fails exactly where a value is none of a key column's type; its parameter is an array of values. */
    static String checkAll(String replicaName, int column) {
        return "SELECT FROM " + qualified(replicaName) + " WHERE " + keyColumn(column) + " = ANY (?) LIMIT 0";
    }

    /** The same for one value. */
    static String checkOne(String replicaName, int column) {
        return "SELECT FROM " + qualified(replicaName) + " WHERE " + keyColumn(column) + " = ? LIMIT 0";
    }

    /** An array as PostgreSQL reads it. */
    static String arrayOf(List<String> values) {
        return values.stream().map(RowQuery::element).collect(Collectors.joining(",", "{", "}"));
    }

    static String element(String value) {
        return '"' + value.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
