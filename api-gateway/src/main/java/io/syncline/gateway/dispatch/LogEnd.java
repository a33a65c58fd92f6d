package io.syncline.gateway.dispatch;

import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.ChainReader;
import io.syncline.model.log.Fence;
import io.syncline.model.log.LogRecord;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.MalformedRecordException;
import java.util.HexFormat;

/**
 * The end of one partition of the event log: the last event that counts. It is looked for among the last records, farther
 * and farther back until a fence says where the chain stood, and later among those that have come since.
 *
 * <p>Too low a number would let a database answer that lacks something, too high a one would have none answer: records that
 * do not count (sent by a worker that had lost the partition) must not be taken for the end.
 */
final class LogEnd {

    private static final int FIRST_LOOK = 64;
    /** Workers have fewer events on their way at once: so many void ones never lie behind each other. */
    private static final int WITHOUT_FENCE = 4_096;
    /** More records that nobody of ours wrote are a matter for verify-log. */
    static final int LAST_LOOK = 32_768;

    private final int partition;
    private final CredentialKeys keys;
    private ChainReader chain;
    private long first;
    private long end;
    private long from;
    /** All before this offset was read. */
    private long upTo;
    private int back;
    private boolean ours;
    private boolean anchored;

    LogEnd(int partition, CredentialKeys keys) {
        this.partition = partition;
        this.keys = keys;
        this.chain = new ChainReader(partition, ChainReader.Head.start(), keys);
    }

    /**
     * Begins a reading.
     *
     * @param newFirst the partition's first offset
     * @param newEnd   the offset behind its last record
     */
    void begin(long newFirst, long newEnd) {
        boolean goesOn = anchored && newFirst <= upTo && upTo <= newEnd && newEnd - upTo <= LAST_LOOK;
        first = newFirst;
        end = newEnd;
        if (goesOn) {
            from = upTo;
        } else {
            look(FIRST_LOOK);
        }
    }

    private void look(int records) {
        back = records;
        from = Math.max(first, end - back);
        upTo = from;
        chain = new ChainReader(partition, ChainReader.Head.start(), keys);
        ours = false;
        anchored = from == first;
    }

    /** Where the present look begins. */
    long from() {
        return from;
    }

    /** Whether there is nothing in the partition. */
    boolean empty() {
        return first >= end;
    }

    /** Whether there is no more to read, given that all before this offset was read. */
    boolean settled(long position) {
        upTo = Math.max(upTo, Math.min(position, end));
        return position >= end && (anchored || ours && back >= WITHOUT_FENCE || back >= LAST_LOOK);
    }

    /** Begins a look from farther back where this one is over and did not find enough. */
    boolean wider(long position) {
        if (position < end || settled(position)) {
            return false;
        }
        look(back * 8);
        return true;
    }

    /** Whether anything was written with our keys. */
    boolean ours() {
        return ours;
    }

    /** Whether the last event is known, once this is settled: not where nothing of ours is to be seen, and more lies before. */
    boolean known() {
        return ours || anchored;
    }

    /** The last event that counts; 0 where there is none. */
    long sequence() {
        return chain.head().sequence();
    }

    void take(long offset, LogRecord record) {
        if (offset >= end) {
            // Written since: read the next time.
            return;
        }
        // Before it is read: what it says raises the reader's fence.
        long fenceBefore = chain.head().fence();
        switch (chain.read(offset, record)) {
            case ChainReader.Verdict.Counts _,ChainReader.Verdict.Resumes _,ChainReader.Verdict.Voided _ -> ours = true;
            case ChainReader.Verdict.Raises(Fence fence) -> {
                ours = true;
                if (fence.headSequence() >= chain.head().sequence()) {
                    anchored = true;
                } else if (!anchored) {
                    readFence(offset, record);
                }
                // Else what the old owner wrote after its writer had read the log, and before the fence, counts.
            }
            // Its writer had read all that was before it, so this is where the chain stood.
            case ChainReader.Verdict.RaisesBehind _,ChainReader.Verdict.Proves _ -> readFence(offset, record);
            case ChainReader.Verdict.Detached(LoggedEvent event, String _) -> {
                ours = true;
                if (event.fence() > fenceBefore) {
                    // Its fence lies before what was read: the chain is followed from here.
                    stand(event.fence(), event.sequence(), event.hash());
                }
            }
            case ChainReader.Verdict.Foreign foreign -> readFence(offset, record);
        }
    }

    /** A fence proves by its signature where the chain stood, whatever was read before it. */
    private void readFence(long offset, LogRecord record) {
        if (!Fence.isFence(record)) {
            return;
        }
        try {
            Fence fence = Fence.read(partition, record, keys);
            stand(offset, fence.headSequence(), HexFormat.of().parseHex(fence.headHash()));
            ours = true;
            anchored = true;
        } catch (MalformedRecordException e) {
            // Not of this cluster: passed over.
        }
    }

    private void stand(long fence, long sequence, byte[] hash) {
        chain = new ChainReader(partition, new ChainReader.Head(fence, sequence, hash), keys);
    }
}
