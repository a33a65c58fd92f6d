package io.syncline.model.log;

import io.syncline.model.credential.CredentialKeys;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads one partition of the event log in the order of its offsets and says of each record whether it counts. One reader
 * serves the takeover, the replay and the tests.
 *
 * <p>An event counts only if its fence is the newest one read and its sequence and hash follow on the last that counted. A
 * record that no worker of ours wrote is passed over. One of ours that goes on from what was not read proves a {@link Hole}.
 */
public final class ChainReader {

    /**
     * Where a reader stands.
     *
     * @param fence    offset of the newest fence read, -1 before the first
     * @param sequence of the last event that counted, 0 before the first
     * @param hash     of that event
     */
    public record Head(long fence, long sequence, byte[] hash) {

        /** Before a partition's first record. */
        public static Head start() {
            return new Head(-1, 0, HashChain.genesis());
        }

        Head under(long newerFence) {
            return new Head(newerFence, sequence, hash);
        }

        public String hashHex() {
            return HexFormat.of().formatHex(hash);
        }

        private boolean isBefore(LoggedEvent event) {
            return event.sequence() == sequence + 1 && Arrays.equals(event.previousHash(), hash);
        }
    }

    /** What a record is to the log. */
    public sealed interface Verdict {

        /** An event of the log. */
        record Counts(LoggedEvent event) implements Verdict {}

        /** A worker took the partition over. */
        record Raises(Fence fence) implements Verdict {}

        /** An event of the log, the first behind an acknowledged hole; the restored events go before it. */
        record Resumes(Acknowledgements.Bridge bridge, LoggedEvent event) implements Verdict {}

        /** A fence, the first record behind an acknowledged hole; the restored events go before it. */
        record RaisesBehind(Acknowledgements.Bridge bridge, Fence fence) implements Verdict {}

        /** Written by a worker of ours that had lost the partition, or sent twice: reported, and no part of the log. */
        record Voided(LoggedEvent event, String why) implements Verdict {}

        /**
         * Written under the newest fence, and goes on from what was not read. Void where a later fence names the head before
         * the gap: its writer did not find it either. Otherwise there is a hole.
         */
        record Detached(LoggedEvent event, String why) implements Verdict {}

        /** A fence whose writer had read what is not there: the reader goes on at the head that it names. */
        record Proves(Fence fence, List<Hole> holes) implements Verdict {}

        /**
         * Not written by any worker of ours, or altered since. Passed over.
         *
         * @param claims an event that would count, if the key that it names were one of the cluster's; the key file may be an
         *               older one
         */
        record Foreign(String why, MalformedRecordException.Kind kind, @Nullable LoggedEvent claims)
                implements Verdict {}
    }

    private final int partition;
    private final CredentialKeys keys;
    private final Acknowledgements acknowledged;
    private Head head;
    /** Offset behind the last record that is part of the log. */
    private long behindHead;
    /** Holes, if no later fence says that what is behind them is void. */
    private final List<Hole> open = new ArrayList<>();
    /** The fence in force when the first of them was found. */
    private long openSince = -1;
    /** Where the chain behind the open holes stands. */
    private @Nullable Head detached;
    private long behindDetached;

    public ChainReader(int partition, Head from, CredentialKeys keys) {
        this(partition, from, 0, keys, new Acknowledgements());
    }

    /**
     * @param offset       from which is read
     * @param acknowledged holes that are passed
     */
    public ChainReader(int partition, Head from, long offset, CredentialKeys keys, Acknowledgements acknowledged) {
        this.partition = partition;
        this.head = from;
        this.behindHead = offset;
        this.keys = keys;
        this.acknowledged = acknowledged;
    }

    public Head head() {
        return head;
    }

    /** Holes that nothing has closed so far: at the end of the log, they are proven. */
    public List<Hole> open() {
        return List.copyOf(open);
    }

    /** The head behind the open holes, which is the log's if they are holes. */
    public Head headBehindHoles() {
        return detached == null ? head : detached;
    }

    public Verdict read(long offset, LogRecord record) {
        raise(acknowledged.newestMissingUpTo(offset));
        LoggedEvent event;
        try {
            if (Fence.isFence(record)) {
                return judge(offset, Fence.read(partition, record, keys));
            }
            event = LoggedEvent.read(partition, record, keys);
        } catch (MalformedRecordException e) {
            return new Verdict.Foreign(e.why(), e.kind(), e.unknownKey() ? claiming(record) : null);
        }
        if (event.fence() > head.fence() && acknowledged.knowsMissing(event.fence())) {
            raise(event.fence());
        }
        return judge(offset, event);
    }

    private @Nullable LoggedEvent claiming(LogRecord record) {
        try {
            LoggedEvent event = LoggedEvent.unproven(partition, record);
            return event.fence() >= head.fence() && headBehindHoles().isBefore(event) ? event : null;
        } catch (MalformedRecordException e) {
            return null;
        }
    }

    private void raise(long fence) {
        if (fence > head.fence()) {
            head = head.under(fence);
            Head behind = detached;
            detached = behind == null ? null : behind.under(fence);
        }
    }

    private Verdict judge(long offset, Fence fence) {
        Head known = head;
        raise(offset);
        boolean namesHead = fence.headSequence() == known.sequence() && fence.headHash().equals(known.hashHex());
        if (namesHead) {
            // Its writer had read the same: what was detached is void.
            close();
        }
        if (namesHead || fence.headSequence() < known.sequence()) {
            behindHead = offset + 1;
            return new Verdict.Raises(fence);
        }
        List<Hole> holes = new ArrayList<>(open);
        Head behind = headBehindHoles();
        boolean further = fence.headSequence() > behind.sequence()
                || fence.headSequence() == behind.sequence() && !fence.headHash().equals(behind.hashHex());
        if (further) {
            Optional<Acknowledgements.Bridge> bridge = holes.isEmpty()
                    ? acknowledged.bridging(known, fence.headSequence(), fence.headHash())
                    : Optional.empty();
            long from = detached == null ? behindHead : behindDetached;
            behind = new Head(offset, fence.headSequence(), HexFormat.of().parseHex(fence.headHash()));
            if (bridge.isPresent()) {
                standAt(behind, offset + 1);
                return new Verdict.RaisesBehind(bridge.get(), fence);
            }
            holes.add(new Hole(holes.isEmpty() ? known.sequence() : headBehindHoles().sequence(),
                    holes.isEmpty() ? known.hashHex() : headBehindHoles().hashHex(), fence.headSequence(),
                    fence.headHash(), -1, from, offset));
        }
        standAt(behind.under(offset), offset + 1);
        return new Verdict.Proves(fence, holes);
    }

    private Verdict judge(long offset, LoggedEvent event) {
        if (event.fence() < 0 || event.fence() < head.fence()) {
            return new Verdict.Voided(event, "its fence is " + event.fence() + ", the newest is " + head.fence());
        }
        if (event.fence() > head.fence()) {
            return detach(offset, event, event.fence());
        }
        if (head.isBefore(event)) {
            if (detached != null && openSince == head.fence()) {
                return new Verdict.Voided(event, "it comes behind events that follow on it");
            }
            close();
            standAt(new Head(head.fence(), event.sequence(), event.hash()), offset + 1);
            return new Verdict.Counts(event);
        }
        Head behind = headBehindHoles();
        if (detached != null && behind.isBefore(event)) {
            detachedAt(event, offset);
            return new Verdict.Detached(event, "it goes on from event " + behind.sequence() + " behind a hole");
        }
        if (event.sequence() <= behind.sequence()) {
            return new Verdict.Voided(event,
                    "its sequence is " + event.sequence() + ", it does not follow on " + behind.sequence());
        }
        if (detached == null) {
            Optional<Acknowledgements.Bridge> bridge = acknowledged.bridging(head, event.sequence() - 1,
                    HexFormat.of().formatHex(event.previousHash()));
            if (bridge.isPresent()) {
                standAt(new Head(head.fence(), event.sequence(), event.hash()), offset + 1);
                return new Verdict.Resumes(bridge.get(), event);
            }
        }
        return detach(offset, event, -1);
    }

    private Verdict detach(long offset, LoggedEvent event, long missingFence) {
        Head before = headBehindHoles();
        String previous = HexFormat.of().formatHex(event.previousHash());
        // Behind a missing fence, what counted may be void: then the chain goes on from an event before it.
        boolean goesBack = event.sequence() <= before.sequence();
        Hole hole = new Hole(goesBack ? event.sequence() - 1 : before.sequence(),
                goesBack ? previous : before.hashHex(), event.sequence() - 1, previous, missingFence,
                detached == null ? behindHead : behindDetached, offset);
        raise(missingFence);
        if (open.isEmpty()) {
            openSince = head.fence();
        }
        open.add(hole);
        detachedAt(event, offset);
        return new Verdict.Detached(event, "it goes on from event " + hole.afterSequence() + " under fence "
                + event.fence() + "; the last that counts is event " + before.sequence() + ": " + hole.what()
                + " missing");
    }

    private void detachedAt(LoggedEvent event, long offset) {
        detached = new Head(head.fence(), event.sequence(), event.hash());
        behindDetached = offset + 1;
    }

    private void standAt(Head next, long offset) {
        close();
        head = next;
        behindHead = offset;
    }

    private void close() {
        open.clear();
        detached = null;
        openSince = -1;
    }
}
