package io.syncline.worker.connection;

import io.syncline.model.credential.CredentialKeys;
import io.syncline.worker.audit.ChainReading;
import io.syncline.worker.audit.EventLogReader;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks at what lies between a worker's own events, one stretch after the other, with a reader that it keeps. */
final class ForeignLook implements ConnectionPublisher.Between, Executor, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(ForeignLook.class);

    private final Supplier<EventLogReader> newReader;
    private final CredentialKeys keys;
    private final ExecutorService thread = Executors
            .newSingleThreadExecutor(Thread.ofPlatform().daemon().name("foreign-look").factory());
    private @Nullable EventLogReader reader;
    private long found;

    ForeignLook(Supplier<EventLogReader> newReader, CredentialKeys keys) {
        this.newReader = newReader;
        this.keys = keys;
    }

    @Override
    public void execute(Runnable look) {
        try {
            thread.execute(look);
        } catch (RejectedExecutionException e) {
            log.debug("closed: its partitions are taken over by others");
        }
    }

    @Override
    public OptionalLong foreign(int partition, long from, long to) {
        EventLogReader current = reader;
        if (current == null) {
            current = newReader.get();
            reader = current;
        }
        try {
            OptionalLong foreign = ChainReading.foreignBetween(current.partition(partition), from, to, keys);
            foreign.ifPresent(count -> {
                if (found == 0 || found / 1_000 != (found + count) / 1_000) {
                    log.warn(
                            "Partition {} of the events has {} records at offsets {} to {} that no worker of this cluster"
                                    + " wrote; they are passed over ({} so far). See them with: java -jar sync-worker.jar"
                                    + " verify-log",
                            partition, count, from, to - 1, found + count);
                }
                found += count;
            });
            return foreign;
        } catch (RuntimeException | Error e) {
            reader = null;
            current.close();
            throw e;
        }
    }

    @Override
    public void close() {
        // Runs behind a look that is under way: a consumer is closed by the thread that uses it.
        execute(() -> {
            EventLogReader current = reader;
            reader = null;
            if (current != null) {
                current.close();
            }
        });
        thread.shutdown();
    }
}
