package io.syncline.gateway.http;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Arrays;
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

    private record Window(long minute, int count) {}

    private final int perMinute;
    private final IntSupplier gateways;
    private final LongSupplier nanoTime;
    private final Cache<String, Window> windows = Caffeine.newBuilder()
            .maximumSize(MOST_ADDRESSES)
            .expireAfterWrite(WINDOW)
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

    /** Whether as many were counted as may be. */
    boolean exhausted(String address) {
        if (perMinute == 0) {
            return false;
        }
        Window window = windows.getIfPresent(key(address));
        return window != null && window.minute() == minute() && window.count() >= share();
    }

    void count(String address) {
        if (perMinute > 0) {
            long minute = minute();
            windows.asMap()
                    .compute(key(address),
                            (key, before) -> before == null || before.minute() != minute ? new Window(minute, 1)
                                    : new Window(minute, before.count() + 1));
        }
    }

    /** Counts one more, unless that would be too many. */
    boolean admits(String address) {
        if (exhausted(address)) {
            return false;
        }
        count(address);
        return true;
    }

    Duration untilNext() {
        return Duration.ofNanos(WINDOW.toNanos() - Math.floorMod(nanoTime.getAsLong(), WINDOW.toNanos()));
    }

    /** This gateway's part, rounded up: exact with one gateway. */
    private int share() {
        int live = Math.max(1, gateways.getAsInt());
        return (perMinute + live - 1) / live;
    }

    private long minute() {
        return Math.floorDiv(nanoTime.getAsLong(), WINDOW.toNanos());
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
