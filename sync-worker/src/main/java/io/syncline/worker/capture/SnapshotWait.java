package io.syncline.worker.capture;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * Which transaction a slot that is being made waits for. PostgreSQL lets it wait for every transaction of the server that was writing when
 * it was asked for, in whatever database; one that has been prepared and forgotten has no session, and is over only when somebody says so.
 */
final class SnapshotWait {

    /** By locks, which everybody sees: what a session does is hidden from all but its own role. */
    private static final String HOLDER = """
            SELECT p.gid, p.database AS prepared_in, extract(epoch FROM clock_timestamp() - p.prepared)::bigint AS prepared_for,
                   h.pid, a.datname, a.usename, a.application_name, a.state,
                   extract(epoch FROM clock_timestamp() - a.xact_start)::bigint AS open_for
            FROM pg_stat_activity s
            JOIN pg_locks w ON w.pid = s.pid AND w.locktype = 'transactionid' AND NOT w.granted
            LEFT JOIN pg_prepared_xacts p ON p.transaction = w.transactionid
            LEFT JOIN pg_locks h ON h.locktype = 'transactionid' AND h.transactionid = w.transactionid AND h.granted
            LEFT JOIN pg_stat_activity a ON a.pid = h.pid
            WHERE s.application_name = ? AND s.backend_type = 'walsender'
            LIMIT 1""";

    /** Where none is found: it has only been asked for, or the one that it waited for is just over. */
    static final LeftOut UNKNOWN = new LeftOut(
            "its snapshot waits for transactions that were writing in the source when it was asked for",
            "none is needed as a rule: it begins by itself once they are over, and one that lasts is named here");

    private SnapshotWait() {}

    /** What the slots that workers are making now wait for. */
    static LeftOut of(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(HOLDER)) {
            statement.setString(1, SourceDatabase.APPLICATION);
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) {
                    return UNKNOWN;
                }
                String gid = row.getString("gid");
                if (gid != null) {
                    return ofPrepared(gid, row.getString("prepared_in"), row.getLong("prepared_for"));
                }
                int pid = row.getInt("pid");
                return pid == 0 ? UNKNOWN : ofSession(pid, row);
            }
        }
    }

    private static LeftOut ofPrepared(String gid, String database, long seconds) {
        String name = Sql.literal(gid);
        return new LeftOut(
                "its snapshot waits for the prepared transaction " + name + " in database " + database
                        + " of the source's server, which was prepared " + seconds + " s ago",
                "in that database: COMMIT PREPARED " + name + " or ROLLBACK PREPARED " + name
                        + " (all of them: SELECT * FROM pg_prepared_xacts)");
    }

    private static LeftOut ofSession(int pid, ResultSet row) throws SQLException {
        long seconds = row.getLong("open_for");
        boolean known = !row.wasNull();
        return new LeftOut(
                "its snapshot waits for a transaction of session " + pid + described(row)
                        + (known ? ", which is open for " + seconds + " s" : ""),
                "let it commit, or end it: SELECT pg_terminate_backend(" + pid + ")");
    }

    private static String described(ResultSet row) throws SQLException {
        StringBuilder described = new StringBuilder();
        add(described, "user", row.getString("usename"));
        add(described, "database", row.getString("datname"));
        add(described, "application", row.getString("application_name"));
        add(described, "state", row.getString("state"));
        return described.isEmpty() ? "" : " (" + described + ")";
    }

    private static void add(StringBuilder described, String what, @Nullable String value) {
        if (value != null && !value.isEmpty()) {
            described.append(described.isEmpty() ? "" : ", ").append(what).append(' ').append(value);
        }
    }
}
