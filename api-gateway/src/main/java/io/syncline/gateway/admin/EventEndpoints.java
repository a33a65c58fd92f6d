package io.syncline.gateway.admin;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.syncline.gateway.connection.ConnectionReads;
import io.syncline.gateway.http.Caller.Permission;
import io.syncline.gateway.http.MalformedQueryException;
import io.syncline.gateway.http.OperatorAnswer;
import io.syncline.gateway.http.OperatorCall;
import io.syncline.gateway.http.OperatorRefusal;
import io.syncline.gateway.http.OperatorRoutes;
import io.syncline.gateway.state.StateReads;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What happened, for operators and auditors. */
public final class EventEndpoints {

    private final ConnectionReads connections;
    private final EventReads reads;

    /** @param partitions of the events */
    public EventEndpoints(ConnectionReads connections, StateReads state, int partitions) {
        this.connections = connections;
        this.reads = new EventReads(state, partitions);
    }

    /** Puts this room's paths among those of the operators. */
    public OperatorRoutes addTo(OperatorRoutes routes) {
        return routes.on("GET", "/events", Permission.AUDIT, this::events);
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    private record EventsView(List<EventReads.Event> events, @Nullable String nextCursor) {}

    private OperatorAnswer events(OperatorCall call) throws SQLException, MalformedQueryException {
        QueryFields query = new QueryFields(call.query());
        Optional<String> key = query.text("site_url");
        Optional<UUID> uuid = query.parsed("connection", EventEndpoints::uuid, "must be the UUID of a connection");
        Map<Integer, Long> below = query.cursor(EventEndpoints::places).orElse(Map.of());
        int limit = query.limit();
        Optional<OperatorRefusal> refusal = query.refusal();
        if (refusal.isPresent()) {
            return new OperatorAnswer.No(refusal.get());
        }
        if (uuid.isPresent()) {
            Optional<ConnectionReads.Found> found = connections.connection(uuid.get());
            if (found.isEmpty()) {
                return new OperatorAnswer.No(new OperatorRefusal.NotFound("There is no connection " + uuid.get()
                        + "; the events of one that is gone are found by site_url"));
            }
            key = Optional.of(found.get().connection().siteUrl().text());
        }
        EventReads.Page page = key.isPresent() ? reads.ofKey(key.get(), below, limit) : reads.newest(below, limit);
        Map<Integer, Long> next = page.next();
        return new OperatorAnswer.Ok(new EventsView(page.events(), next == null ? null : cursor(next)));
    }

    private static String cursor(Map<Integer, Long> next) {
        return QueryFields.cursor(next.entrySet()
                .stream()
                .map(one -> one.getKey() + ":" + one.getValue())
                .collect(Collectors.joining(",")));
    }

    private static Optional<Map<Integer, Long>> places(String text) {
        Map<Integer, Long> places = new TreeMap<>();
        for (String part : text.split(",", -1)) {
            if (!part.matches("[0-9]{1,6}:[0-9]{1,19}")) {
                return Optional.empty();
            }
            try {
                int colon = part.indexOf(':');
                places.put(Integer.parseInt(part.substring(0, colon)), Long.parseLong(part.substring(colon + 1)));
            } catch (NumberFormatException e) {
                return Optional.empty();
            }
        }
        return Optional.of(places);
    }

    private static Optional<UUID> uuid(String text) {
        try {
            return Optional.of(UUID.fromString(text));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
