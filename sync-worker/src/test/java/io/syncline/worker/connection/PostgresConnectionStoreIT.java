package io.syncline.worker.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.Site;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.log.PartitionLock;
import io.syncline.model.log.ReplyRecord;
import io.syncline.model.log.RequestRecord;
import io.syncline.worker.connection.ConnectionStore.Changes;
import io.syncline.worker.connection.ConnectionStore.Origin;
import io.syncline.worker.connection.ConnectionStore.Scope;
import io.syncline.worker.connection.ConnectionStore.Transaction;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The contract on the real PostgreSQL, and what only locks and time-outs can show. */
class PostgresConnectionStoreIT extends ConnectionStoreContract {

    private static StateDatabaseUnderTest database;

    private final PostgresConnectionStore store = new PostgresConnectionStore(database.pool());

    @BeforeAll
    static void start() {
        database = new StateDatabaseUnderTest();
    }

    @AfterAll
    static void stop() throws IOException {
        database.close();
    }

    @BeforeEach
    void empty() {
        database.empty();
    }

    @Override
    ConnectionStore store() {
        return store;
    }

    @Test
    void raisingAFence_waitsForTheOldOwnersTransaction_andShutsOutItsNext() {
        LogHead old = store.raiseFence(0, 1).orElseThrow();
        CompletableFuture<Optional<LogHead>> raised;
        try (Transaction transaction = store.begin(partition0())) {
            raised = CompletableFuture.supplyAsync(() -> store.raiseFence(0, 2),
                    Executors.newVirtualThreadPerTaskExecutor());
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> database
                            .column("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"),
                            List.of("1")::equals);
            assertThat(raised).isNotDone();
            transaction.commit(changes(old.withNextRequest(7)));
        }
        assertThat(raised.join()).hasValueSatisfying(head -> {
            assertThat(head.fence()).isEqualTo(2);
            assertThat(head.nextRequestOffset()).as("what the old owner committed is seen").isEqualTo(7);
        });
        try (Transaction transaction = store.begin(partition0())) {
            assertThat(old.isStill(transaction.state().heads().get(0))).isFalse();
            assertThatThrownBy(() -> transaction.commit(changes(old))).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void frozenOwner_losesItsTransactionToTheTimeOut_andItsCommitFails() {
        LogHead old = store.raiseFence(0, 1).orElseThrow();
        try (HikariDataSource workers = database.workersPool();
                Transaction frozen = new PostgresConnectionStore(workers).begin(partition0())) {
            // As long as it takes: the server ends the session after 5 s, and only then grants the lock.
            assertThat(store.raiseFence(0, 2)).isPresent();
            assertThatThrownBy(() -> frozen.commit(changes(old))).isInstanceOf(StoreUnavailableException.class);
        }
        assertThat(store.head(0)).hasValueSatisfying(head -> assertThat(head.fence()).isEqualTo(2));
    }

    @Test
    void lock_isWaitedForLongerThanAFrozenOwnerHoldsIt() throws SQLException {
        try (HikariDataSource workers = database.workersPool();
                java.sql.Connection connection = workers.getConnection();
                var statement = connection.createStatement();
                var rows = statement.executeQuery("""
                        SELECT max(setting::int) FILTER (WHERE name = 'idle_in_transaction_session_timeout'),
                               max(setting::int) FILTER (WHERE name = 'lock_timeout') FROM pg_settings
                        WHERE name IN ('idle_in_transaction_session_timeout', 'lock_timeout')""")) {
            assertThat(rows.next()).isTrue();
            assertThat(rows.getInt(1)).isPositive().isLessThan(rows.getInt(2));
        }
    }

    @Test
    void clock_isReadBehindThePartitionsLock() throws Exception {
        store.raiseFence(0, 1).orElseThrow();
        CompletableFuture<ConnectionStore.State> state;
        java.time.Instant released;
        try (java.sql.Connection gateway = database.pool().getConnection()) {
            gateway.setAutoCommit(false);
            try (var lock = gateway.prepareStatement("SELECT pg_advisory_xact_lock_shared(?, 0)")) {
                lock.setInt(1, PartitionLock.SPACE);
                lock.execute();
            }
            state = CompletableFuture.supplyAsync(() -> {
                try (Transaction transaction = store.begin(partition0())) {
                    return transaction.state();
                }
            }, Executors.newVirtualThreadPerTaskExecutor());
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .pollDelay(Duration.ofMillis(50))
                    .until(() -> database.column("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'"),
                            List.of("1")::equals);
            released = store.clock();
            gateway.rollback();
        }
        assertThat(state.join().clock()).isAfter(released);
    }

    @Test
    void contentThatPostgresRefuses_isNotTakenForAnOutage_andIsNotQuoted() {
        LogHead head = store.raiseFence(0, 1).orElseThrow();
        assertThatThrownBy(() -> {
            try (Transaction transaction = store.begin(partition0())) {
                transaction.commit(new Changes(List.of(), List.of(), List.of(new ConnectionStore.SiteChange(
                        Site.unknown(
                                SiteUrl.asSent("http://secret\0.example")),
                        Site
                                .unknown(SiteUrl.asSent("http://secret\0.example"))
                                .evolve(new SiteEvent.ConnectionRegistered(
                                        SiteUrl.asSent("http://secret\0.example"),
                                        Fixtures.RECEIVER, "n", Fixtures.TOKEN, Fixtures.SEALED, false, "api", "ip",
                                        null), Fixtures.NOW))),
                        null, List.of(head), Origin.DECISION));
            }
        }).isInstanceOf(IllegalStateException.class).hasMessageNotContaining("secret");
    }

    @Test
    void textThatPostgresRefuses_isParkedAlone_andHoldsNothingUp() {
        LogHead head = store.raiseFence(0, 1).orElseThrow();
        var processor = new ConnectionProcessor(store, Fixtures.newKeys(), UUID::randomUUID, 100_000);
        List<Incoming> requests = new ArrayList<>();
        for (String site : List.of("http://before.example", "http://nul\0.example", "http://after.example")) {
            requests.add(new Incoming(requests.size(),
                    new RequestRecord(UUID.randomUUID(), store.clock().plus(Duration.ofHours(1)),
                            Fixtures.register(SiteUrl.asSent(site)))));
        }
        var result = processor.process(List.of(new ConnectionProcessor.Batch(head, store.server(), requests, 3)))
                .get(0);
        assertThat(result).isInstanceOfSatisfying(ConnectionProcessor.Result.Committed.class, committed -> {
            assertThat(committed.head().nextRequestOffset()).isEqualTo(3);
            assertThat(committed.replies()).extracting(ReplyRecord::outcome)
                    .containsExactly(refused(Refusal.MODULE_DISABLED),
                            refused(Refusal.NOT_DECIDABLE),
                            refused(Refusal.MODULE_DISABLED));
        });
    }

    private static Outcome refused(Refusal refusal) {
        return new Outcome.Refused(refusal);
    }

    @Test
    void missingSchema_isAnOutage() {
        database.execute("ALTER SCHEMA syncline RENAME TO elsewhere");
        try {
            assertThatThrownBy(() -> store.begin(partition0())).isInstanceOf(StoreUnavailableException.class);
        } finally {
            database.execute("ALTER SCHEMA elsewhere RENAME TO syncline");
        }
    }

    private static Scope partition0() {
        return new Scope(new TreeSet<>(Set.of(0)), Set.of(), Set.of(), Set.of(), Set.of(), Set.of());
    }

    private static Changes changes(LogHead head) {
        return new Changes(List.of(), List.of(), List.of(), null, List.of(head), Origin.DECISION);
    }
}
