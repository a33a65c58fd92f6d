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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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

    private void run() {
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
            var unused = consumer.poll(POLL);
            lastPoll = System.nanoTime();
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
            LOG.info(now ? "This worker captures the source" : "This worker no longer captures the source");
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
