package io.syncline.gateway.dispatch;

import io.syncline.gateway.state.DatabaseClock;
import io.syncline.gateway.state.HighWater;
import io.syncline.gateway.state.Partitions;
import io.syncline.gateway.state.StateReads;
import io.syncline.model.connection.Event;
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
 *
 * <p>What is decided is not yet in the event log, and a failover that loses commits takes back what is not. So an outcome is
 * an answer only where the log is known to have the last event that it rests on: its own, or for a refusal the ones that it
 * was judged by. Otherwise it is not known, as far as the caller is concerned.
 */
final class OutcomeLookup {

    private static final Logger log = LoggerFactory.getLogger(OutcomeLookup.class);
    /** How far the database's clock may be behind our estimate of it before we give up. */
    private static final Duration LONGEST_WAIT_FOR_CLOCK = Duration.ofSeconds(1);
    private static final Duration LONGEST_WAIT_FOR_LOG = Duration.ofSeconds(1);
    /**
     * The outcome with the events that it rests on: the last one of its partition when it was decided, and of the settings. A
     * version before this one did not say: then all that its partition has now.
     */
    private static final String OUTCOME = "SELECT o.outcome, coalesce(o.sequence, h.sequence), h.log_sequence, "
            + StateReads.SETTINGS_EVENT + """

             FROM syncline.request_outcome o JOIN syncline.log_head h ON h.partition = ? WHERE o.request_id = ?""";

    private final DataSource database;
    private final HighWater highWater;
    private final int settingsPartition;

    OutcomeLookup(DataSource database, HighWater highWater) {
        this.database = database;
        this.highWater = highWater;
        this.settingsPartition = new Partitions(highWater.partitions()).of(Event.SETTINGS_KEY);
    }

    /** What the database has of a request. */
    private sealed interface Found {

        /**
         * @param sequence of the last event of its partition that it rests on
         * @param settings sequence of the settings' last event
         */
        record Decided(Outcome outcome, long sequence, long settings) implements Found {}

        record Nothing(Submission means) implements Found {}
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
            return switch (look(requestId, partition, deadline, server)) {
                case Found.Nothing nothing -> nothing.means();
                case Found.Decided decided -> isPublished(partition, decided)
                        ? new Submission.Decided(decided.outcome())
                        : new Submission.NotKnown();
            };
        } catch (SQLException e) {
            log.debug("outcome of request {} not known: {}", requestId, e.toString());
            return new Submission.NotKnown();
        }
    }

    /** A refusal may also rest on the settings, whose events are in a partition of their own. */
    private boolean isPublished(int partition, Found.Decided decided) throws InterruptedException {
        return isPublished(partition, decided.sequence())
                && (!(decided.outcome() instanceof Outcome.Refused)
                        || isPublished(settingsPartition, decided.settings()));
    }

    private boolean isPublished(int partition, long sequence) throws InterruptedException {
        if (highWater.published(partition) >= sequence) {
            return true;
        }
        highWater.ask(partition);
        return highWater.awaitPublished(partition, sequence, LONGEST_WAIT_FOR_LOG);
    }

    private DatabaseClock.Reading clock(int partition) throws SQLException {
        try (Connection connection = database.getConnection()) {
            return clock(connection, partition);
        }
    }

    private Found look(UUID requestId, int partition, Instant deadline, String server) throws SQLException {
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(false);
            try {
                lock(connection, partition);
                // Statements of their own: a snapshot taken before the lock was granted would miss what it waited for.
                DatabaseClock.Reading now = clock(connection, partition);
                Optional<Found.Decided> outcome = outcome(connection, partition, requestId);
                if (outcome.isPresent()) {
                    return outcome.get();
                }
                return new Found.Nothing(now.time().isAfter(deadline) && now.server().equals(server)
                        ? new Submission.NotApplied("no worker took the request in time")
                        : new Submission.NotKnown());
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

    private Optional<Found.Decided> outcome(Connection connection, int partition, UUID requestId)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(OUTCOME)) {
            statement.setInt(1, partition);
            statement.setObject(2, requestId);
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) {
                    return Optional.empty();
                }
                highWater.seen(partition, row.getLong(3));
                return Optional.of(new Found.Decided(ReplyRecord.readStored(row.getString(1)), row.getLong(2),
                        row.getLong(4)));
            }
        }
    }
}
