package io.syncline.worker.connection;

import com.zaxxer.hikari.HikariDataSource;
import io.syncline.model.testing.TestPostgres;
import io.syncline.worker.start.StateDatabase;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.flywaydb.core.Flyway;
import org.jspecify.annotations.Nullable;

/** A real PostgreSQL with the state schema and the worker's own pool, for one test class. */
final class StateDatabaseUnderTest implements AutoCloseable {

    private final EmbeddedPostgres postgres;
    private final StateDatabase database;
    private final HikariDataSource pool;

    StateDatabaseUnderTest() {
        this(null);
        migrate();
    }

    /** @param version of the schema, as an older worker left it; null for none at all */
    StateDatabaseUnderTest(@Nullable String version) {
        postgres = TestPostgres.start();
        if (version != null) {
            Flyway.configure()
                    .dataSource(postgres.getPostgresDatabase())
                    .locations("classpath:db/migration")
                    .schemas("syncline")
                    .target(version)
                    .load()
                    .migrate();
        }
        database = new StateDatabase(
                postgres.getJdbcUrl("postgres", "postgres") + "&connectTimeout=60&loginTimeout=60", "postgres",
                "postgres");
        pool = patient(database.pool("test", 4, Duration.ofMinutes(2), "lock_timeout = '2min'",
                "idle_in_transaction_session_timeout = '4min'"));
    }

    void migrate() {
        database.migrate();
    }

    /** A worker's, but that no machine is so slow that a lock is lost to it, or not waited for. */
    HikariDataSource pool() {
        return pool;
    }

    /** A worker's, which loses its locks when it freezes. */
    HikariDataSource workersPool() {
        return patient(database.pool("worker", 1, Duration.ofSeconds(10)));
    }

    private static HikariDataSource patient(HikariDataSource pool) {
        pool.setConnectionTimeout(Duration.ofMinutes(1).toMillis());
        return pool;
    }

    void empty() {
        execute("""
                TRUNCATE syncline.settings, syncline.connection, syncline.imposition, syncline.request_outcome,
                    syncline.connection_event, syncline.log_head""");
    }

    void execute(String sql) {
        try (Connection connection = pool.getConnection(); Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    List<String> column(String sql) {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            List<String> values = new ArrayList<>();
            while (rows.next()) {
                values.add(rows.getString(1));
            }
            return values;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() throws IOException {
        pool.close();
        postgres.close();
    }
}
