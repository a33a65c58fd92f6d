package io.syncline.gateway.state;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The highest sequence seen of each partition of the event log. A database whose {@code log_head} is behind it lacks what
 * somebody has been told already, as a standby may that took over too early: nobody is answered from it.
 */
public final class HighWater {

    private final Map<Integer, Long> seen = new ConcurrentHashMap<>();
    private volatile boolean logRead;

    /** A reply, or the log itself, showed that the partition had come this far. */
    public void seen(int partition, long sequence) {
        Long known = seen.get(partition);
        if (known == null || known < sequence) {
            seen.merge(partition, sequence, Math::max);
        }
    }

    /** The ends of the log have been read: from now on it is known what a database must have. */
    public void logRead() {
        logRead = true;
    }

    /** Refuses a new connection to a database that may not have, or has not, all that was seen. */
    void require(Connection connection) throws SQLException {
        if (!logRead) {
            throw new StateDatabaseBehindException(
                    "it is not known yet how far the event log has come: its topic has not been read");
        }
        Map<Integer, Long> needed = Map.copyOf(seen);
        Map<Integer, Long> heads = heads(connection);
        for (Map.Entry<Integer, Long> need : needed.entrySet()) {
            long has = heads.getOrDefault(need.getKey(), 0L);
            if (has < need.getValue()) {
                throw new StateDatabaseBehindException("the state database is behind the event log: partition "
                        + need.getKey() + " has event " + has + ", event " + need.getValue() + " has been seen");
            }
        }
    }

    private static Map<Integer, Long> heads(Connection connection) throws SQLException {
        Map<Integer, Long> heads = new HashMap<>();
        // A standby that is still one answers questions too.
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT pg_is_in_recovery(), to_regclass('syncline.log_head') IS NOT NULL");
                ResultSet row = statement.executeQuery()) {
            row.next();
            if (row.getBoolean(1)) {
                throw new StateDatabaseBehindException(
                        "the state database is a standby: state is read from the primary");
            }
            if (!row.getBoolean(2)) {
                return heads;
            }
        }
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT partition, sequence FROM syncline.log_head");
                ResultSet row = statement.executeQuery()) {
            while (row.next()) {
                heads.put(row.getInt(1), row.getLong(2));
            }
        }
        return heads;
    }
}
