package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.table.ReplicaLayout;
import io.syncline.model.table.SessionSettings;
import io.syncline.model.table.TableName;
import io.syncline.worker.capture.encode.JsonBytes;
import io.syncline.worker.capture.encode.TextRow;
import io.syncline.worker.replica.ReplicaKeys;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/** Two values of a key are one row for the replica exactly where PostgreSQL says that they are equal. */
class KeyIdentityIT {

    private static SourceServer server;
    private static Connection source;
    private static Connection state;

    @BeforeAll
    static void start() throws SQLException {
        server = new SourceServer(Map.of("wal_level", "logical"));
        server.execute("CREATE DATABASE state TEMPLATE template0", "CREATE SCHEMA extensions",
                "CREATE EXTENSION citext SCHEMA extensions", "CREATE EXTENSION isn SCHEMA extensions",
                "CREATE EXTENSION ltree SCHEMA extensions", "CREATE EXTENSION hstore SCHEMA extensions",
                "CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s \"fine\"')",
                "CREATE DOMAIN cents AS numeric", "CREATE DOMAIN cents_too AS cents",
                "CREATE DOMAIN list AS numeric[]", "CREATE DOMAIN lists AS list", "CREATE TYPE pair AS (a int, b text)",
                "CREATE TYPE span AS RANGE (subtype = text)", "CREATE DOMAIN email AS extensions.citext",
                "CREATE COLLATION blind (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false)",
                "CREATE COLLATION german (PROVIDER = icu, LOCALE = 'de')");
        state = server.connect("state");
        Flyway.configure()
                .dataSource(new SingleConnectionDataSource(state, true))
                .defaultSchema("syncline")
                .load()
                .migrate();
        execute(state, "CREATE SCHEMA elsewhere", "CREATE EXTENSION citext SCHEMA elsewhere",
                SessionSettings.statements(ReplicaLayout.SCHEMA, "public"));
        source = server.as("postgres").connect();
    }

    @AfterAll
    static void stop() throws SQLException {
        source.close();
        state.close();
        server.close();
    }

    static Stream<Arguments> keys() {
        return Stream.of(type("boolean", "t", "f"), type("smallint", "0", "-1", "32767"),
                type("integer", "0", "-0", "2147483647"),
                type("bigint", "0", "-9223372036854775808"),
                type("real", "0", "-0", "NaN", "Infinity", "-Infinity", "1.1", "1.1000001", "1e-44", "3.4e38"),
                type("double precision", "0", "-0", "NaN", "nan", "Infinity", "0.1", "0.10000000000000002", "1e300",
                        "5e-324"),
                type("numeric", "1", "1.0", "1.00", "0", "-0.0", "NaN", "Infinity", "-Infinity", "1e3", "1000.0000",
                        "0.1", "1e-30"),
                type("numeric(5,2)", "1", "1.004", "1.00", "NaN"), type("numeric(3,-2)", "100", "149", "200"),
                type("text", "", " ", "a", "A", "a ", "é", "e\u0301", "\n", "\\", "\"", "'", "{", "null", "\u0001"),
                type("text COLLATE \"de-x-icu\"", "a", "A", "ä", "a\u0308"), type("text COLLATE german", "ss", "ß"),
                type("varchar(5)", "a", "a ", "", "null"), type("bpchar", "a", "a  ", "", "  ", "b"),
                type("char(3)", "a", "a  ", "", "ab"), type("name", "a", "A", ""),
                type("bytea", "", "\\x00", "\\x0000", "\\xff"),
                type("uuid", "018f2f3a-1b2c-7d3e-8f4a-5b6c7d8e9f00", "018F2F3A1B2C7D3E8F4A5B6C7D8E9F00",
                        "00000000-0000-0000-0000-000000000000"),
                type("date", "2025-12-15", "infinity", "-infinity", "4713-01-01 BC", "5874897-12-31", "0001-01-01 BC",
                        "0001-01-01"),
                type("time", "24:00", "00:00", "23:59:59.999999", "23:59:59.999998"),
                type("time(0)", "12:00:00.4", "12:00"),
                type("timetz", "12:00+00", "13:00+01", "12:00:00+00", "12:00-00", "12:00+00:30", "24:00+00",
                        "00:00+00"),
                type("timestamp", "2025-12-15 00:00", "2025-12-14 24:00", "infinity", "-infinity", "0044-03-15 BC",
                        "294276-12-31 23:59:59.999999"),
                type("timestamptz", "2025-12-15 00:00+00", "2025-12-15 01:00+01", "infinity", "0044-03-15 12:00+00 BC",
                        "294276-12-31 23:59:59.999999+00"),
                type("timestamp(3)", "2025-12-15 00:00:00.1234", "2025-12-15 00:00:00.123"),
                type("interval", "1 day", "24:00", "30 days", "1 mon", "-1 days +24:00:00", "0", "1 year", "12 mons",
                        "365 days", "-1 mons +30 days", "infinity", "-infinity", "178956970 years 7 mons"),
                type("interval day to second(3)", "1 day 00:00:00.1234", "1 day 00:00:00.123"),
                type("inet", "10.0.0.1", "10.0.0.1/32", "10.0.0.1/24", "10.0.0.0/24", "::1", "::1/128",
                        "::ffff:10.0.0.1", "0:0::1"),
                type("cidr", "10.0.0.0/24", "10.0.0/24", "10.0.0.0/25", "::/0"),
                type("macaddr", "08:00:2b:01:02:03", "08-00-2B-01-02-03"),
                type("macaddr8", "08:00:2b:01:02:03", "08:00:2b:ff:fe:01:02:03", "08:00:2b:01:02:03:04:05"),
                type("bit(3)", "101", "111", "000"), type("varbit", "", "0", "00", "1"), type("bit(1)", "0", "1"),
                type("oid", "0", "1", "4294967295"), type("oidvector", "", "1", "1 2", "2 1"),
                type("tid", "(0,1)", "(1,0)"),
                type("xid8", "0", "18446744073709551615"), type("pg_lsn", "0/0", "0/01", "0/1", "FFFFFFFF/FFFFFFFF"),
                type("tsvector", "a:1 b:2", "b:2 a:1", "a b", "a:1A", "", "'a b'", "'it''s'", "a:1,1"),
                type("jsonb", "\"abc\"", "\"1\"", "1", "1.0", "1.00", "null", "\"null\"", "true", "\"true\"",
                        "{\"a\": 1, \"b\": [2, {}]}", "{\"b\":[2,{}],\"a\":1}", "[]", "{}", "[1,null]", "[1]", "\"\"",
                        "\"a\\\"b\\\\c\\u0001\\u20ac\"", "1e2", "100", "-0", "0", "1e400", "12345678901234567890.10"),
                type("int4range", "[1,5)", "[1,4]", "(0,5)", "empty", "(1,2)", "(,)", "[1,)", "(,1)"),
                type("int8range", "[1,5)", "[1,4]"),
                type("numrange", "[1.0,2)", "[1.00,2.0)", "[1,2]", "(1,1)", "empty"),
                type("daterange", "[2025-01-01,2025-01-02]", "[2025-01-01,2025-01-03)", "[2025-01-01,infinity)",
                        "[2025-01-01,)", "[2025-01-01,infinity]"),
                type("tsrange", "[2025-01-01,2025-01-02)", "[2025-01-01 00:00,2025-01-01 24:00)",
                        "[2025-01-01,2025-01-02]"),
                type("tstzrange", "[2025-01-01 00:00+00,2025-01-02 00:00+00)",
                        "[2025-01-01 01:00+01,2025-01-02 01:00+01)"),
                type("int4multirange", "{}", "{[1,3),[3,5)}", "{[1,5)}", "{[1,2),[3,5)}"),
                type("nummultirange", "{[1.0,2)}", "{[1,2.0)}"),
                type("datemultirange", "{[2025-01-01,2025-01-01]}", "{}"),
                type("int8multirange", "{[1,3)}", "{[1,2]}"), type("tsmultirange", "{[2025-01-01,2025-01-02)}", "{}"),
                type("tstzmultirange", "{[2025-01-01 00:00+00,infinity)}", "{[2025-01-01 01:00+01,infinity)}"),
                type("integer[]", "{1,2}", "[0:1]={1,2}", "[1:2]={1,2}", "{{1,2}}", "{{1},{2}}", "[1:1][0:1]={{1,2}}",
                        "{}", "{NULL}", "[2:2]={NULL}", "{1}", "[2:2]={1}", "[-1:-1]={1}", "{1,NULL}"),
                type("text[]", "{NULL}", "{\"NULL\"}", "{null}", "{\"\"}", "{}", "{\"[0:0]={x}\"}", "[0:0]={x}", "{x}",
                        "{\"a\\\"b\\\\c,{}\"}", "{\" a\"}", "{a}", "[0:0]={\"a\\\"b\\\\c\"}"),
                type("double precision[]", "{0}", "{-0}", "{NaN}", "{Infinity}", "[0:0]={0}", "[0:0]={-0}"),
                type("numeric[]", "{1.0}", "{1.00}", "{NaN}", "[3:3]={1}", "[3:3]={1.0}"),
                type("numeric(6,1)[]", "{1.04}", "{1}"),
                type("boolean[]", "{t,f}", "{f,t}", "{true,false}"), type("char(3)[]", "{a}", "{\"a  \"}", "{b}"),
                type("timestamptz[]", "{2025-12-15 00:00+00}", "{2025-12-15 01:00+01}", "{infinity}", "{NULL}"),
                type("timestamp(3) without time zone[]", "{2025-12-15 00:00:00.1234}", "{2025-12-15 00:00:00.123}"),
                type("interval[]", "{1 day}", "{24:00}"), type("bytea[]", "{\"\\\\x00\"}", "{\"\\\\x\"}"),
                type("int4range[]", "{\"[1,5)\"}", "{\"[1,4]\"}"),
                type("inet[]", "{10.0.0.1}", "{10.0.0.1/32}", "{10.0.0.1/24}"),
                type("uuid[]", "{018f2f3a-1b2c-7d3e-8f4a-5b6c7d8e9f00}", "{}"),
                type("mood", "sad", "ok", "it's \"fine\""),
                type("cents_too", "1.0", "1.00", "2"), type("lists", "{1.0}", "{1.00}", "[0:0]={1}"),
                type("extensions.citext", "Abc", "ABC", "abc ", "", "Ä", "ä"), type("email", "A@b", "a@B", "c"));
    }

    private static Arguments type(String type, String... values) {
        return Arguments.of(type, List.of(values));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void keys(String type, List<String> values) throws SQLException {
        List<byte[]> keys = keysOf(type, values);
        assertThat(keys).hasSameSizeAs(values);
        SourceTable table = table("t");
        assertThat(table.unpublished()).isNull();
        SoftAssertions soft = new SoftAssertions();
        try (ReplicaKeys replica = new ReplicaKeys(state, table.schema())) {
            for (int a = 0; a < values.size(); a++) {
                soft.assertThat(replica.rows(List.of(keys.get(a), keys.get(a)), true)).isOne();
                for (int b = a + 1; b < values.size(); b++) {
                    boolean equal = equal(values.get(a), values.get(b));
                    String pair = "'%s' and '%s'".formatted(values.get(a), values.get(b));
                    List<byte[]> both = List.of(keys.get(a), keys.get(b));
                    soft.assertThat(replica.rows(both, true)).as("%s at once", pair).isEqualTo(equal ? 1 : 2);
                    soft.assertThat(replica.rows(both, false)).as("%s one by one", pair).isEqualTo(equal ? 1 : 2);
                    soft.assertThat(replica.rowsWithout(keys.get(a)))
                            .as("%s, the first deleted", pair)
                            .isEqualTo(equal ? 0 : 1);
                }
            }
        }
        soft.assertAll();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void noKeys(String type) throws SQLException {
        execute(source, "DROP TABLE IF EXISTS t, keyed", "CREATE TABLE t (k " + type + " PRIMARY KEY)");
        SourceTable table = table("t");
        assertThat(table.keyless()).isTrue();
        assertThat(table.streamed()).as("it is read on a schedule").isFalse();
        execute(source, "ALTER TABLE t REPLICA IDENTITY FULL");
        assertThat(table("t").keyless()).isTrue();
        assertThat(table("t").streamed()).as("its rows are told apart as wholes").isTrue();
    }

    static Stream<String> noKeys() {
        return Stream.of("money", "\"char\"", "tsquery", "jsonb[]", "money[]", "mood[]", "cents[]", "pair", "pair[]",
                "span", "span[]", "text COLLATE blind", "varchar(9) COLLATE blind", "text[] COLLATE blind",
                "extensions.isbn", "extensions.ltree", "extensions.hstore", "extensions.citext[]", "tsquery[]");
    }

    /** A type that a later version adds to those that PostgreSQL sorts has to be thought about. */
    @Test
    void everyTypeThatPostgresSorts_isThoughtAbout() throws SQLException {
        try (Statement statement = source.createStatement(); ResultSet rows = statement.executeQuery("""
                SELECT t.typname FROM pg_type t WHERE t.oid < 16384 AND t.typnamespace = 'pg_catalog'::regnamespace
                AND (EXISTS (SELECT FROM pg_opclass o JOIN pg_am a ON a.oid = o.opcmethod
                             WHERE a.amname = 'btree' AND o.opcdefault AND o.opcintype = t.oid)
                     OR t.typtype IN ('r', 'm')) AND t.typtype <> 'p'""")) {
            SoftAssertions soft = new SoftAssertions();
            while (rows.next()) {
                soft.assertThat(KeyTypes.ofBuiltIn(rows.getString(1))).as(rows.getString(1)).isNotNull();
            }
            soft.assertAll();
        }
    }

    /** The keys of rows with these values, as capture sends them; the table has what PostgreSQL takes of them in its key. */
    private static List<byte[]> keysOf(String type, List<String> values) throws SQLException {
        execute(source, "DROP TABLE IF EXISTS t, keyed", "CREATE TABLE t (k " + type + " PRIMARY KEY)",
                "CREATE TABLE keyed (n serial, k " + type + ")");
        for (String value : values) {
            execute(source, "INSERT INTO keyed (k) VALUES (" + Sql.literal(value) + ")");
        }
        SourceTable table = table("t");
        JsonBytes buffer = new JsonBytes();
        TextRow row = new TextRow(1);
        List<byte[]> keys = new ArrayList<>();
        CopyOut copy = source.unwrap(PGConnection.class)
                .getCopyAPI()
                .copyOut("COPY (SELECT k FROM keyed ORDER BY n) TO STDOUT");
        for (byte[] line = copy.readFromCopy(); line != null; line = copy.readFromCopy()) {
            row.readCopyLine(line);
            keys.add(table.encoder().key(row, buffer));
        }
        return keys;
    }

    /** Whether one keeps the other out of a table with such a key. */
    private static boolean equal(String one, String other) throws SQLException {
        execute(source, "DELETE FROM t", "INSERT INTO t VALUES (" + Sql.literal(one) + "), (" + Sql.literal(other)
                + ") ON CONFLICT DO NOTHING");
        try (Statement statement = source.createStatement();
                ResultSet row = statement.executeQuery("SELECT count(*) FROM t")) {
            row.next();
            return row.getInt(1) == 1;
        }
    }

    private static SourceTable table(String name) throws SQLException {
        return Objects.requireNonNull(new SourceCatalogue("syncline", SourceServer.REPLICA).read(source)
                .tables()
                .get(new TableName(name)));
    }

    private static void execute(Connection connection, String... statements) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }
}
