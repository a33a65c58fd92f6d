package io.syncline.model.log;

import io.syncline.model.credential.CredentialKeys;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * Reads one partition of the event log in the order of its offsets and says of each record whether it counts. One reader
 * serves the takeover, the replay and the tests.
 *
 * <p>An event counts only if its fence is the newest one read and its sequence and hash follow on the last that counted.
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
    }

    /** What a record is to the log. */
    public sealed interface Verdict {

        /** An event of the log. */
        record Counts(LoggedEvent event) implements Verdict {}

        /** A worker took the partition over. */
        record Raises(Fence fence) implements Verdict {}

        /** Written by a worker of ours that had lost the partition, or sent twice: reported, and no part of the log. */
        record Voided(LoggedEvent event, String why) implements Verdict {}

        /** Not written by any worker of ours, or altered since. */
        record Foreign(String why) implements Verdict {}
    }

    private final int partition;
    private final CredentialKeys keys;
    private Head head;

    public ChainReader(int partition, Head from, CredentialKeys keys) {
        this.partition = partition;
        this.head = from;
        this.keys = keys;
    }

    public Head head() {
        return head;
    }

    public Verdict read(long offset, LogRecord record) {
        try {
            if (Fence.isFence(record)) {
                Fence fence = Fence.read(partition, record, keys);
                if (provesOther(fence, head)) {
                    return new Verdict.Foreign("a fence proves event " + fence.headSequence() + " with hash "
                            + fence.headHash() + " before it, but the log before it ends with event " + head.sequence()
                            + " with hash " + HexFormat.of().formatHex(head.hash())
                            + ": events were removed or replaced");
                }
                head = new Head(offset, head.sequence(), head.hash());
                return new Verdict.Raises(fence);
            }
            return judge(LoggedEvent.read(partition, record, keys));
        } catch (MalformedRecordException e) {
            return new Verdict.Foreign(e.why());
        }
    }

    /** Whether a fence is signed proof of events that have not been read: its writer had read what we cannot. */
    private static boolean provesOther(Fence fence, Head head) {
        return fence.headSequence() > head.sequence() || (fence.headSequence() == head.sequence()
                && !fence.headHash().equals(HexFormat.of().formatHex(head.hash())));
    }

    private Verdict judge(LoggedEvent event) {
        if (head.fence() < 0 || event.fence() != head.fence()) {
            return new Verdict.Voided(event, "its fence is " + event.fence() + ", the newest is " + head.fence());
        }
        if (event.sequence() != head.sequence() + 1 || !Arrays.equals(event.previousHash(), head.hash())) {
            return new Verdict.Voided(event,
                    "its sequence is " + event.sequence() + ", it does not follow on " + head.sequence());
        }
        head = new Head(head.fence(), event.sequence(), event.hash());
        return new Verdict.Counts(event);
    }
}
