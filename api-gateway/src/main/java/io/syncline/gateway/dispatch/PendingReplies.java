package io.syncline.gateway.dispatch;

import io.syncline.model.connection.Outcome;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

/** The requests whose callers wait for a reply; a bounded number. */
public final class PendingReplies {

    private final Semaphore room;
    private final Map<UUID, CompletableFuture<Outcome>> waiting = new ConcurrentHashMap<>();

    public PendingReplies(int most) {
        this.room = new Semaphore(most);
    }

    /** Makes room for one reply before its request is sent, so that none is missed; empty where there is no room. */
    Optional<Pending> open(UUID requestId) {
        if (!room.tryAcquire()) {
            return Optional.empty();
        }
        CompletableFuture<Outcome> reply = new CompletableFuture<>();
        if (waiting.putIfAbsent(requestId, reply) != null) {
            room.release();
            throw new IllegalStateException("request " + requestId + " waits already");
        }
        return Optional.of(new Pending(requestId, reply));
    }

    /** Hands a reply to whoever waits for it here; replies to other gateways' requests go by. */
    void arrived(UUID requestId, Outcome outcome) {
        CompletableFuture<Outcome> reply = waiting.get(requestId);
        if (reply != null) {
            reply.complete(outcome);
        }
    }

    int size() {
        return waiting.size();
    }

    /** One caller's place; closing it makes room for another. */
    final class Pending implements AutoCloseable {

        private final UUID requestId;
        private final CompletableFuture<Outcome> reply;
        private final AtomicBoolean closed = new AtomicBoolean();

        private Pending(UUID requestId, CompletableFuture<Outcome> reply) {
            this.requestId = requestId;
            this.reply = reply;
        }

        Optional<Outcome> await(Duration longest) throws InterruptedException {
            try {
                return Optional.of(reply.get(longest.toNanos(), TimeUnit.NANOSECONDS));
            } catch (TimeoutException e) {
                return Optional.empty();
            } catch (ExecutionException e) {
                throw new IllegalStateException("a reply is only ever completed with an outcome", e);
            }
        }

        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                waiting.remove(requestId, reply);
                room.release();
            }
        }
    }
}
