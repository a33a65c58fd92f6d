package io.syncline.gateway.table;

import io.syncline.model.log.TableChangeCodec;
import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** What the state database knows of the copies: one row a table, read anew with each call. */
public final class TableReads {

    /** A table as {@code list-tables} shows it. */
    record Listed(String name, long rowCount, long sizeBytes) {}

    /** What there is of a table. */
    sealed interface Found {

        record Served(ServedTable table) implements Found {}

        /**
         * The first copy is being made.
         *
         * @param schema null until it has begun
         */
        record Waiting(@Nullable TableSchema schema, long rowsSoFar) implements Found {}

        /** It cannot be copied now; why is the operator's to know. */
        record Marked() implements Found {}
    }

    private final DataSource database;

    public TableReads(DataSource database) {
        this.database = database;
    }

    /** The tables whose copy is complete, by name. */
    List<Listed> list() throws SQLException {
        try (Connection connection = database.getConnection();
                PreparedStatement select = connection.prepareStatement("SELECT table_name, row_count, size_bytes"
                        + " FROM syncline.replica_table WHERE state IN ('live', 'refreshing')"
                        + " ORDER BY table_name COLLATE \"C\"");
                ResultSet rows = select.executeQuery()) {
            List<Listed> tables = new ArrayList<>();
            while (rows.next()) {
                tables.add(new Listed(rows.getString(1), rows.getLong(2), rows.getLong(3)));
            }
            return tables;
        }
    }

    Optional<Found> find(TableName name) throws SQLException {
        try (Connection connection = database.getConnection();
                PreparedStatement select = connection.prepareStatement("SELECT state, schema, replica_name, row_count,"
                        + " next_schema, next_row_count, as_of FROM syncline.replica_table WHERE table_name = ?")) {
            select.setString(1, name.name());
            try (ResultSet row = select.executeQuery()) {
                if (!row.next()) {
                    return Optional.empty();
                }
                return switch (row.getString(1)) {
                    case "live", "refreshing" -> Optional.of(new Found.Served(new ServedTable(
                            TableChangeCodec.readSchema(row.getString(2)), row.getString(3), row.getLong(4),
                            row.getObject(7, OffsetDateTime.class).toInstant())));
                    case "waiting" -> {
                        String begun = row.getString(5);
                        yield Optional.of(new Found.Waiting(
                                begun == null ? null : TableChangeCodec.readSchema(begun), row.getLong(6)));
                    }
                    default -> Optional.of(new Found.Marked());
                };
            }
        }
    }

    /** The field whose value PostgreSQL cannot read as one of the key's type; empty where there is none. */
    Optional<String> valueOutsideKey(RowQuery query) throws SQLException {
        List<String> ids = query.ids();
        String start = query.start();
        String end = query.end();
        if (ids != null) {
            return fits(query, RowQuery.arrayOf(ids)) ? Optional.empty() : Optional.of("ids");
        }
        if (start != null && !fits(query, start)) {
            return Optional.of("id_start");
        }
        return end != null && !fits(query, end) ? Optional.of("id_end") : Optional.empty();
    }

    private boolean fits(RowQuery query, String value) throws SQLException {
        try (Connection connection = database.getConnection();
                PreparedStatement check = connection.prepareStatement(query.check())) {
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
