package io.syncline.gateway.dispatch;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * How many gateways there are now, as each of them hears it on the replies' topic, which all follow: whoever was not heard
 * of for some time is gone. Times are this process's own, so nobody's clock is trusted; and while a gateway does not hear
 * itself, nobody is taken for gone.
 */
public final class LiveGateways {

    /** How often each says that it is there. */
    static final Duration BEAT = Duration.ofSeconds(2);
    private static final Duration GONE_AFTER = Duration.ofSeconds(10);
    private static final Duration DEAF_AFTER = Duration.ofSeconds(5);

    private final String self;
    private final LongSupplier nanoTime;
    private final Map<String, Long> heardAt = new HashMap<>();
    private long selfHeardAt;
    /** Since when this gateway has heard itself without a gap. */
    private long hearingSince;

    LiveGateways(String self, LongSupplier nanoTime) {
        this.self = self;
        this.nanoTime = nanoTime;
        this.selfHeardAt = nanoTime.getAsLong() - DEAF_AFTER.toNanos();
    }

    String self() {
        return self;
    }

    /** @return whether it is a new one, which has not heard of us either */
    synchronized boolean heard(String gateway) {
        long now = nanoTime.getAsLong();
        if (gateway.equals(self)) {
            if (now - selfHeardAt >= DEAF_AFTER.toNanos()) {
                hearingSince = now;
            }
            selfHeardAt = now;
            return false;
        }
        return heardAt.put(gateway, now) == null;
    }

    synchronized void left(String gateway) {
        heardAt.remove(gateway);
    }

    /** This one included. */
    public synchronized int count() {
        long now = nanoTime.getAsLong();
        if (now - selfHeardAt < DEAF_AFTER.toNanos() && now - hearingSince >= GONE_AFTER.toNanos()) {
            heardAt.values().removeIf(at -> now - at >= GONE_AFTER.toNanos());
        }
        return 1 + heardAt.size();
    }
}
