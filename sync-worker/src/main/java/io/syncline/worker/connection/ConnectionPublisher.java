package io.syncline.worker.connection;

import io.syncline.model.log.ChainReader;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.ReplyRecord;
import io.syncline.model.log.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what was committed: events first, and a partition's replies only when all its events so far are acknowledged at
 * offsets that follow directly on its own last one, or where nothing but foreign records lies between. Nothing else proves
 * that they count.
 *
 * <p>Called by one thread; acknowledgements come in on the producer's own.
 */
final class ConnectionPublisher implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(ConnectionPublisher.class);
    private static final Duration UNHEARD = KafkaClients.EVENT_DELIVERY.plus(KafkaClients.DELIVERY_MARGIN);

    private final Supplier<Producer<byte[], byte[]>> newEventProducer;
    private final RenewedProducer replies;
    private final Between between;
    private final Executor looking;
    private final LongSupplier nanoTime;
    private final AtomicLong repliesLost = new AtomicLong();
    private @Nullable EventClient events;

    /** @param looking runs {@code between}, which asks the broker and so never on a producer's thread */
    ConnectionPublisher(Supplier<Producer<byte[], byte[]>> newEventProducer, RenewedProducer replies,
            Between between, Executor looking, LongSupplier nanoTime) {
        this.newEventProducer = newEventProducer;
        this.replies = replies;
        this.between = between;
        this.looking = looking;
        this.nanoTime = nanoTime;
    }

    /** Says what lies between two offsets of the events. */
    @FunctionalInterface
    interface Between {

        /** How many foreign records; empty if anything there may be a worker's. */
        OptionalLong foreign(int partition, long from, long to);
    }

    /** One ownership of a partition, from its takeover to its loss. */
    final class Lane {

        private final int partition;
        private final Deque<Waiting> waiting = new ArrayDeque<>();
        private long lastOffset;
        private LogHead.Published published;
        /** Acknowledged behind an offset of which it is not known yet what lies before it. */
        private final Deque<Acknowledged> unclear = new ArrayDeque<>();
        private long foreign;
        private @Nullable String broken;

        private Lane(int partition, LogHead.Published published) {
            this.partition = partition;
            this.published = published;
            this.lastOffset = published.offset() - 1;
        }

        /** Why nothing more can be said to count, if that is so: the partition has to be taken over again. */
        synchronized Optional<String> broken() {
            return Optional.ofNullable(broken);
        }

        /** How far the log is known to hold this lane's events. */
        synchronized LogHead.Published published() {
            return published;
        }

        /** Foreign records that lie between this lane's events. */
        synchronized long foreign() {
            return foreign;
        }

        synchronized boolean idle() {
            return waiting.isEmpty();
        }

        /** No reply leaves from here any more. */
        synchronized void abandon(String why) {
            if (broken == null) {
                broken = why;
                waiting.clear();
                unclear.clear();
            }
        }

        private synchronized void expect(Waiting committed) {
            if (broken == null) {
                waiting.add(committed);
                release();
            }
        }

        private synchronized void acknowledged(LoggedEvent event, @Nullable RecordMetadata metadata,
                @Nullable Exception failure) {
            if (broken != null) {
                return;
            }
            if (failure != null || metadata == null) {
                abandon("event " + event.sequence() + " could not be sent: " + failure);
                return;
            }
            unclear.add(new Acknowledged(event, metadata.offset()));
            if (unclear.size() == 1) {
                clear();
            }
        }

        /** Takes acknowledgements in their order, up to the first before which something else may lie. */
        private void clear() {
            while (!unclear.isEmpty()) {
                Acknowledged next = unclear.getFirst();
                if (next.offset <= lastOffset) {
                    abandon("event " + next.event.sequence() + " went to offset " + next.offset + " instead of "
                            + (lastOffset + 1) + ": another worker writes this partition");
                } else if (next.offset > lastOffset + 1) {
                    long from = lastOffset + 1;
                    looking.execute(() -> look(from, next.offset));
                    return;
                } else {
                    unclear.removeFirst();
                    lastOffset = next.offset;
                    published = new LogHead.Published(lastOffset + 1, new ChainReader.Head(next.event.fence(),
                            next.event.sequence(), next.event.hash()));
                    waiting.getFirst().eventsLeft--;
                    release();
                }
            }
        }

        private void look(long from, long to) {
            OptionalLong found;
            String why = "another worker writes this partition";
            try {
                found = between.foreign(partition, from, to);
            } catch (RuntimeException | Error e) {
                found = OptionalLong.empty();
                why = "what lies there cannot be read: " + e;
            }
            synchronized (this) {
                if (broken != null) {
                    return;
                }
                if (found.isEmpty()) {
                    abandon("event " + unclear.getFirst().event.sequence() + " went to offset " + to + " instead of "
                            + from + ": " + why);
                    return;
                }
                foreign += found.getAsLong();
                lastOffset = to - 1;
                clear();
            }
        }

        private void release() {
            while (!waiting.isEmpty() && waiting.getFirst().eventsLeft == 0) {
                waiting.removeFirst().replies.forEach(ConnectionPublisher.this::reply);
            }
        }
    }

    private record Acknowledged(LoggedEvent event, long offset) {}

    private static final class Waiting {

        private final List<ProducerRecord<byte[], byte[]>> replies;
        private int eventsLeft;

        Waiting(int events, List<ProducerRecord<byte[], byte[]>> replies) {
            this.eventsLeft = events;
            this.replies = replies;
        }
    }

    /** @param published where the log ends: the next event must go there */
    Lane open(int partition, LogHead.Published published) {
        return new Lane(partition, published);
    }

    void publish(Lane lane, List<LoggedEvent> committed, List<ReplyRecord> answers) {
        if (lane.broken().isPresent()) {
            return;
        }
        lane.expect(new Waiting(committed.size(), answers.stream().map(ConnectionPublisher::record).toList()));
        for (LoggedEvent event : committed) {
            if (lane.broken().isPresent()) {
                // What follows could only be void, and the log keeps it for ever.
                return;
            }
            Sent sent = new Sent(lane, nanoTime.getAsLong());
            try {
                client().send(sent, EventRecords.of(lane.partition, event.record()),
                        (metadata, failure) -> lane.acknowledged(event, metadata, failure));
            } catch (KafkaException | IllegalStateException e) {
                lane.abandon("event " + event.sequence() + " could not be sent: " + e);
                return;
            }
        }
    }

    /** How many events are sent and not acknowledged, in all lanes. */
    int unacknowledged() {
        EventClient current = events;
        return current == null ? 0 : current.unheard.get();
    }

    /**
     * Gives up a producer of events whose thread has ended with an Error: nothing is ever heard of what it was given, not even that
     * it could not be sent. Its lanes are broken then.
     */
    void abandonUnheard() {
        EventClient current = events;
        if (current == null || nanoTime.getAsLong() - current.waitingSince() <= UNHEARD.toNanos()) {
            return;
        }
        events = null;
        current.sent.forEach(sent -> {
            if (!sent.done) {
                sent.lane.abandon("nothing has been heard of an event for " + UNHEARD.toSeconds()
                        + " s; the producer is replaced");
            }
        });
        // Not here: it waits for the producer's thread, which may hang.
        Thread.ofVirtual().name("producer-close").start(() -> current.producer.close(Duration.ZERO));
    }

    /** Replies that could not be sent; their callers found the outcome in the database. */
    long repliesLost() {
        return repliesLost.get();
    }

    /** Replies of decisions whose events are known to be in the log. */
    void replyAgain(Collection<ReplyRecord> answers) {
        answers.stream().map(ConnectionPublisher::record).forEach(this::reply);
    }

    /** Closes the producer of events: what it has not sent yet must not be sent later, behind somebody's fence. */
    void closeEventProducer() {
        EventClient closing = events;
        events = null;
        if (closing != null) {
            closing.producer.close(Duration.ZERO);
        }
    }

    private EventClient client() {
        EventClient current = events;
        if (current == null) {
            current = new EventClient(newEventProducer.get());
            events = current;
        }
        return current;
    }

    /** An event that a producer has been given. */
    private static final class Sent {

        private final Lane lane;
        private final long at;
        private volatile boolean done;

        Sent(Lane lane, long at) {
            this.lane = lane;
            this.at = at;
        }
    }

    private final class EventClient {

        private final Producer<byte[], byte[]> producer;
        private final Queue<Sent> sent = new ConcurrentLinkedQueue<>();
        private final AtomicInteger unheard = new AtomicInteger();

        EventClient(Producer<byte[], byte[]> producer) {
            this.producer = producer;
        }

        void send(Sent one, ProducerRecord<byte[], byte[]> record, Callback acknowledged) {
            // Those that are done are let go here, in their order.
            waitingSince();
            sent.add(one);
            unheard.incrementAndGet();
            try {
                var unused = producer.send(record, (metadata, failure) -> {
                    heard(one);
                    acknowledged.onCompletion(metadata, failure);
                    if (failure != null) {
                        // Before the next one is sent: the log would have a hole where this one is missing.
                        producer.close(Duration.ZERO);
                    }
                });
            } catch (KafkaException | IllegalStateException e) {
                heard(one);
                throw e;
            }
        }

        void heard(Sent one) {
            one.done = true;
            unheard.decrementAndGet();
        }

        /** The oldest event that nothing was heard of, since when; now if there is none. Called by one thread. */
        long waitingSince() {
            for (Sent first = sent.peek(); first != null; first = sent.peek()) {
                if (!first.done) {
                    return first.at;
                }
                sent.remove();
            }
            return nanoTime.getAsLong();
        }
    }

    private void reply(ProducerRecord<byte[], byte[]> answer) {
        replies.send(answer, (metadata, failure) -> {
            if (failure != null) {
                replyLost(failure);
            }
        });
    }

    private void replyLost(Exception failure) {
        if (repliesLost.incrementAndGet() % 1_000 == 1) {
            log.warn("Replies cannot be sent ({} so far); callers wait for the outcome in the database: {}",
                    repliesLost.get(), failure.toString());
        }
    }

    private static ProducerRecord<byte[], byte[]> record(ReplyRecord answer) {
        return new ProducerRecord<>(Topics.REPLIES, answer.requestId().toString().getBytes(StandardCharsets.UTF_8),
                answer.toJson());
    }

    @Override
    public void close() {
        closeEventProducer();
        replies.close();
    }
}
