package io.syncline.gateway.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** As many as may be, and never one more. */
class AddressCountsTest {

    private static final int CALLS = 200;
    private static final int LIMIT = 10;

    /** Slow to say how many gateways there are, so that whoever looks first and counts later is caught at it. */
    private static int oneAfterAWhile() {
        LockSupport.parkNanos(1_000_000);
        return 1;
    }

    @Test
    void admits_asManyAsTheLimit_ofCallsAtOnce() throws Exception {
        AddressCounts counts = new AddressCounts(LIMIT, AddressCountsTest::oneAfterAWhile, () -> 0);
        AtomicInteger admitted = new AtomicInteger();
        CountDownLatch begin = new CountDownLatch(1);
        try (var calls = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < CALLS; i++) {
                calls.submit(() -> {
                    begin.await();
                    return counts.admits("203.0.113.7") ? admitted.incrementAndGet() : 0;
                });
            }
            begin.countDown();
        }
        assertThat(admitted).hasValue(LIMIT);
        assertThat(counts.admits("203.0.113.8")).as("another address").isTrue();
    }
}
