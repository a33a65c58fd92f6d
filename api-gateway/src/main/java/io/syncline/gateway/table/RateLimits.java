package io.syncline.gateway.table;

import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * So many calls a minute over each connection, of which this gateway enforces its share: the limit divided by the gateways
 * that are live, rounded up. Exact with one gateway: in no minute are there more. By this process's own clock, which nobody
 * sets.
 */
final class RateLimits {

    private static final int SECONDS = 60;
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final LongSupplier nanoTime;
    private final IntSupplier liveGateways;
    private final long begun;
    /** One for each connection that called in the last minutes: as many as operators have made, at most. */
    private final Map<UUID, Window> windows = new ConcurrentHashMap<>();
    private final AtomicLong cleanedAt = new AtomicLong();

    RateLimits(LongSupplier nanoTime, IntSupplier liveGateways) {
        this.nanoTime = nanoTime;
        this.liveGateways = liveGateways;
        this.begun = nanoTime.getAsLong();
    }

    /** Counts a call; zero if it is within the rate, else how long until one may be again, and it is not counted. */
    Duration take(UUID connection, int perMinute) {
        long second = (nanoTime.getAsLong() - begun) / SECOND;
        clean(second);
        int gateways = Math.max(1, liveGateways.getAsInt());
        int share = (int) (((long) perMinute + gateways - 1) / gateways);
        return Duration.ofSeconds(windows.computeIfAbsent(connection, one -> new Window()).take(second, share));
    }

    int size() {
        return windows.size();
    }

    private void clean(long second) {
        long last = cleanedAt.get();
        if (second - last > SECONDS && cleanedAt.compareAndSet(last, second)) {
            windows.values().removeIf(window -> window.idleSince(second));
        }
    }

    /** The calls of the last minute and of the second under way, by the second. */
    private static final class Window {

        private final int[] calls = new int[SECONDS + 1];
        private long newest;
        private int sum;

        synchronized long take(long second, int share) {
            advance(second);
            if (sum < share) {
                calls[(int) (newest % calls.length)]++;
                sum++;
                return 0;
            }
            int room = sum;
            for (long old = newest - SECONDS; old <= newest; old++) {
                room -= calls[(int) Math.floorMod(old, (long) calls.length)];
                if (room < share) {
                    return old + SECONDS + 1 - newest;
                }
            }
            return SECONDS;
        }

        private void advance(long second) {
            long steps = Math.min(second - newest, calls.length);
            for (long step = 1; step <= steps; step++) {
                int place = (int) ((newest + step) % calls.length);
                sum -= calls[place];
                calls[place] = 0;
            }
            newest = Math.max(newest, second);
        }

        synchronized boolean idleSince(long second) {
            return second - newest > SECONDS;
        }
    }
}
