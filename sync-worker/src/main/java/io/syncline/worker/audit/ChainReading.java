package io.syncline.worker.audit;

import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.Acknowledgement;
import io.syncline.model.log.Acknowledgements;
import io.syncline.model.log.ChainReader;
import io.syncline.model.log.ChainReader.Verdict;
import io.syncline.model.log.Fence;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.MalformedRecordException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * Reads a stretch of a partition as a chain. An acknowledgement lies behind the hole that it is about: where one is met, the
 * stretch is read a second time, with it in mind.
 */
public final class ChainReading {

    private ChainReading() {}

    /** What is made of the verdicts of one reading. */
    @FunctionalInterface
    public interface Visitor {

        void verdict(long offset, Verdict verdict, ChainReader reader);
    }

    /**
     * A reading from its beginning to its end.
     *
     * @param reader       as it stands at the end
     * @param acknowledged what was passed
     */
    public record Read<V extends Visitor>(V visitor, ChainReader reader, Acknowledgements acknowledged) {}

    /**
     * Reads from one offset up to another one, that one excluded.
     *
     * @param head    where the chain stands before the first record
     * @param visitor a fresh one for each reading; only the last one's counts
     */
    public static <V extends Visitor> Read<V> read(PartitionRecords log, ChainReader.Head head, long from, long to,
            CredentialKeys keys, Supplier<V> visitor) {
        V first = visitor.get();
        Map<Long, Fence> said = new TreeMap<>();
        Acknowledgements none = new Acknowledgements();
        ChainReader reader = pass(log, head, from, to, keys, none, (offset, verdict, at) -> {
            switch (verdict) {
                case Verdict.Proves(Fence fence, var holes) when fence.acknowledges() != null ->
                        said.put(offset, fence);
                case Verdict.Raises(Fence fence) when fence.acknowledges() != null -> said.put(offset, fence);
                default -> {}
            }
            first.verdict(offset, verdict, at);
        });
        if (said.isEmpty()) {
            return new Read<>(first, reader, none);
        }
        Acknowledgements acknowledged = new Acknowledgements();
        said.forEach((offset, fence) -> acknowledged.add(fence, restored(log, offset, fence, keys)));
        V second = visitor.get();
        return new Read<>(second, pass(log, head, from, to, keys, acknowledged, second), acknowledged);
    }

    /** Reads once, with acknowledgements that are known. */
    public static ChainReader pass(PartitionRecords log, ChainReader.Head head, long from, long to, CredentialKeys keys,
            Acknowledgements acknowledged, Visitor visitor) {
        ChainReader reader = new ChainReader(log.partition(), head, from, keys, acknowledged);
        if (from < to) {
            log.read(from, to, (offset, record) -> visitor.verdict(offset, reader.read(offset, record), reader));
        }
        return reader;
    }

    private static List<LoggedEvent> restored(PartitionRecords log, long offset, Fence fence, CredentialKeys keys) {
        List<LoggedEvent> events = new ArrayList<>();
        Acknowledgement said = fence.acknowledges();
        long from = said == null || said.restoredFrom() < 0 ? offset : Math.max(said.restoredFrom(), log.beginning());
        if (from < offset) {
            log.read(from, offset, (at, record) -> {
                try {
                    if (!Fence.isFence(record)) {
                        events.add(LoggedEvent.read(log.partition(), record, keys));
                    }
                } catch (MalformedRecordException e) {
                    // A foreign record among them is passed over like anywhere.
                }
            });
        }
        return events;
    }

    /**
     * How many foreign records lie between two offsets; empty if anything there may be a worker's. A fence with a key that we
     * do not hold may be one's that has newer keys.
     */
    public static OptionalLong foreignBetween(PartitionRecords log, long from, long to, CredentialKeys keys) {
        long[] foreign = new long[1];
        boolean[] ours = new boolean[1];
        log.read(from, to, (offset, record) -> {
            try {
                if (Fence.isFence(record)) {
                    Fence.read(log.partition(), record, keys);
                } else {
                    LoggedEvent.read(log.partition(), record, keys);
                }
                ours[0] = true;
            } catch (MalformedRecordException e) {
                ours[0] |= e.unknownKey() && Fence.isFence(record);
                foreign[0]++;
            }
        });
        return ours[0] ? OptionalLong.empty() : OptionalLong.of(foreign[0]);
    }
}
