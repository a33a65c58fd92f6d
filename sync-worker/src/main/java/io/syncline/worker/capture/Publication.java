package io.syncline.worker.capture;

import io.syncline.model.table.TableName;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * Our publication. A published table without a working replica identity makes its owner's UPDATE and DELETE fail, so the identity
 * is asked again in the transaction that publishes, behind the lock that keeps others from changing it; and no lock is waited for
 * longer than a second. (The lock, SHARE UPDATE EXCLUSIVE, keeps no reader or writer waiting, not even while it waits itself.)
 */
final class Publication {

    private static final String SERVES = """
            SELECT c.relreplident = 'f'
                   OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
                              AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END)
            FROM pg_class c WHERE c.oid = ?::bigint::oid""";

    private final String name;

    Publication(String name) {
        this.name = name;
    }

    /** Makes it if it does not exist. */
    void ensureExists(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection
                .prepareStatement("SELECT FROM pg_publication WHERE pubname = ?")) {
            statement.setString(1, name);
            try (ResultSet rows = statement.executeQuery()) {
                if (rows.next()) {
                    return;
                }
            }
        }
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE PUBLICATION " + Sql.identifier(name));
        }
    }

    /** Takes it for a cluster, unless it is another's; gives whose it is. */
    String claim(Connection connection, String cluster) throws SQLException {
        String mark = "Syncline cluster ";
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT obj_description(oid, 'pg_publication') FROM pg_publication WHERE pubname = ?")) {
            statement.setString(1, name);
            try (ResultSet rows = statement.executeQuery()) {
                String comment = rows.next() ? rows.getString(1) : null;
                if (comment != null && comment.startsWith(mark)) {
                    return comment.substring(mark.length());
                }
            }
        }
        try (Statement statement = connection.createStatement()) {
            statement.execute("COMMENT ON PUBLICATION " + Sql.identifier(name) + " IS " + Sql.literal(mark + cluster));
        }
        return cluster;
    }

    /** Publishes a table; false if its identity does not serve any more. */
    boolean add(Connection connection, SourceTable table) throws SQLException {
        connection.setAutoCommit(false);
        try {
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

    private void alter(Connection connection, String change, TableName table) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET LOCAL lock_timeout = '1s'");
            statement.execute("ALTER PUBLICATION " + Sql.identifier(name) + " " + change + " TABLE ONLY public."
                    + Sql.identifier(table.name()));
        }
    }

    private static boolean serves(Connection connection, long oid) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(SERVES)) {
            statement.setLong(1, oid);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next() && rows.getBoolean(1);
            }
        }
    }
}
