package io.syncline.benchmarks.load;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Time goes on with each call, by a millisecond: however fast the machine is, as many lie in the lead-in and in the window. */
@Timeout(120)
class LoadGeneratorIT {

    private final Set<String> bodies = ConcurrentHashMap.newKeySet();
    private final AtomicLong calls = new AtomicLong();
    private HttpServer server;
    private volatile int status = 200;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/call", exchange -> {
            bodies.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            calls.incrementAndGet();
            exchange.sendResponseHeaders(status, 2);
            exchange.getResponseBody().write("{}".getBytes(StandardCharsets.UTF_8));
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void run_countsWhatIsAnsweredInTheWindow_eachRequestAnother() throws IOException {
        Slice slice = run(Duration.ofMillis(200), Duration.ofMillis(500));

        assertThat(slice.failed()).isZero();
        assertThat(slice.answered()).isPositive().isLessThan(calls.get());
        assertThat(slice.micros().getTotalCount()).isEqualTo(slice.answered());
        assertThat(bodies).hasSize((int) calls.get());
    }

    @Test
    void run_answersOtherThan200_fail() throws IOException {
        status = 503;

        Slice slice = run(Duration.ZERO, Duration.ofMillis(300));

        assertThat(slice.answered()).isZero();
        assertThat(slice.failed()).isPositive();
        assertThat(slice.failure()).contains("503");
    }

    private Slice run(Duration leadIn, Duration measured) throws IOException {
        try (LoadGenerator load = new LoadGenerator(server.getAddress(), 8,
                Calls.post("/call", Calls.registrations("test")), () -> TimeUnit.MILLISECONDS.toNanos(calls.get()))) {
            return load.run(leadIn, measured);
        }
    }
}
