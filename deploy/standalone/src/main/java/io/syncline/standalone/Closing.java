package io.syncline.standalone;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What has been started, to be stopped the other way round; each part has its time and no part keeps the others. */
final class Closing implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Closing.class);

    private record Part(String name, Duration limit, AutoCloseable closeable) {}

    private final Deque<Part> parts = new ArrayDeque<>();
    private boolean closing;

    /** @throws ClosingException when the stop has begun meanwhile; the part has been stopped then */
    <T extends AutoCloseable> T add(String name, Duration limit, T closeable) {
        Part part = new Part(name, limit, closeable);
        synchronized (this) {
            if (!closing) {
                parts.push(part);
                return closeable;
            }
        }
        stop(part);
        throw new ClosingException();
    }

    synchronized boolean isClosing() {
        return closing;
    }

    @Override
    public void close() {
        synchronized (this) {
            closing = true;
        }
        for (Part part = next(); part != null; part = next()) {
            stop(part);
        }
    }

    private synchronized @Nullable Part next() {
        return parts.poll();
    }

    private static void stop(Part part) {
        long begun = System.nanoTime();
        FutureTask<Void> task = new FutureTask<>(() -> {
            part.closeable().close();
            return null;
        });
        Thread thread = new Thread(task, "stop-" + part.name());
        thread.setDaemon(true);
        thread.start();
        try {
            task.get(part.limit().toMillis(), TimeUnit.MILLISECONDS);
            LOG.info("{} stopped in {} ms", part.name(), Duration.ofNanos(System.nanoTime() - begun).toMillis());
        } catch (TimeoutException slow) {
            LOG.warn("{} has not stopped within {} s: going on without", part.name(), part.limit().toSeconds());
        } catch (ExecutionException failure) {
            LOG.warn("{} has not stopped well", part.name(), failure.getCause());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** The site is being stopped while it starts. */
    static final class ClosingException extends RuntimeException {
        ClosingException() {
            super("stopped while starting");
        }
    }
}
