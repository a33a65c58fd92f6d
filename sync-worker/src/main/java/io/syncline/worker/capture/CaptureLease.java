package io.syncline.worker.capture;

import io.syncline.model.log.Topics;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RetriableException;
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

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

    private final Supplier<Consumer<byte[], byte[]>> newConsumer;
    private final Duration sessionTimeout;
    private final Runnable changed;
    private final Thread thread;
    private volatile boolean assigned;
    private volatile long lastPoll = System.nanoTime();
    private volatile boolean closed;
    /** Until when others may have it, by {@link System#nanoTime}; null while this worker wants it. */
    private volatile @Nullable Long restUntil;
    private volatile @Nullable Consumer<byte[], byte[]> current;
    private boolean subscribed;
    private Duration pause = POLL;
    private boolean quiet;

    /**
     * @param newConsumer may throw while an address does not resolve
     * @param changed     called when the lease is won or lost
     */
    CaptureLease(Supplier<Consumer<byte[], byte[]>> newConsumer, Duration sessionTimeout, Runnable changed) {
        this.newConsumer = newConsumer;
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

    private void subscribe(Consumer<byte[], byte[]> consumer) {
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
        while (!closed) {
            try (Consumer<byte[], byte[]> consumer = newConsumer.get()) {
                current = consumer;
                while (!closed) {
                    poll(consumer);
                }
            } catch (InterruptedException | InterruptException e) {
                closed = true;
            } catch (WakeupException e) {
                LOG.debug("The lease is given back");
            } catch (RuntimeException | Error e) {
                // An Error, too: without this thread the worker would never capture again. Also where the consumer can do nothing
                // else any more, or was refused for what has been put right since: the next try is made with another one.
                LOG.warn("The lease on capturing cannot be kept, and is asked for again with another consumer: {}",
                        why(e));
                set(false);
                pause();
            } finally {
                current = null;
                subscribed = false;
                set(false);
            }
        }
    }

    private static String why(Throwable e) {
        return e.getCause() == null ? e.toString() : e + ": " + e.getCause();
    }

    private void pause() {
        try {
            Thread.sleep(pause);
            pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : LONGEST_PAUSE;
        } catch (InterruptedException e) {
            closed = true;
        }
    }

    private void poll(Consumer<byte[], byte[]> consumer) throws InterruptedException {
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
                subscribe(consumer);
            }
            var unused = consumer.poll(POLL);
            lastPoll = System.nanoTime();
            pause = POLL;
        } catch (RetriableException e) {
            // The broker is away, or does not know the group, say: the consumer goes on trying, and the lease runs out meanwhile.
            LOG.warn("The lease on capturing cannot be kept: {}", e.toString());
            Thread.sleep(POLL);
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
        Consumer<byte[], byte[]> consumer = current;
        if (consumer != null) {
            consumer.wakeup();
        }
        try {
            thread.join(Duration.ofSeconds(10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
