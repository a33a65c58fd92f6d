package io.syncline.gateway.state;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the state database every two seconds: is it there, is its schema, what time has it, has it all that the event log
 * has.
 */
public final class DatabaseWatch implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(DatabaseWatch.class);
    private static final Duration INTERVAL = Duration.ofSeconds(2);
    /** Until a database that was just met has caught up. */
    private static final Duration WHILE_BEHIND = Duration.ofMillis(200);
    private static final Duration BEFORE_SAYING = Duration.ofSeconds(3);

    private final DataSource database;
    private final DatabaseClock clock;
    private final Servers servers;
    private final int settingsPartition;
    private final ScheduledExecutorService thread = Executors
            .newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("database-watch").factory());
    private final Runnable whenUsable;
    private @Nullable Check said;
    private long saidAt = System.nanoTime();
    private volatile Check last = new Check.Down("the state database has not been reached yet",
            "wait a moment; if this stays, check spring.datasource.url");

    /**
     * @param whenUsable run each time that the database becomes usable
     */
    public DatabaseWatch(DataSource database, DatabaseClock clock, Servers servers, int settingsPartition,
            Runnable whenUsable) {
        this.database = database;
        this.clock = clock;
        this.servers = servers;
        this.settingsPartition = settingsPartition;
        this.whenUsable = whenUsable;
    }

    public void start() {
        next(Duration.ZERO);
    }

    public Check last() {
        return last;
    }

    private void next(Duration in) {
        try {
            var unused = thread.schedule(this::lookAndGoOn, in.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            // Closed.
        }
    }

    private void lookAndGoOn() {
        try {
            look();
        } catch (RuntimeException | Error e) {
            // An Error, too: a watch that has stopped would say for ever what was true once.
            log.error("looking at the state database failed, trying again", e);
        } finally {
            next(last instanceof Check.Down ? WHILE_BEHIND : INTERVAL);
        }
    }

    private void look() {
        Check now;
        try {
            now = ask();
        } catch (SQLException e) {
            now = down(e);
        } catch (RuntimeException e) {
            now = new Check.Down("looking at the state database failed: " + e, "see the gateway's log");
        }
        if (thread.isShutdown()) {
            return;
        }
        // Not at once: broker and database are asked at the same time when a gateway starts, and how far one has caught up
        // changes all the time.
        boolean worthSaying = !now.equals(said)
                && (now instanceof Check.Up || System.nanoTime() - saidAt >= BEFORE_SAYING.toNanos());
        last = now;
        if (worthSaying) {
            said = now;
            saidAt = System.nanoTime();
            switch (now) {
                case Check.Up up -> {
                    log.info("state database: usable");
                    whenUsable.run();
                }
                case Check.Limited limited -> {
                    log.warn("state database: {}; {}", limited.cause(), limited.remedy());
                    whenUsable.run();
                }
                case Check.Down down -> log.warn("state database: {}; {}", down.cause(), down.remedy());
            }
        }
    }

    private Check ask() throws SQLException {
        try (Connection connection = database.getConnection()) {
            if (!hasSchema(connection)) {
                return new Check.Down("the state database has no schema 'syncline' yet",
                        "start a worker: workers make the schema");
            }
            measure(connection);
            return servers.check(servers.meet(connection).server(), settingsPartition);
        }
    }

    private static boolean hasSchema(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                SELECT to_regclass('syncline.settings') IS NOT NULL AND to_regclass('syncline.connection') IS NOT NULL
                    AND to_regclass('syncline.request_outcome') IS NOT NULL
                    AND to_regclass('syncline.log_head') IS NOT NULL""");
                ResultSet row = statement.executeQuery()) {
            row.next();
            return row.getBoolean(1);
        }
    }

    private void measure(Connection connection) throws SQLException {
        Map<Integer, Instant> heads = new HashMap<>();
        try (PreparedStatement statement = connection.prepareStatement("SELECT partition, time FROM syncline.log_head");
                ResultSet row = statement.executeQuery()) {
            while (row.next()) {
                heads.put(row.getInt(1), row.getObject(2, OffsetDateTime.class).toInstant());
            }
        }
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT clock_timestamp(), pg_postmaster_start_time()::text")) {
            long asked = System.nanoTime();
            try (ResultSet row = statement.executeQuery()) {
                long answered = System.nanoTime();
                row.next();
                clock.measured(row.getObject(1, OffsetDateTime.class).toInstant(), row.getString(2), heads, asked,
                        answered);
            }
        }
    }

    private static Check down(SQLException thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof StateDatabaseBehindException behind) {
                return new Check.Down(String.valueOf(behind.getMessage()),
                        "check that spring.datasource.url leads to the primary, and to one server");
            }
        }
        Throwable deepest = thrown;
        while (deepest.getCause() instanceof SQLException cause) {
            deepest = cause;
        }
        return new Check.Down("the state database cannot be used: " + deepest.getMessage(),
                "check that PostgreSQL runs, and spring.datasource.url, .username and .password");
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
