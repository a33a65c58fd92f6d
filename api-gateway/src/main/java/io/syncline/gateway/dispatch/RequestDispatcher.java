package io.syncline.gateway.dispatch;

import io.syncline.gateway.state.Check;
import io.syncline.gateway.state.DatabaseClock;
import io.syncline.gateway.state.Partitions;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.Request;
import io.syncline.model.log.RequestRecord;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** Sends a request round the ring and waits for its outcome, for a bounded time. */
public final class RequestDispatcher {

    /** Clocks are compared through a round trip or two: the deadline has passed for certain a little later. */
    private static final Duration MARGIN = Duration.ofMillis(20);
    /** As long as the requests' topic keeps them, and a little less. */
    private static final Duration KEPT = Duration.ofDays(6);

    private final PendingReplies pending;
    private final RequestProducer producer;
    private final OutcomeLookup lookup;
    private final DatabaseClock clock;
    private final Ring ring;
    private final Partitions partitions;
    private final Duration replyTimeout;

    /** Whether requests that are sent to a partition now would be decided and their replies seen. */
    interface Ring {
        Check usable(int partition);
    }

    RequestDispatcher(PendingReplies pending, RequestProducer producer, OutcomeLookup lookup, DatabaseClock clock,
            Ring ring, Partitions partitions, Duration replyTimeout) {
        this.pending = pending;
        this.producer = producer;
        this.lookup = lookup;
        this.clock = clock;
        this.ring = ring;
        this.partitions = partitions;
        this.replyTimeout = replyTimeout;
    }

    /**
     * @param requestId a UUID v7 that no other request has
     */
    public Submission submit(UUID requestId, Request request) {
        return submit(requestId, request, Optional.empty());
    }

    /**
     * @param requestId a UUID v7 that no other request has
     * @param expected  the version that the request's subject must have for it to take effect
     */
    public Submission submit(UUID requestId, Request request, Optional<String> expected) {
        int partition = partitions.of(request.key());
        if (ring.usable(partition) instanceof Check.Down down) {
            return new Submission.NotApplied("Kafka cannot be used now", down.cause());
        }
        Optional<DatabaseClock.Reading> now = clock.now(partition);
        if (now.isEmpty()) {
            return new Submission.NotApplied("the state database has not been reached yet");
        }
        Optional<PendingReplies.Pending> place = pending.open(requestId);
        if (place.isEmpty()) {
            return new Submission.Busy();
        }
        try (PendingReplies.Pending waiting = place.get()) {
            long begun = System.nanoTime();
            Instant deadline = now.get().time().plus(replyTimeout);
            var unused = producer.send(partition,
                    new RequestRecord(requestId, deadline, expected.orElse(null), request));
            Duration left = replyTimeout.plus(MARGIN).minusNanos(System.nanoTime() - begun);
            Optional<Outcome> reply = waiting.await(left);
            if (reply.isPresent()) {
                return new Submission.Decided(reply.get());
            }
            Submission found = lookup.find(requestId, partition, deadline, now.get().server());
            // It may have come while nobody knew.
            Optional<Outcome> late = found instanceof Submission.NotKnown ? waiting.await(Duration.ZERO)
                    : Optional.empty();
            return late.<Submission>map(Submission.Decided::new).orElse(found);
        } catch (InterruptedException e) {
            // The gateway is stopping; what was sent may well be decided.
            Thread.currentThread().interrupt();
            return new Submission.NotKnown();
        }
    }

    /**
     * Says what is true already: it is decided whenever a worker comes by, and nobody waits for that.
     *
     * @return done once it cannot be lost any more; fails where that is not known
     */
    public CompletableFuture<Void> announce(UUID requestId, Request request) {
        int partition = partitions.of(request.key());
        if (ring.usable(partition) instanceof Check.Down down) {
            return CompletableFuture.failedFuture(new IllegalStateException(down.cause()));
        }
        return clock.now(partition)
                .map(now -> producer.send(partition, new RequestRecord(requestId, now.time().plus(KEPT), request)))
                .orElseGet(() -> CompletableFuture
                        .failedFuture(new IllegalStateException("the state database has not been reached yet")));
    }
}
