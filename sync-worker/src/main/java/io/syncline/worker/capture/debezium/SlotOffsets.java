package io.syncline.worker.capture.debezium;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.apache.kafka.connect.runtime.WorkerConfig;
import org.apache.kafka.connect.storage.OffsetBackingStore;
import org.apache.kafka.connect.util.Callback;
import org.jspecify.annotations.Nullable;

/**
 * Debezium's offsets for the life of one engine. What lasts is the slot's own position: an engine begins where the slot stands,
 * and Debezium moves the slot to what is marked as processed here. So there are no two positions that could disagree, whole
 * transactions come again after a restart, and Debezium's search for the middle of one (which numbers events anew and has lost
 * some that share an LSN) is never needed.
 */
public final class SlotOffsets implements OffsetBackingStore {

    /** The engine's property with the slot's confirmed position, as a decimal number. */
    public static final String START_LSN = "syncline.start-lsn";

    private final Map<ByteBuffer, ByteBuffer> offsets = new ConcurrentHashMap<>();
    private byte[] start = {};

    @Override
    public void configure(WorkerConfig config) {
        long lsn = Long.parseLong(String.valueOf(config.originals().get(START_LSN)));
        // lsn_proc is left out on purpose: with it Debezium would search for the event after it. lsn_commit: what Debezium
        // names as the commit before the first transaction, see Place.
        start = ("{\"lsn\":" + lsn + ",\"lsn_commit\":" + lsn + "}").getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void start() {}

    @Override
    public void stop() {}

    @Override
    public Future<Map<ByteBuffer, ByteBuffer>> get(Collection<ByteBuffer> keys) {
        return CompletableFuture.completedFuture(keys.stream().collect(Collectors.toMap(key -> key, this::offset)));
    }

    private ByteBuffer offset(ByteBuffer key) {
        ByteBuffer offset = offsets.get(key);
        return offset == null ? ByteBuffer.wrap(start) : offset.duplicate();
    }

    @Override
    public Future<Void> set(Map<ByteBuffer, ByteBuffer> values, @Nullable Callback<Void> callback) {
        offsets.putAll(values);
        if (callback != null) {
            callback.onCompletion(null, null);
        }
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public Set<Map<String, Object>> connectorPartitions(String connectorName) {
        return Set.of();
    }
}
