package io.syncline.e2e.capture;

import io.syncline.standalone.EmbeddedDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What the wire must show of a table: made by PostgreSQL itself, apart from anything that Syncline does. */
final class SourceOracle {

    private SourceOracle() {}

    private record Column(String name, String type, int modifier, boolean array) {}

    static Map<String, String> rows(EmbeddedDatabase server, String database, String table) {
        try (Connection connection = server.connect(database); Statement statement = connection.createStatement()) {
            statement.execute("SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'");
            List<Column> columns = columns(statement, table);
            List<String> keys = key(statement, table, columns).stream().map(SourceOracle::json).toList();
            String sql = "SELECT '[' || " + String.join(" || ',' || ", keys) + " || ']', " + row(columns)
                    + from(statement, table);
            Map<String, String> rows = new TreeMap<>();
            try (ResultSet result = statement.executeQuery(sql)) {
                while (result.next()) {
                    rows.put(result.getString(1), result.getString(2));
                }
            }
            return rows;
        } catch (SQLException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    /** All rows of a table without a key, equal ones as often as they are there, in the order of their texts. */
    static List<String> bag(EmbeddedDatabase server, String database, String table) {
        try (Connection connection = server.connect(database); Statement statement = connection.createStatement()) {
            statement.execute("SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'");
            List<String> rows = new ArrayList<>();
            try (ResultSet result = statement
                    .executeQuery("SELECT " + row(columns(statement, table)) + from(statement, table))) {
                while (result.next()) {
                    rows.add(result.getString(1));
                }
            }
            rows.sort(null);
            return rows;
        } catch (SQLException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    private static String row(List<Column> columns) {
        List<String> fields = new ArrayList<>();
        for (Column column : columns) {
            fields.add(literal("\"" + column.name().replace("\\", "\\\\").replace("\"", "\\\"") + "\":") + " || "
                    + json(column));
        }
        return fields.isEmpty() ? "'{}'" : "'{' || " + String.join(" || ',' || ", fields) + " || '}'";
    }

    private static String from(Statement statement, String table) throws SQLException {
        try (ResultSet kind = statement.executeQuery(
                "SELECT relkind = 'p' FROM pg_class WHERE oid = " + literal("public." + quoted(table))
                        + "::regclass")) {
            kind.next();
            return (kind.getBoolean(1) ? " FROM public." : " FROM ONLY public.") + quoted(table);
        }
    }

    private static List<Column> columns(Statement statement, String table) throws SQLException {
        String sql = """
                WITH RECURSIVE root AS (
                    SELECT a.attnum, a.attname, a.atttypmod AS modifier, a.atttypid AS type FROM pg_attribute a
                    WHERE a.attrelid = '%s'::regclass AND a.attnum > 0 AND NOT a.attisdropped
                  UNION ALL
                    SELECT r.attnum, r.attname, greatest(r.modifier, t.typtypmod), t.typbasetype FROM root r
                    JOIN pg_type t ON t.oid = r.type WHERE t.typtype = 'd')
                SELECT r.attname, coalesce(b.typname, e.typname, t.typname), r.modifier, e.oid IS NOT NULL FROM root r JOIN pg_type t ON t.oid = r.type
                LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A' AND t.oid NOT IN (22, 30)
                LEFT JOIN pg_type b ON b.oid = e.typbasetype
                WHERE t.typtype <> 'd' ORDER BY r.attnum"""
                .formatted(("public." + quoted(table)).replace("'", "''"));
        List<Column> columns = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                columns.add(new Column(rows.getString(1), rows.getString(2), rows.getInt(3), rows.getBoolean(4)));
            }
        }
        return columns;
    }

    private static List<Column> key(Statement statement, String table, List<Column> columns) throws SQLException {
        String sql = """
                SELECT a.attname FROM pg_index i CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY k (number, position)
                JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
                WHERE i.indexrelid = (SELECT x.indexrelid FROM pg_index x WHERE x.indrelid = '%s'::regclass
                                      AND (x.indisprimary OR x.indisreplident) ORDER BY x.indisreplident DESC LIMIT 1)
                ORDER BY k.position"""
                .formatted(("public." + quoted(table)).replace("'", "''"));
        List<Column> key = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                String name = rows.getString(1);
                columns.stream().filter(column -> column.name().equals(name)).forEach(key::add);
            }
        }
        return key;
    }

    /** An SQL expression that gives the column's JSON. */
    private static String json(Column column) {
        String value = quoted(column.name());
        String json = column.array() ? array(column, value) : scalar(column, value);
        return "coalesce(" + json + ", 'null')";
    }

    private static String scalar(Column column, String value) {
        int digits = column.modifier() < 0 ? 6 : column.modifier();
        String fraction = digits == 0 ? "" : ".US";
        int cut = digits == 0 ? 0 : 6 - digits;
        String text = "to_json(" + value + "::text)::text";
        return switch (column.type()) {
            case "int2", "int4", "int8" -> value + "::text";
            case "float4", "float8" ->
                    "CASE WHEN " + value + "::text IN ('NaN', 'Infinity', '-Infinity') THEN " + text + " ELSE " + value
                            + "::text END";
            case "bool" -> "CASE " + value + " WHEN true THEN 'true' WHEN false THEN 'false' END";
            case "json" -> "translate(" + value + "::text, E'\\r\\n', '  ')";
            case "jsonb" -> value + "::text";
            case "bpchar" -> "to_json(rpad(" + value + "::text, " + (column.modifier() - 4) + "))::text";
            // jsonb's own order of members differs from hstore's: compared member by member.
            case "hstore" -> "(SELECT '{' || coalesce(string_agg(to_json(k)::text || ':' || coalesce(to_json(" + value
                    + " -> k)::text, 'null'), ',' ORDER BY n), '') || '}' FROM unnest(akeys(" + value
                    + ")) WITH ORDINALITY u (k, n) WHERE "
                    + value + " IS NOT NULL HAVING " + value + " IS NOT NULL)";
            case "time" -> "CASE WHEN " + value + " = '24:00' THEN " + text + " ELSE '\"' || left(to_char(" + value
                    + ", 'HH24:MI:SS"
                    + fraction + "'), " + (8 + (digits == 0 ? 0 : 7) - cut) + ") || '\"' END";
            case "timestamp", "timestamptz" ->
                    "CASE WHEN NOT isfinite(" + value + ") OR extract(year FROM " + value + ") < 1 THEN " + text
                            + " ELSE to_json(left(" + iso(value) + ", length(" + iso(value) + ") - "
                            + (digits == 0 ? 7 : cut) + ") || '"
                            + (column.type().equals("timestamptz") ? "Z" : "") + "')::text END";
            default -> text;
        };
    }

    private static String iso(String timestamp) {
        return "to_char(" + timestamp + ", CASE WHEN extract(year FROM " + timestamp
                + ") < 10000 THEN 'YYYY' ELSE 'FMYYYY' END || '-MM-DD\"T\"HH24:MI:SS.US')";
    }

    /** Arrays of one dimension; others are compared by tests that name them. */
    private static String array(Column column, String value) {
        String element = value + "[i]";
        return "CASE WHEN " + value + " IS NOT NULL THEN '[' || coalesce((SELECT string_agg(coalesce("
                + scalar(column, element)
                + ", 'null'), ',' ORDER BY i) FROM generate_subscripts(" + value + ", 1) i), '') || ']' END";
    }

    private static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    private static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }
}
