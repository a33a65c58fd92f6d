package io.syncline.gateway.dispatch;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says to the other gateways that this one is there: one small record among the replies, every now and then. */
final class Heartbeat implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Heartbeat.class);
    private static final byte[] ALIVE = "gateway-alive".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] LEAVES = "gateway-leaves".getBytes(StandardCharsets.US_ASCII);

    private final RequestProducer producer;
    private final LiveGateways gateways;
    private final ReplyTail replies;
    private final ScheduledExecutorService timer = Executors
            .newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("heartbeat").factory());

    Heartbeat(RequestProducer producer, LiveGateways gateways, ReplyTail replies) {
        this.producer = producer;
        this.gateways = gateways;
        this.replies = replies;
    }

    /** Whether a record among the replies is one of these; then it is taken note of. */
    static boolean take(byte[] key, byte[] value, LiveGateways gateways, Runnable answer) {
        if (Arrays.equals(key, ALIVE)) {
            if (gateways.heard(new String(value, StandardCharsets.US_ASCII))) {
                answer.run();
            }
            return true;
        }
        if (Arrays.equals(key, LEAVES)) {
            gateways.left(new String(value, StandardCharsets.US_ASCII));
            return true;
        }
        return false;
    }

    void start() {
        var unused = timer.scheduleWithFixedDelay(this::beat, 0, LiveGateways.BEAT.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** A new gateway need not wait for our next beat. */
    void soon() {
        if (!timer.isShutdown()) {
            timer.execute(this::beat);
        }
    }

    private void beat() {
        try {
            // Who cannot hear itself would count nobody.
            if (replies.positioned()) {
                producer.tell(ALIVE, gateways.self().getBytes(StandardCharsets.US_ASCII));
            }
        } catch (RuntimeException | Error e) {
            // An Error, too: one that leaves here would be the last beat.
            log.error("the other gateways were not told that this one is there, trying again", e);
        }
    }

    @Override
    public void close() {
        timer.shutdownNow();
        if (replies.positioned()) {
            producer.tell(LEAVES, gateways.self().getBytes(StandardCharsets.US_ASCII));
        }
    }
}
