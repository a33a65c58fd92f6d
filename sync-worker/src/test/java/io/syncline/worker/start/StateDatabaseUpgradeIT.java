package io.syncline.worker.start;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.syncline.model.table.SessionSettings;
import io.syncline.model.testing.HostileSettings;
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
import java.time.Duration;
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

    @Test
    void whateverTheRoleOrTheUrlSets_sessionsHaveWhatTheyNeed() throws Exception {
        try (EmbeddedPostgres postgres = TestPostgres.start();
                Connection connection = postgres.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE ROLE hindered LOGIN SUPERUSER PASSWORD 'postgres'");
            for (String sql : HostileSettings.ofRole("hindered")) {
                statement.execute(sql);
            }
            StateDatabase database = new StateDatabase(postgres.getJdbcUrl("hindered", "postgres")
                    + "&connectTimeout=60&loginTimeout=60&options=-c%20default_transaction_read_only=on%20-c%20array_nulls=off",
                    "hindered", "postgres");
            database.migrate();
            try (HikariDataSource pool = database.pool("test", 1, Duration.ofMinutes(1))) {
                pool.setConnectionTimeout(60_000);
                try (Connection pooled = pool.getConnection()) {
                    for (SessionSettings.Setting setting : SessionSettings.ALL) {
                        assertThat(show(pooled, setting.name())).as(setting.name()).isEqualTo(setting.value());
                    }
                    assertThat(show(pooled, "search_path")).isEqualTo("syncline_replica, public");
                    assertThat(show(pooled, "restrict_nonsystem_relation_kind")).isEmpty();
                }
            }
        }
    }

    private static String show(Connection connection, String setting) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SHOW " + setting)) {
            row.next();
            return row.getString(1);
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
