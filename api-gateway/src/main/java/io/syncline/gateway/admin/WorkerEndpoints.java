package io.syncline.gateway.admin;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.syncline.gateway.http.OperatorAnswer;
import io.syncline.gateway.http.OperatorCall;
import io.syncline.gateway.http.OperatorRoutes;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Who is alive, what each worker owns, and how much waits to be decided. Told also while the database has to catch up with
 * the event log: that is when operators ask.
 */
public final class WorkerEndpoints {

    private static final int MOST_WORKERS = 1_000;
    private static final String WORKERS = """
            SELECT name, started_at, seen_at, trouble, partitions, states, details,
                seen_at > clock_timestamp() - dead_after_ms * interval '1 millisecond'
            FROM syncline.worker ORDER BY name LIMIT ?""";
    private static final String NEXT_REQUESTS = "SELECT partition, next_request_offset FROM syncline.log_head";

    private final DataSource database;
    private final int partitions;
    private final Supplier<Map<Integer, Long>> requestEnds;

    /**
     * @param partitions  of the requests
     * @param requestEnds where the requests end, by partition, as far as it is known
     */
    public WorkerEndpoints(DataSource database, int partitions, Supplier<Map<Integer, Long>> requestEnds) {
        this.database = database;
        this.partitions = partitions;
        this.requestEnds = requestEnds;
    }

    /** Puts this room's paths among those of the operators. */
    public OperatorRoutes addTo(OperatorRoutes routes) {
        return routes.on("GET", "/workers", this::workers);
    }

    private record WorkersView(List<WorkerView> workers, List<PartitionView> partitions) {}

    /** @param trouble what keeps it from deciding, if anything does */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    private record WorkerView(
            String name,
            boolean alive,
            Instant startedAt,
            Instant seenAt,
            @Nullable String trouble,
            List<Owned> owns) {}

    /** @param state {@code owned}, {@code taking_over} or {@code stopped}; the detail says why */
    private record Owned(int partition, String state, String detail) {}

    /**
     * @param worker  that decides its requests; absent where nobody does
     * @param waiting requests that nobody has decided yet; absent while the broker cannot be asked
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    private record PartitionView(int partition, @Nullable String worker, @Nullable Long waiting) {}

    private OperatorAnswer workers(OperatorCall call) throws SQLException {
        // The ends first: what is decided meanwhile makes less wait, never less than nothing.
        Map<Integer, Long> ends = requestEnds.get();
        try (Connection connection = database.getConnection()) {
            List<WorkerView> workers = workers(connection);
            Map<Integer, Long> next = nextRequests(connection);
            List<PartitionView> views = new ArrayList<>();
            for (int partition = 0; partition < partitions; partition++) {
                Long end = ends.get(partition);
                Long waiting = end == null ? null : Math.max(0, end - next.getOrDefault(partition, 0L));
                views.add(new PartitionView(partition, owner(workers, partition), waiting));
            }
            return new OperatorAnswer.Ok(new WorkersView(workers, views));
        }
    }

    private static @Nullable String owner(List<WorkerView> workers, int partition) {
        return workers.stream()
                .filter(worker -> worker.alive() && worker.owns()
                        .stream()
                        .anyMatch(one -> one.partition() == partition && one.state().equals("owned")))
                .map(WorkerView::name)
                .findFirst()
                .orElse(null);
    }

    private static List<WorkerView> workers(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(WORKERS)) {
            statement.setInt(1, MOST_WORKERS);
            try (ResultSet row = statement.executeQuery()) {
                List<WorkerView> workers = new ArrayList<>();
                while (row.next()) {
                    workers.add(new WorkerView(row.getString(1), row.getBoolean(8), time(row, 2), time(row, 3),
                            row.getString(4), owned(row)));
                }
                return workers;
            }
        }
    }

    private static List<Owned> owned(ResultSet row) throws SQLException {
        Integer[] owned = (Integer[]) row.getArray(5).getArray();
        String[] states = (String[]) row.getArray(6).getArray();
        String[] details = (String[]) row.getArray(7).getArray();
        List<Owned> all = new ArrayList<>();
        for (int i = 0; i < owned.length; i++) {
            all.add(new Owned(owned[i], states[i], details[i]));
        }
        return all;
    }

    private static Map<Integer, Long> nextRequests(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(NEXT_REQUESTS);
                ResultSet row = statement.executeQuery()) {
            Map<Integer, Long> next = new HashMap<>();
            while (row.next()) {
                next.put(row.getInt(1), row.getLong(2));
            }
            return next;
        }
    }

    private static Instant time(ResultSet row, int column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
