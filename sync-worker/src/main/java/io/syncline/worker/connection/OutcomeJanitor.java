package io.syncline.worker.connection;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes away the outcomes of requests that their topic no longer keeps. Such a request cannot come again, and if it did its
 * deadline would have passed; without this, callers whose requests are all refused could fill the database.
 */
final class OutcomeJanitor implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(OutcomeJanitor.class);

    private static final Duration EVERY = Duration.ofMinutes(10);
    /** A day longer than the requests themselves. */
    private static final Duration KEPT = Duration.ofDays(8);
    /** Few at a time, so that no row is locked for long. */
    private static final int AT_ONCE = 5_000;

    private final DataSource database;
    private final ScheduledExecutorService timer = Executors
            .newSingleThreadScheduledExecutor(Thread.ofPlatform().name("outcome-janitor").daemon().factory());

    OutcomeJanitor(DataSource database) {
        this.database = database;
    }

    void start() {
        var unused = timer.scheduleWithFixedDelay(this::run, EVERY.toSeconds(), EVERY.toSeconds(), TimeUnit.SECONDS);
    }

    private void run() {
        try {
            clean(KEPT);
        } catch (SQLException | RuntimeException e) {
            log.warn("Old outcomes are left for the next time, in {} s: {}", EVERY.toSeconds(), e.getMessage());
        }
    }

    void clean(Duration kept) throws SQLException {
        try (Connection connection = database.getConnection();
                PreparedStatement delete = connection.prepareStatement("""
                        DELETE FROM syncline.request_outcome WHERE ctid = ANY (ARRAY(
                            SELECT ctid FROM syncline.request_outcome
                            WHERE decided_at < clock_timestamp() - ? * interval '1 second' LIMIT ?))""")) {
            connection.setAutoCommit(true);
            delete.setLong(1, kept.toSeconds());
            delete.setInt(2, AT_ONCE);
            int deleted = AT_ONCE;
            while (deleted == AT_ONCE) {
                deleted = delete.executeUpdate();
            }
        }
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
