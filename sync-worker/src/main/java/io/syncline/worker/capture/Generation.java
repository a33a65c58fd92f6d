package io.syncline.worker.capture;

import io.syncline.model.table.Place;
import io.syncline.worker.capture.encode.JsonBytes;
import io.syncline.worker.capture.encode.TextRow;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** One snapshot of one table and the changes behind it. Guarded by its {@link CapturedTable}. */
final class Generation {

    private final long number;
    private final SourceTable table;
    private final PgSnapshot snapshot;
    private final long consistentLsn;
    private final Instant asOf;
    private final StructReader reader;
    private final TextRow row;
    private final JsonBytes buffer;
    /** Of a streamed table without a key: how many there are of each row. */
    private final @Nullable RowCounts counts;
    private long places;
    private boolean passed;
    private boolean ended;

    /**
     * @param table         as the snapshot sees it
     * @param keylessRows   of which a streamed table without a key has its share
     * @param consistentLsn of the point that the snapshot is of: it sees what committed before it, and nothing else
     */
    Generation(long number, SourceTable table, PgSnapshot snapshot, long consistentLsn, Instant asOf,
            RowBound bound, KeylessRows keylessRows) {
        this.number = number;
        this.table = table;
        this.snapshot = snapshot;
        this.consistentLsn = consistentLsn;
        this.asOf = asOf;
        reader = new StructReader(table);
        row = new TextRow(table.columns().size());
        buffer = bound.buffer();
        counts = table.keyless() && table.streamed() ? new RowCounts(keylessRows.share()) : null;
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

    long consistentLsn() {
        return consistentLsn;
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
        if (!table.streamed()) {
            return false;
        }
        passed = passed || change.commitLsn() >= consistentLsn || !snapshot.sees(change.xid());
        return passed;
    }

    @Nullable
    RowCounts counts() {
        return counts;
    }

    /**
     * The place of what is sent next of a table without a key. Such a generation ends with its capturer, so that nothing of it is ever
     * sent twice: the order of sending is the order that counts.
     */
    Place nextPlace() {
        return new Place(number, 1, ++places, 0);
    }

    boolean ended() {
        return ended;
    }

    void end() {
        ended = true;
    }

    /** Nobody goes on with it. */
    void letGo() {
        if (counts != null) {
            counts.end();
        }
    }
}
