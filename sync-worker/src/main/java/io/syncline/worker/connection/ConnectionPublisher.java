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
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what was committed: events first, and a partition's replies only when all its events so far are acknowledged at
 * offsets that follow directly on its own last one. Nothing else proves that they count.
 *
 * <p>Called by one thread; acknowledgements come in on the producer's own.
 */
final class ConnectionPublisher implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(ConnectionPublisher.class);

    private final Supplier<Producer<byte[], byte[]>> newEventProducer;
    private final Producer<byte[], byte[]> replies;
    private final AtomicInteger unacknowledged = new AtomicInteger();
    private final AtomicLong repliesLost = new AtomicLong();
    private @Nullable Producer<byte[], byte[]> events;

    ConnectionPublisher(Supplier<Producer<byte[], byte[]>> newEventProducer, Producer<byte[], byte[]> replies) {
        this.newEventProducer = newEventProducer;
        this.replies = replies;
    }

    /** One ownership of a partition, from its takeover to its loss. */
    final class Lane {

        private final int partition;
        private final Deque<Waiting> waiting = new ArrayDeque<>();
        private long lastOffset;
        private LogHead.Published published;
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

        synchronized boolean idle() {
            return waiting.isEmpty();
        }

        /** No reply leaves from here any more. */
        synchronized void abandon(String why) {
            if (broken == null) {
                broken = why;
                waiting.clear();
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
            if (metadata.offset() != lastOffset + 1) {
                abandon("event " + event.sequence() + " went to offset " + metadata.offset() + " instead of "
                        + (lastOffset + 1) + ": somebody else writes this partition");
                return;
            }
            lastOffset = metadata.offset();
            published = new LogHead.Published(lastOffset + 1,
                    new ChainReader.Head(event.fence(), event.sequence(), event.hash()));
            Waiting first = waiting.getFirst();
            first.eventsLeft--;
            release();
        }

        private void release() {
            while (!waiting.isEmpty() && waiting.getFirst().eventsLeft == 0) {
                waiting.removeFirst().replies.forEach(ConnectionPublisher.this::reply);
            }
        }
    }

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
            unacknowledged.incrementAndGet();
            try {
                var unused = producer().send(EventRecords.of(lane.partition, event.record()), (metadata, failure) -> {
                    unacknowledged.decrementAndGet();
                    lane.acknowledged(event, metadata, failure);
                });
            } catch (KafkaException | IllegalStateException e) {
                unacknowledged.decrementAndGet();
                lane.abandon("event " + event.sequence() + " could not be sent: " + e);
                return;
            }
        }
    }

    /** How many events are sent and not acknowledged, in all lanes. */
    int unacknowledged() {
        return unacknowledged.get();
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
        Producer<byte[], byte[]> closing = events;
        events = null;
        if (closing != null) {
            closing.close(Duration.ZERO);
        }
    }

    private Producer<byte[], byte[]> producer() {
        Producer<byte[], byte[]> current = events;
        if (current == null) {
            current = newEventProducer.get();
            events = current;
        }
        return current;
    }

    private void reply(ProducerRecord<byte[], byte[]> answer) {
        try {
            var unused = replies.send(answer, (metadata, failure) -> {
                if (failure != null) {
                    replyLost(failure);
                }
            });
        } catch (KafkaException | IllegalStateException e) {
            replyLost(e);
        }
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
        replies.close(Duration.ofSeconds(1));
    }
}
