package io.syncline.gateway.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.Refusal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

class PendingRepliesTest {

    private static final Outcome OUTCOME = new Outcome.Refused(Refusal.NOT_FOUND);
    private static final Duration SHORT = Duration.ofMillis(5);

    private final PendingReplies pending = new PendingReplies(2);

    @Test
    void replyThatComesBeforeTheWaitIsNotMissed() throws Exception {
        UUID id = UUID.randomUUID();
        try (var place = pending.open(id).orElseThrow()) {
            pending.arrived(id, OUTCOME);
            assertThat(place.await(Duration.ofSeconds(5))).contains(OUTCOME);
        }
        assertThat(pending.size()).isZero();
    }

    @Test
    void vainWaitIsEmpty_andALateReplyGoesBy() throws Exception {
        UUID id = UUID.randomUUID();
        try (var place = pending.open(id).orElseThrow()) {
            assertThat(place.await(SHORT)).isEmpty();
        }
        pending.arrived(id, OUTCOME);
        assertThat(pending.size()).isZero();
    }

    @Test
    void negativeWaitIsNoWait() throws Exception {
        try (var place = pending.open(UUID.randomUUID()).orElseThrow()) {
            assertThat(place.await(Duration.ofMillis(-5))).isEmpty();
        }
    }

    @Test
    void firstOfTwoRepliesCounts() throws Exception {
        UUID id = UUID.randomUUID();
        try (var place = pending.open(id).orElseThrow()) {
            pending.arrived(id, OUTCOME);
            pending.arrived(id, Outcome.Accepted.WITHOUT_RECORD);
            assertThat(place.await(SHORT)).contains(OUTCOME);
        }
    }

    @Test
    void fullTableTakesNoMore_untilOneIsClosed() {
        var first = pending.open(UUID.randomUUID()).orElseThrow();
        var second = pending.open(UUID.randomUUID()).orElseThrow();
        assertThat(pending.open(UUID.randomUUID())).isEmpty();
        first.close();
        first.close();
        var third = pending.open(UUID.randomUUID());
        assertThat(third).isPresent();
        assertThat(pending.open(UUID.randomUUID())).as("closing twice makes room once").isEmpty();
        second.close();
        third.orElseThrow().close();
        assertThat(pending.size()).isZero();
    }

    @Test
    void manyAtOnce_eachGetsItsOwn_andNoPlaceIsLost() throws Exception {
        PendingReplies table = new PendingReplies(50);
        List<Callable<Boolean>> callers = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            callers.add(() -> {
                UUID id = UUID.randomUUID();
                Outcome mine = new Outcome.Accepted(id, null);
                Optional<PendingReplies.Pending> place = table.open(id);
                if (place.isEmpty()) {
                    return true;
                }
                try (var waiting = place.get()) {
                    Thread.ofVirtual().start(() -> table.arrived(id, mine));
                    table.arrived(UUID.randomUUID(), OUTCOME);
                    boolean impatient = ThreadLocalRandom.current().nextBoolean();
                    return waiting.await(impatient ? Duration.ZERO : Duration.ofMinutes(1))
                            .map(mine::equals)
                            .orElse(impatient);
                }
            });
        }
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<Boolean> right : threads.invokeAll(callers)) {
                assertThat(right.get()).isTrue();
            }
        }
        assertThat(table.size()).isZero();
        for (int i = 0; i < 50; i++) {
            assertThat(table.open(UUID.randomUUID())).isPresent();
        }
        assertThat(table.open(UUID.randomUUID())).isEmpty();
    }
}
