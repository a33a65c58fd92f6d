package io.syncline.worker.capture;

import io.syncline.model.testing.TestPostgres;
import io.syncline.worker.capture.DatabaseCollation.LocaleOf;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.springframework.util.unit.DataSize;

/** A real PostgreSQL to capture from, for one test class. */
final class SourceServer implements AutoCloseable {

    /** A state database like the source. */
    static final ReplicaServer REPLICA = new ReplicaServer(18_00_00, true, new LocaleOf("c", "C", "C", null, null));

    private final EmbeddedPostgres postgres;

    SourceServer(Map<String, String> settings) {
        postgres = TestPostgres.start(settings);
    }

    static CaptureProperties properties() {
        return new CaptureProperties(true, "syncline", "syncline", 1, 2, Duration.ofSeconds(2), Duration.ofSeconds(10),
                1 << 20, Duration.ofMinutes(1), 1000, DataSize.ofGigabytes(1), true);
    }

    /** What the URL says of time-outs wins: a server that stalls is not one that refuses. */
    String url(String database) {
        return "jdbc:postgresql://localhost:" + postgres.getPort() + "/" + database
                + "?connectTimeout=60&loginTimeout=60&socketTimeout=120";
    }

    SourceDatabase as(String username) {
        try {
            return new SourceDatabase(url("postgres"), username, "postgres");
        } catch (SourceUnusableException e) {
            throw new IllegalStateException(e);
        }
    }

    Connection connect() throws SQLException {
        return postgres.getPostgresDatabase().getConnection();
    }

    Connection connect(String database) throws SQLException {
        return postgres.getDatabase("postgres", database).getConnection();
    }

    void execute(String... statements) {
        try (Connection connection = connect(); Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    List<String> ask(String sql) {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            List<String> answers = new ArrayList<>();
            while (rows.next()) {
                answers.add(rows.getString(1));
            }
            return answers;
        } catch (SQLException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            postgres.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
