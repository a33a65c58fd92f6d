package io.syncline.worker.replica;

/** Another worker has moved the partition's position: this one no longer owns it, and has applied nothing. */
final class PositionLostException extends Exception {

    private static final long serialVersionUID = 1L;

    private final boolean wentBack;

    /** @param wentBack whether the position is behind what was written: the database is restored to an earlier moment */
    PositionLostException(Position believed, boolean wentBack) {
        super(believed.topic() + "/" + believed.partition() + " no longer stands at offset " + believed.nextOffset()
                + ": "
                + (wentBack
                        ? "the state database has been restored to an earlier moment"
                        : "another worker has gone on from there"));
        this.wentBack = wentBack;
    }

    boolean wentBack() {
        return wentBack;
    }
}
