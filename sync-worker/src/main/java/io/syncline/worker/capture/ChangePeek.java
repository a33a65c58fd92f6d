package io.syncline.worker.capture;

import io.syncline.model.table.TableName;
import io.syncline.worker.capture.debezium.DebeziumNames;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/** Looks at a change in a slot that nobody reads, and leaves it there. Texts are not converted, so that none can fail to be. */
final class ChangePeek {

    /** Transactions are looked at until there are so many changes: the server keeps them all for the answer. */
    private static final int MOST_CHANGES = 200_000;

    private static final int LONGEST_SECONDS = 60;

    private ChangePeek() {}

    /** The table that the change at an LSN is of; null if it is none of ours, or is not found among the first changes. */
    static @Nullable TableName tableOf(SourceDatabase source, Connection catalogue, String slot, String publication,
            String lsn) throws SQLException {
        Long oid = relation(source, slot, publication, lsn);
        if (oid == null) {
            return null;
        }
        String sql = "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                + " WHERE c.oid = ?::bigint::oid AND n.nspname = ?";
        try (PreparedStatement statement = catalogue.prepareStatement(sql)) {
            statement.setLong(1, oid);
            statement.setString(2, DebeziumNames.SCHEMA);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next() ? new TableName(rows.getString(1)) : null;
            }
        }
    }

    private static @Nullable Long relation(SourceDatabase source, String slot, String publication, String lsn)
            throws SQLException {
        // I, U, D; pgoutput takes the publications' names as a list of identifiers.
        String sql = "SELECT substring(data from 2 for 4) FROM pg_logical_slot_peek_binary_changes(" + Sql.literal(slot)
                + ", NULL, " + MOST_CHANGES + ", 'proto_version', '1', 'publication_names', "
                + Sql.literal(Sql.identifier(publication)) + ") WHERE lsn = " + Sql.literal(lsn)
                + " AND get_byte(data, 0) IN (73, 85, 68) LIMIT 1";
        try (Connection session = source.connectWithoutConversion(); Statement statement = session.createStatement()) {
            statement.execute("SET statement_timeout = '" + LONGEST_SECONDS + "s'");
            try (ResultSet rows = statement.executeQuery(sql)) {
                return rows.next() ? Integer.toUnsignedLong(ByteBuffer.wrap(rows.getBytes(1)).getInt()) : null;
            }
        }
    }
}
