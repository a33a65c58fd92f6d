package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What stands in the way is told with its setting, its value and a remedy. */
class SourceCheckIT {

    private static SourceServer server;

    @BeforeAll
    static void start() {
        server = new SourceServer(Map.of("wal_level", "logical", "max_replication_slots", "2", "max_wal_senders", "5"));
        server.execute("CREATE ROLE reader LOGIN PASSWORD 'postgres'",
                "CREATE ROLE capturer LOGIN PASSWORD 'postgres' REPLICATION",
                "GRANT CREATE ON DATABASE postgres TO capturer");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void tidy() {
        server.execute("DROP PUBLICATION IF EXISTS syncline",
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
    }

    @Test
    void aSourceThatIsFit_hasNothingInTheWay_butAWarningOfItsUnboundedWal() {
        SourceCheck.Report report = check(server.as("capturer"));
        assertThat(report.problems()).isEmpty();
        assertThat(report.warnings()).extracting(SourceProblem::setting).containsExactly("max_slot_wal_keep_size");
    }

    @Test
    void walLevel() {
        try (SourceServer plain = new SourceServer(Map.of("wal_level", "replica"))) {
            assertThat(only(check(plain.as("postgres"))).sentence())
                    .startsWith(
                            "wal_level is 'replica': changes can only be read with 'logical' — ALTER SYSTEM SET wal_level = 'logical'");
        }
    }

    @Test
    void transactionsThatBeginReadOnly_areNoHindrance() throws SQLException {
        server.execute("ALTER ROLE capturer SET default_transaction_read_only = on");
        try (Connection connection = server.as("capturer").connect()) {
            assertThat(check(server.as("capturer")).problems()).isEmpty();
            new Publication("syncline").ensureExists(connection);
        } finally {
            server.execute("ALTER ROLE capturer RESET default_transaction_read_only");
        }
    }

    @Test
    void rights() {
        assertThat(check(server.as("reader")).problems()).extracting(SourceProblem::sentence)
                .containsExactly(
                        "role reader is 'NOREPLICATION': it may not read the WAL — ALTER ROLE reader REPLICATION (on RDS: GRANT rds_replication TO reader)",
                        "role reader is 'no CREATE on the database': publication syncline does not exist and cannot be made — "
                                + "GRANT CREATE ON DATABASE postgres TO reader, or let its owner CREATE PUBLICATION syncline");
    }

    @Test
    void aPublicationOfSomebodyElse_ofAllTables_orOfHalfTheOperations() {
        server.execute("CREATE PUBLICATION syncline");
        assertThat(only(check(server.as("capturer"))).value()).isEqualTo("owned by postgres");
        server.execute("DROP PUBLICATION syncline", "CREATE PUBLICATION syncline FOR ALL TABLES");
        assertThat(only(check(server.as("postgres"))).value()).isEqualTo("FOR ALL TABLES");
        server.execute("DROP PUBLICATION syncline", "CREATE PUBLICATION syncline WITH (publish = 'insert')");
        assertThat(only(check(server.as("postgres"))).value()).isEqualTo("not all operations");
    }

    @Test
    void aPublicationThatIsSynclines_isPutRightByTheCapturer_whateverOthersHaveSet() {
        server.execute("CREATE PUBLICATION syncline WITH (publish = 'insert')",
                "COMMENT ON PUBLICATION syncline IS 'Syncline cluster c'");
        assertThat(check(server.as("postgres")).problems()).isEmpty();
    }

    @Test
    void slots() {
        server.execute("SELECT pg_create_logical_replication_slot('other', 'pgoutput')");
        assertThat(only(check(server.as("capturer"))).sentence()).startsWith("max_replication_slots is '2': 1 free");
        server.execute("SELECT pg_create_logical_replication_slot('syncline', 'test_decoding')");
        assertThat(only(check(server.as("capturer"))).problem())
                .contains("of plugin test_decoding and database postgres");
    }

    @Test
    void connecting() throws SourceUnusableException {
        assertThat(only(check(new SourceDatabase("jdbc:postgresql://localhost:1/postgres", "x", "y"))).sentence())
                .startsWith("syncline.source.url is 'localhost:1': no connection:")
                .endsWith("check that PostgreSQL runs there and lets this host in");
        assertThat(only(check(new SourceDatabase(server.url("nowhere"), "postgres", "postgres"))).remedy())
                .startsWith("name a database");
        assertThat(only(check(server.as("nobody"))).setting()).isEqualTo("syncline.source.username");
        assertThatThrownBy(() -> new SourceDatabase("jdbc:mysql://localhost/x", null, null))
                .hasMessageContaining("jdbc:postgresql://");
        assertThatThrownBy(() -> new SourceDatabase("jdbc:postgresql://a,b/x", null, null))
                .hasMessageContaining("name its primary");
    }

    private static SourceCheck.Report check(SourceDatabase source) {
        return new SourceCheck(source, SourceServer.properties()).check();
    }

    private static SourceProblem only(SourceCheck.Report report) {
        List<SourceProblem> problems = report.problems();
        assertThat(problems).hasSize(1);
        return problems.getFirst();
    }
}
