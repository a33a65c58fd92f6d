package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.model.table.ColumnInfo;
import io.syncline.model.table.KeyColumn;
import io.syncline.model.table.TableName;
import io.syncline.worker.capture.encode.ValueType;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the source's catalogue says of its tables, and what is published of them. */
class SourceCatalogueIT {

    private static SourceServer server;

    private final SourceCatalogue catalogue = new SourceCatalogue("syncline", SourceServer.REPLICA);
    private final Publication publication = new Publication("syncline");

    @BeforeAll
    static void start() {
        server = new SourceServer(Map.of("wal_level", "logical"));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void tidy() {
        server.execute("DROP PUBLICATION IF EXISTS syncline", "DROP SCHEMA public CASCADE", "CREATE SCHEMA public");
    }

    @Test
    void columnsAndKey_asTheInformationSchemaGivesThem() throws SQLException {
        server.execute("CREATE DOMAIN code AS varchar(8)",
                "CREATE TABLE t (v varchar(50) DEFAULT 'dflt', a code, n numeric(10,2) NOT NULL, c char(5), at timestamptz(3) DEFAULT now(),"
                        + " tags text[], b text COLLATE \"C\", PRIMARY KEY (b, a))");
        SourceTable table = table("t");
        assertThat(table.schema().columns()).containsExactly(
                new ColumnInfo("v", "character varying", "YES", "'dflt'::character varying", 50,
                        "character varying(50)"),
                new ColumnInfo("a", "character varying", "NO", null, 8, "code"),
                new ColumnInfo("n", "numeric", "NO", null, null, "numeric(10,2)"),
                new ColumnInfo("c", "character", "YES", null, 5, "character(5)"),
                new ColumnInfo("at", "timestamp with time zone", "YES", "now()", null, "timestamp(3) with time zone"),
                new ColumnInfo("tags", "ARRAY", "YES", null, null, "text[]"),
                new ColumnInfo("b", "text", "NO", null, null, "text"));
        assertThat(table.schema().key()).containsExactly(new KeyColumn("b", "text", "C"),
                new KeyColumn("a", "character varying(8)", "C"));
        assertThat(table.keyColumns()).containsExactly(6, 1);
    }

    @Test
    void keys_ofAllKinds() throws SQLException {
        server.execute("CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s fine')", "CREATE DOMAIN inner_mood AS mood",
                "CREATE DOMAIN outer_mood AS inner_mood NOT NULL", "CREATE DOMAIN cents AS numeric(10,2)",
                "CREATE TABLE t (e outer_mood, n cents, b bytea, d date, i interval, r int4range, a text[], x bit(3),"
                        + " PRIMARY KEY (e, n, b, d, i, r, a, x))",
                "CREATE TABLE money_key (m money PRIMARY KEY)", "CREATE TYPE pair AS (a int, b int)",
                "CREATE TABLE pair_key (p pair PRIMARY KEY)", "CREATE TABLE mood_array (m mood[] PRIMARY KEY)",
                "ALTER TYPE mood ADD VALUE 'meh' BEFORE 'ok'");

        assertThat(table("t").schema().key()).containsExactly(
                new KeyColumn("e", "mood", null, List.of("sad", "meh", "ok", "it's fine")),
                new KeyColumn("n", "numeric(10,2)", null), new KeyColumn("b", "bytea", null),
                new KeyColumn("d", "date", null), new KeyColumn("i", "interval", null),
                new KeyColumn("r", "int4range", null), new KeyColumn("a", "text[]", "C"),
                new KeyColumn("x", "bit(3)", null));
        try (Connection connection = server.connect()) {
            Catalogue read = catalogue.read(connection);
            assertThat(read.leftOut()).isEmpty();
            assertThat(read.tables().values().stream().filter(SourceTable::keyless).map(SourceTable::name))
                    .containsExactlyInAnyOrder(new TableName("money_key"), new TableName("pair_key"),
                            new TableName("mood_array"))
                    .noneMatch(name -> Objects.requireNonNull(read.tables().get(name)).streamed());
        }
        String fingerprint = table("t").fingerprint();
        server.execute("ALTER TYPE mood ADD VALUE 'new'");
        assertThat(table("t").fingerprint()).isNotEqualTo(fingerprint);
    }

    @Test
    void ownTypes_areWhatTheyAre_whateverTheyAreCalled() throws SQLException {
        server.execute("CREATE TYPE public.json AS ENUM ('x')", "CREATE TYPE public.int4 AS (a text)",
                "CREATE DOMAIN public.bool AS text", "CREATE TYPE public.hstore AS ENUM ('y')",
                "CREATE DOMAIN public.timestamptz AS json",
                "CREATE TYPE public.float8 AS RANGE (subtype = pg_catalog.int4)",
                "CREATE TYPE public.citext AS ENUM ('z')", "CREATE TYPE public.inet AS ENUM ('1')",
                "CREATE DOMAIN public.whole AS pg_catalog.int4[]", "CREATE DOMAIN public.wholes AS public.whole",
                "CREATE TABLE t (id pg_catalog.int4 PRIMARY KEY, j public.json, i public.int4, b public.bool, h public.hstore,"
                        + " at public.timestamptz, f public.float8, c public.citext, n public.inet, js public.json[],"
                        + " w public.wholes, r pg_catalog.json)",
                "CREATE TABLE keyed (k public.citext PRIMARY KEY)",
                "CREATE TABLE ranged (k public.float8 PRIMARY KEY)",
                "CREATE TABLE listed (k public.json[] PRIMARY KEY)");
        ValueType text = new ValueType.Text();
        assertThat(table("t").columns()).extracting(SourceTable.Column::type)
                .containsExactly(new ValueType.Whole(), text, text, text, text, new ValueType.Json(), text, text, text,
                        new ValueType.Array(text, ','), new ValueType.Array(new ValueType.Whole(), ','),
                        new ValueType.Json());
        assertThat(table("keyed").schema().key())
                .containsExactly(new KeyColumn("k", "citext", null, List.of("z")));
        assertThat(List.of(table("ranged"), table("listed"))).noneMatch(SourceTable::streamed)
                .allMatch(SourceTable::keyless);
    }

    @Test
    void extensionsTypes_areKnownInWhateverSchema() throws SQLException {
        server.execute("CREATE SCHEMA \"Ext ensions\"", "CREATE EXTENSION citext SCHEMA \"Ext ensions\"",
                "CREATE EXTENSION hstore SCHEMA \"Ext ensions\"", "CREATE EXTENSION isn SCHEMA \"Ext ensions\"",
                "CREATE DOMAIN email AS \"Ext ensions\".citext",
                "CREATE TABLE t (k email PRIMARY KEY, h \"Ext ensions\".hstore, hs \"Ext ensions\".hstore[])",
                "CREATE TABLE book (k \"Ext ensions\".isbn PRIMARY KEY)",
                "CREATE TABLE citexts (k \"Ext ensions\".citext[] PRIMARY KEY)");
        try {
            assertThat(table("t").schema().key()).containsExactly(new KeyColumn("k", "citext", "C"));
            assertThat(table("t").columns()).extracting(SourceTable.Column::type)
                    .containsExactly(new ValueType.Text(), new ValueType.Hstore(),
                            new ValueType.Array(new ValueType.Hstore(), ','));
            assertThat(table("t").streamed()).isTrue();
            assertThat(List.of(table("book"), table("citexts"))).noneMatch(SourceTable::streamed);
            try (Connection connection = server.connect()) {
                ReplicaServer withoutCitext = new ReplicaServer(18_00_00, false, SourceServer.REPLICA.locale());
                SourceTable table = Objects.requireNonNull(new SourceCatalogue("syncline", withoutCitext)
                        .read(connection)
                        .tables()
                        .get(new TableName("t")));
                assertThat(Objects.requireNonNull(table.unpublished()).cause()).contains("key column k",
                        "has no extension citext");
            }
        } finally {
            server.execute("DROP SCHEMA \"Ext ensions\" CASCADE");
        }
    }

    @Test
    void anIndexWithSomebodysOwnEquality_tellsNoRowsApart() throws SQLException {
        server.execute("CREATE TABLE t (k text NOT NULL)", "CREATE TABLE plain (k text NOT NULL)",
                "CREATE OPERATOR CLASS own FOR TYPE text USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=,"
                        + " OPERATOR 5 >, FUNCTION 1 bttextcmp(text, text)",
                "CREATE UNIQUE INDEX t_key ON t (k own)", "ALTER TABLE t REPLICA IDENTITY USING INDEX t_key",
                "CREATE UNIQUE INDEX plain_key ON plain (k text_pattern_ops)",
                "ALTER TABLE plain REPLICA IDENTITY USING INDEX plain_key");
        assertThat(Objects.requireNonNull(table("t").unpublished()).cause()).contains("operator class");
        assertThat(table("plain").streamed()).isTrue();
    }

    @Test
    void withoutASchemaPublic_thereAreNoTables() throws SQLException {
        server.execute("DROP SCHEMA public CASCADE");
        try (Connection connection = server.connect()) {
            assertThat(catalogue.read(connection).tables()).isEmpty();
            assertThat(publication.unfit(connection)).isEmpty();
        } finally {
            server.execute("CREATE SCHEMA public");
        }
    }

    @Test
    void foreignKeys_nameTheTablesThatMustComeFirst() throws SQLException {
        server.execute("CREATE TABLE parent (id int PRIMARY KEY)", "CREATE TABLE \"Other one\" (id int PRIMARY KEY)",
                "CREATE SCHEMA IF NOT EXISTS elsewhere", "CREATE TABLE elsewhere.far (id int PRIMARY KEY)",
                "CREATE TABLE child (id int PRIMARY KEY REFERENCES parent, p int REFERENCES parent, self int REFERENCES child,"
                        + " far int REFERENCES elsewhere.far)");
        assertThat(table("child").schema().dependsOn()).containsExactly("parent");

        server.execute("ALTER TABLE child ADD CONSTRAINT other FOREIGN KEY (id) REFERENCES \"Other one\"");
        assertThat(table("child").schema().dependsOn()).containsExactly("Other one", "parent");
        server.execute("DROP SCHEMA elsewhere CASCADE");
    }

    @Test
    void fingerprints_areTheSameHoweverOftenTheyAreRead() throws SQLException {
        server.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')", "CREATE TABLE parent (id int PRIMARY KEY)",
                "CREATE TABLE child (id int, m mood, p int REFERENCES parent, PRIMARY KEY (id, m))");
        String fingerprint = table("child").fingerprint();
        try (Connection connection = server.connect()) {
            // The driver prepares a statement that it is given again and again, and then fetches values in binary.
            for (int i = 0; i < 12; i++) {
                SourceTable again = new SourceCatalogue("syncline", SourceServer.REPLICA).read(connection)
                        .tables()
                        .get(new TableName("child"));
                assertThat(Objects.requireNonNull(again).fingerprint()).as("reading %d", i).isEqualTo(fingerprint);
            }
        }
    }

    @Test
    void whatOurRoleMayNotReadAsAWhole_isLeftOut_andWhatIsNotItsOwn_isNotStreamed() throws SQLException {
        server.execute("CREATE ROLE reader LOGIN", "CREATE TABLE closed (id int PRIMARY KEY)",
                "CREATE TABLE guarded (id int PRIMARY KEY)", "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
                "CREATE TABLE theirs (id int PRIMARY KEY)", "GRANT USAGE ON SCHEMA public TO reader",
                "GRANT SELECT ON guarded, theirs TO reader");
        try (Connection connection = server.as("reader").connect()) {
            Catalogue read = catalogue.read(connection);
            assertThat(read.leftOut()).containsOnlyKeys(new TableName("closed"), new TableName("guarded"));
            assertThat(Objects.requireNonNull(read.leftOut().get(new TableName("closed"))).remedy())
                    .startsWith("GRANT SELECT ON ");
            assertThat(Objects.requireNonNull(read.leftOut().get(new TableName("guarded"))).cause())
                    .contains("row-level security");
            assertThat(read.tables()).containsOnlyKeys(new TableName("theirs"))
                    .allSatisfy((name, table) -> assertThat(table.streamed()).isFalse());
        } finally {
            server.execute("DROP OWNED BY reader", "DROP ROLE reader");
        }
    }

    @Test
    void whatTheWalOrDebeziumCannotTell_isNotStreamed() throws SQLException {
        server.execute("CREATE UNLOGGED TABLE quick (id int PRIMARY KEY)",
                "CREATE TABLE cases (\"A\" int PRIMARY KEY, a int)", "CREATE TABLE plain (id int PRIMARY KEY)");
        try (Connection connection = server.connect()) {
            assertThat(catalogue.read(connection).tables().values()).extracting(SourceTable::name)
                    .hasSize(3);
            assertThat(catalogue.read(connection).tables().values().stream().filter(SourceTable::streamed))
                    .extracting(SourceTable::name)
                    .containsExactly(new TableName("plain"));
        }
    }

    @Test
    void theDatabasesOwnCollation_isToldByItsName_andWhereItHasNone_theOperatorIsTold() throws SQLException {
        assertThat(keyOf("LOCALE 'C.UTF-8'").collation()).isEqualTo("C");
        assertThat(keyOf("LOCALE_PROVIDER icu ICU_LOCALE 'de' LOCALE 'C'").collation()).isEqualTo("de-x-icu");
        String unnamed = "LOCALE_PROVIDER icu ICU_LOCALE 'de-u-kn-true' LOCALE 'C'";
        assertThat(keyOf(unnamed).collation()).isNull();
        inDatabase(unnamed, connection -> {
            SourceTable before = Objects.requireNonNull(catalogue.read(connection).tables().get(new TableName("t")));
            assertThat(Objects.requireNonNull(before.unordered()).cause()).contains("column v", "de-u-kn-true");
            connection.createStatement().execute("CREATE COLLATION numbers (PROVIDER = icu, LOCALE = 'de-u-kn-true')");
            SourceTable after = Objects.requireNonNull(catalogue.read(connection).tables().get(new TableName("t")));
            assertThat(after.schema().key()).containsExactly(new KeyColumn("v", "text", "numbers"));
            assertThat(after.unordered()).isNull();
            assertThat(after.fingerprint()).as("it is read anew").isNotEqualTo(before.fingerprint());
        });
    }

    private KeyColumn keyOf(String locale) throws SQLException {
        List<KeyColumn> key = new ArrayList<>();
        inDatabase(locale, connection -> key.addAll(
                Objects.requireNonNull(
                        new SourceCatalogue("syncline", SourceServer.REPLICA).read(connection)
                                .tables()
                                .get(new TableName("t")))
                        .schema()
                        .key()));
        return key.getFirst();
    }

    @FunctionalInterface
    private interface Work {
        void on(Connection connection) throws SQLException;
    }

    /** One with a table of which a text is the key. */
    private static void inDatabase(String locale, Work work) throws SQLException {
        server.execute("CREATE DATABASE other TEMPLATE template0 ENCODING 'UTF8' " + locale);
        try (Connection connection = server.connect("other")) {
            connection.createStatement().execute("CREATE TABLE t (v text PRIMARY KEY)");
            work.on(connection);
        } finally {
            server.execute("DROP DATABASE other WITH (FORCE)");
        }
    }

    @Test
    void fingerprints_changeWithWhateverCouldChangeRows() throws SQLException {
        server.execute("CREATE TABLE t (id int PRIMARY KEY, v text, w int)");
        String fingerprint = table("t").fingerprint();
        server.execute("INSERT INTO t VALUES (1, 'x', 1)", "ANALYZE t");
        assertThat(table("t").fingerprint()).isEqualTo(fingerprint);
        for (String change : new String[]{"ALTER TABLE t ADD COLUMN c int DEFAULT 1", "ALTER TABLE t DROP COLUMN c",
            "ALTER TABLE t ALTER COLUMN v TYPE varchar(9)", "ALTER TABLE t ALTER COLUMN w TYPE int USING w + 1",
            "ALTER TABLE t ALTER COLUMN v SET DEFAULT 'x'", "ALTER TABLE t RENAME COLUMN v TO u",
            "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id, w)", "TRUNCATE t",
            "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY)"}) {
            server.execute(change);
            String after = table("t").fingerprint();
            assertThat(after).as(change).isNotEqualTo(fingerprint);
            fingerprint = after;
        }
    }

    /** Each is over by the time that the catalogue is looked at again. */
    static Stream<String> undone() {
        return Stream.of("t: ALTER TABLE t RENAME TO x; ALTER TABLE x RENAME TO t",
                "t: BEGIN; ALTER TABLE t RENAME TO x; UPDATE x SET v = 'y'; ALTER TABLE x RENAME TO t; COMMIT",
                "t: ALTER TABLE t SET SCHEMA away; ALTER TABLE away.t SET SCHEMA public",
                "t: ALTER TABLE t RENAME TO x; ALTER TABLE other RENAME TO t; ALTER TABLE t RENAME TO other; ALTER TABLE x RENAME TO t",
                "other: ALTER TABLE t RENAME TO x; ALTER TABLE other RENAME TO t; ALTER TABLE t RENAME TO other; ALTER TABLE x RENAME TO t",
                "bag: ALTER TABLE bag RENAME TO x; ALTER TABLE x RENAME TO bag",
                "bag: ALTER TABLE bag SET SCHEMA away; ALTER TABLE away.bag SET SCHEMA public",
                "t: ALTER TABLE t REPLICA IDENTITY USING INDEX t_u_key; ALTER TABLE t REPLICA IDENTITY DEFAULT",
                "identified: ALTER TABLE identified REPLICA IDENTITY USING INDEX identified_u_key; ALTER TABLE identified REPLICA IDENTITY USING INDEX identified_w_key",
                "parted: ALTER TABLE leaf REPLICA IDENTITY USING INDEX leaf_u; ALTER TABLE leaf REPLICA IDENTITY DEFAULT",
                "t: ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (id)",
                "t: ALTER PUBLICATION syncline DROP TABLE t; ALTER PUBLICATION syncline ADD TABLE t",
                "t: ALTER PUBLICATION syncline SET (publish = 'insert'); ALTER PUBLICATION syncline SET (publish = 'insert, update, delete, truncate')",
                "parted: ALTER PUBLICATION syncline SET (publish_via_partition_root = false); ALTER PUBLICATION syncline SET (publish_via_partition_root = true)",
                "t: ALTER PUBLICATION syncline SET TABLE t WHERE (id > 5), parted; ALTER PUBLICATION syncline SET TABLE t, parted",
                "t: ALTER PUBLICATION syncline SET TABLE t (id, v), parted; ALTER PUBLICATION syncline SET TABLE t, parted",
                "t: DROP PUBLICATION syncline; CREATE PUBLICATION syncline FOR TABLE t WITH (publish_via_partition_root = true)",
                "t: ALTER PUBLICATION syncline RENAME TO x; ALTER PUBLICATION x RENAME TO syncline",
                "parted: ALTER TABLE parted DETACH PARTITION leaf; ALTER TABLE parted ATTACH PARTITION leaf FOR VALUES FROM (0) TO (100)",
                "parted: ALTER TABLE parted DETACH PARTITION deep; ALTER TABLE parted ATTACH PARTITION deep FOR VALUES FROM (100) TO (200)",
                "parted: ALTER TABLE deep DETACH PARTITION deepest; ALTER TABLE deep ATTACH PARTITION deepest FOR VALUES FROM (100) TO (150)",
                "parted: ALTER TABLE parted DETACH PARTITION leaf CONCURRENTLY; ALTER TABLE parted ATTACH PARTITION leaf FOR VALUES FROM (0) TO (100)",
                "t: ALTER TABLE cousins ATTACH PARTITION t FOR VALUES FROM (0) TO (100); ALTER TABLE cousins DETACH PARTITION t",
                "t: ALTER TYPE mood RENAME VALUE 'sad' TO 'x'; ALTER TYPE mood RENAME VALUE 'x' TO 'sad'",
                "t: ALTER TYPE pair ADD ATTRIBUTE c int; ALTER TYPE pair DROP ATTRIBUTE c",
                "t: ALTER TABLE t ALTER w TYPE int USING w + 1; ALTER TABLE t ALTER w TYPE int USING w - 1",
                "t: DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text, u int NOT NULL UNIQUE, w int NOT NULL, m mood, p pair)",
                "t: ALTER PUBLICATION syncline DROP TABLE t; ALTER TABLE t SET UNLOGGED; ALTER TABLE t SET LOGGED; ALTER PUBLICATION syncline ADD TABLE t");
    }

    @ParameterizedTest
    @MethodSource("undone")
    void whatHasBeenDoneAndUndone_isWitnessed(String change) throws SQLException {
        assertThat(fingerprintsBeforeAndAfter(change)).doesNotHaveDuplicates();
    }

    /** What leaves every row, and every change of one, as it was. */
    static Stream<String> harmless() {
        return Stream.of("t: GRANT SELECT, UPDATE ON t TO reader",
                "t: GRANT SELECT ON t TO reader; REVOKE ALL ON t FROM reader",
                "t: GRANT SELECT (v) ON t TO reader", "t: GRANT USAGE ON TYPE t TO reader",
                "t: COMMENT ON TABLE t IS 'x'; COMMENT ON COLUMN t.v IS 'x'; COMMENT ON PUBLICATION syncline IS 'x'",
                "t: INSERT INTO t (id, u, w) VALUES (1, 1, 1); ANALYZE t", "t: VACUUM t",
                "t: VACUUM (FREEZE, ANALYZE) t",
                "parted: INSERT INTO parted VALUES (1, 1); ANALYZE parted; VACUUM parted",
                "t: CREATE INDEX i ON t (v); DROP INDEX i", "t: CREATE INDEX i ON t (v)",
                "t: CREATE INDEX CONCURRENTLY i ON t (v)",
                "t: CREATE INDEX CONCURRENTLY i ON t (v); DROP INDEX CONCURRENTLY i",
                "t: CREATE UNIQUE INDEX i ON t (w)", "t: CREATE UNIQUE INDEX i ON t (w); DROP INDEX i",
                "t: CREATE UNIQUE INDEX CONCURRENTLY i ON t (v)", "t: REINDEX TABLE t",
                "parted: CREATE INDEX i ON parted (u)",
                "t: ALTER TABLE t ADD UNIQUE (w)", "t: ALTER INDEX t_u_key RENAME TO i",
                "t: ALTER INDEX t_pkey SET (fillfactor = 50)",
                "t: ALTER TABLE t SET (fillfactor = 50)",
                "t: ALTER TABLE t SET (fillfactor = 50); ALTER TABLE t RESET (fillfactor)",
                "t: ALTER TABLE t SET (autovacuum_enabled = off, toast.autovacuum_enabled = off)",
                "parted: ALTER TABLE leaf SET (fillfactor = 50)",
                "t: ALTER TABLE t ALTER v SET STATISTICS 500", "t: ALTER TABLE t ALTER v SET (n_distinct = 5)",
                "t: ALTER TABLE t ALTER v SET STORAGE EXTERNAL", "t: CREATE STATISTICS s ON id, w FROM t",
                "t: ALTER TABLE t CLUSTER ON t_pkey; ALTER TABLE t SET WITHOUT CLUSTER",
                "t: ALTER TABLE t OWNER TO reader", "t: ALTER TABLE t OWNER TO reader; ALTER TABLE t OWNER TO postgres",
                "parted: ALTER TABLE parted OWNER TO reader",
                "t: ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t DISABLE ROW LEVEL SECURITY",
                "t: ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id > 5)",
                "t: CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
                "t: ALTER TABLE t DISABLE TRIGGER ALL; ALTER TABLE t ENABLE TRIGGER ALL",
                "t: ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c",
                "t: CREATE TABLE kid () INHERITS (t); ALTER TABLE kid NO INHERIT t",
                "t: CREATE TABLE base (v text); ALTER TABLE t INHERIT base; ALTER TABLE t NO INHERIT base",
                "t: CREATE VIEW seen AS SELECT * FROM t", "t: ALTER TABLE t SET TABLESPACE pg_default",
                "t: ALTER PUBLICATION syncline SET TABLE parted, t, bag",
                "t: CREATE PUBLICATION theirs FOR ALL TABLES; DROP PUBLICATION theirs",
                "t: ALTER PUBLICATION syncline ADD TABLE identified; ALTER PUBLICATION syncline DROP TABLE identified",
                "t: ALTER TYPE mood OWNER TO reader; ALTER TYPE mood RENAME TO m; ALTER TYPE m RENAME TO mood",
                "t: CREATE TABLE later (id int PRIMARY KEY); DROP TABLE later",
                "t: VACUUM FULL pg_class; VACUUM FULL pg_type");
    }

    @ParameterizedTest
    @MethodSource("harmless")
    void whatTouchesNoRow_isNoReasonForANewGeneration(String change) throws SQLException {
        List<String> fingerprints = fingerprintsBeforeAndAfter(change);
        assertThat(fingerprints.getLast()).isEqualTo(fingerprints.getFirst());
    }

    /** @param change a table's name, and statements */
    private List<String> fingerprintsBeforeAndAfter(String change) throws SQLException {
        server.execute("CREATE SCHEMA away", "CREATE ROLE reader", "CREATE TYPE mood AS ENUM ('sad', 'ok')",
                "CREATE TYPE pair AS (a int, b int)", "GRANT ALL ON SCHEMA public TO reader",
                "CREATE TABLE t (id int PRIMARY KEY, v text, u int NOT NULL UNIQUE, w int NOT NULL, m mood, p pair)",
                "CREATE TABLE other (LIKE t INCLUDING ALL)", "CREATE TABLE bag (a int)",
                "ALTER TABLE bag REPLICA IDENTITY FULL",
                "CREATE TABLE identified (id int PRIMARY KEY, v text, u int NOT NULL UNIQUE, w int NOT NULL UNIQUE)",
                "ALTER TABLE identified REPLICA IDENTITY USING INDEX identified_w_key",
                "CREATE TABLE parted (id int PRIMARY KEY, u int NOT NULL) PARTITION BY RANGE (id)",
                "CREATE TABLE leaf PARTITION OF parted FOR VALUES FROM (0) TO (100)",
                "CREATE UNIQUE INDEX leaf_u ON leaf (u)",
                "CREATE TABLE deep PARTITION OF parted FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (id)",
                "CREATE TABLE deepest PARTITION OF deep FOR VALUES FROM (100) TO (150)",
                "CREATE TABLE cousins (LIKE t, PRIMARY KEY (id)) PARTITION BY RANGE (id)",
                "CREATE PUBLICATION syncline FOR TABLE t, bag, parted WITH (publish_via_partition_root = true)");
        TableName table = new TableName(change.substring(0, change.indexOf(':')));
        try (Connection connection = server.connect()) {
            String before = Objects.requireNonNull(catalogue.read(connection).tables().get(table)).fingerprint();
            String again = Objects.requireNonNull(catalogue.read(connection).tables().get(table)).fingerprint();
            assertThat(again).isEqualTo(before);
            server.execute(change.substring(change.indexOf(':') + 1).split(";"));
            return List.of(before,
                    Objects.requireNonNull(catalogue.read(connection).tables().get(table)).fingerprint());
        } finally {
            server.execute("DROP SCHEMA away CASCADE", "DROP OWNED BY reader CASCADE", "DROP ROLE reader");
        }
    }

    @Test
    void namesThatAreNeverServed_areNotEvenTold() throws SQLException {
        server.execute("CREATE TABLE schema_x (id int PRIMARY KEY)", "CREATE TABLE \"schemaXx\" (id int PRIMARY KEY)",
                "CREATE TABLE oban_jobs (id int PRIMARY KEY)",
                "CREATE TABLE phoenix_kit_sync_connections (id int PRIMARY KEY)",
                "CREATE TABLE phoenix_kit_settings (id int PRIMARY KEY)", "CREATE TABLE pg_x (id int PRIMARY KEY)",
                "CREATE TABLE plain (id int)");
        try (Connection connection = server.connect()) {
            Catalogue read = catalogue.read(connection);
            assertThat(read.tables()).containsOnlyKeys(new TableName("schemaXx"), new TableName("plain"));
            assertThat(read.leftOut()).isEmpty();
        }
    }

    @Test
    void aTableWhoseIdentityDoesNotServe_isNotPublished_evenIfItDidAMomentAgo() throws SQLException {
        server.execute("CREATE TABLE t (id int CONSTRAINT t_key PRIMARY KEY, v text)");
        SourceTable table = table("t");
        try (Connection connection = server.connect()) {
            publication.ensureExists(connection);
            publication.ensureExists(connection);
            server.execute("ALTER TABLE t DROP CONSTRAINT t_key");
            assertThat(publication.add(connection, table)).isFalse();
            assertThat(published()).isZero();
            server.execute("ALTER TABLE t ADD PRIMARY KEY (id)");
            assertThat(publication.add(connection, table("t"))).isTrue();
            assertThat(published()).isOne();
            publication.drop(connection, new TableName("t"));
            assertThat(published()).isZero();
        }
    }

    @Test
    void aPublicationThatOthersHaveAltered_publishesAllChangesOfOurTablesAgain_andIsAnotherOneIfItWasMadeAgain()
            throws SQLException {
        server.execute("CREATE TABLE t (id int PRIMARY KEY, v text)", "CREATE TABLE u (id int PRIMARY KEY, v text)",
                "CREATE TABLE w (id int PRIMARY KEY, v text)", "CREATE TABLE keyless (a int)", "CREATE SCHEMA away",
                "CREATE TABLE away.far (id int PRIMARY KEY)");
        try (Connection connection = server.connect()) {
            assertThat(publication.putRight(connection)).as("there is none").isZero();
            publication.ensureExists(connection);
            long oid = publication.putRight(connection);
            server.execute("ALTER PUBLICATION syncline SET (publish = 'truncate', publish_via_partition_root = false)",
                    "ALTER PUBLICATION syncline SET TABLE t WHERE (id > 5), u (id), w, away.far");
            assertThat(publication.putRight(connection)).isEqualTo(oid);
            // PostgreSQL takes no column lists beside a schema.
            server.execute("ALTER PUBLICATION syncline ADD TABLES IN SCHEMA public");
            assertThat(publication.putRight(connection)).isEqualTo(oid);
            assertThat(server
                    .ask("SELECT concat(pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot) FROM pg_publication"))
                    .containsExactly("ttttt");
            assertThat(server.ask("SELECT tablename FROM pg_publication_tables")).containsExactly("w");
            assertThat(catalogue.read(connection).published()).containsExactly(new TableName("w"));

            server.execute("DROP PUBLICATION syncline");
            publication.ensureExists(connection);
            assertThat(Publication.isOfSlot(publication.putRight(connection), oid)).isFalse();
            assertThat(Publication.isOfSlot(oid, oid)).isTrue();
            assertThat(Publication.isOfSlot(oid, null)).as("an older version made the slot").isTrue();

            server.execute("DROP PUBLICATION syncline", "CREATE PUBLICATION syncline FOR ALL TABLES");
            assertThatThrownBy(() -> publication.putRight(connection)).hasMessageContaining("of all tables");
        } finally {
            server.execute("DROP SCHEMA away CASCADE");
        }
    }

    /** Only its owner can publish it as a whole. */
    @Test
    void aTableOfSomebodyElse_thatIsPublishedInPart_isNotStreamed() throws SQLException {
        server.execute("CREATE ROLE publisher LOGIN", "GRANT CREATE ON DATABASE postgres TO publisher",
                "GRANT USAGE ON SCHEMA public TO publisher", "CREATE TABLE t (id int PRIMARY KEY, v text)",
                "GRANT SELECT ON t TO publisher");
        try (Connection connection = server.as("publisher").connect()) {
            publication.ensureExists(connection);
            server.execute("ALTER PUBLICATION syncline ADD TABLE t WHERE (id > 5)");
            publication.putRight(connection);
            SourceTable table = Objects.requireNonNull(catalogue.read(connection).tables().get(new TableName("t")));
            assertThat(Objects.requireNonNull(table.unpublished()).cause()).contains("row filter");
            server.execute("ALTER PUBLICATION syncline SET TABLE t");
            assertThat(Objects.requireNonNull(catalogue.read(connection).tables().get(new TableName("t"))).streamed())
                    .isTrue();
        } finally {
            server.execute("DROP OWNED BY publisher CASCADE", "DROP ROLE publisher");
        }
    }

    /** From PostgreSQL 18 on. */
    @Test
    void aWholeRowAsIdentity_withAGeneratedColumn_doesNotServe() throws SQLException {
        server.execute("CREATE TABLE t (id int PRIMARY KEY, n int)", "ALTER TABLE t REPLICA IDENTITY FULL");
        SourceTable table = table("t");
        try (Connection connection = server.connect()) {
            publication.ensureExists(connection);
            publication.claim(connection, "c");
            assertThat(publication.add(connection, table)).isTrue();
            assertThat(publication.unfit(connection)).isEmpty();
            server.execute("ALTER TABLE t ADD COLUMN g int GENERATED ALWAYS AS (n * 2) STORED");
            assertThatThrownBy(() -> server.execute("UPDATE t SET n = 1")).hasMessageContaining("cannot update table");
            assertThat(publication.unfit(connection)).containsExactly(new TableName("t"));
            publication.drop(connection, new TableName("t"));
            server.execute("UPDATE t SET n = 1");
            assertThat(publication.add(connection, table)).isFalse();
        }
    }

    @Test
    void aTableThatIsLocked_isNotWaitedForLong_andNobodyWaitsBehindUs() throws Exception {
        server.execute("CREATE TABLE t (id int PRIMARY KEY, v text)", "INSERT INTO t VALUES (1, 'x')");
        SourceTable table = table("t");
        try (Connection connection = server.as("postgres").connect();
                Connection owner = server.connect();
                Connection writer = server.connect()) {
            publication.ensureExists(connection);
            owner.setAutoCommit(false);
            owner.createStatement().execute("ANALYZE t");
            Thread publishing = Thread.startVirtualThread(() -> {
                try {
                    publication.add(connection, table);
                } catch (SQLException e) {
                    Thread.currentThread().interrupt();
                }
            });
            try (var statement = writer.createStatement()) {
                statement.execute("SET lock_timeout = '300ms'");
                while (publishing.isAlive()) {
                    statement.execute("UPDATE t SET v = 'y'");
                }
            }
            assertThat(published()).isZero();
            owner.rollback();
            assertThat(publication.add(connection, table)).isTrue();
        }
    }

    @Test
    void tablesThatSomebodyHasLocked_areLookedAtAllTheSame() throws SQLException {
        server.execute(
                "CREATE TABLE t (id int PRIMARY KEY, v text DEFAULT 'x', w int GENERATED ALWAYS AS (id + 1) STORED)",
                "CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id)",
                "CREATE TABLE leaf PARTITION OF parted FOR VALUES FROM (0) TO (10)");
        SourceTable parted = table("parted");
        try (Connection connection = server.as("postgres").connect(); Connection owner = server.connect()) {
            publication.ensureExists(connection);
            publication.claim(connection, "c");
            assertThat(publication.add(connection, parted)).isTrue();
            String fingerprint = table("parted").fingerprint();
            owner.setAutoCommit(false);
            owner.createStatement().execute("LOCK TABLE t, parted, leaf IN ACCESS EXCLUSIVE MODE");

            Map<TableName, SourceTable> tables = catalogue.read(connection).tables();
            assertThat(Objects.requireNonNull(tables.get(new TableName("t"))).schema().columns())
                    .extracting(ColumnInfo::columnDefault)
                    .containsExactly(null, "'x'::text", null);
            assertThat(Objects.requireNonNull(tables.get(new TableName("parted"))).fingerprint())
                    .isEqualTo(fingerprint);
            assertThat(publication.unfit(connection)).isEmpty();
            owner.rollback();
        }
    }

    private long published() {
        return Long.parseLong(
                server.ask("SELECT count(*) FROM pg_publication_tables WHERE pubname = 'syncline'").getFirst());
    }

    private SourceTable table(String name) throws SQLException {
        try (Connection connection = server.connect()) {
            return Objects.requireNonNull(catalogue.read(connection).tables().get(new TableName(name)));
        }
    }
}
