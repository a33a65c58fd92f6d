package io.syncline.worker.connection;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Callback;
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
 * Sends records that may be lost. A producer can come to a state that it never leaves: its thread has ended with an Error, so that
 * what is sent is never heard of again; or it was fenced or refused, and fails everything after that although the cause has been put
 * right. Such a one is replaced, for each time in a row after a longer pause. For several threads.
 */
final class RenewedProducer implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RenewedProducer.class);

    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

    private final String what;
    private final Supplier<Producer<byte[], byte[]>> newProducer;
    private final long silence;
    private final LongSupplier nanoTime;
    private volatile @Nullable Client client;
    private volatile boolean failing;
    private long replacedAt;
    private Duration pause = Duration.ZERO;
    private boolean closed;

    /**
     * @param what            is sent, in the plural, for the log
     * @param newProducer     may throw while an address does not resolve
     * @param deliveryTimeout after which a producer says of a record that it could not be sent
     */
    RenewedProducer(String what, Supplier<Producer<byte[], byte[]>> newProducer, Duration deliveryTimeout,
            LongSupplier nanoTime) {
        this.what = what;
        this.newProducer = newProducer;
        this.silence = deliveryTimeout.plus(KafkaClients.DELIVERY_MARGIN).toNanos();
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

    /** @param heard what became of it; never called where the producer's thread has ended */
    void send(ProducerRecord<byte[], byte[]> record, Callback heard) {
        Client with;
        try {
            with = client();
        } catch (KafkaException | IllegalStateException e) {
            heard.onCompletion(null, e);
            return;
        }
        Sent sent = new Sent(nanoTime.getAsLong());
        with.sent().add(sent);
        try {
            var unused = with.producer().send(record, (metadata, failure) -> {
                sent.done = true;
                judge(with, failure);
                heard.onCompletion(metadata, failure);
            });
        } catch (KafkaException | IllegalStateException e) {
            sent.done = true;
            judge(with, e);
            heard.onCompletion(null, e);
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
            if (failing) {
                recovered();
            }
        } else if (isForGood(failure)) {
            replace(with, failure.toString());
        }
    }

    private static boolean isForGood(Exception failure) {
        return !(failure instanceof RetriableException) && !(failure instanceof RecordTooLargeException)
                && !(failure instanceof InterruptException);
    }

    private synchronized void recovered() {
        log.info("The worker's {} can be sent again", what);
        failing = false;
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
            failing = true;
        }
        log.warn("The worker's {} cannot be sent: {}; their producer is replaced", what, why);
        // Not here: this may be the producer's own thread, which closing waits for.
        Thread.ofVirtual().name("producer-close").start(() -> dead.producer().close(Duration.ZERO));
    }

    /** Made with the first record: an address that does not resolve (yet) makes the constructor throw. */
    private Client client() {
        Client made = client;
        return made == null ? make() : made;
    }

    private synchronized Client make() {
        Client made = client;
        if (closed) {
            throw new IllegalStateException("the worker is stopping");
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
            made.producer().close(Duration.ofSeconds(1));
        }
    }
}
