package io.syncline.gateway.state;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.Map;

/**
 * How far a database server is with each partition of the event log.
 *
 * @param server     since when it runs: a standby that took over, a restored copy and a server after a restart are others
 * @param committed  by partition, its last event; nothing of a partition that no worker has had yet
 * @param published  by partition, the event up to which the log is known to have it
 */
record Heads(Instant server, Map<Integer, Long> committed, Map<Integer, Long> published) {

    /** Throws {@link StateDatabaseBehindException} where the server is a standby. */
    static Heads read(Connection connection) throws SQLException {
        Instant server;
        try (PreparedStatement statement = connection.prepareStatement("SELECT pg_is_in_recovery(), "
                + StateReads.SERVER + ", to_regclass('syncline.log_head') IS NOT NULL");
                ResultSet row = statement.executeQuery()) {
            row.next();
            if (row.getBoolean(1)) {
                throw new StateDatabaseBehindException(
                        "the state database is a standby: state is read from the primary");
            }
            server = row.getObject(2, OffsetDateTime.class).toInstant();
            if (!row.getBoolean(3)) {
                return new Heads(server, Map.of(), Map.of());
            }
        }
        Map<Integer, Long> committed = new HashMap<>();
        Map<Integer, Long> published = new HashMap<>();
        // The server once more: behind a pooler the next statement may go to another one.
        try (PreparedStatement statement = connection.prepareStatement("SELECT partition, sequence, log_sequence, "
                + StateReads.SERVER + " FROM syncline.log_head");
                ResultSet row = statement.executeQuery()) {
            while (row.next()) {
                if (!row.getObject(4, OffsetDateTime.class).toInstant().equals(server)) {
                    throw new StateDatabaseBehindException("two statements over one connection were answered by two"
                            + " servers: connect to the state database without a pooler, or pool sessions");
                }
                committed.put(row.getInt(1), row.getLong(2));
                published.put(row.getInt(1), row.getLong(3));
            }
        }
        return new Heads(server, committed, published);
    }
}
