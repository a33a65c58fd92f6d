package io.syncline.worker.connection;

import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.LoggedEvent;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;

/** The state database's copy of the events, made to what lay in the log; a row that was changed since gives none. */
record StoredEvents(DataSource database, CredentialKeys keys) implements LogRepair.StoredLog {

    @Override
    public List<LoggedEvent> between(int partition, long after, long upTo) {
        List<LoggedEvent> events = new ArrayList<>();
        try (Connection connection = database.getConnection();
                PreparedStatement select = connection.prepareStatement("""
                        SELECT fence, sequence, previous_hash, event_id, request_id, request_offset, event_time, key, type,
                            payload, hash
                        FROM syncline.connection_event WHERE partition = ? AND sequence > ? AND sequence <= ?
                        ORDER BY sequence""")) {
            select.setInt(1, partition);
            select.setLong(2, after);
            select.setLong(3, upTo);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    LoggedEvent.again(partition, row.getLong(1), row.getLong(2), row.getBytes(3),
                            row.getObject(4, UUID.class), row.getObject(5, UUID.class), row.getLong(6),
                            SqlTime.read(row, 7), row.getString(8), row.getString(9), row.getBytes(10),
                            row.getBytes(11),
                            keys).ifPresent(events::add);
                }
            }
        } catch (SQLException e) {
            throw new StoreUnavailableException("the events cannot be read from the state database: " + e.getMessage(),
                    e);
        }
        return events;
    }
}
