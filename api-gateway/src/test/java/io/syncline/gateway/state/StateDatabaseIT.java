package io.syncline.gateway.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.function.Consumer;
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
        postgres = EmbeddedPostgres.builder().start();
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

    private static void assertBehind(HikariDataSource pool, String... saying) {
        assertThatThrownBy(() -> ask(pool, "SELECT 1")).isInstanceOf(SQLException.class)
                .hasStackTraceContaining("StateDatabaseBehindException");
        for (String part : saying) {
            assertThatThrownBy(() -> ask(pool, "SELECT 1")).hasStackTraceContaining(part);
        }
    }

    @Test
    void nothingIsAnsweredBeforeTheLogHasBeenRead() {
        withPool(pool -> {
            assertBehind(pool);
            highWater.logRead();
            assertThatAnswers(pool);
        });
    }

    @Test
    void noStatementIsCompiled() {
        highWater.logRead();
        withPool(pool -> {
            try {
                assertThat(ask(pool, "SHOW jit")).isEqualTo("off");
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
        });
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
            assertBehind(pool, "partition 1 has event 5, event 6 has been seen");
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
        withPool(pool -> assertBehind(pool, "partition 2 has event 0"));
    }

    @Test
    void readOnlyAndBounded() {
        highWater.logRead();
        withPool(pool -> {
            assertThatThrownBy(() -> ask(pool, "DELETE FROM syncline.log_head RETURNING 1"))
                    .isInstanceOfSatisfying(SQLException.class,
                            e -> assertThat(e.getSQLState()).isEqualTo("25006"));
            assertThatThrownBy(() -> ask(pool, "SELECT pg_sleep(5)")).isInstanceOfSatisfying(SQLException.class,
                    e -> assertThat(e.getSQLState()).isEqualTo("57014"));
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
        try {
            assertThat(ask(pool, "SELECT 42")).isEqualTo("42");
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
