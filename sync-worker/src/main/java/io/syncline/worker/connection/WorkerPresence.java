package io.syncline.worker.connection;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says every few seconds, in the state database, that this worker lives and what it owns: workers have no port at which
 * anybody could ask. A worker whose row grows old is gone; it is for operators to look at, nothing is decided by it.
 */
final class WorkerPresence implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(WorkerPresence.class);

    private static final Duration EVERY = Duration.ofSeconds(2);
    /** Workers that were killed leave a row behind, for an operator to see that they are missed. */
    private static final Duration REMEMBERED = Duration.ofDays(1);
    private static final int MAX_TEXT = 1_000;

    private final DataSource database;
    private final String worker;
    private final Duration deadAfter;
    private final Supplier<Collection<PartitionStatus>> partitions;
    private final Supplier<@Nullable String> trouble;
    private final ScheduledExecutorService timer = Executors
            .newSingleThreadScheduledExecutor(Thread.ofPlatform().name("presence").daemon().factory());
    private boolean begun;

    WorkerPresence(DataSource database, String worker, Duration deadAfter,
            Supplier<Collection<PartitionStatus>> partitions, Supplier<@Nullable String> trouble) {
        this.database = database;
        this.worker = worker;
        this.deadAfter = deadAfter;
        this.partitions = partitions;
        this.trouble = trouble;
    }

    void start() {
        var unused = timer.scheduleWithFixedDelay(this::run, 0, EVERY.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void run() {
        try {
            tell();
        } catch (SQLException | RuntimeException | Error e) {
            // An Error, too: a timer calls nothing again that has thrown, and a worker that lives would be taken for gone.
            log.debug("not told that this worker lives", e);
        }
    }

    void tell() throws SQLException {
        Collection<PartitionStatus> now = partitions.get();
        try (Connection connection = database.getConnection();
                PreparedStatement upsert = connection.prepareStatement("""
                        INSERT INTO syncline.worker AS w (name, started_at, seen_at, dead_after_ms, trouble, partitions,
                            states, details)
                        VALUES (?, clock_timestamp(), clock_timestamp(), ?, ?, ?, ?, ?)
                        ON CONFLICT (name) DO UPDATE SET started_at = CASE WHEN ? THEN w.started_at
                                ELSE excluded.started_at END,
                            seen_at = excluded.seen_at, dead_after_ms = excluded.dead_after_ms,
                            trouble = excluded.trouble, partitions = excluded.partitions, states = excluded.states,
                            details = excluded.details""");
                PreparedStatement forget = connection.prepareStatement("""
                        DELETE FROM syncline.worker
                        WHERE seen_at < clock_timestamp() - ? * interval '1 second'""")) {
            connection.setAutoCommit(true);
            upsert.setString(1, worker);
            upsert.setLong(2, deadAfter.toMillis());
            String why = trouble.get();
            upsert.setString(3, why == null ? null : bounded(why));
            upsert.setArray(4, connection.createArrayOf("integer",
                    now.stream().map(PartitionStatus::partition).toArray()));
            upsert.setArray(5, texts(connection, now, one -> one.kind().name().toLowerCase(Locale.ROOT)));
            upsert.setArray(6, texts(connection, now, one -> bounded(one.detail())));
            upsert.setBoolean(7, begun);
            upsert.executeUpdate();
            begun = true;
            forget.setLong(1, REMEMBERED.toSeconds());
            forget.executeUpdate();
        }
    }

    private static java.sql.Array texts(Connection connection, Collection<PartitionStatus> all,
            Function<PartitionStatus, String> text) throws SQLException {
        return connection.createArrayOf("text", all.stream().map(text).toArray());
    }

    private static String bounded(String text) {
        return text.length() <= MAX_TEXT ? text : text.substring(0, MAX_TEXT);
    }

    /** One that ends in order is not missed. */
    @Override
    public void close() {
        timer.shutdownNow();
        try (Connection connection = database.getConnection();
                PreparedStatement delete = connection.prepareStatement("DELETE FROM syncline.worker WHERE name = ?")) {
            if (!timer.awaitTermination(EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
                log.debug("the last word of this worker was not waited for");
            }
            connection.setAutoCommit(true);
            delete.setString(1, worker);
            delete.executeUpdate();
        } catch (SQLException e) {
            log.debug("not told that this worker ends", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
