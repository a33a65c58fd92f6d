package io.syncline.gateway.dispatch;

import io.syncline.gateway.state.Check;
import io.syncline.model.connection.Request;
import io.syncline.model.log.RequestRecord;
import io.syncline.model.log.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appends requests to their topic. Whether one arrived is not asked: its reply says so, or the deadline rule does.
 *
 * <p>A producer can come to a state that it never leaves: its thread has ended with an Error, so that what is sent is never
 * heard of again; or it was fenced or refused, and fails everything after that although the cause has been put right. Such a
 * one is replaced, for each time in a row after a longer pause.
 */
final class RequestProducer implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RequestProducer.class);
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);
    /** Beyond the time after which a producer that lives says what became of a record. */
    private static final Duration MARGIN = Duration.ofSeconds(10);

    private final Supplier<Producer<byte[], byte[]>> newProducer;
    private final long silence;
    private final LongSupplier nanoTime;
    private volatile @Nullable Client client;
    private volatile @Nullable String trouble;
    private long replacedAt;
    private Duration pause = Duration.ZERO;
    private boolean closed;

    /**
     * @param newProducer     may throw while an address does not resolve
     * @param deliveryTimeout after which a producer says of a record that it could not be sent
     */
    RequestProducer(Supplier<Producer<byte[], byte[]>> newProducer, Duration deliveryTimeout, LongSupplier nanoTime) {
        this.newProducer = newProducer;
        this.silence = deliveryTimeout.plus(MARGIN).toNanos();
        this.nanoTime = nanoTime;
    }

    /** A record that the producer has been given. */
    private static final class Sent {

        private final long at;
        private volatile boolean done;

        Sent(long at) {
            this.at = at;
        }
    }

    private record Client(Producer<byte[], byte[]> producer, Queue<Sent> sent) {

        /** The oldest record that nothing was heard of, since when; now if there is none. */
        long waitingSince(long now) {
            for (Sent first = sent.peek(); first != null; first = sent.peek()) {
                if (!first.done) {
                    return first.at;
                }
                // Another thread may have taken it, and this one the next: that is one less to look at.
                sent.remove(first);
            }
            return now;
        }
    }

    /** What is wrong with the producer, as far as the last record that it was given says. */
    Optional<Check.Down> trouble() {
        String why = trouble;
        return why == null ? Optional.empty()
                : Optional.of(new Check.Down("requests cannot be sent: " + why + "; the producer is replaced",
                        "check the security settings of spring.kafka, and what this gateway may write"));
    }

    /** @return whether the broker has it; fails where that is not known */
    CompletableFuture<Void> send(int partition, RequestRecord request) {
        CompletableFuture<Void> acknowledged = new CompletableFuture<>();
        send(new ProducerRecord<>(Topics.REQUESTS, partition, key(request.request()), request.toJson()), failure -> {
            if (failure == null) {
                acknowledged.complete(null);
            } else {
                // Even now it may lie in the log: only the look-up past the deadline can tell.
                log.debug("request {} may not have reached the broker: {}", request.requestId(), failure.toString());
                acknowledged.completeExceptionally(failure);
            }
        });
        return acknowledged;
    }

    /** Tells all gateways something, once; who misses it hears it the next time. */
    void tell(byte[] key, byte[] value) {
        send(new ProducerRecord<>(Topics.REPLIES, 0, key, value), failure -> {
            if (failure != null) {
                log.debug("the other gateways were not told: {}", failure.toString());
            }
        });
    }

    /** Hears what became of a record. */
    private interface Heard {
        void of(@Nullable Exception failure);
    }

    private void send(ProducerRecord<byte[], byte[]> record, Heard heard) {
        Client with;
        Sent sent = new Sent(nanoTime.getAsLong());
        try {
            with = client();
        } catch (KafkaException | IllegalStateException e) {
            heard.of(e);
            return;
        }
        with.sent().add(sent);
        try {
            var unused = with.producer().send(record, (metadata, failure) -> {
                sent.done = true;
                judge(with, failure);
                heard.of(failure);
            });
        } catch (KafkaException | IllegalStateException e) {
            sent.done = true;
            judge(with, e);
            heard.of(e);
        } finally {
            long now = nanoTime.getAsLong();
            if (now - with.waitingSince(now) > silence) {
                replace(with, "nothing has been heard of a record for " + Duration.ofNanos(silence).toSeconds() + " s");
            }
        }
    }

    /** What may go better the next time, or is the record's own fault, says nothing against the producer. */
    private void judge(Client with, @Nullable Exception failure) {
        if (failure == null) {
            if (trouble != null) {
                recovered();
            }
        } else
            if (!(failure instanceof RetriableException) && !(failure instanceof RecordTooLargeException)
                    && !(failure instanceof InterruptException)) {
                        replace(with, failure.toString());
                    }
    }

    private synchronized void recovered() {
        log.info("requests can be sent again");
        trouble = null;
        pause = Duration.ZERO;
    }

    private void replace(Client dead, String why) {
        synchronized (this) {
            long now = nanoTime.getAsLong();
            if (closed || client != dead || !pause.isZero() && now - replacedAt < pause.toNanos()) {
                return;
            }
            client = null;
            replacedAt = now;
            Duration longer = pause.isZero() ? FIRST_PAUSE : pause.multipliedBy(2);
            pause = longer.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : longer;
            trouble = why;
        }
        log.warn("requests cannot be sent: {}; the producer is replaced", why);
        // Not here: this may be the producer's own thread, which closing waits for.
        Thread.ofVirtual().name("producer-close").start(() -> dead.producer().close(Duration.ZERO));
    }

    private static byte[] key(Request request) {
        return request.key().getBytes(StandardCharsets.UTF_8);
    }

    private Client client() {
        Client made = client;
        return made == null ? make() : made;
    }

    /** Made with the first request: an address that does not resolve (yet) makes the constructor throw. */
    private synchronized Client make() {
        Client made = client;
        if (closed) {
            throw new IllegalStateException("the gateway is stopping");
        }
        if (made == null) {
            made = new Client(newProducer.get(), new ConcurrentLinkedQueue<>());
            client = made;
        }
        return made;
    }

    @Override
    public void close() {
        Client made;
        synchronized (this) {
            closed = true;
            made = client;
        }
        if (made != null) {
            made.producer().close(Duration.ofSeconds(2));
        }
    }
}
