package io.syncline.worker.connection;

import io.syncline.model.log.LogRecord;
import io.syncline.worker.audit.EventLogReader;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A partition of the events topic in memory. */
final class InMemoryLog implements PartitionTakeover.PartitionLog {

    final List<LogRecord> records = new ArrayList<>();
    long beginning;
    /** Runs after each append. */
    Runnable afterAppend = () -> {
    };

    private final int partition;
    private final @Nullable InMemoryLog settings;

    InMemoryLog(int partition, @Nullable InMemoryLog settings) {
        this.partition = partition;
        this.settings = settings;
    }

    @Override
    public int partition() {
        return partition;
    }

    @Override
    public PartitionTakeover.PartitionLog ofSettings() {
        return settings == null ? this : settings;
    }

    @Override
    public long beginning() {
        return beginning;
    }

    @Override
    public long end() {
        return records.size();
    }

    @Override
    public void read(long from, long to, EventLogReader.Each each) {
        for (long offset = from; offset < to; offset++) {
            each.record(offset, records.get((int) offset));
        }
    }

    @Override
    public List<Long> append(List<LogRecord> appended) {
        List<Long> offsets = new ArrayList<>();
        for (LogRecord record : appended) {
            offsets.add((long) records.size());
            records.add(record);
        }
        afterAppend.run();
        return offsets;
    }
}
