package io.syncline.e2e.promises;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A table made up from a seed: of any kind, a key of any types, columns of any types, and statements that change it. */
final class RandomTable {

    static final int KEYS = 400;

    /** How its rows are told apart. */
    private enum Kind {
        PRIMARY_KEY, PARTITIONED, INDEX, INDEX_BESIDE_KEY, WHOLE_ROWS, NOTHING;

        boolean keyless() {
            return this == WHOLE_ROWS || this == NOTHING;
        }
    }

    /** Types for keys. The value of a number: different numbers give different keys, unless it is {@code few}. */
    private enum KeyType {
        BIGINT("bigint", "%d::bigint * 1000003 - 7"), INTEGER("int", "%d - 5"),
        SMALLINT("smallint", "(%d - 5)::smallint"),
        UUID("uuid", "md5('u' || %d)::uuid"), TEXT("text", "E'k\\'é\"\\\\ ' || %d"),
        VARCHAR("varchar(20)", "'k' || %d"),
        C("text COLLATE \"C\"", "chr(60 + %1$d %% 60) || %1$d"), CHAR("char(8)", "'c' || %d"),
        NUMERIC("numeric", "CASE %d WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' ELSE %d * 1.50 END"),
        CENTS("numeric(12,2)", "%d / 4.0"), DATE("date", "date '2000-01-01' + %d"),
        TIMESTAMP("timestamp", "timestamp '2000-01-01' + %d * interval '1.000001 hours'"),
        TIMESTAMPTZ("timestamptz(3)", "timestamptz '2000-01-01 UTC' + %d * interval '1.001 hours'"),
        TIME("time", "time '00:00' + %d * interval '1.5 seconds'"), INTERVAL("interval", "%d * interval '1 hour'"),
        BYTEA("bytea", "decode(md5('b' || %d), 'hex')"), DOUBLE("float8",
                "CASE %d WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' WHEN 2 THEN '-Infinity' ELSE %d / 3.0::float8 END"),
        INET("inet", "inet '10.0.0.0' + %d"), RANGE("int4range", "int4range(%1$d, %1$d + 5)"),
        ARRAY("text[]", "ARRAY['a' || %d, NULL, E'\"\\\\']"), BITS("bit(16)", "(%d)::bit(16)"),
        VARBITS("bit varying", "(%d)::bit(16)"), MONEY("money", "(%d - 5)::money / 4"),
        TIMETZ("timetz", "timetz '00:00+01' + %d * interval '1.5 seconds'"),
        CIDR("cidr", "set_masklen(inet '10.0.0.0' + %d, 32)::cidr"),
        MAC("macaddr",
                "('08:00:2b:01:' || to_char(%1$d / 100, 'FM00') || ':' || to_char(%1$d %% 100, 'FM00'))::macaddr"),
        LSN("pg_lsn", "pg_lsn '0/1' + %d"), OID("oid", "(%d + 10)::oid"), NAME("name", "'n' || %d"),
        MULTIRANGE("int4multirange", "int4multirange(int4range(%1$d, %1$d + 2), int4range(%1$d + 5, NULL))"),
        COMPOSITE("pair", "ROW(%1$d, 'x\"' || %1$d)::pair"),
        DOMAIN("positive", "%d + 1"), ENUM("mood", "(ARRAY['sad', 'ok', 'happy']::mood[])[%d %% 3 + 1]"),
        ARRAY_BOUNDS("int[]", "('[' || %1$d %% 3 || ':' || %1$d %% 3 + 1 || ']={' || %1$d || ',7}')::int[]"),
        JSONB("jsonb",
                "CASE %1$d %% 3 WHEN 0 THEN to_jsonb(%1$d) WHEN 1 THEN jsonb_build_array(%1$d, NULL, 1.50) ELSE jsonb_build_object('b', %1$d, 'a', 'é\"') END"),
        CITEXT("ext.citext", "'Key ' || %d"), OWN_INT("public.\"int4\"", "'i' || %d"),
        BOOL("boolean", "%d %% 2 = 0");

        final String sql;
        final String value;

        KeyType(String sql, String value) {
            this.sql = sql;
            this.value = value;
        }

        boolean few() {
            return this == ENUM || this == BOOL;
        }

        boolean hashable() {
            return this != BITS && this != VARBITS && this != MONEY;
        }
    }

    /** Types for other columns, and a value of a version; %1$s is the version, a bigint. */
    private enum ColumnType {
        TEXT("text", "'v''\" ' || %1$s || E'\\n\\té'"),
        LONG_TEXT("text",
                "(SELECT string_agg(md5((g + %1$s)::text), '') FROM generate_series(1, 200 + (%1$s %% 300)::int) g)"),
        JSONB("jsonb", "jsonb_build_object('n', %1$s, 'a', jsonb_build_array(1.50, NULL, 'x'))"),
        JSON("json", "('{\"n\": ' || %1$s || ', \"big\": 12345678901234567890, \"n\": 1e40}')::json"),
        NUMERIC("numeric", "%1$s / 7.0"), DOUBLE("float8", "%1$s / 3.0::float8"),
        REAL("float4", "(%1$s / 7.0)::float4"),
        NAN("float8", "'-Infinity'::float8"), TIMESTAMPTZ("timestamptz",
                "timestamptz '2001-01-01 UTC' + (%1$s %% 1000000) * interval '1.000001 s'"),
        DATE("date", "CASE WHEN %1$s %% 5 = 0 THEN date 'infinity' ELSE date '1999-12-31' - (%1$s %% 900000)::int END"),
        BOOL("boolean", "%1$s %% 2 = 0"), BYTEA("bytea", "decode(md5((%1$s)::text), 'hex')"),
        INTS("int[]", "ARRAY[(%1$s %% 1000)::int, NULL, 3]"),
        TEXTS("text[]", "ARRAY[['a', NULL], [E'\"{}\\\\,', (%1$s)::text]]"),
        UUID("uuid", "md5((%1$s)::text)::uuid"),
        ENUM("mood", "(ARRAY['sad', 'ok', 'happy']::mood[])[(%1$s %% 3)::int + 1]"),
        RANGE("int8range", "int8range(%1$s, %1$s + 5, '[]')"), INET("inet", "inet '10.0.0.0' + (%1$s %% 1000)"),
        POINT("point", "point((%1$s %% 100), 1.5)"), INTERVAL("interval", "(%1$s %% 100000) * interval '1.5 minutes'"),
        DOMAIN("positive", "(%1$s %% 1000000) + 1"), CHAR("char(5)", "'c' || (%1$s %% 1000)"),
        TSVECTOR("tsvector", "to_tsvector('simple', 'some words ' || (%1$s %% 50))"),
        TSQUERY("tsquery", "to_tsquery('simple', 'some & !w' || (%1$s %% 50))"),
        SMALLINT("smallint", "(%1$s %% 30000)::smallint"), BIGINT("bigint", "-9000000000000000000 + %1$s"),
        SCALED("numeric(30,4)", "%1$s * 1000000000000.5"), MONEY("money", "((%1$s %% 1000000)::int)::money / 7"),
        VARCHAR("varchar(20)", "'v' || (%1$s %% 100000)"),
        ONE_CHAR("\"char\"", "chr(65 + (%1$s %% 20)::int)::\"char\""),
        NAME("name", "'n' || %1$s"), OID("oid", "(%1$s %% 4000000000)::oid"), LSN("pg_lsn", "pg_lsn '0/0' + %1$s"),
        TIMESTAMP("timestamp(2)",
                "CASE WHEN %1$s %% 6 = 0 THEN timestamp '-infinity' ELSE timestamp '0044-03-15 BC' + (%1$s %% 1000000) * interval '1.01 s' END"),
        TIME("time",
                "CASE WHEN %1$s %% 4 = 0 THEN time '24:00' ELSE time '00:00' + (%1$s %% 1000000) * interval '0.000001 s' END"),
        TIMETZ("timetz", "timetz '00:00-05:30' + (%1$s %% 10000) * interval '1 s'"),
        BITS("bit(9)", "(%1$s %% 512)::int::bit(9)"), VARBITS("bit varying", "(%1$s %% 512)::int::bit(7)"),
        CIDR("cidr", "set_masklen(inet '10.0.0.0' + (%1$s %% 1000) * 256, 24)::cidr"),
        INET6("inet", "inet '2001:db8::' + (%1$s %% 1000)"),
        MAC("macaddr", "('08:00:2b:01:02:' || to_char(%1$s %% 100, 'FM00'))::macaddr"),
        MAC8("macaddr8", "('08:00:2b:01:02:03:04:' || to_char(%1$s %% 100, 'FM00'))::macaddr8"),
        LINE("line", "line(point(0, 0), point(1, (%1$s %% 100) / 3.0))"),
        LSEG("lseg", "lseg(point(0, 0.1), point(1, %1$s %% 100))"),
        BOX("box", "box(point(0, 0), point(1.5, %1$s %% 100))"),
        PATH("path", "('[(0,0),(1,' || %1$s %% 100 || ')]')::path"),
        POLYGON("polygon", "('((0,0),(1,' || %1$s %% 100 || '),(2,0))')::polygon"),
        CIRCLE("circle", "circle(point(0, 0), (%1$s %% 100) / 7.0)"),
        NUMRANGE("numrange", "numrange(%1$s / 3.0, NULL, '(]')"), DATERANGE("daterange",
                "daterange(date '2000-01-01' + (%1$s %% 1000)::int, date '2005-01-01', '[]')"),
        TSRANGE("tsrange", "tsrange(timestamp '2000-01-01' + (%1$s %% 1000) * interval '1 s', 'infinity')"),
        TSTZRANGE("tstzrange", "tstzrange(timestamptz '2000-01-01 UTC' + (%1$s %% 1000) * interval '1 s', NULL)"),
        MULTIRANGE("int8multirange", "int8multirange(int8range(0, 3), int8range(10, 11 + %1$s))"),
        JSONPATH("jsonpath", "('$.a[*] ? (@ > ' || %1$s || ')')::jsonpath"),
        XML("xml", "('<a b=\"1\">' || %1$s || ' &amp; é</a>')::xml"),
        COMPOSITE("pair",
                "ROW((%1$s %% 1000)::int, CASE WHEN %1$s %% 3 = 0 THEN NULL ELSE 'a \"b\", (' || %1$s END)::pair"),
        PAIRS("pair[]", "ARRAY[ROW((%1$s %% 1000)::int, 'x')::pair, NULL]"),
        NUMERICS("numeric[]", "ARRAY[%1$s / 7.0, 'NaN', NULL]"), UUIDS("uuid[]", "ARRAY[md5((%1$s)::text)::uuid]"),
        TIMESTAMPS("timestamptz[]",
                "ARRAY[timestamptz '2001-01-01 UTC' + (%1$s %% 1000) * interval '1 s', 'infinity']"),
        BYTEAS("bytea[]", "ARRAY[decode(md5((%1$s)::text), 'hex'), NULL, '']"),
        JSONBS("jsonb[]", "ARRAY[jsonb_build_object('n', %1$s), NULL, '[null]']"),
        OWN_JSON("public.\"json\"", "(ARRAY['x', 'y', '{']::public.\"json\"[])[(%1$s %% 3)::int + 1]"),
        OWN_JSONS("public.\"json\"[]", "ARRAY['x', NULL, '{']::public.\"json\"[]"),
        OWN_TEXT("public.\"text\"", "ROW((%1$s %% 1000)::int, 'o''\"')::public.\"text\""),
        CITEXT("ext.citext", "'Any Case ' || %1$s"),
        FIVE_BITS("bit varying(5)[]", "ARRAY[(%1$s %% 32)::int::bit(5)::bit varying, NULL]"),
        HUGE("text", "repeat(md5((%1$s)::text), 3000)");

        final String sql;
        final String value;

        ColumnType(String sql, String value) {
            this.sql = sql;
            this.value = value;
        }
    }

    static final String TYPES = "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);"
            + " CREATE TYPE pair AS (a int, b text); CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext;"
            + " CREATE TYPE public.\"json\" AS ENUM ('x', 'y', '{');"
            + " CREATE DOMAIN public.\"int4\" AS pg_catalog.text; CREATE TYPE public.\"text\" AS (a pg_catalog.int4, b pg_catalog.text)";

    private static final int PARTITIONS = 3;

    private final String name;
    private final Kind kind;
    private final List<KeyType> key = new ArrayList<>();
    private final List<ColumnType> columns = new ArrayList<>();
    private final boolean generated;
    /** A second column whose name differs by case alone. */
    private final boolean twins;

    RandomTable(int number, Random random) {
        this.name = List.of("plain", "Mixed Case", "order", "with-dash", "ünï \"q\"").get(number % 5) + " " + number;
        int keys = random.nextInt(3) == 0 ? 2 + random.nextInt(2) : 1;
        while (key.size() < keys) {
            KeyType type = KeyType.values()[random.nextInt(KeyType.values().length)];
            if (!type.few() || keys > 1 && key.stream().noneMatch(KeyType::few)) {
                key.add(type);
            }
        }
        for (int i = random.nextInt(6) + 2; i > 0; i--) {
            columns.add(ColumnType.values()[random.nextInt(ColumnType.values().length)]);
        }
        this.generated = random.nextInt(4) == 0;
        this.twins = random.nextInt(5) == 0;
        Kind wanted = Kind.values()[random.nextInt(Kind.values().length)];
        this.kind = wanted == Kind.PARTITIONED && !key.getFirst().hashable() ? Kind.PRIMARY_KEY : wanted;
    }

    String name() {
        return name;
    }

    String quoted() {
        return '"' + inQuotes() + '"';
    }

    private String inQuotes() {
        return name.replace("\"", "\"\"");
    }

    /** Equal rows may be there several times. */
    boolean keyless() {
        return kind.keyless();
    }

    String create() {
        List<String> definitions = new ArrayList<>();
        if (kind == Kind.INDEX_BESIDE_KEY) {
            definitions.add("id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY");
        }
        String notNull = kind.keyless() ? "" : " NOT NULL";
        IntStream.range(0, key.size()).forEach(i -> definitions.add("\"K " + i + "\" " + key.get(i).sql + notNull));
        IntStream.range(0, columns.size()).forEach(i -> definitions.add("\"v" + i + "\" " + columns.get(i).sql));
        definitions.add("n bigint");
        if (twins) {
            definitions.add("\"N\" text DEFAULT 'twin'");
        }
        if (generated) {
            definitions.add("g bigint GENERATED ALWAYS AS (n * 2) STORED");
        }
        if (kind == Kind.PRIMARY_KEY || kind == Kind.PARTITIONED) {
            definitions.add("PRIMARY KEY (" + keyColumns() + ")");
        }
        String table = "CREATE TABLE " + quoted() + " (" + String.join(", ", definitions) + ")";
        return switch (kind) {
            case PRIMARY_KEY, NOTHING -> table;
            case PARTITIONED -> table + " PARTITION BY HASH (\"K 0\")" + IntStream.range(0, PARTITIONS)
                    .mapToObj(i -> "; CREATE TABLE " + partition(i) + " PARTITION OF " + quoted()
                            + " FOR VALUES WITH (MODULUS " + PARTITIONS + ", REMAINDER " + i + ")")
                    .collect(Collectors.joining());
            case INDEX,
                    INDEX_BESIDE_KEY -> table + "; CREATE UNIQUE INDEX \"index of " + inQuotes() + "\" ON " + quoted()
                            + " (" + keyColumns() + "); ALTER TABLE " + quoted()
                            + " REPLICA IDENTITY USING INDEX \"index of "
                            + inQuotes() + "\"";
            case WHOLE_ROWS -> table + "; ALTER TABLE " + quoted() + " REPLICA IDENTITY FULL";
        };
    }

    private String partition(int number) {
        return "\"" + inQuotes() + " part " + number + "\"";
    }

    /**
     * Statements that leave the table as it is defined, but for a while; rows change meanwhile. In one transaction, or each in one
     * of its own.
     */
    List<String> undoneDdl(Random random, long version) {
        String away = "\"away " + inQuotes() + '"';
        return switch (random.nextInt(6)) {
            case 0 -> around("ALTER TABLE " + quoted() + " RENAME TO " + away, writesTo(away, version),
                    "ALTER TABLE " + away + " RENAME TO " + quoted());
            case 1 -> around("ALTER TABLE " + quoted() + " RENAME COLUMN \"v0\" TO \"away\"",
                    writesTo(quoted(), version), "ALTER TABLE " + quoted() + " RENAME COLUMN \"away\" TO \"v0\"");
            case 2 -> {
                String type = columns.getFirst().sql;
                yield around("ALTER TABLE " + quoted() + " DROP COLUMN \"v0\"", writesTo(quoted(), version),
                        "ALTER TABLE " + quoted() + " ADD COLUMN \"v0\" " + type);
            }
            case 3 -> generated
                    ? around("ALTER TABLE " + quoted() + " ADD COLUMN \"more\" int DEFAULT 7",
                            writesTo(quoted(), version), "ALTER TABLE " + quoted() + " DROP COLUMN \"more\"")
                    : around("ALTER TABLE " + quoted() + " ALTER COLUMN n TYPE numeric", writesTo(quoted(), version),
                            "ALTER TABLE " + quoted() + " ALTER COLUMN n TYPE bigint");
            case 4 -> around("ALTER TABLE " + quoted() + " SET SCHEMA ext",
                    writesTo("ext." + quoted(), version), "ALTER TABLE ext." + quoted() + " SET SCHEMA public");
            default -> switch (kind) {
                case PRIMARY_KEY -> around("ALTER TABLE " + quoted() + " REPLICA IDENTITY FULL",
                        writesTo(quoted(), version), "ALTER TABLE " + quoted() + " REPLICA IDENTITY DEFAULT");
                case INDEX, INDEX_BESIDE_KEY -> around("ALTER TABLE " + quoted() + " REPLICA IDENTITY FULL",
                        writesTo(quoted(), version),
                        "ALTER TABLE " + quoted() + " REPLICA IDENTITY USING INDEX \"index of " + inQuotes() + "\"");
                case PARTITIONED -> detachedPartition(random, version);
                case WHOLE_ROWS, NOTHING -> around("ALTER TABLE " + quoted() + " RENAME TO " + away,
                        writesTo(away, version), "ALTER TABLE " + away + " RENAME TO " + quoted());
            };
        };
    }

    boolean partitioned() {
        return kind == Kind.PARTITIONED;
    }

    /** A partition that is written to while it belongs to no table, or another one in its place. */
    List<String> detachedPartition(Random random, long version) {
        int i = random.nextInt(PARTITIONS);
        String values = " FOR VALUES WITH (MODULUS " + PARTITIONS + ", REMAINDER " + i + ")";
        if (random.nextInt(4) == 0) {
            return List.of("ALTER TABLE " + quoted() + " DETACH PARTITION " + partition(i),
                    "DROP TABLE " + partition(i),
                    "CREATE TABLE " + partition(i) + " PARTITION OF " + quoted() + values);
        }
        return around("ALTER TABLE " + quoted() + " DETACH PARTITION " + partition(i), writesTo(partition(i), version),
                "ALTER TABLE " + quoted() + " ATTACH PARTITION " + partition(i) + values);
    }

    private static List<String> writesTo(String quoted, long version) {
        return List.of("UPDATE " + quoted + " SET n = " + version + " WHERE n % 5 = 0",
                "DELETE FROM " + quoted + " WHERE n % 11 = 0");
    }

    static List<String> around(String first, List<String> between, String last) {
        List<String> all = new ArrayList<>(List.of(first));
        all.addAll(between);
        all.add(last);
        return all;
    }

    /** Some statement. */
    String statement(Random random, long version) {
        String where = " WHERE (" + keyColumns() + ") = (" + keyOf(Integer.toString(random.nextInt(KEYS))) + ")";
        int dice = random.nextInt(1000);
        if (dice < 2) {
            return "TRUNCATE "
                    + (kind == Kind.PARTITIONED && random.nextBoolean() ? partition(random.nextInt(PARTITIONS))
                            : quoted());
        }
        if (kind.keyless() && dice >= 900) {
            return someOfEqualRows(random, where);
        }
        if (dice < 6) {
            // Some thousand changes in one transaction.
            return "UPDATE " + quoted() + " SET n = " + version
                    + (random.nextBoolean() ? "" : ", " + setOne(random, version));
        }
        if (dice < 10) {
            return upsert("SELECT g FROM generate_series(0, " + (KEYS - 1) + ") g", version);
        }
        if (dice < 12) {
            return "DELETE FROM " + quoted() + " WHERE n % 3 = 0";
        }
        if (dice < 250) {
            return "DELETE FROM " + quoted() + where;
        }
        if (dice < 330) {
            String other = keyOf(Integer.toString(random.nextInt(KEYS)));
            return "UPDATE " + quoted() + " SET (" + keyColumns() + ") = ROW(" + other + ")" + where
                    + " AND NOT EXISTS (SELECT FROM " + quoted() + " WHERE (" + keyColumns() + ") = (" + other + "))";
        }
        if (dice < 650) {
            // Leaves a long value where it lies: pgoutput does not send it.
            return "UPDATE " + quoted() + " SET n = " + version + ", " + setOne(random, version) + where;
        }
        return upsert("SELECT " + random.nextInt(KEYS) + " AS g"
                + (kind.keyless() ? " FROM generate_series(0, " + random.nextInt(3) + ")" : ""), version);
    }

    /** Of rows that are told apart by nothing, one is changed, or goes. */
    private String someOfEqualRows(Random random, String where) {
        String one = " WHERE ctid IN (SELECT ctid FROM " + quoted() + where + " LIMIT 1)";
        return random.nextBoolean() ? "DELETE FROM " + quoted() + one : "UPDATE " + quoted() + " SET n = n % 10" + one;
    }

    private String setOne(Random random, long version) {
        int i = random.nextInt(columns.size());
        return "\"v" + i + "\" = "
                + (random.nextInt(8) == 0 ? "NULL" : columns.get(i).value.formatted(literal(version)));
    }

    private String upsert(String numbers, long version) {
        List<String> names = new ArrayList<>();
        List<String> values = new ArrayList<>();
        for (int i = 0; i < columns.size(); i++) {
            names.add("\"v" + i + "\"");
            // Which ones are null depends on the version, so that a seed gives the same.
            values.add((version + i) % 8 == 0 ? "NULL" : columns.get(i).value.formatted(literal(version)));
        }
        names.add("n");
        values.add(Long.toString(version));
        return "INSERT INTO " + quoted() + " (" + keyColumns() + ", " + String.join(", ", names) + ") SELECT "
                + keyOf("s.g")
                + ", " + String.join(", ", values) + " FROM (" + numbers + ") s"
                + (kind.keyless() ? ""
                        : " ON CONFLICT (" + keyColumns() + ") DO UPDATE SET "
                                + names.stream()
                                        .map(column -> column + " = excluded." + column)
                                        .collect(Collectors.joining(", ")));
    }

    private static String literal(long version) {
        return version + "::bigint";
    }

    private String keyColumns() {
        return IntStream.range(0, key.size()).mapToObj(i -> "\"K " + i + "\"").collect(Collectors.joining(", "));
    }

    /** The key of a number, which may be any expression: the first column has all of it, so that no two are the same. */
    private String keyOf(String number) {
        return key.stream()
                .map(type -> "(" + type.value.replace("%d", "(" + number + ")")
                        .replace("%1$d", "(" + number + ")")
                        .replace("%%", "%") + ")::" + type.sql.replaceAll(" COLLATE.*", ""))
                .collect(Collectors.joining(", "));
    }

    @Override
    public String toString() {
        return create();
    }
}
