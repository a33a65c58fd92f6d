package io.syncline.worker.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class OutcomeJanitorIT {

    @Test
    void outcomesOlderThanTheirRequests_goAndTheOthersStay() throws Exception {
        try (StateDatabaseUnderTest database = new StateDatabaseUnderTest();
                OutcomeJanitor janitor = new OutcomeJanitor(database.pool())) {
            database.execute("""
                    INSERT INTO syncline.request_outcome (request_id, partition, request_offset, outcome, decided_at)
                    SELECT gen_random_uuid(), 0, n, '{}', clock_timestamp() - n * interval '1 hour'
                    FROM generate_series(0, 6000) n""");
            janitor.clean(Duration.ofMinutes(90));
            assertThat(database.column("SELECT request_offset FROM syncline.request_outcome ORDER BY 1"))
                    .containsExactly("0", "1");
        }
    }
}
