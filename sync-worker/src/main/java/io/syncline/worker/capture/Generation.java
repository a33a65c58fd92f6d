package io.syncline.worker.capture;

import io.syncline.worker.capture.encode.JsonBytes;
import io.syncline.worker.capture.encode.TextRow;
import java.time.Instant;

/** One snapshot of one table and the changes behind it. Guarded by its {@link CapturedTable}. */
final class Generation {

    private final long number;
    private final SourceTable table;
    private final PgSnapshot snapshot;
    private final long consistentLsn;
    private final Instant asOf;
    private final StructReader reader;
    private final TextRow row;
    private final JsonBytes buffer = new JsonBytes();
    private boolean passed;
    private boolean ended;

    /**
     * @param table         as the snapshot sees it
     * @param consistentLsn of the point that the snapshot is of: it sees what committed before it, and nothing else
     */
    Generation(long number, SourceTable table, PgSnapshot snapshot, long consistentLsn, Instant asOf) {
        this.number = number;
        this.table = table;
        this.snapshot = snapshot;
        this.consistentLsn = consistentLsn;
        this.asOf = asOf;
        reader = new StructReader(table);
        row = new TextRow(table.columns().size());
    }

    long number() {
        return number;
    }

    SourceTable table() {
        return table;
    }

    PgSnapshot snapshot() {
        return snapshot;
    }

    Instant asOf() {
        return asOf;
    }

    StructReader reader() {
        return reader;
    }

    TextRow row() {
        return row;
    }

    JsonBytes buffer() {
        return buffer;
    }

    /**
     * Whether a change belongs to it. The stream comes in the order of commits, and the snapshot is of one point of that order:
     * behind the first change that it does not see, it sees none. (Not left to transaction ids alone, which come round again in a
     * generation's long life.)
     */
    boolean has(StreamedChange change) {
        passed = passed || change.commitLsn() >= consistentLsn || !snapshot.sees(change.xid());
        return passed;
    }

    boolean ended() {
        return ended;
    }

    void end() {
        ended = true;
    }
}
