package io.syncline.gateway.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

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
    private static OutcomeLookup lookup;
    private static String server;

    @BeforeAll
    static void start() throws Exception {
        postgres = TestPostgres.start();
        lookup = new OutcomeLookup(postgres.getPostgresDatabase());
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE SCHEMA syncline; CREATE TABLE syncline.request_outcome"
                    + " (request_id uuid PRIMARY KEY, outcome text NOT NULL);"
                    + " CREATE TABLE syncline.log_head (partition integer PRIMARY KEY, time timestamptz NOT NULL);"
                    + " INSERT INTO syncline.log_head VALUES (" + AHEAD + ", now() + interval '1 hour')");
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
        try (PreparedStatement insert = worker.prepareStatement(
                "INSERT INTO syncline.request_outcome VALUES (?, ?)")) {
            insert.setObject(1, requestId);
            insert.setString(2, ReplyRecord.storedForm(DECIDED));
            insert.execute();
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
        assertThat(new OutcomeLookup(nothing).find(UUID.randomUUID(), PARTITION, Instant.EPOCH, server))
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
