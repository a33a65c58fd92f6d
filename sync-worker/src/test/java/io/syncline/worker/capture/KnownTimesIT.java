package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.model.table.TableName;
import io.syncline.worker.capture.CopyTimes.Applied;
import io.syncline.worker.capture.CopyTimes.Known;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What is stored of the times up to which copies have everything only grows, whatever happens in between. */
class KnownTimesIT {

    private static final TableName IDLE = new TableName("idle");
    private static final TableName BUSY = new TableName("busy");
    private static final long EPOCH = 7;

    private static SourceServer server;
    private static CaptureStore store;

    @BeforeAll
    static void start() {
        server = new SourceServer(Map.of());
        PGSimpleDataSource state = new PGSimpleDataSource();
        state.setUrl(server.url("postgres"));
        state.setUser("postgres");
        Flyway.configure().dataSource(state).schemas("syncline").locations("db/migration").load().migrate();
        store = new CaptureStore(state);
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    @BeforeEach
    void twoTables() {
        server.execute(
                "TRUNCATE syncline.capture_table, syncline.capture_source, syncline.replica_table, syncline.replica_position",
                "UPDATE syncline.capture_epoch SET epoch = " + EPOCH,
                """
                INSERT INTO syncline.capture_source (id, state, epoch, holder, warnings, slot_name, publication, updated_at)
                VALUES (1, 'running', 7, 'w', '', 's', 'p', now())""",
                """
                INSERT INTO syncline.capture_table (table_name, topic, generation, complete, snapshot, consistent_lsn,
                    fingerprint, gone, changed_at)
                SELECT name, name, 3, true, '1:1:', 0, '', false, now() FROM unnest(ARRAY['idle', 'busy']) name""");
    }

    @Test
    void aCopyThatFallsBehind_keepsWhatWasKnown_whileTheSourceGoesOn() throws Exception {
        save(100, Set.of(IDLE, BUSY), Map.of());
        assertThat(asOf()).containsExactly("busy 100", "idle 100");
        save(200, Set.of(IDLE), Map.of());
        assertThat(asOf()).containsExactly("busy 100", "idle 200");
        save(300, Set.of(IDLE), Map.of(BUSY, at(250)));
        assertThat(asOf()).containsExactly("busy 250", "idle 300");
        save(400, Set.of(IDLE, BUSY), Map.of());
        assertThat(asOf()).containsExactly("busy 400", "idle 400");
    }

    @Test
    void aSourceWhoseClockIsSetBack_takesNothingBack() throws Exception {
        save(200, Set.of(IDLE), Map.of(BUSY, at(150)));
        save(100, Set.of(IDLE), Map.of(BUSY, at(50)));
        assertThat(asOf()).containsExactly("busy 150", "idle 200");
        save(110, Set.of(), Map.of());
        assertThat(asOf()).containsExactly("busy 150", "idle 200");
    }

    /** Behind what the catalogue was last seen to be, nothing is known, whatever the stream says. */
    @Test
    void aTableIsKnownNoFurtherThanTheSource() throws Exception {
        save(100, Set.of(), Map.of(BUSY, at(900)));
        assertThat(asOf()).containsExactly("busy 100", "idle null");
    }

    @Test
    void aSuccessor_beginsWithWhatWasKnown_andTheOneBeforeRaisesNothing() throws Exception {
        save(100, Set.of(IDLE, BUSY), Map.of());
        server.execute("UPDATE syncline.capture_epoch SET epoch = " + (EPOCH + 1));
        assertThatThrownBy(() -> save(200, Set.of(IDLE, BUSY), Map.of())).isInstanceOf(SupersededException.class);
        store.holdKnownTimes(EPOCH + 1);
        assertThat(asOf()).containsExactly("busy 100", "idle 100");
        store.saveKnownTimes(EPOCH + 1, at(300), _ -> new Known(Set.of(BUSY), Map.of()));
        assertThat(asOf()).containsExactly("busy 300", "idle 100");
    }

    @Test
    void onlyAServedGeneration_inThisEpoch_isApplied() throws Exception {
        String replica = """
                INSERT INTO syncline.replica_table (table_name, topic, partitions, state, cause, replica_name, generation, schema,
                    row_count, size_bytes, as_of, next_row_count, next_size_bytes, last_generation, changed_at, checksum,
                    next_checksum, began, next_began, last_change, known_since, depends_on)
                VALUES ('%1$s', '%1$s', 2, '%2$s', %3$s, 'r', 3, '{}', 0, 0, now(), 0, 0, 3, now(), 0, 0, 0, 0, 0, 0, '{}')""";
        server.execute(replica.formatted("idle", "live", "NULL"), replica.formatted("busy", "refreshing", "NULL"),
                replica.formatted("halted", "marked", "'why'"), """
                        INSERT INTO syncline.replica_position (topic, partition, topic_id, next_offset, epoch, generation, complete)
                        VALUES ('idle', 0, 'i', 11, 7, 3, true), ('idle', 1, 'i', 12, 6, 3, true),
                            ('busy', 0, 'i', 13, 7, 3, true), ('halted', 0, 'i', 14, 7, 3, true)""");
        List<Applied> seen = new ArrayList<>();
        store.saveKnownTimes(EPOCH, at(1), applied -> {
            seen.addAll(applied);
            return new Known(Set.of(), Map.of());
        });
        assertThat(seen).containsExactly(new Applied("idle", 0, 3, 11));
    }

    private static void save(long until, Set<TableName> keepUp, Map<TableName, Instant> known) throws Exception {
        store.saveKnownTimes(EPOCH, at(until), _ -> new Known(keepUp, known));
    }

    private static Instant at(long second) {
        return Instant.ofEpochSecond(second);
    }

    /** As gateways add it up. */
    private static List<String> asOf() {
        return server.ask("SELECT table_name || ' ' || coalesce(extract(epoch FROM greatest(t.known_until,"
                + " CASE WHEN t.keeps_up THEN s.known_until END))::bigint::text, 'null')"
                + " FROM syncline.capture_table t, syncline.capture_source s ORDER BY 1");
    }
}
