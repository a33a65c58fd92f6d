package io.syncline.gateway.dispatch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.model.connection.SettingsRequest;
import io.syncline.model.log.RequestRecord;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.MockProducer;
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
class RequestProducerTest {

    private static final Duration DELIVERY = Duration.ofSeconds(4);

    private final List<MockProducer<byte[], byte[]>> made = new ArrayList<>();
    private final AtomicLong nanoTime = new AtomicLong();
    private final RequestProducer requests = new RequestProducer(() -> {
        MockProducer<byte[], byte[]> one = new MockProducer<>(false, null, new ByteArraySerializer(),
                new ByteArraySerializer());
        made.add(one);
        return one;
    }, DELIVERY, nanoTime::get);

    private CompletableFuture<Void> send() {
        return requests.send(0, new RequestRecord(UUID.randomUUID(), Instant.EPOCH, null,
                new SettingsRequest.OperatorRemovalRequested("o", "admin")));
    }

    private void later(Duration by) {
        nanoTime.addAndGet(by.toNanos());
    }

    static List<RuntimeException> curable() {
        return List.of(new AuthorizationException("not allowed"), new SaslAuthenticationException("wrong password"),
                new ProducerFencedException("fenced"), new KafkaException("in an error state"),
                new IllegalStateException("closed"));
    }

    @ParameterizedTest
    @MethodSource("curable")
    void whatFailsForGood_isReplaced_andSaid(RuntimeException failure) {
        CompletableFuture<Void> first = send();
        assertThat(made.getFirst().errorNext(failure)).isTrue();
        assertThatThrownBy(first::join).hasCause(failure);
        assertThat(requests.trouble()).hasValueSatisfying(
                down -> assertThat(down.cause()).contains(String.valueOf(failure.getMessage())));
        CompletableFuture<Void> second = send();
        assertThat(made).hasSize(2);
        Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> made.getFirst().closed());
        assertThat(made.getLast().completeNext()).isTrue();
        second.join();
        assertThat(requests.trouble()).isEmpty();
    }

    @Test
    void whatThrowsWhenItIsGivenARecord_isReplaced() {
        var unused = send();
        made.getFirst().completeNext();
        made.getFirst().sendException = new KafkaException("in an error state");
        assertThatThrownBy(send()::join).hasRootCauseInstanceOf(KafkaException.class);
        var again = send();
        assertThat(made).hasSize(2);
    }

    static List<RuntimeException> passing() {
        return List.of(new TimeoutException("no leader"), new RecordTooLargeException("too large"),
                new InterruptException("the gateway is stopping"));
    }

    @ParameterizedTest
    @MethodSource("passing")
    void whatMayGoBetterTheNextTime_isNoReason(RuntimeException failure) {
        var first = send();
        made.getFirst().errorNext(failure);
        assertThat(first).isCompletedExceptionally();
        assertThat(requests.trouble()).isEmpty();
        var second = send();
        assertThat(made).hasSize(1);
        // An interrupt is this thread's own.
        boolean unused = Thread.interrupted();
    }

    /** Its thread has ended with an Error: what is sent is never heard of again, not even that it could not be sent. */
    @Test
    void oneThatSaysNothingAnyMore_isReplaced() {
        var unheard = send();
        later(DELIVERY.plusSeconds(9));
        var alsoUnheard = send();
        assertThat(made).hasSize(1);
        later(Duration.ofSeconds(2));
        var third = send();
        assertThat(requests.trouble()).hasValueSatisfying(
                down -> assertThat(down.cause()).contains("nothing has been heard of a record for 14 s"));
        var fourth = send();
        assertThat(made).hasSize(2);
        made.getLast().completeNext();
        fourth.join();
        assertThat(requests.trouble()).isEmpty();
        assertThat(List.of(unheard, alsoUnheard, third)).noneMatch(CompletableFuture::isDone);
    }

    @Test
    void oneThatIsHeardOf_isKept_howeverLongNothingIsSent() {
        var first = send();
        made.getFirst().completeNext();
        later(Duration.ofHours(1));
        var second = send();
        assertThat(made).hasSize(1);
        assertThat(first).isCompleted();
        assertThat(requests.trouble()).isEmpty();
    }

    @Test
    void oneAfterTheOther_isReplacedAfterALongerPauseEachTime() {
        for (int i = 0; i < 3; i++) {
            var sent = send();
            made.getLast().errorNext(new AuthorizationException("not allowed"));
        }
        assertThat(made).as("the second was kept, for a second has not passed").hasSize(2);
        later(Duration.ofSeconds(1));
        var sent = send();
        made.getLast().errorNext(new AuthorizationException("not allowed"));
        var again = send();
        assertThat(made).hasSize(3);
        made.getLast().errorNext(new AuthorizationException("not allowed"));
        later(Duration.ofSeconds(1));
        var third = send();
        made.getLast().errorNext(new AuthorizationException("not allowed"));
        assertThat(made).hasSize(3);
    }

    @Test
    void whatCannotBeMadeYet_isTriedAgainWithTheNextRecord() {
        List<Integer> tried = new ArrayList<>();
        RequestProducer unresolved = new RequestProducer(() -> {
            tried.add(1);
            throw new KafkaException("no such host");
        }, DELIVERY, nanoTime::get);
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> unresolved.send(0, new RequestRecord(UUID.randomUUID(), Instant.EPOCH, null,
                    new SettingsRequest.OperatorRemovalRequested("o", "admin"))).join())
                    .hasRootCauseMessage("no such host");
        }
        assertThat(tried).hasSize(2);
    }
}
