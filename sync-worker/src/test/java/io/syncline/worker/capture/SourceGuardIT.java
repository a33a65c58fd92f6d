package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.zaxxer.hikari.HikariDataSource;
import io.syncline.worker.start.StateDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.util.unit.DataSize;

/** What becomes of a slot that nobody reads from. */
class SourceGuardIT {

    private static final Duration SOON = Duration.ofMinutes(2);
    private static final DataSize MOST = DataSize.ofMegabytes(20);

    private static SourceServer server;
    private static HikariDataSource pool;

    private final AtomicBoolean away = new AtomicBoolean();
    private final List<ILoggingEvent> log = new CopyOnWriteArrayList<>();
    private SourceGuard guard;

    @BeforeAll
    static void start() {
        server = new SourceServer(Map.of("wal_level", "logical"));
        StateDatabase state = new StateDatabase(server.url("postgres"), "postgres", "postgres");
        state.migrate();
        pool = state.pool("test", 2, Duration.ofMinutes(2));
    }

    @AfterAll
    static void stop() {
        pool.close();
        server.close();
    }

    @BeforeEach
    void begin() throws SQLException {
        ListAppender<ILoggingEvent> appender = new ListAppender<>();
        appender.list = log;
        appender.start();
        ((Logger) LoggerFactory.getLogger(SourceGuard.class)).addAppender(appender);
        Publication publication = new Publication("syncline");
        try (Connection connection = server.connect()) {
            publication.ensureExists(connection);
            publication.claim(connection, new CaptureStore(pool).cluster());
        }
        server.execute("SELECT pg_create_logical_replication_slot('syncline', 'pgoutput')", """
                INSERT INTO syncline.capture_source (id, state, epoch, holder, warnings, slot_name, publication, updated_at)
                VALUES (1, 'failed', 0, '', '', 'syncline', 'syncline', now())""");
    }

    @AfterEach
    void end() {
        guard.close();
        ((Logger) LoggerFactory.getLogger(SourceGuard.class)).detachAndStopAllAppenders();
        server.execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'syncline'",
                "DROP PUBLICATION syncline", "DELETE FROM syncline.capture_source");
    }

    @Test
    void aSlotThatMayGoOn_isWarnedOfAtTheHalfAndPastTheWhole_andStays() {
        guard(false);
        write(12);
        await().atMost(SOON).until(() -> guard.warning().contains("MB of WAL kept"));
        write(12);
        awaitMeasured(24);
        await().atMost(SOON).until(() -> log.size() == 2);
        write(12);
        awaitMeasured(36);
        assertThat(log).extracting(ILoggingEvent::getFormattedMessage)
                .hasSize(2)
                .allSatisfy(
                        message -> assertThat(message).startsWith("slot syncline is '").contains("it goes on filling"));
        assertThat(server.ask("SELECT slot_name FROM pg_replication_slots")).containsExactly("syncline");
    }

    @Test
    void aSlotThatIsKnownToBeOurs_isDropped_alsoWhileTheStateDatabaseIsAway() {
        guard(true);
        awaitMeasured(0);
        away.set(true);
        write(24);
        await().atMost(SOON).until(() -> server.ask("SELECT slot_name FROM pg_replication_slots").isEmpty());
        away.set(false);
        await().atMost(SOON)
                .until(() -> !server.ask("SELECT 1 FROM syncline.capture_source WHERE retained_bytes IS NULL")
                        .isEmpty());
        assertThat(guard.warning()).isEmpty();
    }

    private void guard(boolean dropping) {
        guard = new SourceGuard(server.as("postgres"),
                new CaptureProperties(true, "syncline", "syncline", 1, 2, Duration.ofMillis(100),
                        Duration.ofSeconds(10),
                        1 << 20, Duration.ofMinutes(1), 1000, MOST, dropping),
                new CaptureStore(new DelegatingDataSource(pool) {
                    @Override
                    public Connection getConnection() throws SQLException {
                        if (away.get()) {
                            throw new SQLException("the state database is away");
                        }
                        return super.getConnection();
                    }
                }));
        guard.start();
    }

    private static void write(int megabytes) {
        server.execute("SELECT pg_logical_emit_message(false, 'test', repeat('x', 1048576)) FROM generate_series(1, "
                + megabytes + ")");
    }

    private static void awaitMeasured(int megabytes) {
        await().atMost(SOON)
                .until(() -> !server
                        .ask("SELECT 1 FROM syncline.capture_source WHERE retained_bytes >= " + megabytes
                                + " * 1048576")
                        .isEmpty());
    }
}
