package io.syncline.worker.capture;

import io.syncline.worker.capture.encode.ValueType;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The source's types by what they are, whatever they are called: one of PostgreSQL's own by its name in pg_catalog, an extension's by
 * the extension and its name there, in whatever schema that lies. An enum that somebody has named json is an enum.
 */
final class SourceTypes {

    /** Below it PostgreSQL's own objects lie. */
    private static final long FIRST_USER_OID = 16_384;

    private static final String TYPES = """
            SELECT t.oid::bigint AS oid, t.typname, t.typtype, t.typbasetype::bigint AS base, t.typtypmod,
                   t.typelem::bigint AS element, t.typdelim, element.typarray = t.oid AS is_array, n.nspname = 'pg_catalog' AS in_catalog,
                   (SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                    WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
                        AND d.refclassid = 'pg_catalog.pg_extension'::regclass) AS extension
            FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_type element ON element.oid = t.typelem
            WHERE t.typtype <> 'p' AND (t.typtype <> 'c' OR t.oid >= 16384)""";

    /**
     * @param kind      pg_type's typtype: b, c, d, e, r or m
     * @param base      what a domain is over, else 0
     * @param modifier  a domain's for its base, else -1
     * @param element   of an array, and of some others that are subscripted, else 0
     * @param array     whether it is the type of arrays of {@code element}; int2vector and oidvector are not: their text is their own
     * @param extension that it is part of; null for PostgreSQL's own types and the source's
     */
    record Type(
            long oid,
            String name,
            String kind,
            long base,
            int modifier,
            long element,
            boolean array,
            char delimiter,
            boolean inCatalog,
            @Nullable String extension) {

        /** Its name, if it is one of PostgreSQL's own; else empty. */
        String builtIn() {
            return oid < FIRST_USER_OID && inCatalog ? name : "";
        }

        boolean isOf(String ofExtension, String named) {
            return ofExtension.equals(extension) && named.equals(name);
        }

        boolean isDomain() {
            return kind.equals("d");
        }
    }

    private final Map<Long, Type> types;

    SourceTypes(Map<Long, Type> types) {
        this.types = Map.copyOf(types);
    }

    static SourceTypes read(Connection connection) throws SQLException {
        Map<Long, Type> types = new HashMap<>();
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(TYPES)) {
            while (rows.next()) {
                types.put(rows.getLong("oid"),
                        new Type(rows.getLong("oid"), rows.getString("typname"), rows.getString("typtype"),
                                rows.getLong("base"), rows.getInt("typtypmod"), rows.getLong("element"),
                                rows.getBoolean("is_array"), rows.getString("typdelim").charAt(0),
                                rows.getBoolean("in_catalog"), rows.getString("extension")));
            }
        }
        return new SourceTypes(types);
    }

    @Nullable
    Type of(long oid) {
        return types.get(oid);
    }

    /** What a column's value is, with the modifier that holds for it: a domain's base, however many domains lie between. */
    record Root(@Nullable Type type, int modifier) {}

    Root root(long oid, int modifier) {
        Type type = types.get(oid);
        return type == null || !type.isDomain()
                ? new Root(type, modifier)
                : root(type.base(), modifier == -1 ? type.modifier() : modifier);
    }

    /** How values of a type become JSON. */
    ValueType valueType(long oid, int modifier) {
        Root root = root(oid, modifier);
        Type type = root.type();
        if (type == null) {
            return new ValueType.Text();
        }
        if (type.array()) {
            Type element = types.get(type.element());
            return new ValueType.Array(valueType(type.element(), root.modifier()),
                    element == null ? ',' : element.delimiter());
        }
        if (type.isOf("hstore", "hstore")) {
            return new ValueType.Hstore();
        }
        int digits = root.modifier() < 0 ? 6 : root.modifier();
        return switch (type.builtIn()) {
            case "int2", "int4", "int8" -> new ValueType.Whole();
            case "float4", "float8" -> new ValueType.Floating();
            case "bool" -> new ValueType.Bool();
            case "json", "jsonb" -> new ValueType.Json();
            case "inet" -> new ValueType.Inet();
            case "time" -> new ValueType.Time(digits);
            case "timestamp" -> new ValueType.Timestamp(digits, false);
            case "timestamptz" -> new ValueType.Timestamp(digits, true);
            default -> new ValueType.Text();
        };
    }
}
