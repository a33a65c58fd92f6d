package io.syncline.gateway.table;

import static io.syncline.model.table.ReplicaLayout.WIRE;
import static io.syncline.model.table.ReplicaLayout.keyColumn;
import static io.syncline.model.table.ReplicaLayout.qualified;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Which rows of a replica table, by its key, and how many. Rendered as SQL text, since COPY takes no parameters: names
 * are quoted, numbers are numbers, and values are quoted literals that PostgreSQL reads as the key column's own type.
 *
 * @param ids   the key's values, null for all; they win over the range
 * @param start the first key of the range, null for none
 * @param end   the last key of the range, null for none
 */
record RowQuery(
        String replicaName,
        int keySize,
        @Nullable List<String> ids,
        @Nullable String start,
        @Nullable String end,
        long offset,
        long limit) {

    static RowQuery first(ServedTable table, long limit) {
        return new RowQuery(table.replicaName(), table.schema().key().size(), null, null, null, 0, limit);
    }

    RowQuery from(long newOffset) {
        return new RowQuery(replicaName, keySize, ids, start, end, newOffset, limit);
    }

    RowQuery atMost(long rows) {
        return new RowQuery(replicaName, keySize, ids, start, end, offset, Math.min(limit, rows));
    }

    /** Gives the rows' wire JSON in the key's order. */
    String copy() {
        List<String> conditions = new ArrayList<>(List.of(WIRE + " IS NOT NULL"));
        if (ids != null) {
            conditions.add(keyColumn(0) + " = ANY (" + literal(arrayOf(ids)) + ")");
        } else {
            if (start != null) {
                conditions.add(keyColumn(0) + " >= " + literal(start));
            }
            if (end != null) {
                conditions.add(keyColumn(0) + " <= " + literal(end));
            }
        }
        String order = IntStream.range(0, keySize).mapToObj(i -> keyColumn(i)).collect(Collectors.joining(", "));
        return "COPY (SELECT " + WIRE + " FROM " + qualified(replicaName) + " WHERE "
                + String.join(" AND ", conditions) + " ORDER BY " + order + " LIMIT " + limit
                + (offset == 0 ? "" : " OFFSET " + offset) + ") TO STDOUT (FORMAT binary)";
    }

    /** A statement that fails exactly where a value is none of the key's type; its parameter is the value, or an array of all. */
    String check() {
        return "SELECT FROM " + qualified(replicaName) + " WHERE " + keyColumn(0)
                + (ids != null ? " = ANY (?)" : " = ?") + " LIMIT 0";
    }

    /** An array as PostgreSQL reads it. */
    static String arrayOf(List<String> values) {
        return values.stream()
                .map(value -> '"' + value.replace("\\", "\\\\").replace("\"", "\\\"") + '"')
                .collect(Collectors.joining(",", "{", "}"));
    }

    /** A literal that means the same whatever {@code standard_conforming_strings} says. */
    static String literal(String value) {
        return "E'" + value.replace("\\", "\\\\").replace("'", "''") + "'";
    }
}
