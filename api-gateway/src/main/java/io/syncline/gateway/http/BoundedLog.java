package io.syncline.gateway.http;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.Logger;

/**
 * Log lines that strangers can cause: one a second of each class at most, with how many were left out. The classes are
 * a closed list, so this stays small.
 */
public final class BoundedLog {

    private static final long INTERVAL = TimeUnit.SECONDS.toNanos(1);

    private static final class Window {
        final AtomicLong next;
        final AtomicLong leftOut = new AtomicLong();

        Window(long now) {
            next = new AtomicLong(now);
        }
    }

    private final Logger logger;
    private final LongSupplier nanoTime;
    private final Map<String, Window> windows = new ConcurrentHashMap<>();

    public BoundedLog(Logger logger, LongSupplier nanoTime) {
        this.logger = logger;
        this.nanoTime = nanoTime;
    }

    /** A refusal as it should be: nobody has to do anything. */
    public void info(String kind, String message) {
        long leftOut = admit(kind);
        if (leftOut >= 0) {
            logger.info("{}{}", message, suffix(leftOut));
        }
    }

    /** Something is away and may come back. */
    public void warn(String kind, String message) {
        long leftOut = admit(kind);
        if (leftOut >= 0) {
            logger.warn("{}{}", message, suffix(leftOut));
        }
    }

    /** Something we did not foresee, with its trace. */
    public void error(String kind, String message, Throwable thrown) {
        long leftOut = admit(kind);
        if (leftOut >= 0) {
            logger.error("{}{}", message, suffix(leftOut), thrown);
        }
    }

    /** How many lines of this kind were left out since the last one, or -1 if this one is left out too. */
    private long admit(String kind) {
        long now = nanoTime.getAsLong();
        Window window = windows.computeIfAbsent(kind, k -> new Window(now));
        long next = window.next.get();
        if (now - next >= 0 && window.next.compareAndSet(next, now + INTERVAL)) {
            return window.leftOut.getAndSet(0);
        }
        window.leftOut.incrementAndGet();
        return -1;
    }

    private static String suffix(long leftOut) {
        return leftOut == 0 ? "" : " (and " + leftOut + " more like it since the last line)";
    }
}
