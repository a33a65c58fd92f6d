package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a failure is, is read from its SQLSTATE: nothing but a lost connection is called one. */
class SourceCheckTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            08001 | syncline.source.url | no connection: message | check that PostgreSQL runs there
            08006 | syncline.source.url | no connection: message | check that PostgreSQL runs there
                  | syncline.source.url | no connection: message | check that PostgreSQL runs there
            28P01 | syncline.source.username | message | pg_hba.conf
            3D000 | syncline.source.url | message | name a database
            25006 | syncline.source.url | it is a standby or is just being made the primary | name the primary
            3F000 | syncline.source.url | the server refuses a statement of capture: message | SQLSTATE 3F000
            42501 | role reader | message | grant the role
            42704 | syncline.source.url | the server refuses a statement of capture: message | SQLSTATE 42704
            53100 | syncline.source.url | the server lacks what it needs | disk
            53300 | max_connections | message | raise max_connections
            53400 | max_replication_slots | message | drop slots
            55P03 | a lock in the source | message | pg_locks
            57014 | syncline.source.url | was cancelled: message | tried again
            57P01 | syncline.source.url | has ended our session | tried again
            57P03 | syncline.source.url | starting or stopping | wait
            58030 | syncline.source.url | or fails: message | disk
            XX000 | syncline.source.url | the server refuses a statement of capture: message | the server's log
            """)
    void ofFailure(@Nullable String state, String setting, String problem, String remedy)
            throws SourceUnusableException {
        SourceProblem found = new SourceCheck(new SourceDatabase("jdbc:postgresql://db/shop", "reader", null),
                SourceServer.properties()).ofFailure(new SQLException("message", state));
        assertThat(found.setting()).isEqualTo(setting);
        assertThat(found.problem()).contains(problem);
        assertThat(found.remedy()).contains(remedy);
        assertThat(found.sentence().contains("no connection"))
                .isEqualTo(state == null || state.startsWith("08"));
    }
}
