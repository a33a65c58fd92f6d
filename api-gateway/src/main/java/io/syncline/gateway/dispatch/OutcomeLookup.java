package io.syncline.gateway.dispatch;

import io.syncline.model.log.PartitionLock;
import io.syncline.model.log.ReplyRecord;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
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

    Submission find(UUID requestId, int partition, Instant deadline) throws InterruptedException {
        try {
            Instant databaseTime = clock();
            if (!databaseTime.isAfter(deadline)) {
                Duration left = Duration.between(databaseTime, deadline).plusMillis(1);
                if (left.compareTo(LONGEST_WAIT_FOR_CLOCK) > 0) {
                    return new Submission.NotKnown();
                }
                Thread.sleep(left);
            }
            return look(requestId, partition, deadline);
        } catch (SQLException e) {
            log.debug("outcome of request {} not known: {}", requestId, e.toString());
            return new Submission.NotKnown();
        }
    }

    private Instant clock() throws SQLException {
        try (Connection connection = database.getConnection()) {
            return clock(connection);
        }
    }

    private Submission look(UUID requestId, int partition, Instant deadline) throws SQLException {
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(false);
            try {
                lock(connection, partition);
                // Statements of their own: a snapshot taken before the lock was granted would miss what it waited for.
                if (!clock(connection).isAfter(deadline)) {
                    return new Submission.NotKnown();
                }
                return outcome(connection, requestId);
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

    private static Instant clock(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT clock_timestamp()");
                ResultSet row = statement.executeQuery()) {
            row.next();
            return row.getObject(1, OffsetDateTime.class).toInstant();
        }
    }

    private static Submission outcome(Connection connection, UUID requestId) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT outcome FROM syncline.request_outcome WHERE request_id = ?")) {
            statement.setObject(1, requestId);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? new Submission.Decided(ReplyRecord.readStored(row.getString(1)))
                        : new Submission.NotApplied("No worker took the request in time");
            }
        }
    }
}
