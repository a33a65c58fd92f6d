package io.syncline.model.table;

import java.time.Instant;

/**
 * What a table's topic says. Every record carries the capturer's epoch: behind a newer {@link EpochBegun} of the same
 * partition it is void.
 */
public sealed interface TableChange {

    /** The capturer's epoch. */
    long epoch();

    /**
     * A row as it is now, whole.
     *
     * @param key the JSON array of the key's wire values, in UTF-8
     * @param row the row's wire JSON, in UTF-8
     */
    record Upsert(long epoch, Place place, byte[] key, byte[] row) implements TableChange {}

    /** A row that is gone. */
    record Delete(long epoch, Place place, byte[] key) implements TableChange {}

    /** All rows are gone; written to every partition of the topic. */
    record Truncate(long epoch, Place place) implements TableChange {}

    /** A generation begins: its snapshot's rows follow, under this schema; written to every partition. */
    record SnapshotBegun(long epoch, long generation, TableSchema schema) implements TableChange {}

    /**
     * A generation's snapshot is complete: what it did not bring is gone; written to every partition.
     *
     * @param rows how many rows the snapshot had, in all partitions together
     * @param asOf when the snapshot was read
     */
    record SnapshotEnded(long epoch, long generation, long rows, Instant asOf) implements TableChange {}

    /**
     * The table can no longer be captured as it is: what the generation has is not brought further, and is not served,
     * until another one begins; written to every partition.
     *
     * @param generation the one that ends here, and with it all before it
     * @param cause      for the operator: what stands in the way, and what helps
     */
    record Halted(long epoch, long generation, String cause) implements TableChange {}

    /**
     * The source no longer has the table, or no longer shows it; written to every partition.
     *
     * @param generation the one that ends here, and with it all before it: a table made again under the name has a newer one
     */
    record Dropped(long epoch, long generation) implements TableChange {}

    /** A capturer took over; written to every partition before anything else of its epoch. */
    record EpochBegun(long epoch) implements TableChange {}
}
