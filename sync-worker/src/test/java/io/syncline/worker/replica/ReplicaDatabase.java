package io.syncline.worker.replica;

import io.syncline.model.testing.TestPostgres;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;

/** A real PostgreSQL with the state schema, for one test class. */
final class ReplicaDatabase implements AutoCloseable {

    private final EmbeddedPostgres postgres;
    private final DataSource dataSource;

    ReplicaDatabase() {
        postgres = TestPostgres.start();
        // As the worker's sessions have it.
        dataSource = postgres.getDatabase("postgres", "postgres", Map.of("currentSchema", "syncline_replica,public"));
        Flyway.configure().dataSource(dataSource).defaultSchema("syncline").load().migrate();
    }

    DataSource dataSource() {
        return dataSource;
    }

    /** Empties the state and drops every replica table. */
    void reset() {
        for (String table : column(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'syncline_replica'")) {
            execute("DROP TABLE syncline_replica.\"" + table + "\"");
        }
        execute("TRUNCATE syncline.replica_table, syncline.replica_position, syncline.replica_garbage, syncline.capture_request");
    }

    void execute(String sql) {
        try (Connection connection = dataSource.getConnection(); Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The first column of a query's rows, as text. */
    List<String> column(String sql) {
        try (Connection connection = dataSource.getConnection();
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

    String value(String sql) {
        return column(sql).getFirst();
    }

    @Override
    public void close() throws IOException {
        postgres.close();
    }
}
