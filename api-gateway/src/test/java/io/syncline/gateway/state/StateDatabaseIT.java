package io.syncline.gateway.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.syncline.model.testing.TestPostgres;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.assertj.core.util.Throwables;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which databases are answered from. */
class StateDatabaseIT {

    private static EmbeddedPostgres postgres;

    private final HighWater highWater = new HighWater();

    @BeforeAll
    static void start() throws Exception {
        postgres = TestPostgres.start();
    }

    @AfterAll
    static void stop() throws Exception {
        postgres.close();
    }

    @BeforeEach
    void schema() throws SQLException {
        execute("DROP SCHEMA IF EXISTS syncline CASCADE; CREATE SCHEMA syncline;"
                + " CREATE TABLE syncline.log_head (partition integer PRIMARY KEY, sequence bigint NOT NULL);"
                + " INSERT INTO syncline.log_head VALUES (0, 10), (1, 5)");
    }

    private static void execute(String sql) throws SQLException {
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private void withPool(Consumer<HikariDataSource> use) {
        StateDatabase database = new StateDatabase(postgres.getJdbcUrl("postgres", "postgres"), "postgres", null,
                highWater);
        try (HikariDataSource pool = database.pool("test", 2, Duration.ofSeconds(1))) {
            use.accept(pool);
        }
    }

    private static String ask(HikariDataSource pool, String sql) throws SQLException {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    /** Asks until the pool has a connection: the two seconds that it waits for one may be too few for a slow machine. */
    private static String answer(HikariDataSource pool, String sql) {
        return Awaitility.await()
                .atMost(Duration.ofMinutes(1))
                .ignoreExceptionsInstanceOf(SQLException.class)
                .until(() -> ask(pool, sql), answer -> true);
    }

    /** Never answered; and asked until it is for that reason, since a machine that is too slow is one too. */
    private static void assertRefused(HikariDataSource pool, String sql, Predicate<SQLException> reason) {
        Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> refusal(pool, sql), reason);
    }

    private static SQLException refusal(HikariDataSource pool, String sql) {
        try {
            throw new AssertionError(sql + " is answered: " + ask(pool, sql));
        } catch (SQLException e) {
            return e;
        }
    }

    private static void assertBehind(HikariDataSource pool, String saying) {
        assertRefused(pool, "SELECT 1",
                e -> Throwables.getStackTrace(e).contains("StateDatabaseBehindException: " + saying));
    }

    @Test
    void nothingIsAnsweredBeforeTheLogHasBeenRead() {
        withPool(pool -> {
            assertBehind(pool, "it is not known yet how far the event log has come");
            highWater.logRead();
            assertThatAnswers(pool);
        });
    }

    @Test
    void noStatementIsCompiled() {
        highWater.logRead();
        withPool(pool -> assertThat(answer(pool, "SHOW jit")).isEqualTo("off"));
    }

    @Test
    void aDatabaseThatHasAllThatWasSeen() {
        highWater.logRead();
        highWater.seen(0, 10);
        highWater.seen(0, 3);
        highWater.seen(1, 4);
        withPool(StateDatabaseIT::assertThatAnswers);
    }

    @Test
    void aDatabaseThatIsBehind_untilItHasCaughtUp() {
        highWater.logRead();
        highWater.seen(1, 6);
        withPool(pool -> {
            assertBehind(pool, "the state database is behind the event log: partition 1 has event 5, event 6 has been"
                    + " seen");
            try {
                execute("UPDATE syncline.log_head SET sequence = 6 WHERE partition = 1");
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
            assertThatAnswers(pool);
        });
    }

    @Test
    void anEmptyDatabase_isBehindAsSoonAsAnythingWasSeen() throws Exception {
        execute("DROP SCHEMA syncline CASCADE");
        highWater.logRead();
        withPool(StateDatabaseIT::assertThatAnswers);
        highWater.seen(2, 1);
        withPool(pool -> assertBehind(pool, "the state database is behind the event log: partition 2 has event 0"));
    }

    @Test
    void readOnlyAndBounded() {
        highWater.logRead();
        withPool(pool -> {
            assertRefused(pool, "DELETE FROM syncline.log_head RETURNING 1", e -> "25006".equals(e.getSQLState()));
            assertRefused(pool, "SELECT pg_sleep(60)", e -> "57014".equals(e.getSQLState()));
        });
    }

    @Test
    void nothingThere_isSaidWithinThePatience() {
        highWater.logRead();
        StateDatabase nowhere = new StateDatabase("jdbc:postgresql://127.0.0.1:1/none", "x", null, highWater);
        try (HikariDataSource pool = nowhere.pool("nowhere", 2, Duration.ofSeconds(1))) {
            assertThatThrownBy(pool::getConnection).isInstanceOf(SQLException.class);
            assertThat(Duration.ofMillis(pool.getConnectionTimeout())).isEqualTo(Duration.ofSeconds(2));
        }
    }

    @Test
    void wrongUrl_isNamedWithoutItsParameters() {
        assertThatThrownBy(() -> new StateDatabase("jdbc:mysql://x/y?password=geheim", null, null, highWater))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("spring.datasource.url")
                .hasMessageNotContaining("geheim");
    }

    private static void assertThatAnswers(HikariDataSource pool) {
        assertThat(answer(pool, "SELECT 42")).isEqualTo("42");
    }
}
