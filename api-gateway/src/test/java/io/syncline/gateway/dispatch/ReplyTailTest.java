package io.syncline.gateway.dispatch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.syncline.gateway.state.HighWater;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.Refusal;
import io.syncline.model.log.ReplyRecord;
import io.syncline.model.log.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A reply at which memory ran out is read again, by another consumer; one that fails each time keeps no other from being heard. */
class ReplyTailTest {

    private static final Duration LONG = Duration.ofMinutes(1);
    private static final TopicPartition PARTITION = new TopicPartition(Topics.REPLIES, 0);
    private static final long END = 100;
    private static final List<UUID> REQUESTS = List.of(new UUID(0, 1), new UUID(0, 2), new UUID(0, 3));

    private final PendingReplies pending = new PendingReplies(10);
    private final List<PendingReplies.Pending> waiting = REQUESTS.stream()
            .map(id -> pending.open(id).orElseThrow())
            .toList();
    /** How often a request's reply fails still. */
    private final Map<UUID, AtomicInteger> failing = new ConcurrentHashMap<>();
    private volatile Throwable failure = new OutOfMemoryError("Java heap space");
    private final AtomicInteger consumers = new AtomicInteger();
    private final AtomicInteger failingPolls = new AtomicInteger();
    private final AtomicBoolean sent = new AtomicBoolean();
    private final ReplyTail tail = new ReplyTail(Feed::new, 1, pending, new HighWater(1), this::take);

    @AfterEach
    void close() {
        tail.close();
    }

    private void start() {
        tail.start();
        await().atMost(LONG).until(tail::positioned);
        sent.set(true);
    }

    private boolean hasArrived(int request) throws InterruptedException {
        return waiting.get(request).await(LONG).isPresent();
    }

    static List<Throwable> failures() {
        return List.of(new OutOfMemoryError("Java heap space"), new IllegalStateException("x"),
                new StackOverflowError());
    }

    @ParameterizedTest
    @MethodSource("failures")
    void replyAtWhichItFailedOnce_isNotSkipped(Throwable once) throws InterruptedException {
        failure = once;
        failing.put(REQUESTS.get(1), new AtomicInteger(1));
        start();
        for (int request = 0; request < REQUESTS.size(); request++) {
            assertThat(hasArrived(request)).as("request %d", request).isTrue();
        }
        assertThat(consumers).hasValue(2);
    }

    @ParameterizedTest
    @MethodSource("failures")
    void replyAtWhichItFailsEachTime_keepsNoOtherFromBeingHeard(Throwable always) throws InterruptedException {
        failure = always;
        failing.put(REQUESTS.get(1), new AtomicInteger(Integer.MAX_VALUE));
        start();
        assertThat(hasArrived(0)).isTrue();
        assertThat(hasArrived(2)).isTrue();
        assertThat(waiting.get(1).await(Duration.ZERO)).isEmpty();
        assertThat(consumers).hasValue(3);
    }

    @Test
    void memoryThatRunsOutWhileItReads_losesNoReply() throws InterruptedException {
        tail.start();
        await().atMost(LONG).until(tail::positioned);
        failingPolls.set(2);
        sent.set(true);
        for (int request = 0; request < REQUESTS.size(); request++) {
            assertThat(hasArrived(request)).as("request %d", request).isTrue();
        }
        assertThat(consumers).hasValue(3);
    }

    private boolean take(byte[] key, byte[] value) {
        AtomicInteger left = failing.get(UUID.fromString(new String(key, StandardCharsets.UTF_8)));
        if (left != null && left.getAndDecrement() > 0) {
            fail(failure);
        }
        return false;
    }

    private static void fail(Throwable failure) {
        switch (failure) {
            case Error error -> throw error;
            case RuntimeException exception -> throw exception;
            default -> throw new IllegalArgumentException(failure);
        }
    }

    /** The topic's end: what is sent once the tail knows where that is. */
    private final class Feed extends MockConsumer<byte[], byte[]> {

        Feed() {
            super("latest");
            consumers.incrementAndGet();
            updateBeginningOffsets(Map.of(PARTITION, 0L));
            updateEndOffsets(Map.of(PARTITION, END));
        }

        @Override
        public synchronized ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
            if (failingPolls.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                fail(failure);
            }
            int from = (int) (position(PARTITION) - END);
            if (!sent.get() || from == REQUESTS.size()) {
                return super.poll(timeout);
            }
            List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
            for (int request = from; request < REQUESTS.size(); request++) {
                UUID id = REQUESTS.get(request);
                records.add(new ConsumerRecord<>(PARTITION.topic(), 0, END + request,
                        id.toString().getBytes(StandardCharsets.UTF_8),
                        new ReplyRecord(id, 0, 1, new Outcome.Refused(Refusal.NOT_FOUND)).toJson()));
            }
            seek(PARTITION, END + REQUESTS.size());
            return new ConsumerRecords<>(Map.of(PARTITION, records), Map.of());
        }
    }
}
