package io.syncline.model.log;

/**
 * The PostgreSQL advisory lock of a partition of the requests topic: {@code pg_advisory_xact_lock(SPACE, partition)}.
 *
 * <p>A worker's deciding transaction takes it exclusively before it reads the clock; a gateway that has waited in vain
 * takes it shared, past the deadline, before it says <em>not applied</em>. So no transaction that began in time is still
 * under way when the gateway looks.
 */
public final class PartitionLock {

    /** First argument of the two-argument lock functions: "SYNC". */
    public static final int SPACE = 0x53594E43;

    private PartitionLock() {}
}
