package io.syncline.e2e.capture;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What owners do to tables and undo, with changes of rows in between: by the time that the catalogue is looked at, everything is called
 * as before and looks like before.
 */
final class Undone {

    private static final List<String> KEYED = List.of("u_parted", "u_deep", "u_renamed", "u_away", "u_one", "u_other",
            "u_columns", "u_identity", "u_enum", "u_visited", "u_visitor", "u_taken", "u_inserts", "u_roots");

    private static final List<String> UNTOUCHED = List.of("u_calm", "u_calm_parted");

    private final CapturedSource source;

    private Undone(CapturedSource source) {
        this.source = source;
    }

    static Undone madeIn(CapturedSource source) {
        source.execute("CREATE SCHEMA away", "CREATE ROLE u_reader", "CREATE TYPE u_mood AS ENUM ('sad', 'ok')",
                "CREATE TABLE u_parted (id int, at date, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
                "CREATE TABLE u_parted_24 PARTITION OF u_parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
                "INSERT INTO u_parted VALUES (1, '2024-06-01', 'v')",
                "CREATE TABLE u_deep (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)",
                "CREATE TABLE u_deep_1 PARTITION OF u_deep FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id)",
                "CREATE TABLE u_deep_11 PARTITION OF u_deep_1 FOR VALUES FROM (0) TO (50)",
                "INSERT INTO u_deep VALUES (1, 'v')", "CREATE TABLE u_renamed (id int PRIMARY KEY, v text)",
                "CREATE TABLE u_away (id int PRIMARY KEY, v text)", "CREATE TABLE u_one (id int PRIMARY KEY, v text)",
                "CREATE TABLE u_other (id int PRIMARY KEY, v text)",
                "CREATE TABLE u_columns (id int PRIMARY KEY, a text, b text)",
                "CREATE TABLE u_identity (id int PRIMARY KEY, u int NOT NULL UNIQUE, v text)",
                "CREATE TABLE u_enum (id int PRIMARY KEY, m u_mood)",
                "CREATE TABLE u_visited (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)",
                "CREATE TABLE u_visited_1 PARTITION OF u_visited FOR VALUES FROM (0) TO (100)",
                "CREATE TABLE u_visitor (id int PRIMARY KEY, v text)",
                "CREATE TABLE u_taken (id int PRIMARY KEY, v text)",
                "CREATE TABLE u_inserts (id int PRIMARY KEY, v text)",
                "CREATE TABLE u_roots (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)",
                "CREATE TABLE u_roots_1 PARTITION OF u_roots FOR VALUES FROM (0) TO (100)",
                "CREATE TABLE u_calm (id int PRIMARY KEY, v text, w int NOT NULL)",
                "CREATE TABLE u_calm_parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)",
                "CREATE TABLE u_calm_leaf PARTITION OF u_calm_parted FOR VALUES FROM (0) TO (100)",
                "INSERT INTO u_columns VALUES (1, 'a', 'b'), (2, 'a', 'b')",
                "INSERT INTO u_enum VALUES (1, 'sad'), (2, 'ok')",
                "INSERT INTO u_identity VALUES (1, 1, 'v'), (2, 2, 'v'), (3, 3, 'v')",
                "INSERT INTO u_visitor VALUES (201, 'v'), (202, 'v')", "INSERT INTO u_calm VALUES (1, 'v', 1)",
                "INSERT INTO u_one VALUES (1, 'one'), (2, 'one')",
                "INSERT INTO u_other VALUES (1, 'other'), (2, 'other')");
        for (String table : List.of("u_renamed", "u_away", "u_visited", "u_taken", "u_inserts", "u_roots",
                "u_calm_parted")) {
            source.execute("INSERT INTO " + table + " VALUES (1, 'v'), (2, 'v')");
        }
        return new Undone(source);
    }

    /** While a worker may look at any moment: each, with its undoing, is one transaction. */
    void happenAtOnce() {
        source.execute(
                "ALTER TABLE u_parted DETACH PARTITION u_parted_24; UPDATE u_parted_24 SET v = 'while detached';"
                        + "INSERT INTO u_parted_24 VALUES (100, '2024-03-03', 'new');"
                        + "ALTER TABLE u_parted ATTACH PARTITION u_parted_24 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
                "ALTER TABLE u_deep DETACH PARTITION u_deep_1; INSERT INTO u_deep_1 VALUES (2, 'new');"
                        + "ALTER TABLE u_deep ATTACH PARTITION u_deep_1 FOR VALUES FROM (0) TO (100)",
                "ALTER TABLE u_renamed RENAME TO u_x; UPDATE u_x SET v = 'y' WHERE id = 1; INSERT INTO u_x VALUES (9, 'n');"
                        + "DELETE FROM u_x WHERE id = 2; ALTER TABLE u_x RENAME TO u_renamed",
                "ALTER TABLE u_away SET SCHEMA away; UPDATE away.u_away SET v = 'y' WHERE id = 1;"
                        + "DELETE FROM away.u_away WHERE id = 2; ALTER TABLE away.u_away SET SCHEMA public",
                "ALTER TABLE u_one RENAME TO u_x; ALTER TABLE u_other RENAME TO u_one; ALTER TABLE u_x RENAME TO u_other;"
                        + "UPDATE u_one SET v = 'written as u_one' WHERE id = 1; DELETE FROM u_other WHERE id = 2;"
                        + "ALTER TABLE u_one RENAME TO u_x; ALTER TABLE u_other RENAME TO u_one; ALTER TABLE u_x RENAME TO u_other",
                "ALTER TABLE u_columns RENAME a TO x; ALTER TABLE u_columns RENAME b TO a; ALTER TABLE u_columns RENAME x TO b;"
                        + "UPDATE u_columns SET a = 'written as a' WHERE id = 1; INSERT INTO u_columns (id, a) VALUES (3, 'as a');"
                        + "ALTER TABLE u_columns RENAME a TO x; ALTER TABLE u_columns RENAME b TO a; ALTER TABLE u_columns RENAME x TO b",
                "ALTER TABLE u_identity REPLICA IDENTITY USING INDEX u_identity_u_key; UPDATE u_identity SET id = 10 WHERE id = 1;"
                        + "DELETE FROM u_identity WHERE id = 2; ALTER TABLE u_identity REPLICA IDENTITY DEFAULT",
                "ALTER TYPE u_mood RENAME VALUE 'sad' TO 'down'; UPDATE u_enum SET m = 'down' WHERE id = 2;"
                        + "ALTER TYPE u_mood RENAME VALUE 'down' TO 'sad'",
                // What is none of its partitions brings it rows.
                "CREATE TABLE u_guest PARTITION OF u_visited FOR VALUES FROM (100) TO (200); INSERT INTO u_visited VALUES (150, 'guest');"
                        + "ALTER TABLE u_visited DETACH PARTITION u_guest; DROP TABLE u_guest",
                "ALTER TABLE u_visited ATTACH PARTITION u_visitor FOR VALUES FROM (200) TO (300);"
                        + "UPDATE u_visited SET v = 'written as u_visited' WHERE id = 201; INSERT INTO u_visited VALUES (203, 'as u_visited');"
                        + "ALTER TABLE u_visited DETACH PARTITION u_visitor",
                "ALTER PUBLICATION syncline DROP TABLE u_taken; DELETE FROM u_taken WHERE id = 1; ALTER PUBLICATION syncline ADD TABLE u_taken");
    }

    /** The publication's options hold for all tables. */
    void happenToThePublication() {
        source.execute(
                "ALTER PUBLICATION syncline SET (publish = 'insert'); UPDATE u_inserts SET v = 'y' WHERE id = 1; DELETE FROM u_inserts WHERE id = 2;"
                        + "ALTER PUBLICATION syncline SET (publish = 'insert, update, delete, truncate')",
                "ALTER PUBLICATION syncline SET (publish_via_partition_root = false); UPDATE u_roots SET v = 'y' WHERE id = 1;"
                        + "ALTER PUBLICATION syncline SET (publish_via_partition_root = true)");
    }

    /** None of it is a reason to read a table again. */
    void nothingHappens() {
        source.execute("GRANT SELECT ON u_calm TO u_reader", "REVOKE SELECT ON u_calm FROM u_reader",
                "GRANT UPDATE (v) ON u_calm TO u_reader", "COMMENT ON TABLE u_calm IS 'x'", "ANALYZE u_calm",
                "VACUUM u_calm",
                "CREATE INDEX u_calm_v ON u_calm (v)", "CREATE INDEX CONCURRENTLY u_calm_c ON u_calm (v)",
                "CREATE UNIQUE INDEX u_calm_w ON u_calm (w)", "DROP INDEX u_calm_v", "DROP INDEX CONCURRENTLY u_calm_c",
                "ALTER TABLE u_calm SET (fillfactor = 50)", "ALTER TABLE u_calm RESET (fillfactor)",
                "ALTER TABLE u_calm ALTER v SET STATISTICS 500", "ALTER TABLE u_calm ALTER v SET STORAGE EXTERNAL",
                "ALTER TABLE u_calm CLUSTER ON u_calm_pkey", "ALTER TABLE u_calm OWNER TO u_reader",
                "ALTER TABLE u_calm ENABLE ROW LEVEL SECURITY", "ALTER TABLE u_calm DISABLE ROW LEVEL SECURITY",
                "GRANT SELECT ON u_calm_parted, u_calm_leaf TO u_reader", "ANALYZE u_calm_parted",
                "ALTER TABLE u_calm_leaf SET (fillfactor = 50)", "UPDATE u_calm SET v = 'y'",
                "INSERT INTO u_calm_parted VALUES (3, 'v')");
    }

    void awaitEqual(Duration longest) {
        KEYED.forEach(table -> source.awaitEqual(table, longest));
        UNTOUCHED.forEach(table -> source.awaitEqual(table, longest));
    }

    void awaitRemembered(Duration longest) {
        KEYED.forEach(table -> source.awaitRemembered(table, longest));
        UNTOUCHED.forEach(table -> source.awaitRemembered(table, longest));
    }

    /** Of the tables to which nothing happens. */
    Map<String, Long> generations() {
        return UNTOUCHED.stream().collect(Collectors.toMap(table -> table, source.topics()::generation));
    }
}
