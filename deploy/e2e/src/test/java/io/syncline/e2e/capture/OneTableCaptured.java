package io.syncline.e2e.capture;

import static org.awaitility.Awaitility.await;

import io.syncline.worker.capture.Capture;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A source of one small table, with capturers that the test starts, and ends, as it likes. */
abstract class OneTableCaptured {

    /** Capture pauses for up to half a minute when it has failed several times. */
    static final Duration SOON = Duration.ofMinutes(3);

    @TempDir Path directory;

    CapturedSource source;

    @BeforeEach
    void start() {
        source = new CapturedSource(directory);
        source.execute("CREATE TABLE t (id int PRIMARY KEY, v text)",
                "INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 100) g");
    }

    @AfterEach
    void stop() {
        source.close();
    }

    /** In a thread of its own: the common pool has but one on a machine of two processors. */
    static CompletableFuture<Void> aside(Runnable work) {
        return CompletableFuture.runAsync(work, task -> Thread.ofPlatform().start(task));
    }

    void awaitEqual() {
        source.awaitEqual("t", SOON);
    }

    /** Read, and remembered to be: gives the generation, with which whoever captures next can go on. */
    long awaitRead() {
        awaitEqual();
        source.awaitRemembered("t", SOON);
        return generation();
    }

    long generation() {
        return source.topics().generation("t");
    }

    /** Until the slot is free, a moment after its reader has gone. */
    void stop(Capture capture) {
        capture.stop();
        await().atMost(SOON)
                .until(() -> source.ask("SELECT active FROM pg_replication_slots WHERE slot_name = 'syncline'")
                        .equals(List.of("f")));
    }

    String confirmed() {
        return source.ask("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = 'syncline'")
                .getFirst();
    }

    void awaitConfirmed() {
        String end = source.ask("SELECT pg_current_wal_insert_lsn()").getFirst();
        await().atMost(SOON)
                .until(() -> source
                        .ask("SELECT confirmed_flush_lsn >= '" + end
                                + "' FROM pg_replication_slots WHERE slot_name = 'syncline'")
                        .equals(List.of("t")));
    }
}
