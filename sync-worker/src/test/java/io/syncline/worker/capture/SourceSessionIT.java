package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.table.SessionSettings;
import io.syncline.model.testing.HostileSettings;
import io.syncline.worker.capture.debezium.RefusedTables;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Whatever a role, a database or the URL sets: each of our sessions with the source has what we need. */
class SourceSessionIT {

    private static final String IN_URL = "&options=-c%20quote_all_identifiers=on%20-c%20array_nulls=off%20-c%20lock_timeout=2min"
            + "%20-c%20default_transaction_read_only=on%20-c%20search_path=pg_temp&currentSchema=pg_temp";

    private static SourceServer server;

    @BeforeAll
    static void start() {
        server = new SourceServer(Map.of("wal_level", "logical"));
        server.execute("CREATE ROLE hindered LOGIN PASSWORD 'postgres' SUPERUSER REPLICATION", "CREATE SCHEMA ext",
                "CREATE EXTENSION citext SCHEMA ext", "CREATE DOMAIN code AS text",
                "CREATE TABLE t (k ext.citext PRIMARY KEY, c code DEFAULT E'\\\\x', d date DEFAULT '2020-02-01', f \"char\","
                        + " r regclass DEFAULT 't')");
        server.execute(HostileSettings.ofRole("hindered"));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void sessionsForQuestionsAndForReading() throws Exception {
        for (String more : new String[]{"", IN_URL}) {
            SourceDatabase source = new SourceDatabase(server.url("postgres") + more, "hindered", "postgres");
            try (Connection asking = source.connect(); Connection reading = source.connectForReading()) {
                assertOurs(asking, "1s");
                assertOurs(reading, "1s");
            }
        }
    }

    @Test
    void sessionsOfTheReplicationProtocol() throws Exception {
        for (String more : new String[]{"", IN_URL}) {
            SourceDatabase source = new SourceDatabase(server.url("postgres") + more, "hindered", "postgres");
            try (Connection replicating = source.connectForReplication()) {
                assertOurs(replicating, "0");
            }
        }
    }

    /** Those get the options alone, and what is to be executed first. */
    @Test
    void sessionsThatDebeziumMakes() throws Exception {
        SourceDatabase source = new SourceDatabase(server.url("postgres") + IN_URL, "hindered", "postgres");
        RefusedTables refused = new RefusedTables();
        Properties engine = CaptureSettings.engine(source, SourceServer.properties(), 0, refused);
        refused.close();
        Properties driver = new Properties();
        driver.setProperty("user", "hindered");
        driver.setProperty("password", "postgres");
        engine.stringPropertyNames()
                .stream()
                .filter(name -> name.startsWith("driver."))
                .forEach(name -> driver.setProperty(name.substring("driver.".length()), engine.getProperty(name)));
        try (Connection connection = DriverManager.getConnection(server.url("postgres"), driver);
                Statement statement = connection.createStatement()) {
            // The driver has said UTF8 and its own time zone by itself.
            assertThat(show(connection, "quote_all_identifiers")).isEqualTo("off");
            assertThat(show(connection, "array_nulls")).isEqualTo("on");
            assertThat(show(connection, "default_transaction_isolation")).isEqualTo("read committed");
            assertThat(show(connection, "lock_timeout")).isEqualTo("1s");
            for (String sql : engine.getProperty("database.initial.statements").split(";")) {
                statement.execute(sql);
            }
            assertOurs(connection, "1s");
        }
    }

    @Test
    void theCatalogueSaysTheSame() throws Exception {
        SourceDatabase source = new SourceDatabase(server.url("postgres") + IN_URL, "hindered", "postgres");
        try (Connection plain = server.as("postgres").connect(); Connection hindered = source.connect()) {
            SourceCatalogue one = new SourceCatalogue("syncline", SourceServer.REPLICA);
            SourceCatalogue other = new SourceCatalogue("syncline", SourceServer.REPLICA);
            assertThat(other.read(hindered).tables().values()).extracting(SourceTable::schema)
                    .isEqualTo(one.read(plain).tables().values().stream().map(SourceTable::schema).toList());
            assertThat(other.read(hindered).tables().values()).extracting(SourceTable::fingerprint)
                    .isEqualTo(one.read(plain).tables().values().stream().map(SourceTable::fingerprint).toList());
        }
    }

    /** What only the role has set would be found here, were it still in force. */
    private static void assertOurs(Connection connection, String lockTimeout) throws SQLException {
        Map<String, String> expected = new HashMap<>(HostileSettings.ALL);
        SessionSettings.ALL.forEach(setting -> expected.put(setting.name(), setting.value()));
        expected.putAll(Map.of("search_path", "public, ext", "statement_timeout", "0",
                "idle_in_transaction_session_timeout", "0", "lock_timeout", lockTimeout, "transaction_timeout", "0",
                "restrict_nonsystem_relation_kind", ""));
        Map<String, String> found = new HashMap<>();
        for (String name : expected.keySet()) {
            found.put(name, show(connection, name));
        }
        assertThat(found).isEqualTo(expected);
    }

    private static String show(Connection connection, String name) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SHOW " + name)) {
            row.next();
            return row.getString(1);
        }
    }
}
