package io.syncline.gateway.dispatch;

import io.syncline.gateway.state.Check;
import io.syncline.gateway.state.HighWater;
import io.syncline.model.log.MalformedRecordException;
import io.syncline.model.log.ReplyRecord;
import io.syncline.model.log.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the end of the replies topic, all partitions, in no group: every gateway sees every reply. A reply to somebody
 * else's request still says how far the log has come.
 */
public final class ReplyTail implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(ReplyTail.class);
    private static final Duration POLL = Duration.ofMillis(500);
    private static final Duration BEFORE_NEW_TRY = Duration.ofSeconds(1);
    /**
     * How long all partitions' ends are waited for. Where one leader does not tell its own by then, the others' replies are
     * heard all the same; a caller whose reply is not heard gets its outcome from the database, later.
     */
    private static final Duration FOR_ALL = Duration.ofSeconds(5);
    private static final Duration GLANCE = Duration.ofMillis(1);
    private static final Duration CLOSING = Duration.ofSeconds(5);
    /** So often a record is read; one at which each of them failed would otherwise keep all others from being heard. */
    private static final int MOST_READINGS = 3;

    private final Supplier<Consumer<byte[], byte[]>> newConsumer;
    private final int partitions;
    private final PendingReplies pending;
    private final HighWater highWater;
    private final Beats beats;
    private final Thread thread = Thread.ofPlatform().daemon().name("reply-tail").unstarted(this::run);
    private final CountDownLatch stopping = new CountDownLatch(1);
    /** Where to go on after a new start, so that replies of the meantime are not missed. */
    private final Map<TopicPartition, Long> next = new HashMap<>();
    private @Nullable TopicPartition failedIn;
    private long failedAt;
    private int failedReadings;
    private volatile @Nullable Consumer<byte[], byte[]> consumer;
    private volatile boolean positioned;

    /** What gateways tell each other between the replies. */
    interface Beats {

        /** Whether a record is one of theirs; then it is taken note of. */
        boolean take(byte[] key, byte[] value);
    }

    /** @param newConsumer after each failure another, which goes on where the one before stood */
    ReplyTail(Supplier<Consumer<byte[], byte[]>> newConsumer, int partitions, PendingReplies pending,
            HighWater highWater, Beats beats) {
        this.newConsumer = newConsumer;
        this.partitions = partitions;
        this.pending = pending;
        this.highWater = highWater;
        this.beats = beats;
    }

    public void start() {
        thread.start();
    }

    /** Until the end of the topic is known a reply could pass by unseen: nothing may be sent. */
    boolean positioned() {
        return positioned;
    }

    public Check last() {
        return positioned ? new Check.Up()
                : new Check.Down("the end of topic " + Topics.REPLIES + " is not known yet: replies would be missed",
                        "wait a moment; if this stays, check that Kafka runs and that a worker has made the topics");
    }

    private void run() {
        while (stopping.getCount() > 0) {
            try (Consumer<byte[], byte[]> made = newConsumer.get()) {
                consumer = made;
                Set<TopicPartition> unknown = assign(made);
                long since = System.nanoTime();
                while (stopping.getCount() > 0) {
                    take(made);
                    position(made, unknown, since);
                }
            } catch (WakeupException | InterruptException e) {
                // Only close() does that; the loop's condition ends it.
            } catch (TimeoutException e) {
                log.debug("replies: the broker does not answer", e);
            } catch (KafkaException | IllegalStateException e) {
                // Also where the consumer can do nothing else any more: the next try is made with another one.
                log.warn("replies: following them failed, trying again: {}", e.toString());
            } catch (RuntimeException | Error e) {
                // An Error, too: without this thread every request would wait in vain.
                log.error("replies: following them failed, trying again", e);
            } finally {
                consumer = null;
                positioned = false;
            }
            pause();
        }
    }

    /** @return those whose end is not known yet */
    private Set<TopicPartition> assign(Consumer<byte[], byte[]> made) {
        Set<TopicPartition> replies = IntStream.range(0, partitions)
                .mapToObj(partition -> new TopicPartition(Topics.REPLIES, partition))
                .collect(Collectors.toCollection(HashSet::new));
        made.assign(replies);
        for (TopicPartition partition : List.copyOf(replies)) {
            Long known = next.get(partition);
            if (known == null) {
                made.seekToEnd(List.of(partition));
            } else {
                made.seek(partition, known);
                replies.remove(partition);
            }
        }
        return replies;
    }

    /** Seeking is lazy: the ends come in while others' replies are taken, each when its leader tells it. */
    private void position(Consumer<byte[], byte[]> made, Set<TopicPartition> unknown, long since) {
        for (TopicPartition partition : List.copyOf(unknown)) {
            try {
                next.putIfAbsent(partition, made.position(partition, GLANCE));
                unknown.remove(partition);
            } catch (TimeoutException e) {
                // Asked again after the next poll.
            }
        }
        boolean enough = unknown.isEmpty()
                || unknown.size() < partitions && System.nanoTime() - since >= FOR_ALL.toNanos();
        if (enough && !positioned && !unknown.isEmpty()) {
            log.warn("replies: the ends of {} are not known yet; callers whose replies come there wait for longer",
                    unknown);
        }
        positioned = enough;
    }

    private void take(Consumer<byte[], byte[]> from) {
        for (ConsumerRecord<byte[], byte[]> record : poll(from)) {
            TopicPartition partition = new TopicPartition(record.topic(), record.partition());
            try {
                take(record);
            } catch (RuntimeException | Error e) {
                if (!hasFailedOftenAt(partition, record.offset())) {
                    throw e;
                }
                log.error("{} offset {} cannot be taken and is passed over; a caller that waits for it gets the outcome"
                        + " from the database", partition, record.offset(), e);
            }
            // Not before: memory that runs out at a reply must not lose it.
            next.put(partition, record.offset() + 1);
        }
    }

    private boolean hasFailedOftenAt(TopicPartition partition, long offset) {
        if (!partition.equals(failedIn) || failedAt != offset) {
            failedIn = partition;
            failedAt = offset;
            failedReadings = 0;
        }
        return ++failedReadings >= MOST_READINGS;
    }

    private void take(ConsumerRecord<byte[], byte[]> record) {
        if (record.value() != null && (record.key() == null || !beats.take(record.key(), record.value()))) {
            try {
                ReplyRecord reply = ReplyRecord.read(record.value());
                highWater.seen(reply.partition(), reply.sequence());
                pending.arrived(reply.requestId(), reply.outcome());
            } catch (MalformedRecordException e) {
                log.warn("{}-{} offset {} is no reply and is passed over: {}", record.topic(), record.partition(),
                        record.offset(), e.why());
            }
        }
    }

    private ConsumerRecords<byte[], byte[]> poll(Consumer<byte[], byte[]> from) {
        try {
            return from.poll(POLL);
        } catch (KafkaException e) {
            Undecodable passed = Undecodable.passed(from, e).orElseThrow(() -> e);
            next.put(passed.partition(), passed.offset() + 1);
            log.warn("{} offset {} cannot be decoded and is passed over: {}", passed.partition(), passed.offset(),
                    passed.why());
            return ConsumerRecords.empty();
        }
    }

    private void pause() {
        try {
            if (stopping.await(BEFORE_NEW_TRY.toMillis(), TimeUnit.MILLISECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        stopping.countDown();
        Consumer<byte[], byte[]> open = consumer;
        if (open != null) {
            open.wakeup();
        }
        try {
            if (!thread.join(CLOSING)) {
                thread.interrupt();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
