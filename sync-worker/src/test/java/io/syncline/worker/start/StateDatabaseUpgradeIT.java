package io.syncline.worker.start;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.testing.TestPostgres;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A state database that an earlier worker made, with rows, is brought up to date by this one. */
class StateDatabaseUpgradeIT {

    /** What there was before pulls were granted and counted: its own number came later than a higher one. */
    private static final List<String> BEFORE_PULLS = List.of("V1__connection.sql", "V2__replica.sql",
            "V3__capture.sql", "V9__capture_stream.sql");

    @Test
    void madeBeforePullsWereCounted_isUpgradedWithItsRows(@TempDir Path scripts) throws Exception {
        for (String script : BEFORE_PULLS) {
            copy(script, scripts);
        }
        try (EmbeddedPostgres postgres = TestPostgres.start();
                Connection connection = postgres.getPostgresDatabase().getConnection()) {
            Flyway.configure()
                    .dataSource(postgres.getPostgresDatabase())
                    .locations("filesystem:" + scripts)
                    .schemas("syncline")
                    .defaultSchema("syncline")
                    .load()
                    .migrate();
            insert(connection, "http://with-end.example", "{\"expires_at\":\"2027-01-31T12:00:00.123456Z\"}");
            insert(connection, "http://without-end.example", "{\"expires_at\":null}");

            new StateDatabase(postgres.getJdbcUrl("postgres", "postgres") + "&connectTimeout=60&loginTimeout=60",
                    "postgres", "postgres").migrate();

            try (Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("""
                            SELECT expires_at = '2027-01-31T12:00:00.123456Z', (SELECT count(*) FROM syncline.pull_use)
                            FROM syncline.connection ORDER BY site_url""")) {
                assertThat(rows.next()).isTrue();
                assertThat(rows.getString(1)).isEqualTo("t");
                assertThat(rows.getLong(2)).isZero();
                assertThat(rows.next()).isTrue();
                assertThat(rows.getString(1)).isNull();
            }
        }
    }

    private static void copy(String script, Path into) throws IOException {
        try (InputStream in = StateDatabase.class.getResourceAsStream("/db/migration/" + script)) {
            assertThat(in).as(script).isNotNull();
            Files.copy(in, into.resolve(script));
        }
    }

    private static void insert(Connection connection, String site, String settings) throws SQLException {
        try (var insert = connection.prepareStatement(
                """
                INSERT INTO syncline.connection (site_url, direction, uuid, name, fingerprint, sealed_token, created_at,
                    updated_at, confirmed, notify_peer, settings, created_by)
                VALUES (?, 'sender', gen_random_uuid(), 'one', ?, 'sealed', now(), now(), true, false, ?, 'admin')""")) {
            insert.setString(1, site);
            insert.setString(2, site);
            insert.setString(3, settings);
            insert.executeUpdate();
        }
    }
}
