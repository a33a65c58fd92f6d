package io.syncline.worker.capture;

import io.debezium.embedded.Connect;
import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.spi.OffsetCommitPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.connect.source.SourceRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Debezium's engine in a thread of its own. */
final class StreamEngine {

    private static final Logger LOG = LoggerFactory.getLogger(StreamEngine.class);

    private final DebeziumEngine<ChangeEvent<SourceRecord, SourceRecord>> engine;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final Runnable atEnd;

    private StreamEngine(Properties settings,
            DebeziumEngine.ChangeConsumer<ChangeEvent<SourceRecord, SourceRecord>> consumer,
            Runnable atEnd) {
        this.atEnd = atEnd;
        engine = DebeziumEngine.create(Connect.class)
                .using(settings)
                .using(StreamEngine.class.getClassLoader())
                .using(OffsetCommitPolicy.always())
                .using((success, message, error) -> {
                    if (!success) {
                        failure.compareAndSet(null, error != null ? error : new IllegalStateException(message));
                    }
                })
                .notifying(consumer)
                .build();
    }

    static StreamEngine start(Properties settings,
            DebeziumEngine.ChangeConsumer<ChangeEvent<SourceRecord, SourceRecord>> consumer, Runnable atEnd) {
        StreamEngine stream = new StreamEngine(settings, consumer, atEnd);
        Thread thread = Thread.ofPlatform().daemon().name("capture-stream").unstarted(stream::run);
        thread.setContextClassLoader(StreamEngine.class.getClassLoader());
        thread.start();
        return stream;
    }

    private void run() {
        try {
            engine.run();
        } catch (RuntimeException | Error e) {
            failure.compareAndSet(null, e);
        } finally {
            ended.countDown();
            atEnd.run();
        }
    }

    boolean hasEnded() {
        return ended.getCount() == 0;
    }

    /** Why it ended by itself. */
    @Nullable
    Throwable failure() {
        return failure.get();
    }

    /** Ends it; false if it has not ended in time. */
    boolean end(Duration longest) {
        long until = System.nanoTime() + longest.toNanos();
        try {
            while (!hasEnded() && System.nanoTime() - until < 0) {
                try {
                    engine.close();
                } catch (IllegalStateException e) {
                    // Debezium refuses while its task is starting, and once it is ending.
                    LOG.debug("Debezium does not end yet: {}", e.getMessage());
                } catch (IOException e) {
                    LOG.warn("Debezium did not end cleanly: {}", e.getMessage());
                }
                if (ended.await(100, TimeUnit.MILLISECONDS)) {
                    return true;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return hasEnded();
    }
}
