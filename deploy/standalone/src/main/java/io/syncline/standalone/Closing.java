package io.syncline.standalone;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What has been started, to be stopped in order; each part has its time and none keeps the others. */
final class Closing implements AutoCloseable {

    /** In the order in which they need each other: the last is stopped first. */
    enum Part {
        DATA_DIRECTORY(Duration.ofSeconds(1)),
        DATABASE(Duration.ofSeconds(21)),
        BROKER(Duration.ofSeconds(4)),
        WORKER(Duration.ofSeconds(4)),
        GATEWAY(Duration.ofSeconds(4));

        private final Duration limit;

        Part(Duration limit) {
            this.limit = limit;
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(Closing.class);

    private final TreeMap<Part, AutoCloseable> parts = new TreeMap<>();
    private final Function<Part, Duration> limits;
    private boolean closing;

    Closing() {
        this(part -> part.limit);
    }

    /** @param limits how long each part's stop is waited for */
    Closing(Function<Part, Duration> limits) {
        this.limits = limits;
    }

    /** @throws ClosingException when the stop has begun meanwhile; the part has been stopped then */
    <T extends AutoCloseable> T add(Part part, T closeable) {
        synchronized (this) {
            if (!closing) {
                parts.put(part, closeable);
                return closeable;
            }
        }
        stop(part, closeable);
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
        for (Map.Entry<Part, AutoCloseable> last = last(); last != null; last = last()) {
            stop(last.getKey(), last.getValue());
        }
    }

    private synchronized Map.@Nullable Entry<Part, AutoCloseable> last() {
        return parts.pollLastEntry();
    }

    private void stop(Part part, AutoCloseable closeable) {
        String name = part.name().toLowerCase(Locale.ROOT).replace('_', ' ');
        Duration limit = limits.apply(part);
        long begun = System.nanoTime();
        FutureTask<@Nullable Void> task = new FutureTask<>(() -> {
            closeable.close();
            return null;
        });
        Thread thread = new Thread(task, "stop " + name);
        thread.setDaemon(true);
        thread.start();
        try {
            task.get(limit.toMillis(), TimeUnit.MILLISECONDS);
            LOG.info("{} stopped in {} ms", name, Duration.ofNanos(System.nanoTime() - begun).toMillis());
        } catch (TimeoutException slow) {
            LOG.warn("the {} has not stopped within {} s: going on without", name, limit.toSeconds());
        } catch (ExecutionException failure) {
            LOG.warn("the {} has not stopped well", name, failure.getCause());
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
