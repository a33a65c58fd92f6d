package io.syncline.worker.capture;

import io.syncline.worker.capture.encode.JsonBytes;
import io.syncline.worker.capture.encode.TextRow;
import java.time.Instant;

/** One snapshot of one table and the changes behind it. Guarded by its {@link CapturedTable}. */
final class Generation {

    private final long number;
    private final SourceTable table;
    private final PgSnapshot snapshot;
    private final Instant asOf;
    private final StructReader reader;
    private final TextRow row;
    private final JsonBytes buffer = new JsonBytes();
    private boolean passed;
    private boolean ended;

    /** @param table as the snapshot sees it */
    Generation(long number, SourceTable table, PgSnapshot snapshot, Instant asOf) {
        this.number = number;
        this.table = table;
        this.snapshot = snapshot;
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
     * behind the first change that it does not see, it sees none.
     */
    boolean has(StreamedChange change) {
        passed = passed || !snapshot.sees(change.xid());
        return passed;
    }

    /** Nothing that comes is of a transaction that its snapshot sees: the stream begins behind it. */
    void pass() {
        passed = true;
    }

    boolean ended() {
        return ended;
    }

    void end() {
        ended = true;
    }
}
