package io.syncline.gateway.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.api.SyncPaths;
import jakarta.servlet.FilterChain;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;

/** Wrong credentials from one address, many of them at once. */
class AddressLimitsTest {

    private static final int LIMIT = 3;
    private static final Duration LONG = Duration.ofMinutes(5);

    private final CountDownLatch decided = new CountDownLatch(1);
    private final AtomicInteger asked = new AtomicInteger();

    private static AddressLimits limits(Duration patience) {
        return new AddressLimits("", LIMIT, 0, () -> 1, () -> 0, patience,
                new BoundedLog(LoggerFactory.getLogger(AddressLimitsTest.class), System::nanoTime));
    }

    private static MockHttpServletResponse call(AddressLimits limits, FilterChain chain) throws Exception {
        MockHttpServletRequest request = new MockHttpServletRequest("POST", SyncPaths.ROOT + SyncPaths.LIST_TABLES);
        request.setRemoteAddr("203.0.113.7");
        MockHttpServletResponse response = new MockHttpServletResponse();
        limits.doFilter(request, response, chain);
        return response;
    }

    /** Answers when all that are to be asked have been. */
    private FilterChain answering(int status) {
        return (request, response) -> {
            asked.incrementAndGet();
            await(decided);
            ((HttpServletResponse) response).setStatus(status);
        };
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void guessesAtOnce_areNoMoreThanTheLimit() throws Exception {
        AddressLimits limits = limits(LONG);
        List<Future<MockHttpServletResponse>> answers = new ArrayList<>();
        try (var calls = Executors.newVirtualThreadPerTaskExecutor(); AutoCloseable end = decided::countDown) {
            for (int i = 0; i < 50; i++) {
                answers.add(calls.submit(() -> call(limits, answering(401))));
            }
            Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> asked.get() >= LIMIT);
            decided.countDown();
        }
        assertThat(asked).hasValue(LIMIT);
        assertThat(answers).extracting(Future::resultNow)
                .extracting(MockHttpServletResponse::getStatus)
                .containsOnly(401, 429);
        assertThat(limits.refused()).containsEntry("too_many_failures", 50L - LIMIT);
    }

    @Test
    void goodCallsAtOnce_areAllAnswered() throws Exception {
        AddressLimits limits = limits(LONG);
        List<Future<MockHttpServletResponse>> answers = new ArrayList<>();
        try (var calls = Executors.newVirtualThreadPerTaskExecutor(); AutoCloseable end = decided::countDown) {
            for (int i = 0; i < 50; i++) {
                answers.add(calls.submit(() -> call(limits, answering(200))));
            }
            decided.countDown();
        }
        assertThat(answers).extracting(Future::resultNow)
                .extracting(MockHttpServletResponse::getStatus)
                .containsOnly(200);
        assertThat(limits.refused()).containsEntry("too_many_failures", 0L).containsEntry("too_many_at_once", 0L);
    }

    @Test
    void whereNoneIsDecidedInTime_oneMoreIsToldSo() throws Exception {
        AddressLimits limits = limits(Duration.ZERO);
        try (var calls = Executors.newVirtualThreadPerTaskExecutor(); AutoCloseable end = decided::countDown) {
            for (int i = 0; i < LIMIT; i++) {
                calls.submit(() -> call(limits, answering(200)));
            }
            Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> asked.get() == LIMIT);
            MockHttpServletResponse answer = call(limits, answering(200));
            decided.countDown();
            assertThat(answer.getStatus()).isEqualTo(429);
            assertThat(answer.getContentAsString()).contains("at once");
            assertThat(answer.getHeader("retry-after")).isEqualTo("1");
        }
        assertThat(call(limits, answering(200)).getStatus()).isEqualTo(200);
    }

    @Test
    void whatIsStreamed_countsNoLonger_whileItIs() throws Exception {
        AddressLimits limits = limits(Duration.ZERO);
        try (var calls = Executors.newVirtualThreadPerTaskExecutor(); AutoCloseable end = decided::countDown) {
            for (int i = 0; i < LIMIT; i++) {
                calls.submit(() -> call(limits, (request, response) -> {
                    AddressLimits.accepted((HttpServletRequest) request);
                    asked.incrementAndGet();
                    await(decided);
                }));
            }
            Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> asked.get() == LIMIT);
            MockHttpServletResponse answer = call(limits,
                    (request, response) -> ((HttpServletResponse) response).setStatus(200));
            decided.countDown();
            assertThat(answer.getStatus()).isEqualTo(200);
        }
    }
}
