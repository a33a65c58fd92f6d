package io.syncline.worker.replica;

import io.syncline.model.table.ReplicaLayout;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Drops replica tables that nothing names any more, and prunes old tombstones. Several workers may do it at once. */
public final class ReplicaJanitor implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ReplicaJanitor.class);

    private static final Duration EVERY = Duration.ofSeconds(30);
    /** A pull that has read a replica table's name opens the table well within this time. */
    private static final Duration GARBAGE_KEPT = Duration.ofMinutes(1);
    private static final int TOMBSTONES_AT_ONCE = 10_000;
    private static final String UNUSED_TYPES = "SELECT typname FROM pg_type t WHERE typtype = 'e' AND typnamespace = '"
            + ReplicaLayout.SCHEMA
            + "'::regnamespace AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.atttypid = t.oid)";
    private static final String DEPENDENT_OBJECTS = "2BP01";
    private static final String LOCK_NOT_AVAILABLE = "55P03";

    private final DataSource database;
    private final Duration tombstonesKept;
    private final ScheduledExecutorService timer = Executors
            .newSingleThreadScheduledExecutor(Thread.ofPlatform().name("replica-janitor").daemon().factory());

    /** {@code tombstonesKept}: for so long it can be told what was deleted since. */
    public ReplicaJanitor(DataSource database, Duration tombstonesKept) {
        this.database = database;
        this.tombstonesKept = tombstonesKept;
    }

    public void start() {
        var unused = timer.scheduleWithFixedDelay(this::run, EVERY.toSeconds(), EVERY.toSeconds(), TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }

    private void run() {
        try {
            clean(GARBAGE_KEPT, tombstonesKept);
        } catch (SQLException | RuntimeException e) {
            LOG.warn("old replica tables and tombstones are left for the next time, in {} s: {}", EVERY.toSeconds(),
                    e.getMessage());
        }
    }

    void clean(Duration garbageKept, Duration tombstonesKept) throws SQLException {
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(false);
            for (String garbage : names(connection,
                    "SELECT replica_name FROM syncline.replica_garbage WHERE since <= now() - "
                            + garbageKept.toSeconds() + " * interval '1 second'")) {
                drop(connection, garbage);
            }
            for (String type : names(connection, UNUSED_TYPES)) {
                dropType(connection, type);
            }
            for (String replica : names(connection,
                    "SELECT replica_name FROM syncline.replica_table WHERE replica_name IS NOT NULL")) {
                prune(connection, replica, tombstonesKept);
            }
        }
    }

    /** Unless a pull still reads it: then the next time. */
    private static void drop(Connection connection, String garbage) throws SQLException {
        try (Statement statement = connection.createStatement();
                PreparedStatement delete = connection
                        .prepareStatement("DELETE FROM syncline.replica_garbage WHERE replica_name = ?")) {
            statement.execute("SET LOCAL lock_timeout = '200ms'");
            delete.setString(1, garbage);
            if (delete.executeUpdate() == 1) {
                statement.execute(ReplicaSql.drop(garbage));
            }
            connection.commit();
        } catch (SQLException e) {
            connection.rollback();
            if (!LOCK_NOT_AVAILABLE.equals(e.getSQLState())) {
                throw e;
            }
        }
    }

    private static void dropType(Connection connection, String type) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET LOCAL lock_timeout = '200ms'");
            statement.execute("SELECT pg_advisory_xact_lock(" + ReplicaSchema.TYPES_LOCK + ")");
            statement.execute("DROP TYPE IF EXISTS " + ReplicaLayout.qualified(type));
            connection.commit();
        } catch (SQLException e) {
            // A table that is just being made uses it: then it stays.
            connection.rollback();
            if (!LOCK_NOT_AVAILABLE.equals(e.getSQLState()) && !DEPENDENT_OBJECTS.equals(e.getSQLState())) {
                throw e;
            }
        }
    }

    /** A bounded number at a time; whoever asks what changed since before them is told that it is no longer known. */
    private static void prune(Connection connection, String replica, Duration kept) throws SQLException {
        try (PreparedStatement old = connection.prepareStatement(ReplicaSql.oldTombstones(replica))) {
            old.setLong(1, kept.toSeconds());
            try (ResultSet some = old.executeQuery()) {
                some.next();
                if (!some.getBoolean(1)) {
                    return;
                }
            }
        } finally {
            connection.commit();
        }
        while (pruneSome(connection, replica, kept) == TOMBSTONES_AT_ONCE) {
            LOG.debug("{} has more old tombstones", replica);
        }
    }

    private static long pruneSome(Connection connection, String replica, Duration kept) throws SQLException {
        // The table's row first, as whoever applies changes.
        try (PreparedStatement lock = connection.prepareStatement(
                "SELECT FROM syncline.replica_table WHERE replica_name = ? FOR NO KEY UPDATE");
                PreparedStatement delete = connection.prepareStatement(ReplicaSql.pruneTombstones(replica));
                PreparedStatement update = connection.prepareStatement("UPDATE syncline.replica_table"
                        + " SET known_since = greatest(known_since, ?) WHERE replica_name = ?")) {
            lock.setString(1, replica);
            lock.executeQuery().close();
            delete.setLong(1, kept.toSeconds());
            delete.setInt(2, TOMBSTONES_AT_ONCE);
            long pruned;
            long newest;
            try (ResultSet result = delete.executeQuery()) {
                result.next();
                pruned = result.getLong(1);
                newest = result.getLong(2);
            }
            if (pruned > 0) {
                update.setLong(1, newest);
                update.setString(2, replica);
                update.executeUpdate();
            }
            connection.commit();
            return pruned;
        } catch (SQLException e) {
            connection.rollback();
            throw e;
        }
    }

    private static List<String> names(Connection connection, String sql) throws SQLException {
        List<String> names = new ArrayList<>();
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                names.add(rows.getString(1));
            }
        }
        connection.commit();
        return names;
    }
}
