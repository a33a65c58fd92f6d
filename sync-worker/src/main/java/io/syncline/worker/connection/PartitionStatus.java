package io.syncline.worker.connection;

/** What a worker is to one partition of the requests, for health and log. */
public record PartitionStatus(int partition, Kind kind, String detail) {

    /** How far a worker is with a partition that the group gave it. */
    public enum Kind {
        /** Requests are decided. */
        OWNED,
        /** On its way to {@link #OWNED}, or waiting for broker or database to get there. */
        TAKING_OVER,
        /** The log is not as workers write it; nothing is decided until a person has looked. */
        STOPPED
    }
}
