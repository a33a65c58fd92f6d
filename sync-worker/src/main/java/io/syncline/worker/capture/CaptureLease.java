package io.syncline.worker.capture;

import io.syncline.model.log.Topics;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Whose turn it is to capture: the worker that the group gives the lease topic's one partition. It only keeps two from taking the
 * slot from each other in turns; what keeps the data right is the epoch.
 */
final class CaptureLease implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(CaptureLease.class);

    private static final Duration POLL = Duration.ofMillis(200);

    private final Consumer<byte[], byte[]> consumer;
    private final Duration sessionTimeout;
    private final Runnable changed;
    private final Thread thread;
    private volatile boolean assigned;
    private volatile long lastPoll = System.nanoTime();
    private volatile boolean closed;
    /** Until when others may have it, by {@link System#nanoTime}; null while this worker wants it. */
    private volatile @Nullable Long restUntil;
    private boolean subscribed;
    private boolean quiet;

    /** @param changed called when the lease is won or lost */
    CaptureLease(Consumer<byte[], byte[]> consumer, Duration sessionTimeout, Runnable changed) {
        this.consumer = consumer;
        this.sessionTimeout = sessionTimeout;
        this.changed = changed;
        thread = Thread.ofPlatform().daemon().name("capture-lease").unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /** Whether this worker captures. Not, if it has been frozen for so long that another may. */
    boolean held() {
        return assigned && System.nanoTime() - lastPoll < sessionTimeout.toNanos();
    }

    /** Gives the lease to others for a while: this worker cannot capture, and another may. */
    void rest(Duration time) {
        restUntil = System.nanoTime() + time.toNanos();
    }

    private void subscribe() {
        consumer.subscribe(List.of(Topics.CAPTURE_LEASE), new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                if (!partitions.isEmpty()) {
                    set(true);
                }
            }

            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                if (!partitions.isEmpty()) {
                    set(false);
                }
            }

            @Override
            public void onPartitionsLost(Collection<TopicPartition> partitions) {
                set(false);
            }
        });
        subscribed = true;
    }

    private void run() {
        try {
            while (!closed) {
                poll();
            }
        } finally {
            set(false);
            consumer.close();
        }
    }

    private void poll() {
        try {
            Long rests = restUntil;
            if (rests != null && System.nanoTime() - rests < 0) {
                if (subscribed) {
                    subscribed = false;
                    // Logged once, with what stands in the way: not each time that it tries again.
                    quiet = true;
                    consumer.unsubscribe();
                    set(false);
                }
                Thread.sleep(POLL);
                return;
            }
            restUntil = null;
            if (!subscribed) {
                subscribe();
            }
            var unused = consumer.poll(POLL);
            lastPoll = System.nanoTime();
        } catch (InterruptedException e) {
            closed = true;
        } catch (WakeupException e) {
            LOG.debug("The lease is given back");
        } catch (InterruptException e) {
            closed = true;
        } catch (RuntimeException | Error e) {
            // The broker is away, or does not know the group, say: the consumer goes on trying, and the lease runs out meanwhile. An
            // Error, too: without this thread the worker would never capture again.
            LOG.warn("The lease on capturing cannot be kept: {}", e.toString());
            try {
                Thread.sleep(POLL);
            } catch (InterruptedException interrupted) {
                closed = true;
            }
        }
    }

    private void set(boolean now) {
        if (assigned != now) {
            assigned = now;
            LOG.atLevel(quiet ? Level.DEBUG : Level.INFO)
                    .log(now ? "This worker captures the source" : "This worker no longer captures the source");
            changed.run();
        }
    }

    @Override
    public void close() {
        closed = true;
        consumer.wakeup();
        try {
            thread.join(Duration.ofSeconds(10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
