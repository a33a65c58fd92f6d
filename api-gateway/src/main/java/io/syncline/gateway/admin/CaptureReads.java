package io.syncline.gateway.admin;

import io.syncline.gateway.table.TableReads;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * What the workers say of the source and of each of its tables: captured how far, and served how far. No part of what the
 * events add up to, and told also while the database has to catch up with them: that is when operators ask.
 */
final class CaptureReads {

    private static final int MOST_TABLES = 10_000;

    private static final String SOURCE = """
            SELECT state, setting, value, problem, remedy, warnings, slot_name, publication, retained_bytes, behind_bytes,
                last_change_at, updated_at, lag_ms
            FROM syncline.capture_source""";

    /**
     * A table is live once its copy is; before that it waits, whatever capture has done already. Where nothing else is the matter, what
     * a new copy was asked for is the cause.
     */
    private static final String TABLES = """
            SELECT coalesce(c.table_name, r.table_name),
                CASE WHEN c.state IN ('left_out', 'marked') THEN c.state
                    WHEN r.state IS NULL THEN 'waiting'
                    WHEN r.state IN ('marked', 'waiting') THEN r.state
                    WHEN r.state = 'refreshing' OR c.state IN ('refreshing', 'waiting') THEN 'refreshing'
                    ELSE 'live' END,
                coalesce(CASE WHEN c.cause IS NULL OR c.state NOT IN ('left_out', 'marked') AND r.cause IS NOT NULL THEN r.cause
                    ELSE c.cause END, q.reason),
                CASE WHEN r.cause IS NULL AND c.cause IS NULL AND q.reason IS NOT NULL THEN 'it is read anew by itself'
                    WHEN c.state IN ('left_out', 'marked') OR r.cause IS NULL THEN c.remedy
                    ELSE 'it is read anew by itself where that may help; if it stays so, change in the source what the cause names' END,
                r.row_count, r.size_bytes, k.as_of, r.next_row_count, c.snapshot_rows, c.snapshot_estimated,
                c.last_change_at, r.replica_name IS NOT NULL,
                (extract(epoch FROM clock_timestamp() - k.as_of) * 1000)::bigint
            FROM syncline.capture_status c FULL JOIN syncline.replica_table r ON r.table_name = c.table_name
                LEFT JOIN syncline.capture_request q ON q.topic = r.topic
            """ + TableReads.KNOWN_AS_OF + "ORDER BY 1 LIMIT ?";

    /**
     * @param warnings of what may become a problem
     * @param behindBytes of WAL that has not been confirmed; all tables have one slot, so there is no such figure for each
     * @param lagMs    how long after its commit the newest change was in Kafka, or how long nothing has come
     */
    record Source(
            String state,
            @Nullable String setting,
            @Nullable String value,
            @Nullable String problem,
            @Nullable String remedy,
            List<String> warnings,
            String slotName,
            String publication,
            @Nullable Long retainedBytes,
            @Nullable Long behindBytes,
            @Nullable Instant lastChangeAt,
            @Nullable Long lagMs,
            Instant updatedAt) {}

    /**
     * @param rowCount what list-tables says; null before the first copy is complete
     * @param asOf     as peers are told it: what is served is all that the source had then
     * @param lagMs    how long ago that was
     * @param copied   rows of the copy under way that have arrived
     * @param snapshot rows of it that have been read from the source, and how many it may have
     */
    record Table(
            String name,
            String state,
            @Nullable String cause,
            @Nullable String remedy,
            @Nullable Long rowCount,
            @Nullable Long sizeBytes,
            @Nullable Instant asOf,
            @Nullable Long lagMs,
            @Nullable Long copied,
            @Nullable Long snapshotRows,
            @Nullable Long snapshotEstimated,
            @Nullable Instant lastChangeAt) {}

    record Tables(@Nullable Source source, List<Table> tables) {}

    private final DataSource database;

    CaptureReads(DataSource database) {
        this.database = database;
    }

    Tables tables() throws SQLException {
        try (Connection connection = database.getConnection()) {
            return new Tables(source(connection), tables(connection));
        }
    }

    private static @Nullable Source source(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(SOURCE);
                ResultSet row = statement.executeQuery()) {
            if (!row.next()) {
                return null;
            }
            OffsetDateTime updated = row.getObject(12, OffsetDateTime.class);
            return new Source(row.getString(1), row.getString(2), row.getString(3), row.getString(4), row.getString(5),
                    row.getString(6).lines().toList(), row.getString(7), row.getString(8), number(row, 9),
                    number(row, 10), time(row, 11), number(row, 13), updated.toInstant());
        }
    }

    private static List<Table> tables(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(TABLES)) {
            statement.setInt(1, MOST_TABLES);
            try (ResultSet row = statement.executeQuery()) {
                List<Table> tables = new ArrayList<>();
                while (row.next()) {
                    boolean served = row.getBoolean(12);
                    tables.add(new Table(row.getString(1), row.getString(2), row.getString(3), row.getString(4),
                            served ? number(row, 5) : null, served ? number(row, 6) : null, time(row, 7),
                            atLeastZero(number(row, 13)), number(row, 8), number(row, 9), number(row, 10),
                            time(row, 11)));
                }
                return tables;
            }
        }
    }

    /** The source's clock may be ahead of the state database's. */
    private static @Nullable Long atLeastZero(@Nullable Long lag) {
        return lag == null ? null : Math.max(0, lag);
    }

    private static @Nullable Long number(ResultSet row, int column) throws SQLException {
        long value = row.getLong(column);
        return row.wasNull() ? null : value;
    }

    private static @Nullable Instant time(ResultSet row, int column) throws SQLException {
        OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
        return time == null ? null : time.toInstant();
    }
}
