package io.syncline.worker.capture;

import io.syncline.model.table.TableName;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Our publication. A published table without a working replica identity makes its owner's UPDATE and DELETE fail, so the identity
 * is asked again in the transaction that publishes, behind the lock that keeps others from changing it. (The lock, SHARE UPDATE
 * EXCLUSIVE, keeps no reader or writer waiting, not even while it waits itself.)
 */
final class Publication {

    private static final Logger LOG = LoggerFactory.getLogger(Publication.class);

    /** How the comment of a publication begins that a cluster has taken. */
    static final String MARK = "Syncline cluster ";

    /**
     * Where a table's rows lie, {@code c} being its pg_class and {@code l} theirs: in itself, or in its leaves. pg_partition_tree tells
     * that too, but locks every partition for it, and waits for whoever has locked one.
     */
    static final String PLACES = """
            (WITH RECURSIVE tree (oid) AS (
                 SELECT c.oid
               UNION ALL
                 SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid AND NOT i.inhdetachpending
                 WHERE c.relkind = 'p')
             SELECT oid FROM tree) place JOIN pg_class l ON l.oid = place.oid AND l.relkind <> 'p'""";

    /**
     * Whether a table's identity serves, {@code c} being its pg_class. Of a partitioned table each leaf's must. From PostgreSQL 18 on,
     * an identity with generated columns makes UPDATE and DELETE fail, too, since those columns are not published.
     */
    static final String SERVES = """
            NOT EXISTS (
                SELECT FROM\s""" + PLACES + """
                WHERE NOT CASE l.relreplident WHEN 'f' THEN current_setting('server_version_num')::int < 180000 OR NOT EXISTS (
                        SELECT FROM pg_attribute a WHERE a.attrelid = l.oid AND a.attnum > 0 AND a.attgenerated <> '' AND NOT a.attisdropped)
                    ELSE EXISTS (
                        SELECT FROM pg_index i WHERE i.indrelid = l.oid AND i.indisvalid AND i.indimmediate
                        AND CASE l.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
                        AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = l.oid AND a.attgenerated <> ''
                                        AND a.attnum = ANY (i.indkey::int2[])))
                    END)""";

    private final String name;

    Publication(String name) {
        this.name = name;
    }

    /**
     * For SQL: whether a table is published with a row filter or a list of columns (known from 15 on), {@code r} being its
     * pg_publication_rel.
     */
    static final String NARROWED = "coalesce(to_jsonb(r) ->> 'prqual', to_jsonb(r) ->> 'prattrs') IS NOT NULL";

    /** What it must publish: changes of partitions as those of the table that they are partitions of. */
    private static final String OPTIONS = "publish = 'insert, update, delete, truncate', publish_via_partition_root = true";

    /** Tables of other schemas, and those that our role can publish again as a whole. */
    private static final String OF_NO_USE = """
            SELECT n.nspname, c.relname, n.nspname = 'public' AS narrowed
            FROM pg_publication_rel r JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE r.prpubid = ?::bigint::oid AND (n.nspname <> 'public' OR (pg_has_role(c.relowner, 'USAGE') AND\s"""
            + NARROWED + "))";

    /** Makes it if it does not exist. */
    void ensureExists(Connection connection) throws SQLException {
        if (oid(connection) == 0) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("CREATE PUBLICATION " + Sql.identifier(name) + " WITH (" + OPTIONS + ")");
            }
        }
    }

    /** 0 if there is none. One that is dropped and made again is another one. */
    long oid(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection
                .prepareStatement("SELECT oid::bigint FROM pg_publication WHERE pubname = ?")) {
            statement.setString(1, name);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next() ? rows.getLong(1) : 0;
            }
        }
    }

    /**
     * Whether the slot can be read on. A change from before its publication was made cannot be decoded (up to PostgreSQL 17), or was not
     * published.
     *
     * @param slots what was published when the slot was made; null if nobody has remembered it
     */
    static boolean isOfSlot(long oid, @Nullable Long slots) {
        return slots == null || slots == oid;
    }

    /**
     * Makes it publish all that happens to its tables, and to no others; gives its OID, 0 if it does not exist. What was not published
     * meanwhile is lost, and witnessed: that somebody has written these rows of the catalogue is in the tables' fingerprints.
     *
     * @throws IllegalStateException if it is not ours to alter
     */
    long putRight(Connection connection) throws SQLException {
        long oid;
        boolean whole;
        boolean owned;
        try (PreparedStatement statement = connection.prepareStatement("""
                SELECT oid::bigint, pubinsert AND pubupdate AND pubdelete AND pubtruncate AND pubviaroot AND NOT puballtables,
                       pg_has_role(pubowner, 'USAGE') AND NOT puballtables
                FROM pg_publication WHERE pubname = ?""")) {
            statement.setString(1, name);
            try (ResultSet rows = statement.executeQuery()) {
                if (!rows.next()) {
                    return 0;
                }
                oid = rows.getLong(1);
                whole = rows.getBoolean(2);
                owned = rows.getBoolean(3);
            }
        }
        if (!owned) {
            throw new IllegalStateException(
                    "publication " + name + " is of all tables by now, or no longer our role's");
        }
        if (!whole) {
            alter(connection, "SET (" + OPTIONS + ")");
            LOG.warn(
                    "Publication {} did not publish all changes. It does again (SET ({})), and its tables are read into new generations",
                    name, OPTIONS);
        }
        for (String schema : schemas(connection, oid)) {
            alter(connection, "DROP TABLES IN SCHEMA " + Sql.identifier(schema));
            LOG.warn(
                    "Schema {} is taken out of publication {}: UPDATE and DELETE would fail in its tables without a key",
                    schema, name);
        }
        dropWhatIsOfNoUse(connection, oid);
        return oid;
    }

    private void dropWhatIsOfNoUse(Connection connection, long oid) throws SQLException {
        List<Runnable> told = new ArrayList<>();
        List<String> tables = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(OF_NO_USE)) {
            statement.setLong(1, oid);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    String table = Sql.identifier(rows.getString(1)) + "." + Sql.identifier(rows.getString(2));
                    String cause = rows.getBoolean(3)
                            ? "it was published with a row filter or a list of columns; it is published again as a whole"
                            : "it is not in the schema public";
                    tables.add(table);
                    told.add(() -> LOG.warn("Table {} is taken out of publication {}: {}", table, name, cause));
                }
            }
        }
        for (int i = 0; i < tables.size(); i++) {
            try {
                alter(connection, "DROP TABLE ONLY " + tables.get(i));
                told.get(i).run();
            } catch (SQLException e) {
                if (!SourceDatabase.isLockTimeout(e)) {
                    throw e;
                }
                LOG.debug("Table {} cannot be taken out of publication {} yet: {}", tables.get(i), name, refusal(e));
            }
        }
    }

    /** Known from 15 on. */
    private static List<String> schemas(Connection connection, long oid) throws SQLException {
        if (connection.getMetaData().getDatabaseMajorVersion() < 15) {
            return List.of();
        }
        try (PreparedStatement statement = connection.prepareStatement("""
                SELECT n.nspname FROM pg_publication_namespace p JOIN pg_namespace n ON n.oid = p.pnnspid
                WHERE p.pnpubid = ?::bigint::oid""")) {
            statement.setLong(1, oid);
            List<String> schemas = new ArrayList<>();
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    schemas.add(rows.getString(1));
                }
            }
            return schemas;
        }
    }

    /** The cluster that it is of; null if there is none, or no cluster has taken it. */
    @Nullable
    String owner(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT obj_description(oid, 'pg_publication') FROM pg_publication WHERE pubname = ?")) {
            statement.setString(1, name);
            try (ResultSet rows = statement.executeQuery()) {
                String comment = rows.next() ? rows.getString(1) : null;
                return comment != null && comment.startsWith(MARK) ? comment.substring(MARK.length()) : null;
            }
        }
    }

    /** Takes it for a cluster, unless it is another's; gives whose it is. */
    String claim(Connection connection, String cluster) throws SQLException {
        String owner = owner(connection);
        if (owner != null) {
            return owner;
        }
        try (Statement statement = connection.createStatement()) {
            statement.execute("COMMENT ON PUBLICATION " + Sql.identifier(name) + " IS " + Sql.literal(MARK + cluster));
        }
        return cluster;
    }

    /** Tables in it whose identity does not serve (any more). None, if it is not a publication of ours. */
    List<TableName> unfit(Connection connection) throws SQLException {
        String sql = """
                SELECT c.relname FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid JOIN pg_class c ON c.oid = r.prrelid
                WHERE p.pubname = ? AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'public')
                AND starts_with(obj_description(p.oid, 'pg_publication'), ?) AND NOT\s""" + SERVES;
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, name);
            statement.setString(2, MARK);
            List<TableName> tables = new ArrayList<>();
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    tables.add(new TableName(rows.getString(1)));
                }
            }
            return tables;
        }
    }

    /** Publishes a table; false if its identity does not serve any more. */
    boolean add(Connection connection, SourceTable table) throws SQLException {
        connection.setAutoCommit(false);
        try {
            if (table.partitioned()) {
                // Its partitions, too: publishing locks none of them.
                lock(connection, table.name());
            }
            alter(connection, "ADD", table.name());
            boolean serves = serves(connection, table.oid());
            if (serves) {
                connection.commit();
            } else {
                connection.rollback();
            }
            return serves;
        } catch (SQLException e) {
            connection.rollback();
            throw e;
        } finally {
            connection.setAutoCommit(true);
        }
    }

    void drop(Connection connection, TableName table) throws SQLException {
        connection.setAutoCommit(false);
        try {
            alter(connection, "DROP", table);
            connection.commit();
        } catch (SQLException e) {
            connection.rollback();
            throw e;
        } finally {
            connection.setAutoCommit(true);
        }
    }

    private static void lock(Connection connection, TableName table) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("LOCK TABLE public." + Sql.identifier(table.name()) + " IN SHARE UPDATE EXCLUSIVE MODE");
        }
    }

    private void alter(Connection connection, String change, TableName table) throws SQLException {
        alter(connection, change + " TABLE ONLY public." + Sql.identifier(table.name()));
    }

    private void alter(Connection connection, String change) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("ALTER PUBLICATION " + Sql.identifier(name) + " " + change);
        }
    }

    private static boolean serves(Connection connection, long oid) throws SQLException {
        try (PreparedStatement statement = connection
                .prepareStatement("SELECT " + SERVES + " FROM pg_class c WHERE c.oid = ?::bigint::oid")) {
            statement.setLong(1, oid);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next() && rows.getBoolean(1);
            }
        }
    }

    /** Why a table could not be added or dropped, for people. */
    static String refusal(SQLException e) {
        return e.getMessage() + (SourceDatabase.isLockTimeout(e)
                ? " (while an index of it is built CONCURRENTLY, a constraint validated, or it is vacuumed or analysed, nobody"
                        + " can publish it or take it out: it is done once that is over)"
                : "");
    }

    @Override
    public String toString() {
        return name;
    }
}
