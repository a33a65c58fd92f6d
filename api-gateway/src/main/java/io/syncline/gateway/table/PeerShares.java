package io.syncline.gateway.table;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** So many streams at once for each connection: one receiver, however busy, leaves some to the others. */
final class PeerShares {

    private final int share;
    /** Only those that have a stream or wait for one. */
    private final Map<UUID, Share> shares = new HashMap<>();

    private static final class Share {

        private final Semaphore free;
        private int users;

        Share(int share) {
            this.free = new Semaphore(share, true);
        }
    }

    PeerShares(int share) {
        this.share = share;
    }

    /** Whether the peer may have one more; what it has is to be given back. */
    boolean take(UUID peer, Duration patience) throws InterruptedException {
        Share own;
        synchronized (shares) {
            own = shares.computeIfAbsent(peer, one -> new Share(share));
            own.users++;
        }
        boolean taken = false;
        try {
            taken = own.free.tryAcquire(patience.toMillis(), TimeUnit.MILLISECONDS);
        } finally {
            if (!taken) {
                leave(peer, own);
            }
        }
        return taken;
    }

    void giveBack(UUID peer) {
        synchronized (shares) {
            Share own = shares.get(peer);
            if (own != null) {
                own.free.release();
                leave(peer, own);
            }
        }
    }

    private void leave(UUID peer, Share own) {
        synchronized (shares) {
            own.users--;
            if (own.users == 0) {
                shares.remove(peer);
            }
        }
    }
}
