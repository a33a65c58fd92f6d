package io.syncline.gateway.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class SharedReadTest {

    private final AtomicInteger truth = new AtomicInteger();

    @Test
    void whoeverAsksSeesWhatWasTrueWhenHeAskedOrLater() throws Exception {
        SharedRead<Integer> shared = new SharedRead<>(truth::get);
        try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Boolean>> seen = new ArrayList<>();
            for (int i = 0; i < 20_000; i++) {
                seen.add(callers.submit(() -> {
                    int committed = truth.incrementAndGet();
                    return shared.get() >= committed;
                }));
            }
            for (Future<Boolean> one : seen) {
                assertThat(one.get()).isTrue();
            }
        }
    }

    @Test
    void aReadThatHangsHoldsNobodyElseUp() throws Exception {
        Object hanging = new Object();
        AtomicInteger reads = new AtomicInteger();
        SharedRead<Integer> shared = new SharedRead<>(() -> {
            int number = reads.incrementAndGet();
            if (number == 1) {
                synchronized (hanging) {
                    return number;
                }
            }
            return number;
        });
        try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Integer> first;
            synchronized (hanging) {
                first = callers.submit(shared::get);
                while (reads.get() == 0) {
                    Thread.onSpinWait();
                }
                assertThat(callers.submit(shared::get).get()).isEqualTo(2);
                assertThat(first).isNotDone();
            }
            assertThat(first.get()).isEqualTo(1);
        }
    }

    @Test
    void aFailureIsEverybodysWhoWaitedForItAndNobodyElses() throws Exception {
        AtomicInteger reads = new AtomicInteger();
        SharedRead<Integer> shared = new SharedRead<>(() -> {
            if (reads.incrementAndGet() == 1) {
                throw new SQLException("gone");
            }
            return 1;
        });
        assertThatThrownBy(shared::get).isInstanceOf(SQLException.class).hasMessage("gone");
        assertThat(shared.get()).isEqualTo(1);
    }
}
