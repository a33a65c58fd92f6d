package io.syncline.worker.connection;

import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.Acknowledgement;
import io.syncline.model.log.Acknowledgements;
import io.syncline.model.log.ChainReader;
import io.syncline.model.log.ChainReader.Verdict;
import io.syncline.model.log.Fence;
import io.syncline.model.log.Hole;
import io.syncline.model.log.LogRecord;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.MalformedRecordException;
import io.syncline.worker.audit.ChainReading;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Finds the holes of a partition and, on an operator's word, lets the log go on behind them: what the state database still has
 * of the missing events is appended again byte for byte, then an acknowledgement, which is a fence. An owner that is at work
 * meanwhile meets a fence that is not its own, and takes the partition over again.
 */
final class LogRepair {

    private static final String WRITER = "repair-log";

    private final ConnectionStore store;
    private final StoredLog stored;
    private final CredentialKeys keys;
    private final Supplier<UUID> newId;

    /** The events that the state database has. */
    @FunctionalInterface
    interface StoredLog {

        /** Those behind a sequence up to another one, that one included, as they lay in the log. */
        List<LoggedEvent> between(int partition, long after, long upTo);
    }

    /**
     * What is wrong with a partition.
     *
     * @param refused why nothing can be said of it with these keys, or nothing done; else null
     */
    record Damage(ChainReader.Head head, List<Missing> missing, @Nullable String refused) {}

    /** A hole, and what of it the state database has with its neighbours' proof. */
    record Missing(Hole hole, List<LoggedEvent> restorable) {

        long lost() {
            return Math.max(0, hole.afterSequence() - hole.beforeSequence()) - restorable.size();
        }
    }

    LogRepair(ConnectionStore store, StoredLog stored, CredentialKeys keys, Supplier<UUID> newId) {
        this.store = store;
        this.stored = stored;
        this.keys = keys;
        this.newId = newId;
    }

    private static final class Found implements ChainReading.Visitor {

        private final List<Hole> holes = new ArrayList<>();
        private boolean ours;
        private boolean unknownKey;
        private boolean claims;

        @Override
        public void verdict(long offset, Verdict verdict, ChainReader reader) {
            switch (verdict) {
                case Verdict.Foreign foreign -> {
                    unknownKey |= foreign.kind() == MalformedRecordException.Kind.UNKNOWN_KEY;
                    claims |= foreign.claims() != null;
                    return;
                }
                case Verdict.Proves proves -> {
                    holes.addAll(proves.holes());
                    claims = false;
                }
                case Verdict.Counts _,Verdict.Raises _,Verdict.Resumes _,Verdict.RaisesBehind _ -> claims = false;
                case Verdict.Voided _,Verdict.Detached _ -> {}
            }
            ours = true;
        }
    }

    /** Reads a partition; writes nothing. */
    Damage look(PartitionTakeover.PartitionLog log) {
        int partition = log.partition();
        LogHead known = store.head(partition).orElse(LogHead.start(partition));
        long beginning = log.beginning();
        long end = log.end();
        ChainReading.Read<Found> read = ChainReading.read(log, ChainReader.Head.start(), beginning, end, keys,
                Found::new);
        Found found = read.visitor();
        ChainReader.Head head = read.reader().headBehindHoles();
        if (end < Math.max(known.published().offset(), known.fence() + 1)) {
            return new Damage(head, List.of(), "it ends at offset " + end + ", but the state database knows of "
                    + Math.max(known.published().offset(), known.fence() + 1)
                    + " records: the broker lost its end, or the database belongs to another cluster. Restore the topic, or"
                    + " give the database that belongs to it");
        }
        Fault fence = faultOf(known.fence(), log, beginning, end);
        if (fence == Fault.OTHER_KEY || found.claims || !found.ours && found.unknownKey) {
            return new Damage(head, List.of(),
                    "it was written with keys that are not in this key file, which is not the"
                            + " cluster's, or an older one");
        }
        List<Hole> holes = new ArrayList<>(found.holes);
        holes.addAll(read.reader().open());
        ChainReader.Head published = known.published().head();
        if (published.sequence() > head.sequence()) {
            // Nothing is left behind the hole to prove it, but the database knows that the log had come so far.
            holes.add(new Hole(head.sequence(), head.hashHex(), published.sequence(), published.hashHex(), -1,
                    head.sequence() == 0 ? 0 : beginning, end));
            head = published;
        }
        if (beginning > 0 && !read.acknowledged().coversBeginning(0, beginning)) {
            reachBackToTheBeginning(holes, beginning);
        }
        if (fence == Fault.MISSING && !read.acknowledged().knowsMissing(known.fence())
                && holes.stream().noneMatch(hole -> hole.fence() == known.fence())) {
            holes.add(Hole.ofFence(known.fence()));
        }
        List<Missing> missing = holes.stream()
                .map(hole -> new Missing(hole, Acknowledgements.proven(hole,
                        stored.between(partition, hole.beforeSequence(), hole.afterSequence()))))
                .toList();
        return new Damage(head, missing, null);
    }

    private enum Fault {
        NONE, MISSING, OTHER_KEY
    }

    private Fault faultOf(long fence, PartitionTakeover.PartitionLog log, long beginning, long end) {
        if (fence < 0 || fence >= end) {
            return Fault.NONE;
        }
        Fault[] fault = {Fault.MISSING};
        if (fence >= beginning) {
            log.read(fence, fence + 1, (offset, record) -> {
                try {
                    Fence.read(log.partition(), record, keys);
                    fault[0] = Fault.NONE;
                } catch (MalformedRecordException e) {
                    fault[0] = e.unknownKey() ? Fault.OTHER_KEY : Fault.MISSING;
                }
            });
        }
        return fault[0];
    }

    /** The reader knows of no offset before the first that is left. */
    private static void reachBackToTheBeginning(List<Hole> holes, long beginning) {
        for (int i = 0; i < holes.size(); i++) {
            Hole hole = holes.get(i);
            if (hole.beforeSequence() == 0 && hole.afterSequence() > 0 && hole.toOffset() >= beginning) {
                holes.set(i, hole.from(0));
                return;
            }
        }
        holes.addFirst(Hole.ofBeginning(beginning));
    }

    /**
     * Restores and acknowledges.
     *
     * @param by the operator's name
     * @return offset of the acknowledgement
     */
    long acknowledge(PartitionTakeover.PartitionLog log, Damage damage, String by, String reason) {
        int partition = log.partition();
        List<LogRecord> again = damage.missing()
                .stream()
                .flatMap(one -> one.restorable().stream())
                .map(LoggedEvent::record)
                .toList();
        long restoredFrom = again.isEmpty() ? -1 : log.append(again).getFirst();
        Instant now = store.clock().truncatedTo(ChronoUnit.MILLIS);
        Instant last = store.head(partition).map(LogHead::time).orElse(Instant.EPOCH);
        Acknowledgement said = new Acknowledgement(by, reason, damage.missing().stream().map(Missing::hole).toList(),
                damage.missing().stream().map(one -> (long) one.restorable().size()).toList(), restoredFrom);
        Fence fence = new Fence(newId.get(), last.isAfter(now) ? last : now, WRITER, damage.head().sequence(),
                damage.head().hashHex(), said);
        return log.append(List.of(fence.toRecord(partition, keys))).getFirst();
    }
}
