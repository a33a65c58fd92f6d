package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.syncline.model.log.Topics;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A consumer that will never do anything again is replaced, so that the worker captures again. */
class CaptureLeaseTest {

    private static final Duration LONG = Duration.ofMinutes(1);
    private static final TopicPartition PARTITION = new TopicPartition(Topics.CAPTURE_LEASE, 0);

    private final List<MockConsumer<byte[], byte[]>> made = new CopyOnWriteArrayList<>();
    private final AtomicInteger unresolved = new AtomicInteger();
    private final CaptureLease lease = new CaptureLease(this::consumer, Duration.ofHours(1), () -> {});

    private Consumer<byte[], byte[]> consumer() {
        if (unresolved.getAndDecrement() > 0) {
            throw new KafkaException("Failed to construct kafka consumer", new IllegalArgumentException("no address"));
        }
        MockConsumer<byte[], byte[]> one = new MockConsumer<>("latest");
        one.updateEndOffsets(java.util.Map.of(PARTITION, 0L));
        one.schedulePollTask(() -> one.rebalance(List.of(PARTITION)));
        made.add(one);
        return one;
    }

    @AfterEach
    void close() {
        lease.close();
    }

    @Test
    void leaseIsHeld_onceTheGroupGivesIt_andGivenBackAtTheEnd() {
        lease.start();
        await().atMost(LONG).until(lease::held);
        lease.close();
        assertThat(lease.held()).isFalse();
        assertThat(made).singleElement().satisfies(one -> assertThat(one.closed()).isTrue());
    }

    static List<Throwable> forGood() {
        return List.of(new GroupAuthorizationException("syncline-capture"), new IllegalStateException("closed"),
                new RuntimeException(new OutOfMemoryError("Java heap space")), new OutOfMemoryError("Java heap space"));
    }

    @ParameterizedTest
    @MethodSource("forGood")
    void consumerThatFailed_isReplaced(Throwable failure) {
        lease.start();
        await().atMost(LONG).until(lease::held);
        made.getFirst().schedulePollTask(() -> {
            switch (failure) {
                case Error error -> throw error;
                case RuntimeException exception -> throw exception;
                default -> throw new IllegalArgumentException(failure);
            }
        });
        await().atMost(LONG).until(() -> made.size() == 2 && lease.held());
        assertThat(made.getFirst().closed()).isTrue();
    }

    @Test
    void consumerThatOnlyHasToWait_isKept() {
        lease.start();
        await().atMost(LONG).until(lease::held);
        AtomicInteger polls = new AtomicInteger();
        made.getFirst().schedulePollTask(() -> {
            polls.incrementAndGet();
            throw new TimeoutException("no coordinator");
        });
        made.getFirst().schedulePollTask(polls::incrementAndGet);
        await().atMost(LONG).until(() -> polls.get() == 2);
        assertThat(lease.held()).isTrue();
        assertThat(made).hasSize(1);
    }

    @Test
    void consumerThatCannotBeMade_isTriedAgain() {
        unresolved.set(2);
        lease.start();
        await().atMost(LONG).until(lease::held);
        assertThat(made).hasSize(1);
    }
}
