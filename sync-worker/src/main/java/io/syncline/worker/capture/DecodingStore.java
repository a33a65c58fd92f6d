package io.syncline.worker.capture;

import io.syncline.model.table.TableName;
import io.syncline.worker.capture.debezium.UndecodableException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/** What the state database remembers, for every worker and across restarts, of what could not be decoded. */
final class DecodingStore {

    private final JdbcClient jdbc;
    private final CaptureStore store;

    DecodingStore(JdbcClient jdbc, CaptureStore store) {
        this.jdbc = jdbc;
        this.store = store;
    }

    /** The failure that a history ends with. */
    record Failure(SlotHistory history, String kind, @Nullable String recordLsn, String problem) {}

    /**
     * A table that is kept out of the stream.
     *
     * @param age since when
     */
    record Excluded(String identity, String cause, Duration age) {}

    /** In the state database's time. */
    Instant now() {
        return jdbc.sql("SELECT clock_timestamp()").query(Timestamp.class).single().toInstant();
    }

    /** What failed last; null if nothing ever did. */
    @Nullable
    Failure failure() {
        return jdbc.sql(
                "SELECT start_lsn, failures, abandoned_at, kind, record_lsn, problem FROM syncline.capture_decoding")
                .query((row, _) -> new Failure(
                        new SlotHistory(row.getLong(1), row.getInt(2), instant(row, 3)), row.getString(4),
                        row.getString(5), row.getString(6)))
                .optional()
                .orElse(null);
    }

    void save(long epoch, SlotHistory history, UndecodableException problem) throws SupersededException {
        store.asNewest(epoch, () -> jdbc.sql("""
                INSERT INTO syncline.capture_decoding AS d (id, start_lsn, failures, kind, record_lsn, problem, failed_at)
                VALUES (1, :start, :failures, :kind, :record, :problem, now())
                ON CONFLICT (id) DO UPDATE SET start_lsn = excluded.start_lsn, failures = excluded.failures, kind = excluded.kind,
                    record_lsn = excluded.record_lsn, problem = excluded.problem, failed_at = excluded.failed_at""")
                .param("start", history.startLsn())
                .param("failures", history.failures())
                .param("kind", problem.kind())
                .param("record", problem.lsn())
                .param("problem", String.valueOf(problem.getMessage()))
                .update());
    }

    /** Before the slot is dropped: a worker that dies in between must not make it twice an hour. */
    void abandoned(long epoch) throws SupersededException {
        store.asNewest(epoch,
                () -> jdbc.sql("UPDATE syncline.capture_decoding SET failures = 0, abandoned_at = now() WHERE id = 1")
                        .update());
    }

    Map<TableName, Excluded> excluded() {
        Map<TableName, Excluded> excluded = new HashMap<>();
        jdbc.sql("SELECT table_name, identity, cause, (extract(epoch FROM now() - excluded_at) * 1000)::bigint"
                + " FROM syncline.capture_excluded")
                .query((row, _) -> Map.entry(new TableName(row.getString(1)),
                        new Excluded(row.getString(2), row.getString(3), Duration.ofMillis(row.getLong(4)))))
                .list()
                .forEach(table -> excluded.put(table.getKey(), table.getValue()));
        return excluded;
    }

    void exclude(long epoch, TableName table, String identity, String cause) throws SupersededException {
        store.asNewest(epoch, () -> jdbc.sql("""
                INSERT INTO syncline.capture_excluded (table_name, identity, cause, excluded_at) VALUES (?, ?, ?, now())
                ON CONFLICT (table_name) DO UPDATE SET identity = excluded.identity, cause = excluded.cause,
                    excluded_at = excluded.excluded_at""")
                .params(table.name(), identity, cause)
                .update());
    }

    void include(long epoch, TableName table) throws SupersededException {
        store.asNewest(epoch,
                () -> jdbc.sql("DELETE FROM syncline.capture_excluded WHERE table_name = ?")
                        .param(table.name())
                        .update());
    }

    private static @Nullable Instant instant(ResultSet row, int column) throws SQLException {
        Timestamp time = row.getTimestamp(column);
        return time == null ? null : time.toInstant();
    }
}
