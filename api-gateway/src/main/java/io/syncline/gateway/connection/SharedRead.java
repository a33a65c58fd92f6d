package io.syncline.gateway.connection;

import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Reads once for all who ask while a read is under way. What a caller gets was read after it had asked, so to each of them
 * it is as if it had read alone.
 */
final class SharedRead<T> {

    /** One that hangs holds the others up no longer than this. */
    private static final Duration LONGEST_TURN = Duration.ofMillis(50);

    private final Read<T> read;
    private final ReentrantLock turn = new ReentrantLock();
    /** The read that has not begun yet, if anybody waits for it. */
    private @Nullable CompletableFuture<T> next;

    /** What is read. */
    @FunctionalInterface
    interface Read<T> {
        T read() throws SQLException;
    }

    SharedRead(Read<T> read) {
        this.read = read;
    }

    T get() throws SQLException {
        CompletableFuture<T> answer;
        boolean first = false;
        synchronized (this) {
            answer = next;
            if (answer == null) {
                answer = new CompletableFuture<>();
                next = answer;
                first = true;
            }
        }
        if (first) {
            readFor(answer);
        }
        return await(answer);
    }

    private void readFor(CompletableFuture<T> answer) {
        boolean waited = false;
        try {
            waited = turn.tryLock(LONGEST_TURN.toNanos(), TimeUnit.NANOSECONDS);
            begin();
            answer.complete(read.read());
        } catch (InterruptedException e) {
            begin();
            Thread.currentThread().interrupt();
            answer.completeExceptionally(new SQLException("interrupted before the state database was asked", e));
        } catch (SQLException | RuntimeException | Error e) {
            answer.completeExceptionally(e);
        } finally {
            if (waited) {
                turn.unlock();
            }
        }
    }

    /** Whoever comes from now on has to be answered by a later read. */
    private synchronized void begin() {
        next = null;
    }

    private static <T> T await(CompletableFuture<T> answer) throws SQLException {
        try {
            return answer.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SQLException("interrupted while the state database was asked", e);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case SQLException failed -> throw failed;
                case RuntimeException failed -> throw failed;
                case Error failed -> throw failed;
                case null, default -> throw new IllegalStateException("a read fails with what it may throw", e);
            }
        }
    }
}
