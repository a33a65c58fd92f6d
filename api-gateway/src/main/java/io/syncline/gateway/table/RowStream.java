package io.syncline.gateway.table;

import com.zaxxer.hikari.HikariDataSource;
import io.syncline.gateway.http.PeerAnswer;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;

/**
 * Streams rows from the replica into an answer by COPY: one row in memory at a time, however many there are. At most so
 * many at once, each on a connection of its own and for so long at most; who comes when all are taken waits a moment and is
 * then turned away.
 */
public final class RowStream {

    /** How long a call waits for one of the streams. */
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    /**
     * Rows come in the key's order by its index, so that the first is there at once and none has to be kept for sorting.
     * Set for each transaction: what a session keeps, another use of the connection would find.
     */
    private static final String SETTINGS = "SELECT set_config('enable_sort', 'off', true),"
            + " set_config('enable_incremental_sort', 'off', true), set_config('enable_bitmapscan', 'off', true),"
            + " set_config('max_parallel_workers_per_gather', '0', true), set_config('jit', 'off', true)";

    private static final byte[] END = "]}".getBytes(StandardCharsets.US_ASCII);

    private final HikariDataSource connections;
    private final Duration longest;
    private final Semaphore free;
    /**
     * Where streams run. The calls' own virtual threads would be put aside and fetched again at every few kilobytes that the
     * database has not sent yet, which costs as much again as the streaming.
     */
    private final ExecutorService threads;

    /**
     * {@code connections} is used for nothing else; as many streams run at once as it has.
     *
     * @param longest a stream that is not at its end after this time is broken off
     */
    public RowStream(HikariDataSource connections, Duration longest) {
        this.connections = connections;
        this.longest = longest;
        this.free = new Semaphore(connections.getMaximumPoolSize(), true);
        ThreadPoolExecutor streams = new ThreadPoolExecutor(connections.getMaximumPoolSize(),
                connections.getMaximumPoolSize(), 1, TimeUnit.MINUTES, new LinkedBlockingQueue<>(),
                Thread.ofPlatform().name("row-stream-", 0).daemon().factory());
        streams.allowCoreThreadTimeOut(true);
        this.threads = streams;
    }

    /**
     * The answer {@code head}, rows with commas between, and the end of array and object; empty where too many streams
     * run. What is given must be written: it has taken one of the streams.
     *
     * @param marked columns whose values are marked as bytes
     * @param tally  counts the rows
     */
    Optional<PeerAnswer.JsonStream> open(String head, RowQuery query, Set<String> marked, Tally tally)
            throws InterruptedException {
        if (!free.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
            return Optional.empty();
        }
        return Optional.of(out -> {
            try {
                await(threads.submit(() -> {
                    write(new Output(out, marked, System.nanoTime() + longest.toNanos(), tally), head, query);
                    return null;
                }));
            } finally {
                free.release();
            }
        });
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

    private void write(Output out, String head, RowQuery query) throws SQLException, IOException {
        Connection connection = connections.getConnection();
        boolean copied = false;
        try {
            connection.setAutoCommit(false);
            try (Statement settings = connection.createStatement()) {
                settings.execute(SETTINGS);
            }
            out.text(head);
            copy(connection, query.copy(), out);
            connection.commit();
            copied = true;
        } finally {
            if (copied) {
                connection.close();
            } else {
                // The server may be in the midst of its rows: the connection is of no use to the next one. Eviction closes
                // it; to close it once more would hide why the stream broke off.
                connections.evictConnection(connection);
            }
        }
        out.finish();
    }

    private static void copy(Connection connection, String sql, Output out) throws SQLException, IOException {
        CopyOut copy = connection.unwrap(PGConnection.class).getCopyAPI().copyOut(sql);
        try {
            CopyRows rows = new CopyRows(out::row);
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

    /** The answer's bytes on their way, a good part of them at a time. */
    private static final class Output {

        private static final int BUFFER = 64 * 1024;

        private final OutputStream out;
        private final @Nullable BinaryMarker marker;
        private final long deadline;
        private final Tally tally;
        private final byte[] buffer = new byte[BUFFER];
        private int filled;
        private boolean first = true;

        Output(OutputStream out, Set<String> marked, long deadline, Tally tally) {
            this.out = out;
            this.marker = marked.isEmpty() ? null : new BinaryMarker(marked);
            this.deadline = deadline;
            this.tally = tally;
        }

        void text(String text) throws IOException {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            write(bytes, 0, bytes.length);
        }

        void row(byte[] bytes, int from, int to) throws IOException {
            if (!first) {
                if (filled == BUFFER) {
                    flush();
                }
                buffer[filled++] = ',';
            }
            first = false;
            tally.row();
            if (marker == null) {
                write(bytes, from, to);
            } else {
                marker.rewrite(bytes, from, to, this::write);
            }
        }

        void finish() throws IOException {
            write(END, 0, END.length);
            flush();
        }

        private void write(byte[] bytes, int from, int to) throws IOException {
            int length = to - from;
            if (length > BUFFER - filled) {
                flush();
                if (length > BUFFER) {
                    out.write(bytes, from, length);
                    return;
                }
            }
            System.arraycopy(bytes, from, buffer, filled, length);
            filled += length;
        }

        private void flush() throws IOException {
            if (System.nanoTime() - deadline > 0) {
                throw new StreamTooLongException();
            }
            out.write(buffer, 0, filled);
            filled = 0;
        }
    }

    /** The receiver reads too slowly. */
    private static final class StreamTooLongException extends IOException {

        private static final long serialVersionUID = 1L;

        StreamTooLongException() {
            super("the answer took longer than syncline.gateway.pull-duration allows");
        }
    }
}
