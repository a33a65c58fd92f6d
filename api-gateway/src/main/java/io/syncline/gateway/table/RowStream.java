package io.syncline.gateway.table;

import com.zaxxer.hikari.HikariDataSource;
import io.syncline.gateway.http.BrokenOffException;
import io.syncline.gateway.http.PeerAnswer;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Streams rows from the replica into an answer by COPY: one row in memory at a time, however many there are. At most so
 * many at once and for each peer, each on a connection of its own, for so long at most and no slower than so; who comes when
 * all are taken waits a moment and is then turned away. A stream ends soon after its peer may not have the table any
 * more.
 */
public final class RowStream implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RowStream.class);

    /** How long a call waits for one of the streams. */
    private static final Duration PATIENCE = Duration.ofSeconds(1);
    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final String NOT_ALLOWED = "The connection may not be used any more, or not for this table";
    private static final String STOPPING = "The gateway stops; pull again, from another one";

    /**
     * One snapshot for all that an answer says. Rows come in the key's order by its index, so that the first is there at once
     * and none has to be kept for sorting; texts of keys as they are read again. Set for each transaction: what a session
     * keeps, another use of the connection would find.
     */
    private static final String BEGIN = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; "
            + "SELECT set_config('max_parallel_workers_per_gather', '0', true), set_config('jit', 'off', true),"
            + " set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO', true),"
            + " set_config('IntervalStyle', 'postgres', true), " + byIndex(true);

    private final HikariDataSource connections;
    private final Bounds bounds;
    private final Allowed allowed;
    private final Semaphore free;
    private final PeerShares shares;
    /**
     * Where streams run. The calls' own virtual threads would be put aside and fetched again at every few kilobytes that the
     * database has not sent yet, which costs as much again as the streaming.
     */
    private final ExecutorService threads;
    private final Set<Snapshot> running = ConcurrentHashMap.newKeySet();
    private volatile boolean stopping;
    private final ScheduledExecutorService timer = Executors
            .newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("row-stream-watch").factory());

    /**
     * What one stream, and one peer, may take.
     *
     * @param longest      a stream that is not at its end after this time is broken off
     * @param leastRate    a receiver that takes fewer bytes a second is broken off; 0: any rate will do
     * @param averagedOver so much waiting for it
     * @param share        how many streams one peer may have at once
     */
    public record Bounds(Duration longest, long leastRate, Duration averagedOver, int share) {}

    /** Which tables' rows may go on leaving, as {@link TableAccess#allowed} says. */
    @FunctionalInterface
    public interface Allowed {
        Set<TableAccess.Running> among(Set<TableAccess.Running> running) throws SQLException;
    }

    /** {@code connections} is used for nothing else; as many streams run at once as it has. */
    public RowStream(HikariDataSource connections, Bounds bounds, Allowed allowed) {
        this.connections = connections;
        this.bounds = bounds;
        this.allowed = allowed;
        this.free = new Semaphore(connections.getMaximumPoolSize(), true);
        this.shares = new PeerShares(bounds.share());
        ThreadPoolExecutor streams = new ThreadPoolExecutor(connections.getMaximumPoolSize(),
                connections.getMaximumPoolSize(), 1, TimeUnit.MINUTES, new LinkedBlockingQueue<>(),
                Thread.ofPlatform().name("row-stream-", 0).daemon().factory());
        streams.allowCoreThreadTimeOut(true);
        this.threads = streams;
    }

    public void start() {
        var unused = timer.scheduleWithFixedDelay(this::look, LOOK.toMillis(), LOOK.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Ends the streams that may not go on: asked for all of them at once, and not without any. */
    void look() {
        List<Snapshot> now = List.copyOf(running);
        if (now.isEmpty()) {
            return;
        }
        try {
            Set<TableAccess.Running> still = allowed
                    .among(now.stream().map(one -> one.what).collect(Collectors.toSet()));
            now.stream().filter(one -> !still.contains(one.what)).forEach(one -> one.ended = NOT_ALLOWED);
        } catch (SQLException | RuntimeException e) {
            log.warn("Whether running pulls may go on cannot be asked now, trying again: {}", e.toString());
        }
    }

    /** Ends all streams, those that are about to begin too: the gateway stops. */
    void breakOff() {
        stopping = true;
        running.forEach(one -> one.ended = STOPPING);
    }

    @Override
    public void close() {
        timer.shutdownNow();
        threads.shutdown();
    }

    /** What writes an answer's body. */
    @FunctionalInterface
    interface Body {
        void writeTo(Output out) throws SQLException, IOException;
    }

    /** One of the streams, for this peer and table; empty where too many run. */
    Optional<Snapshot> begin(TableAccess.Running what) throws InterruptedException, SQLException {
        UUID peer = what.connection();
        if (!shares.take(peer, PATIENCE)) {
            return Optional.empty();
        }
        boolean begun = false;
        boolean taken = false;
        try {
            taken = free.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            if (!taken) {
                return Optional.empty();
            }
            Snapshot snapshot = new Snapshot(what, connections.getConnection());
            snapshot.begin();
            running.add(snapshot);
            if (stopping) {
                snapshot.ended = STOPPING;
            }
            begun = true;
            return Optional.of(snapshot);
        } finally {
            if (!begun) {
                release(peer, taken);
            }
        }
    }

    private void release(UUID peer, boolean taken) {
        if (taken) {
            free.release();
        }
        shares.giveBack(peer);
    }

    /** Waits for a stream, which is bounded itself, and throws what it threw. */
    private static void await(Future<?> stream) throws SQLException, IOException {
        boolean interrupted = false;
        while (true) {
            try {
                stream.get();
                break;
            } catch (InterruptedException e) {
                // The answer must not be written to any more when this returns.
                interrupted = true;
            } catch (ExecutionException e) {
                switch (e.getCause()) {
                    case SQLException sql -> throw sql;
                    case IOException io -> throw io;
                    case RuntimeException surprise -> throw surprise;
                    case null, default -> throw new IllegalStateException("a stream of rows failed", e);
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** The database as it is at one moment, for one answer. Either closed, or handed over to a stream that closes it. */
    final class Snapshot implements AutoCloseable {

        private final TableAccess.Running what;
        private final Connection connection;
        private boolean handedOver;
        /** Why it must not go on; null while it may. */
        private volatile @Nullable String ended;

        private Snapshot(TableAccess.Running what, Connection connection) {
            this.what = what;
            this.connection = connection;
        }

        private void begin() throws SQLException {
            boolean begun = false;
            try {
                connection.setAutoCommit(false);
                try (Statement statement = connection.createStatement()) {
                    statement.execute(BEGIN);
                }
                begun = true;
            } finally {
                if (!begun) {
                    connections.evictConnection(connection);
                }
            }
        }

        Connection connection() {
            return connection;
        }

        /** The key that ends a page of so many, if there are more; see {@link RowQuery#endOfPage}. */
        Optional<List<String>> endOfPage(RowQuery query, long size, boolean deleted) throws SQLException {
            try (Statement statement = connection.createStatement()) {
                allowSorting(statement, query);
                try (ResultSet row = statement.executeQuery(query.endOfPage(size, deleted))) {
                    if (!row.next()) {
                        return Optional.empty();
                    }
                    List<String> key = new ArrayList<>();
                    for (int i = 1; i <= query.keySize(); i++) {
                        key.add(row.getString(i));
                    }
                    return row.next() ? Optional.of(key) : Optional.empty();
                }
            }
        }

        /**
         * The answer that {@code body} writes. It must be written, or closed by {@link #close}.
         *
         * @param marked columns whose values are marked as bytes
         * @param tally  counts the rows
         */
        PeerAnswer.JsonStream stream(Set<String> marked, Tally tally, Body body) {
            return out -> {
                handedOver = true;
                try {
                    await(threads.submit(() -> {
                        write(new Output(this, out, marked, bounds, tally), body);
                        return null;
                    }));
                } finally {
                    running.remove(this);
                    release(what.connection(), true);
                }
            };
        }

        private void write(Output out, Body body) throws SQLException, IOException {
            boolean copied = false;
            try {
                body.writeTo(out);
                connection.commit();
                copied = true;
            } finally {
                if (copied) {
                    connection.close();
                } else {
                    // The server may be in the midst of its rows: the connection is of no use to the next one. Eviction
                    // closes it; to close it once more would hide why the stream broke off.
                    connections.evictConnection(connection);
                }
            }
            out.flush();
        }

        @Override
        public void close() throws SQLException {
            if (handedOver) {
                return;
            }
            handedOver = true;
            try {
                connection.rollback();
                connection.close();
            } catch (SQLException e) {
                connections.evictConnection(connection);
                throw e;
            } finally {
                running.remove(this);
                release(what.connection(), true);
            }
        }
    }

    private static void allowSorting(Statement statement, RowQuery query) throws SQLException {
        statement.execute("SELECT " + byIndex(query.inOrder()));
    }

    /** Whether the key's index is to be read in its order; else PostgreSQL looks for the few rows as it likes. */
    private static String byIndex(boolean only) {
        String others = only ? "off" : "on";
        return "set_config('enable_sort', '" + others + "', true), set_config('enable_incremental_sort', '" + others
                + "', true), set_config('enable_bitmapscan', '" + others + "', true)";
    }

    /** The answer's bytes on their way, a good part of them at a time. */
    static final class Output {

        private static final int BUFFER = 64 * 1024;

        private final Snapshot snapshot;
        private final Connection connection;
        private final OutputStream out;
        private final @Nullable BinaryMarker marker;
        private final long deadline;
        private final Pace pace;
        private final Tally tally;
        private final byte[] buffer = new byte[BUFFER];
        private int filled;
        /** Rows that are in the buffer, in whole or with their end. */
        private long kept;

        private Output(Snapshot snapshot, OutputStream out, Set<String> marked, Bounds bounds, Tally tally) {
            this.snapshot = snapshot;
            this.connection = snapshot.connection;
            this.out = out;
            this.marker = marked.isEmpty() ? null : new BinaryMarker(marked);
            this.deadline = System.nanoTime() + bounds.longest().toNanos();
            this.pace = new Pace(bounds.leastRate(), bounds.averagedOver());
            this.tally = tally;
        }

        void text(String text) throws IOException {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            write(bytes, 0, bytes.length);
        }

        /** The rows with commas between. */
        void rows(RowQuery query) throws SQLException, IOException {
            copy(query, query.rows(), new Separated(false, true));
        }

        /** The rows, each a line of its own: their JSON has no line breaks. */
        void lines(RowQuery query) throws SQLException, IOException {
            copy(query, query.rows(), new Separated(true, true));
        }

        /** The keys of deleted rows with commas between. */
        void deletedKeys(RowQuery query) throws SQLException, IOException {
            copy(query, query.deletedKeys(), new Separated(false, false));
        }

        long rowsSoFar() {
            return tally.rows() + kept;
        }

        private final class Separated implements CopyRows.Sink {

            private final boolean lines;
            private final boolean counted;
            private boolean first = true;

            Separated(boolean lines, boolean counted) {
                this.lines = lines;
                this.counted = counted;
            }

            @Override
            public void row(byte[] bytes, int from, int to) throws IOException {
                if (!first && !lines) {
                    single((byte) ',');
                }
                first = false;
                if (marker == null) {
                    write(bytes, from, to);
                } else {
                    marker.rewrite(bytes, from, to, Output.this::write);
                }
                if (counted) {
                    kept++;
                }
                if (lines) {
                    single((byte) '\n');
                }
            }
        }

        private void copy(RowQuery query, String sql, CopyRows.Sink sink) throws SQLException, IOException {
            if (!query.inOrder()) {
                try (Statement statement = connection.createStatement()) {
                    allowSorting(statement, query);
                }
            }
            CopyOut copy = connection.unwrap(PGConnection.class).getCopyAPI().copyOut(sql);
            try {
                CopyRows rows = new CopyRows(sink);
                for (byte[] message = copy.readFromCopy(); message != null; message = copy.readFromCopy()) {
                    rows.take(message);
                }
                if (!rows.ended()) {
                    throw new IllegalStateException("COPY ended without its end mark");
                }
            } finally {
                if (copy.isActive()) {
                    cancel(copy);
                }
            }
        }

        /** Tells the server to stop; if it cannot be told, the closed connection tells it. */
        private static void cancel(CopyOut copy) {
            try {
                copy.cancelCopy();
            } catch (SQLException e) {
                // Expected: "canceling statement due to user request", or the connection is gone already.
            }
        }

        private void single(byte one) throws IOException {
            if (filled == BUFFER) {
                flush();
            }
            buffer[filled++] = one;
        }

        private void write(byte[] bytes, int start, int to) throws IOException {
            int from = start;
            // A large row piece by piece: to a slow reader each takes its time.
            while (to - from > BUFFER - filled) {
                int some = BUFFER - filled;
                System.arraycopy(bytes, from, buffer, filled, some);
                filled = BUFFER;
                from += some;
                flush();
            }
            System.arraycopy(bytes, from, buffer, filled, to - from);
            filled += to - from;
        }

        private void flush() throws IOException {
            long before = System.nanoTime();
            String ended = snapshot.ended;
            if (ended != null) {
                throw new BrokenOffException(ended);
            }
            if (before - deadline > 0) {
                throw new BrokenOffException("The answer took longer than syncline.gateway.pull-duration allows");
            }
            // Before it is tried: what a write that fails has given away, nobody knows.
            tally.rows(kept);
            kept = 0;
            out.write(buffer, 0, filled);
            if (pace.tooSlow(filled, System.nanoTime() - before)) {
                throw new BrokenOffException("The receiver took less than syncline.gateway.pull-least-rate asks for");
            }
            filled = 0;
        }
    }
}
