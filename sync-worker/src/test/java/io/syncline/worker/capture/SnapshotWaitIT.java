package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/** What keeps a slot from being made is named, also to a role that does not see what others do. */
class SnapshotWaitIT {

    private static final Duration SOON = Duration.ofMinutes(2);

    @Test
    void whatASlotWaitsFor() throws Exception {
        try (SourceServer server = new SourceServer(
                Map.of("wal_level", "logical", "max_prepared_transactions", "2"))) {
            server.execute("CREATE ROLE capturer LOGIN PASSWORD 'postgres' REPLICATION", "CREATE DATABASE other",
                    "CREATE TABLE t (id int)");
            SourceDatabase source = server.as("capturer");
            ReplicationSlot slot = new ReplicationSlot(source, "syncline");
            try (Connection elsewhere = server.connect("other");
                    Statement there = elsewhere.createStatement();
                    Connection owner = server.connect();
                    Statement here = owner.createStatement();
                    Connection asking = source.connect()) {
                assertThat(SnapshotWait.of(asking)).isEqualTo(SnapshotWait.UNKNOWN);
                there.execute("CREATE TABLE u (id int)");
                there.execute("BEGIN; INSERT INTO u VALUES (1); PREPARE TRANSACTION 'a\\b'");
                owner.setAutoCommit(false);

                CompletableFuture<Void> made = CompletableFuture.runAsync(() -> make(slot));
                await().atMost(SOON)
                        .untilAsserted(() -> assertThat(SnapshotWait.of(asking).cause()).startsWith(
                                "its snapshot waits for the prepared transaction E'a\\\\b' in database other of the source's server"));
                assertThat(SnapshotWait.of(asking).remedy()).contains("ROLLBACK PREPARED E'a\\\\b'");
                there.execute("ROLLBACK PREPARED E'a\\\\b'");
                made.join();

                here.execute("INSERT INTO t VALUES (1)");
                int pid = owner.unwrap(PGConnection.class).getBackendPID();
                CompletableFuture<Void> again = CompletableFuture.runAsync(() -> make(slot));
                await().atMost(SOON)
                        .untilAsserted(() -> assertThat(SnapshotWait.of(asking).cause())
                                .startsWith("its snapshot waits for a transaction of session " + pid));
                owner.commit();
                again.join();
                assertThat(SnapshotWait.of(asking)).isEqualTo(SnapshotWait.UNKNOWN);
            }
        }
    }

    private static void make(ReplicationSlot slot) {
        try {
            slot.snapshotOfNow().close();
        } catch (SQLException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }
}
