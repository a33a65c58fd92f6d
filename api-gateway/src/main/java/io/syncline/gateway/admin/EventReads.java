package io.syncline.gateway.admin;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.syncline.gateway.state.StateReads;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The events as the state database has them, the newest first, none that is not in the log. To prove them is the audit's work. */
final class EventReads {

    /** What opens nothing by itself, and is nobody's to see all the same. */
    private static final Set<String> HIDDEN = Set.of("fingerprint", "sealed_token", "incoming_password",
            "download_password");

    private static final String COLUMNS = "e.partition, e.sequence, e.event_id, e.request_id, e.key, e.type, e.payload,"
            + " e.event_time, e.hash";
    /** From each partition as many as all may need; each has its own order, and time is what they have in common. */
    private static final String NEWEST = "SELECT " + COLUMNS + """
             FROM unnest(?, ?) AS c(partition, below), LATERAL (
                SELECT * FROM syncline.connection_event one
                WHERE one.partition = c.partition AND one.sequence < c.below
                ORDER BY one.sequence DESC LIMIT ?) e
            ORDER BY e.event_time DESC, e.partition, e.sequence DESC LIMIT ?""";
    private static final String OF_KEY = "SELECT " + COLUMNS
            + " FROM syncline.connection_event e WHERE e.key = ? AND e.sequence < ? ORDER BY e.sequence DESC LIMIT ?";

    private final StateReads state;
    private final int partitions;

    EventReads(StateReads state, int partitions) {
        this.state = state;
        this.partitions = partitions;
    }

    /** @param data what is said of it, without what is nobody's to see */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Event(
            int partition,
            long sequence,
            UUID id,
            UUID requestId,
            Instant time,
            String key,
            String type,
            String hash,
            JsonNode data) {}

    /** @param next where to go on, by partition; null behind the oldest event */
    record Page(List<Event> events, @Nullable Map<Integer, Long> next) {}

    /** @param below by partition, the sequence before which to begin; its end for one that is not named */
    Page newest(Map<Integer, Long> below, int limit) throws SQLException {
        Map<Integer, Long> next = new TreeMap<>();
        for (int partition = 0; partition < partitions; partition++) {
            next.put(partition, below.getOrDefault(partition, Long.MAX_VALUE));
        }
        return state.read(connection -> state.all(connection, snapshot -> {
            try (PreparedStatement statement = snapshot.prepareStatement(NEWEST)) {
                statement.setArray(1, snapshot.createArrayOf("integer", next.keySet().toArray()));
                statement.setArray(2, snapshot.createArrayOf("bigint", next.values().toArray()));
                statement.setInt(3, limit);
                statement.setInt(4, limit);
                return page(statement, new TreeMap<>(next), limit);
            }
        }));
    }

    /** The events of one site, or of the settings. */
    Page ofKey(String key, Map<Integer, Long> below, int limit) throws SQLException {
        return state.read(connection -> state.of(Optional.of(key), connection, snapshot -> {
            try (PreparedStatement statement = snapshot.prepareStatement(OF_KEY)) {
                statement.setString(1, key);
                statement.setLong(2, below.values().stream().findFirst().orElse(Long.MAX_VALUE));
                statement.setInt(3, limit);
                return page(statement, new TreeMap<>(), limit);
            }
        }));
    }

    private static Page page(PreparedStatement statement, Map<Integer, Long> next, int limit) throws SQLException {
        List<Event> events = new ArrayList<>();
        try (ResultSet row = statement.executeQuery()) {
            while (row.next()) {
                Event event = event(row);
                events.add(event);
                next.put(event.partition(), event.sequence());
            }
        }
        return new Page(events, events.size() < limit ? null : next);
    }

    private static Event event(ResultSet row) throws SQLException {
        JsonNode data = JsonMapper.shared().readTree(new String(row.getBytes(7), StandardCharsets.UTF_8));
        hide(data);
        return new Event(row.getInt(1), row.getLong(2), row.getObject(3, UUID.class), row.getObject(4, UUID.class),
                row.getObject(8, OffsetDateTime.class).toInstant(), row.getString(5), row.getString(6),
                HexFormat.of().formatHex(row.getBytes(9)), data);
    }

    private static void hide(JsonNode node) {
        if (node instanceof ObjectNode object) {
            object.remove(HIDDEN);
        }
        node.forEach(EventReads::hide);
    }
}
