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

/**
 * Our publication. A published table without a working replica identity makes its owner's UPDATE and DELETE fail, so the identity
 * is asked again in the transaction that publishes, behind the lock that keeps others from changing it. (The lock, SHARE UPDATE
 * EXCLUSIVE, keeps no reader or writer waiting, not even while it waits itself.)
 */
final class Publication {

    private static final String MARK = "Syncline cluster ";

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

    /** Makes it if it does not exist. */
    void ensureExists(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection
                .prepareStatement("SELECT pubviaroot FROM pg_publication WHERE pubname = ?")) {
            statement.setString(1, name);
            try (ResultSet rows = statement.executeQuery()) {
                if (rows.next()) {
                    if (!rows.getBoolean(1)) {
                        publishViaRoot(connection);
                    }
                    return;
                }
            }
        }
        try (Statement statement = connection.createStatement()) {
            statement.execute(
                    "CREATE PUBLICATION " + Sql.identifier(name) + " WITH (publish_via_partition_root = true)");
        }
    }

    /** Changes of partitions are told as those of the table that they are partitions of. */
    private void publishViaRoot(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("ALTER PUBLICATION " + Sql.identifier(name) + " SET (publish_via_partition_root = true)");
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
        try (Statement statement = connection.createStatement()) {
            statement.execute("ALTER PUBLICATION " + Sql.identifier(name) + " " + change + " TABLE ONLY public."
                    + Sql.identifier(table.name()));
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
