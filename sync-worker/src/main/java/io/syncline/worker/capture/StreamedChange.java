package io.syncline.worker.capture;

import io.syncline.model.table.TableName;
import io.syncline.worker.capture.debezium.TextConverter;
import org.apache.kafka.connect.data.Struct;
import org.jspecify.annotations.Nullable;

/**
 * A change as Debezium tells it.
 *
 * @param commitLsn of the commit before the change's own transaction's
 * @param number    among changes with the same LSN; doubled, so that a change of the key has two
 * @param xid       of its transaction, in 32 bits
 * @param garbled   whether a text of it may not have been in UTF-8, and so is not here as it is in the source
 * @param timestamp when the source committed it, in milliseconds since 1970
 */
record StreamedChange(
        TableName table,
        Kind kind,
        long commitLsn,
        long lsn,
        long number,
        long xid,
        boolean garbled,
        long timestamp,
        @Nullable Struct before,
        @Nullable Struct after) {

    enum Kind {
        UPSERT, DELETE, TRUNCATE
    }

    /** The OID of the table that it is of, whatever that was called; 0 if it came without a row. */
    long relation() {
        Struct row = after != null ? after : before;
        return row == null || row.schema().fields().isEmpty()
                ? 0
                : TextConverter.relation(row.schema().fields().getFirst().schema());
    }
}
