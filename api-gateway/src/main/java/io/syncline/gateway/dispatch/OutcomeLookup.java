package io.syncline.gateway.dispatch;

import io.syncline.gateway.state.DatabaseClock;
import io.syncline.model.connection.Outcome;
import io.syncline.model.log.PartitionLock;
import io.syncline.model.log.ReplyRecord;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out what became of a request whose reply did not come.
 *
 * <p>Workers decide under an exclusive lock on the request's partition, read the clock behind it, and refuse what is past
 * its deadline. So whoever holds that lock, shared, when the database's clock is past the deadline knows: what is not
 * decided now never will be.
 */
final class OutcomeLookup {

    private static final Logger log = LoggerFactory.getLogger(OutcomeLookup.class);
    /** How far the database's clock may be behind our estimate of it before we give up. */
    private static final Duration LONGEST_WAIT_FOR_CLOCK = Duration.ofSeconds(1);

    private final DataSource database;

    OutcomeLookup(DataSource database) {
        this.database = database;
    }

    /**
     * @param server the one that answered when the deadline was made: another one (a standby that took over) may lack an
     *               outcome that its predecessor had, so its silence proves nothing
     */
    Submission find(UUID requestId, int partition, Instant deadline, String server) throws InterruptedException {
        try {
            Instant databaseTime = clock(partition).time();
            if (!databaseTime.isAfter(deadline)) {
                Duration left = Duration.between(databaseTime, deadline).plusMillis(1);
                if (left.compareTo(LONGEST_WAIT_FOR_CLOCK) > 0) {
                    return new Submission.NotKnown();
                }
                Thread.sleep(left);
            }
            return look(requestId, partition, deadline, server);
        } catch (SQLException e) {
            log.debug("outcome of request {} not known: {}", requestId, e.toString());
            return new Submission.NotKnown();
        }
    }

    private DatabaseClock.Reading clock(int partition) throws SQLException {
        try (Connection connection = database.getConnection()) {
            return clock(connection, partition);
        }
    }

    private Submission look(UUID requestId, int partition, Instant deadline, String server) throws SQLException {
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(false);
            try {
                lock(connection, partition);
                // Statements of their own: a snapshot taken before the lock was granted would miss what it waited for.
                DatabaseClock.Reading now = clock(connection, partition);
                Optional<Outcome> outcome = outcome(connection, requestId);
                if (outcome.isPresent()) {
                    return new Submission.Decided(outcome.get());
                }
                return now.time().isAfter(deadline) && now.server().equals(server)
                        ? new Submission.NotApplied("no worker took the request in time")
                        : new Submission.NotKnown();
            } finally {
                connection.rollback();
            }
        }
    }

    private static void lock(Connection connection, int partition) throws SQLException {
        try (PreparedStatement timeout = connection.prepareStatement("SET LOCAL lock_timeout = '1s'")) {
            timeout.execute();
        }
        try (PreparedStatement lock = connection.prepareStatement("SELECT pg_advisory_xact_lock_shared(?, ?)")) {
            lock.setInt(1, PartitionLock.SPACE);
            lock.setInt(2, partition);
            lock.execute();
        }
    }

    /** The deciders' now: the clock, or the time of the partition's last event where that is later. */
    private static DatabaseClock.Reading clock(Connection connection, int partition) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                SELECT greatest(clock_timestamp(), (SELECT time FROM syncline.log_head WHERE partition = ?)),
                    pg_postmaster_start_time()::text""")) {
            statement.setInt(1, partition);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return new DatabaseClock.Reading(row.getObject(1, OffsetDateTime.class).toInstant(), row.getString(2));
            }
        }
    }

    private static Optional<Outcome> outcome(Connection connection, UUID requestId) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT outcome FROM syncline.request_outcome WHERE request_id = ?")) {
            statement.setObject(1, requestId);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? Optional.of(ReplyRecord.readStored(row.getString(1))) : Optional.empty();
            }
        }
    }
}
