package io.syncline.gateway.table;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.syncline.model.log.TableChangeCodec;
import io.syncline.model.table.KeyColumn;
import io.syncline.model.table.RowChecksum;
import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * What the state database knows of the copies: one row a table, read anew with each call. It is no part of what the events
 * add up to, so nothing of it is held against the log: a copy says its own age, and whoever asks was let in before by a read
 * that was.
 */
public final class TableReads {

    /**
     * Joined to replica_table r: k.as_of, a time of the source; the copy has all that the source had then. Each of the three that it
     * is made of only grows: when what is served was read; up to when what followed is known to be there; and, while nothing is on
     * its way, up to when that is known of all tables.
     */
    public static final String KNOWN_AS_OF = """
            LEFT JOIN syncline.capture_table t ON t.table_name = r.table_name LEFT JOIN syncline.capture_source s ON true,
                LATERAL (SELECT CASE WHEN r.as_of IS NOT NULL
                    THEN greatest(r.as_of, t.known_until, CASE WHEN t.keeps_up THEN s.known_until END) END AS as_of) k
            """;

    private static final String FIND = """
            SELECT r.state, r.schema, r.replica_name, r.row_count, r.next_schema, r.next_row_count, r.generation, r.began,
                r.last_change, r.known_since, c.snapshot_estimated, k.as_of, clock_timestamp() AS now
            FROM syncline.replica_table r LEFT JOIN syncline.capture_status c ON c.table_name = r.table_name
            """ + KNOWN_AS_OF + "WHERE r.table_name = ?";

    private static final String LIST = """
            SELECT r.table_name COLLATE "C", r.state,
                CASE WHEN r.replica_name IS NULL THEN r.next_row_count ELSE r.row_count END,
                CASE WHEN r.replica_name IS NULL THEN r.next_size_bytes ELSE r.size_bytes END,
                CASE WHEN r.state IN ('live', 'refreshing') THEN r.checksum END, r.depends_on,
                CASE WHEN r.state IN ('live', 'refreshing') THEN k.as_of END,
                CASE WHEN r.state IN ('live', 'refreshing')
                    THEN greatest(0, (extract(epoch FROM clock_timestamp() - k.as_of) * 1000)::bigint) END
            FROM syncline.replica_table r
            """ + KNOWN_AS_OF + """
            UNION ALL SELECT table_name, 'waiting', 0, 0, NULL, '{}', NULL, NULL
            FROM syncline.capture_status c WHERE state = 'waiting' AND NOT EXISTS
                (SELECT FROM syncline.replica_table r WHERE r.table_name = c.table_name)
            ORDER BY 1""";

    /**
     * A table as {@code list-tables} shows it.
     *
     * @param checksum  null before the first copy is complete
     * @param asOfTime  the copy has all that the source had then, null before the first is complete
     * @param lagMs     how long ago that was
     * @param dependsOn the tables that its foreign keys name
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Listed(
            String name,
            long rowCount,
            long sizeBytes,
            @Nullable String checksum,
            @Nullable Instant asOfTime,
            @Nullable Long lagMs,
            List<String> dependsOn,
            String state) {

        /** Without those of the others that whoever asks may not know of. */
        Listed dependingOn(Predicate<String> known) {
            return new Listed(name, rowCount, sizeBytes, checksum, asOfTime, lagMs,
                    dependsOn.stream().filter(known).toList(), state);
        }
    }

    /** What there is of a table. */
    sealed interface Found {

        record Served(ServedTable table) implements Found {}

        /**
         * The first copy is being made.
         *
         * @param schema    null until it has begun
         * @param estimated how many rows there may be in all, null if nobody knows yet
         */
        record Waiting(@Nullable TableSchema schema, long rowsSoFar, @Nullable Long estimated) implements Found {}

        /**
         * What was copied cannot be served; why is the operator's to know.
         *
         * @param rowsSoFar of a new copy that is being made, null if none is
         */
        record Marked(@Nullable Long rowsSoFar, @Nullable Long estimated) implements Found {}
    }

    private final DataSource database;

    public TableReads(DataSource database) {
        this.database = database;
    }

    /** The tables by name, those that wait or cannot be served included: they are there, and say so. */
    List<Listed> list() throws SQLException {
        try (Connection connection = database.getConnection();
                PreparedStatement select = connection.prepareStatement(LIST);
                ResultSet row = select.executeQuery()) {
            List<Listed> tables = new ArrayList<>();
            while (row.next()) {
                Long checksum = row.getObject(5, Long.class);
                OffsetDateTime asOf = row.getObject(7, OffsetDateTime.class);
                tables.add(new Listed(row.getString(1), row.getLong(3), row.getLong(4),
                        checksum == null ? null : RowChecksum.text(checksum), asOf == null ? null : asOf.toInstant(),
                        row.getObject(8, Long.class), List.of((String[]) row.getArray(6).getArray()),
                        row.getString(2)));
            }
            return tables;
        }
    }

    Optional<Found> find(TableName name) throws SQLException {
        try (Connection connection = database.getConnection()) {
            return find(connection, name);
        }
    }

    /** The same in a transaction that has begun. */
    static Optional<Found> find(Connection connection, TableName name) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(FIND)) {
            select.setString(1, name.name());
            try (ResultSet row = select.executeQuery()) {
                if (!row.next()) {
                    return notBegun(connection, name);
                }
                String state = row.getString("state");
                String next = row.getString("next_schema");
                Long estimated = row.getObject("snapshot_estimated", Long.class);
                return Optional.of(switch (state) {
                    case "live", "refreshing" -> new Found.Served(served(row, state));
                    case "waiting" -> new Found.Waiting(next == null ? null : TableChangeCodec.readSchema(next),
                            row.getLong("next_row_count"), estimated);
                    default -> new Found.Marked(next == null ? null : row.getLong("next_row_count"), estimated);
                });
            }
        }
    }

    /** A table that capture knows, and has sent nothing of yet. */
    private static Optional<Found> notBegun(Connection connection, TableName name) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT snapshot_estimated FROM syncline.capture_status WHERE table_name = ? AND state = 'waiting'")) {
            select.setString(1, name.name());
            try (ResultSet row = select.executeQuery()) {
                return row.next()
                        ? Optional.of(new Found.Waiting(null, 0, row.getObject(1, Long.class)))
                        : Optional.empty();
            }
        }
    }

    private static ServedTable served(ResultSet row, String state) throws SQLException {
        OffsetDateTime asOf = row.getObject("as_of", OffsetDateTime.class);
        Duration lag = Duration.between(asOf, row.getObject("now", OffsetDateTime.class));
        return new ServedTable(TableChangeCodec.readSchema(row.getString("schema")), row.getString("replica_name"),
                row.getLong("row_count"), state, asOf.toInstant(), lag,
                new ServedTable.Changes(row.getLong("generation"), row.getLong("began"), row.getLong("last_change"),
                        row.getLong("known_since")));
    }

    /** Whether PostgreSQL reads all of these keys' texts as values of the key's columns. */
    boolean areOfKey(ServedTable table, List<List<String>> keys) throws SQLException {
        List<KeyColumn> columns = table.schema().key();
        try (Connection connection = database.getConnection()) {
            for (int i = 0; i < columns.size(); i++) {
                int column = i;
                List<String> values = keys.stream()
                        .filter(key -> key.size() > column)
                        .map(key -> key.get(column))
                        .distinct()
                        .toList();
                if (columns.get(i).nativeType().endsWith("[]")) {
                    for (String value : values) {
                        if (!fits(connection, RowQuery.checkOne(table.replicaName(), i), value)) {
                            return false;
                        }
                    }
                } else
                    if (!values.isEmpty()
                            && !fits(connection, RowQuery.checkAll(table.replicaName(), i), RowQuery.arrayOf(values))) {
                                return false;
                            }
            }
            return true;
        }
    }

    private static boolean fits(Connection connection, String sql, String value) throws SQLException {
        try (PreparedStatement check = connection.prepareStatement(sql)) {
            // Of no type: the server takes the key's own, and refuses what cannot be read as that.
            check.setObject(1, value, Types.OTHER);
            check.executeQuery().close();
            return true;
        } catch (SQLException e) {
            if (e.getSQLState() != null && e.getSQLState().startsWith("22")) {
                return false;
            }
            throw e;
        }
    }
}
