package io.syncline.gateway.http;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * Counts something by address and minute, up to a limit. An IPv6 caller has a /64 at least, so that counts as one address.
 * The number of addresses remembered is bounded: under a flood from more of them the least used are forgotten.
 */
final class AddressCounts {

    private static final int MOST_ADDRESSES = 100_000;
    private static final Duration WINDOW = Duration.ofMinutes(1);
    private static final int NETWORK_BYTES = 8;

    /** What is said to a call of which only its end tells whether it counts. */
    enum Entry {
        IN,
        /** As many were counted as may be. */
        EXHAUSTED,
        /** As many are in as may still be counted, and none of them came out in time. */
        CROWDED
    }

    private final int perMinute;
    private final IntSupplier gateways;
    private final LongSupplier nanoTime;
    private final Cache<String, Window> windows = Caffeine.newBuilder()
            .maximumSize(MOST_ADDRESSES)
            .expireAfterAccess(WINDOW)
            .build();

    /**
     * @param perMinute of all gateways together; 0: no limit
     * @param gateways  how many there are
     */
    AddressCounts(int perMinute, IntSupplier gateways, LongSupplier nanoTime) {
        this.perMinute = perMinute;
        this.gateways = gateways;
        this.nanoTime = nanoTime;
    }

    /** Counts one more, unless that would be too many. */
    boolean admits(String address) {
        return perMinute == 0 || window(address).admits();
    }

    /**
     * Takes a place for one that may come to count, and waits for one as long as those before it may all come to count:
     * they are no reason to refuse it. Whoever is in has to {@link #leave}.
     */
    Entry enter(String address, Duration patience) throws InterruptedException {
        return perMinute == 0 ? Entry.IN : window(address).enter(patience);
    }

    void leave(String address, boolean counts) {
        if (perMinute > 0) {
            window(address).leave(counts);
        }
    }

    Duration untilNext() {
        return Duration.ofNanos(WINDOW.toNanos() - Math.floorMod(nanoTime.getAsLong(), WINDOW.toNanos()));
    }

    private Window window(String address) {
        return windows.get(key(address), key -> new Window());
    }

    /** This gateway's part, rounded up: exact with one gateway. */
    private int share() {
        int live = Math.max(1, gateways.getAsInt());
        return (perMinute + live - 1) / live;
    }

    private long minute() {
        return Math.floorDiv(nanoTime.getAsLong(), WINDOW.toNanos());
    }

    /** One address: what was counted this minute, and how many are in that may yet be. */
    private final class Window {

        private long minute = minute();
        private int counted;
        private int in;

        synchronized boolean admits() {
            if (counted() + in >= share()) {
                return false;
            }
            counted++;
            return true;
        }

        synchronized Entry enter(Duration patience) throws InterruptedException {
            long until = System.nanoTime() + patience.toNanos();
            while (counted() < share()) {
                if (counted() + in < share()) {
                    in++;
                    return Entry.IN;
                }
                long left = until - System.nanoTime();
                if (left <= 0) {
                    return Entry.CROWDED;
                }
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
            return Entry.EXHAUSTED;
        }

        synchronized void leave(boolean counts) {
            // None where this address was forgotten meanwhile.
            in = Math.max(0, in - 1);
            counted = counted() + (counts ? 1 : 0);
            notifyAll();
        }

        private int counted() {
            long now = minute();
            if (minute != now) {
                minute = now;
                counted = 0;
            }
            return counted;
        }
    }

    private static String key(String address) {
        try {
            InetAddress parsed = InetAddress.ofLiteral(address);
            return parsed instanceof Inet6Address
                    ? Arrays.toString(Arrays.copyOf(parsed.getAddress(), NETWORK_BYTES))
                    : parsed.getHostAddress();
        } catch (IllegalArgumentException e) {
            return address;
        }
    }
}
