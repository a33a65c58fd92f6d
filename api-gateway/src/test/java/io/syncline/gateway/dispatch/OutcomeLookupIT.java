package io.syncline.gateway.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.gateway.state.HighWater;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.Refusal;
import io.syncline.model.log.PartitionLock;
import io.syncline.model.log.ReplyRecord;
import io.syncline.model.testing.TestPostgres;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** The deadline rule of the architecture, against a real PostgreSQL and a worker's transaction that a test plays. */
class OutcomeLookupIT {

    private static final int PARTITION = 3;
    /** A partition whose last event is an hour ahead of the clock. */
    private static final int AHEAD = 7;
    private static final Outcome DECIDED = new Outcome.Refused(Refusal.ALREADY_EXISTS);

    private static EmbeddedPostgres postgres;
    private static final HighWater HIGH_WATER = new HighWater(16);
    private static OutcomeLookup lookup;
    private static String server;

    @BeforeAll
    static void start() throws Exception {
        postgres = TestPostgres.start();
        lookup = new OutcomeLookup(postgres.getPostgresDatabase(), HIGH_WATER);
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE SCHEMA syncline; CREATE TABLE syncline.request_outcome"
                    + " (request_id uuid PRIMARY KEY, outcome text NOT NULL, sequence bigint);"
                    + " CREATE TABLE syncline.connection_event (partition integer, sequence bigint, key text);"
                    + " CREATE TABLE syncline.log_head (partition integer PRIMARY KEY, time timestamptz NOT NULL,"
                    + " sequence bigint NOT NULL, log_sequence bigint NOT NULL);"
                    + " INSERT INTO syncline.log_head VALUES (" + AHEAD + ", now() + interval '1 hour', 0, 0),"
                    + " (" + PARTITION + ", now() - interval '1 hour', 7, 7)");
            try (ResultSet row = statement.executeQuery("SELECT pg_postmaster_start_time()::text")) {
                row.next();
                server = row.getString(1);
            }
        }
    }

    @AfterAll
    static void stop() throws Exception {
        postgres.close();
    }

    private static Instant now() throws SQLException {
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT clock_timestamp()")) {
            row.next();
            return row.getObject(1, OffsetDateTime.class).toInstant();
        }
    }

    /** What a worker's transaction does first. */
    private static Connection workerTransaction(int partition) throws SQLException {
        Connection worker = postgres.getPostgresDatabase().getConnection();
        worker.setAutoCommit(false);
        try (PreparedStatement lock = worker.prepareStatement("SELECT pg_advisory_xact_lock(?, ?)")) {
            lock.setInt(1, PartitionLock.SPACE);
            lock.setInt(2, partition);
            lock.execute();
        }
        return worker;
    }

    private static void decide(Connection worker, UUID requestId) throws SQLException {
        decide(worker, requestId, DECIDED, 7L);
    }

    private static void decide(Connection worker, UUID requestId, Outcome outcome, Long sequence) throws SQLException {
        try (PreparedStatement insert = worker.prepareStatement(
                "INSERT INTO syncline.request_outcome VALUES (?, ?, ?)")) {
            insert.setObject(1, requestId);
            insert.setString(2, ReplyRecord.storedForm(outcome));
            insert.setObject(3, sequence);
            insert.execute();
        }
    }

    private static UUID decided(Outcome outcome, Long sequence) throws SQLException {
        UUID id = UUID.randomUUID();
        try (Connection worker = workerTransaction(PARTITION)) {
            decide(worker, id, outcome, sequence);
            worker.commit();
        }
        return id;
    }

    private static void execute(String sql) throws SQLException {
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Committed by a worker that could not publish it: a failover that loses commits takes it back. */
    @Test
    void outcomeWhoseEventIsNotInTheLog_isNotKnown_untilItIs() throws Exception {
        UUID id = decided(Outcome.Accepted.WITHOUT_RECORD, 9L);
        Instant deadline = now().minusMillis(1);
        assertThat(lookup.find(id, PARTITION, deadline, server)).isEqualTo(new Submission.NotKnown());
        assertThat(HIGH_WATER.awaitWanted(Duration.ZERO)).as("the log is asked").contains(PARTITION);
        HIGH_WATER.seen(PARTITION, 9);
        assertThat(lookup.find(id, PARTITION, deadline, server))
                .isEqualTo(new Submission.Decided(Outcome.Accepted.WITHOUT_RECORD));
    }

    /** "There is one already", judged by a registration that may vanish yet. */
    @Test
    void refusalThatRestsOnAnEventThatIsNotInTheLog_isNotKnown() throws Exception {
        UUID id = decided(DECIDED, 20L);
        assertThat(lookup.find(id, PARTITION, now().minusMillis(1), server)).isEqualTo(new Submission.NotKnown());
    }

    @Test
    void refusalThatRestsOnSettingsThatAreNotInTheLog_isNotKnown() throws Exception {
        UUID id = decided(DECIDED, 7L);
        UUID accepted = decided(Outcome.Accepted.WITHOUT_RECORD, 7L);
        execute("INSERT INTO syncline.connection_event VALUES (0, 1, 'settings')");
        try {
            assertThat(lookup.find(id, PARTITION, now().minusMillis(1), server)).isEqualTo(new Submission.NotKnown());
            assertThat(lookup.find(accepted, PARTITION, now().minusMillis(1), server))
                    .as("what it says lies in its own event")
                    .isEqualTo(new Submission.Decided(Outcome.Accepted.WITHOUT_RECORD));
        } finally {
            execute("DELETE FROM syncline.connection_event");
        }
    }

    /** Before the column was there: such an outcome rests on no more than all that is committed. */
    @Test
    void outcomeThatDoesNotSayWhatItRestsOn_isKnownWhereAllOfItsPartitionIsInTheLog() throws Exception {
        UUID id = decided(DECIDED, null);
        assertThat(lookup.find(id, PARTITION, now().minusMillis(1), server)).isEqualTo(new Submission.Decided(DECIDED));
        execute("UPDATE syncline.log_head SET sequence = 30 WHERE partition = " + PARTITION);
        try {
            assertThat(lookup.find(id, PARTITION, now().minusMillis(1), server)).isEqualTo(new Submission.NotKnown());
        } finally {
            execute("UPDATE syncline.log_head SET sequence = 7 WHERE partition = " + PARTITION);
        }
    }

    @Test
    void pastTheDeadline_noOutcome_isNotApplied() throws Exception {
        assertThat(lookup.find(UUID.randomUUID(), PARTITION, now().minusMillis(1), server))
                .isInstanceOf(Submission.NotApplied.class);
    }

    @Test
    void outcomeThatIsThere_isTheAnswer() throws Exception {
        UUID id = UUID.randomUUID();
        try (Connection worker = workerTransaction(PARTITION)) {
            decide(worker, id);
            worker.commit();
        }
        assertThat(lookup.find(id, PARTITION, now().minusMillis(1), server)).isEqualTo(new Submission.Decided(DECIDED));
    }

    @Test
    void transactionUnderWay_isWaitedForAndSeen() {
        // Waited for for a second only: who commits later may find that nobody waits any more, but never that it is denied.
        Awaitility.await()
                .atMost(Duration.ofMinutes(1))
                .until(OutcomeLookupIT::foundWhenCommittedWhileItIsLookedFor, new Submission.Decided(DECIDED)::equals);
    }

    private static Submission foundWhenCommittedWhileItIsLookedFor() throws Exception {
        UUID id = UUID.randomUUID();
        Instant deadline = now().minusMillis(1);
        try (Connection worker = workerTransaction(PARTITION)) {
            CompletableFuture<Submission> looking = CompletableFuture.supplyAsync(() -> find(id, PARTITION, deadline));
            awaitWaiter(looking);
            decide(worker, id);
            worker.commit();
            Submission found = looking.get(1, TimeUnit.MINUTES);
            assertThat(found).isIn(new Submission.Decided(DECIDED), new Submission.NotKnown());
            return found;
        }
    }

    @Test
    void transactionThatDoesNotEnd_isNotWaitedFor_andNotKnown() throws Exception {
        Instant deadline = now().minusMillis(1);
        try (Connection worker = workerTransaction(PARTITION)) {
            assertThat(lookup.find(UUID.randomUUID(), PARTITION, deadline, server))
                    .isEqualTo(new Submission.NotKnown());
            worker.rollback();
        }
    }

    @Test
    void otherPartitionsWork_isNotWaitedFor() throws Exception {
        try (Connection worker = workerTransaction(PARTITION + 1)) {
            assertThat(lookup.find(UUID.randomUUID(), PARTITION, now().minusMillis(1), server))
                    .isInstanceOf(Submission.NotApplied.class);
            worker.rollback();
        }
    }

    @Test
    void twoGateways_lookAtOnce() throws Exception {
        Connection other = postgres.getPostgresDatabase().getConnection();
        other.setAutoCommit(false);
        try (PreparedStatement lock = other.prepareStatement("SELECT pg_advisory_xact_lock_shared(?, ?)")) {
            lock.setInt(1, PartitionLock.SPACE);
            lock.setInt(2, PARTITION);
            lock.execute();
            assertThat(lookup.find(UUID.randomUUID(), PARTITION, now().minusMillis(1), server))
                    .isInstanceOf(Submission.NotApplied.class);
        } finally {
            other.close();
        }
    }

    @Test
    void databaseThatHasNotReachedTheDeadline_isWaitedFor() throws Exception {
        Instant deadline = now().plusMillis(300);
        assertThat(lookup.find(UUID.randomUUID(), PARTITION, deadline, server))
                .isInstanceOf(Submission.NotApplied.class);
        assertThat(now()).isAfter(deadline);
    }

    @Test
    void databaseFarBehindOurClock_isNotKnown_neverNotApplied() throws Exception {
        assertThat(lookup.find(UUID.randomUUID(), PARTITION, now().plusSeconds(60), server))
                .isEqualTo(new Submission.NotKnown());
    }

    @Test
    void databaseAway_isNotKnown() throws Exception {
        PGSimpleDataSource nothing = new PGSimpleDataSource();
        nothing.setUrl("jdbc:postgresql://127.0.0.1:1/none");
        assertThat(new OutcomeLookup(nothing, HIGH_WATER).find(UUID.randomUUID(), PARTITION, Instant.EPOCH, server))
                .isEqualTo(new Submission.NotKnown());
    }

    @Test
    void anotherServerThatLacksTheOutcome_isNotKnown() throws Exception {
        assertThat(lookup.find(UUID.randomUUID(), PARTITION, now().minusMillis(1), "2001-01-01 00:00:00+00"))
                .isEqualTo(new Submission.NotKnown());
    }

    @Test
    void anotherServerThatHasTheOutcome_isTheAnswer() throws Exception {
        UUID id = UUID.randomUUID();
        try (Connection worker = workerTransaction(PARTITION)) {
            decide(worker, id);
            worker.commit();
        }
        assertThat(lookup.find(id, PARTITION, now().minusMillis(1), "2001-01-01 00:00:00+00"))
                .isEqualTo(new Submission.Decided(DECIDED));
    }

    @Test
    void timeOfThePartitionsLastEvent_countsWhereItIsAheadOfTheClock() throws Exception {
        assertThat(lookup.find(UUID.randomUUID(), AHEAD, now().plusSeconds(600), server))
                .isInstanceOf(Submission.NotApplied.class);
        assertThat(lookup.find(UUID.randomUUID(), AHEAD, now().plusSeconds(3_700), server))
                .isEqualTo(new Submission.NotKnown());
    }

    private static Submission find(UUID id, int partition, Instant deadline) {
        try {
            return lookup.find(id, partition, deadline, server);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void awaitWaiter(CompletableFuture<Submission> looking) {
        Awaitility.await().atMost(Duration.ofMinutes(1)).pollInterval(Duration.ofMillis(10)).until(() -> {
            if (looking.isDone()) {
                return true;
            }
            try (Connection connection = postgres.getPostgresDatabase().getConnection();
                    Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery(
                            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")) {
                row.next();
                return row.getInt(1) == 1;
            }
        });
    }
}
