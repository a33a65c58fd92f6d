package io.syncline.worker.capture;

import io.syncline.worker.capture.SourceTypes.Root;
import io.syncline.worker.capture.SourceTypes.Type;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which types a key may have. A row is known again by its key's values, which travel as text and lie in the replica in the same type:
 * two of them must be equal there exactly where they are equal in the source, so that no two rows become one, and no row becomes two.
 * Where that is not certain, the table's rows are told apart by something else than their key.
 */
final class KeyTypes {

    /** For a type that PostgreSQL sorts, and which may so be in a key. */
    sealed interface Rule {

        /** Text and equality are the same in every PostgreSQL from 14 on. */
        record Exact() implements Rule {}

        /** Some values are known from a version on, at the replica too. */
        record Since(int version, String what) implements Rule {}

        /** Its text does not tell all of its values apart, or tells them otherwise elsewhere. */
        record Inexact(String why) implements Rule {}
    }

    private static final int NUMERIC_SCALES = 15_00_00;

    /** PostgreSQL's own types, by name. What is not among them may be of a version that nobody had thought about. */
    private static final Map<String, Rule> BUILT_IN = new TreeMap<>();

    static {
        Rule exact = new Rule.Exact();
        for (String name : new String[]{"bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar",
            "bpchar", "name", "bytea", "uuid", "date", "time", "timetz", "timestamp", "timestamptz", "inet", "cidr",
            "macaddr", "macaddr8", "bit", "varbit", "oid", "oidvector", "tid", "xid8", "pg_lsn", "tsvector", "jsonb",
            "int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange", "int4multirange",
            "int8multirange", "nummultirange", "datemultirange", "tsmultirange", "tstzmultirange"}) {
            BUILT_IN.put(name, exact);
        }
        BUILT_IN.put("numeric", new Rule.Since(NUMERIC_SCALES, "a scale that is negative or above the precision"));
        BUILT_IN.put("interval", new Rule.Since(17_00_00, "infinite intervals"));
        BUILT_IN.put("money", new Rule.Inexact("what it means depends on the locale"));
        BUILT_IN.put("char", new Rule.Inexact("beyond ASCII its text is another one in other versions of PostgreSQL"));
        BUILT_IN.put("tsquery", new Rule.Inexact("two that differ may have one text"));
    }

    /**
     * @param sourceVersion  the source's server_version_num
     * @param replicaVersion the state database's
     * @param citext         null if the state database can have citext and folds case as the source does; else why not
     */
    record Databases(int sourceVersion, int replicaVersion, @Nullable String citext) {}

    private final SourceTypes types;
    private final Databases databases;

    KeyTypes(SourceTypes types, Databases databases) {
        this.types = types;
        this.databases = databases;
    }

    /** What is known of a type of PostgreSQL's own; null if nothing is. */
    static @Nullable Rule ofBuiltIn(String name) {
        return BUILT_IN.get(name);
    }

    /** Why a type cannot be in a key; null if it can. */
    @Nullable
    String unfit(long oid, int modifier) {
        Root root = types.root(oid, modifier);
        Type type = root.type();
        if (type == null) {
            return "only the source has it";
        }
        if (type.array()) {
            return unfitElement(type.element(), root.modifier());
        }
        if (type.kind().equals("e")) {
            // It is made where the replica is, of its labels.
            return null;
        }
        if (type.isOf("citext", "citext")) {
            return databases.citext();
        }
        return unfit(type.builtIn(), root.modifier());
    }

    /** Elements are not looked up where the replica is: an array of a type that is made there, or of a domain, has no type there. */
    private @Nullable String unfitElement(long oid, int modifier) {
        Type type = types.of(oid);
        String name = type == null ? "" : type.builtIn();
        return name.equals("jsonb") ? "JSON's null and SQL's are one in an array's JSON" : unfit(name, modifier);
    }

    private @Nullable String unfit(String builtIn, int modifier) {
        return switch (ofBuiltIn(builtIn)) {
            case null -> "only the source has it, or this version does not know it";
            case Rule.Exact _ -> null;
            case Rule.Since _ when builtIn.equals("numeric") && !hasOddScale(modifier) -> null;
            case Rule.Since since ->
                    databases.sourceVersion() < since.version() || databases.replicaVersion() >= since.version()
                            ? null
                            : "the state database, which is PostgreSQL " + databases.replicaVersion() / 10_000
                                    + ", does not know " + since.what();
            case Rule.Inexact inexact -> inexact.why();
        };
    }

    /** numeric's modifier holds 4 bytes of header, the precision, and 11 bits of scale with a sign. */
    private static boolean hasOddScale(int modifier) {
        if (modifier < 0) {
            return false;
        }
        int precision = modifier - 4 >> 16 & 0xffff;
        int scale = (modifier - 4 & 0x7ff ^ 1024) - 1024;
        return scale < 0 || scale > precision;
    }
}
