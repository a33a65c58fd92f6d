package io.syncline.worker.audit;

/** One partition of the event log, to be read. */
public interface PartitionRecords {

    int partition();

    /** Offset of the first record that is still there. */
    long beginning();

    /** Offset behind the last record. */
    long end();

    /** Reads from one offset up to another one, that one excluded. */
    void read(long from, long to, EventLogReader.Each each);
}
