package io.syncline.worker.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A producer that will never do anything again is replaced; one that only has to wait is not. */
class RenewedProducerTest {

    private static final Duration DELIVERY = Duration.ofSeconds(5);

    private final List<MockProducer<byte[], byte[]>> made = new ArrayList<>();
    private final List<Exception> failures = new ArrayList<>();
    private final AtomicInteger arrived = new AtomicInteger();
    private final AtomicLong nanoTime = new AtomicLong();
    private boolean unresolved;
    private final RenewedProducer producer = new RenewedProducer("records", () -> {
        if (unresolved) {
            throw new KafkaException("Failed to construct kafka producer");
        }
        MockProducer<byte[], byte[]> one = new MockProducer<>(false, null, new ByteArraySerializer(),
                new ByteArraySerializer());
        made.add(one);
        return one;
    }, DELIVERY, nanoTime::get);

    private void send() {
        producer.send(new ProducerRecord<>("topic", new byte[1]), (metadata, failure) -> {
            if (failure == null) {
                arrived.incrementAndGet();
            } else {
                failures.add(failure);
            }
        });
    }

    private void later(Duration by) {
        nanoTime.addAndGet(by.toNanos());
    }

    static List<RuntimeException> forGood() {
        return List.of(new AuthorizationException("not allowed"), new SaslAuthenticationException("wrong password"),
                new ProducerFencedException("fenced"), new KafkaException("in an error state"),
                new IllegalStateException("closed"));
    }

    @ParameterizedTest
    @MethodSource("forGood")
    void whatFailsForGood_isReplaced(RuntimeException failure) {
        send();
        assertThat(made.getFirst().errorNext(failure)).isTrue();
        assertThat(failures).containsExactly(failure);
        send();
        assertThat(made).hasSize(2);
        Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> made.getFirst().closed());
        made.getLast().completeNext();
        assertThat(arrived).hasValue(1);
    }

    @ParameterizedTest
    @MethodSource("forGood")
    void whatThrowsWhenItIsGivenARecord_isReplaced(RuntimeException failure) {
        send();
        made.getFirst().completeNext();
        made.getFirst().sendException = failure;
        send();
        assertThat(failures).containsExactly(failure);
        send();
        assertThat(made).hasSize(2);
    }

    static List<RuntimeException> passing() {
        return List.of(new TimeoutException("no leader"), new RecordTooLargeException("too large"),
                new InterruptException("the worker is stopping"));
    }

    @ParameterizedTest
    @MethodSource("passing")
    void whatMayGoBetterTheNextTime_isNoReason(RuntimeException failure) {
        send();
        made.getFirst().errorNext(failure);
        assertThat(failures).hasSize(1);
        send();
        assertThat(made).hasSize(1);
        // An interrupt is this thread's own.
        boolean unused = Thread.interrupted();
    }

    /** Its thread has ended with an Error: what is sent is never heard of again, not even that it could not be sent. */
    @Test
    void oneThatSaysNothingAnyMore_isReplaced() {
        send();
        later(DELIVERY.plusSeconds(9));
        send();
        assertThat(made).hasSize(1);
        later(Duration.ofSeconds(2));
        send();
        send();
        assertThat(made).hasSize(2);
        made.getLast().completeNext();
        assertThat(arrived).hasValue(1);
    }

    @Test
    void whatGoesOnFailing_isReplacedMoreAndMoreSeldom_untilOneWorks() {
        for (int i = 0; i < 3; i++) {
            send();
            made.getLast().errorNext(new AuthorizationException("not allowed"));
        }
        assertThat(made).as("within a second of the first").hasSize(2);
        later(Duration.ofSeconds(1));
        send();
        made.getLast().errorNext(new AuthorizationException("not allowed"));
        send();
        assertThat(made).hasSize(3);
        made.getLast().completeNext();
        send();
        made.getLast().errorNext(new AuthorizationException("not allowed"));
        send();
        assertThat(made).as("at once again").hasSize(4);
    }

    @Test
    void oneThatCannotBeMade_isTriedAgainWithTheNextRecord() {
        unresolved = true;
        send();
        assertThat(failures).hasSize(1);
        unresolved = false;
        send();
        made.getFirst().completeNext();
        assertThat(arrived).hasValue(1);
    }

    @Test
    void closed_makesNoOther() {
        send();
        producer.close();
        assertThat(made.getFirst().closed()).isTrue();
        send();
        assertThat(failures).hasSize(1);
        assertThat(made).hasSize(1);
    }
}
