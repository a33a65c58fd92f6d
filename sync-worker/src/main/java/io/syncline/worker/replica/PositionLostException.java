package io.syncline.worker.replica;

/** Another worker has moved the partition's position: this one no longer owns it, and has applied nothing. */
final class PositionLostException extends Exception {

    private static final long serialVersionUID = 1L;

    PositionLostException(Position believed) {
        super(believed.topic() + "/" + believed.partition() + " no longer stands at offset " + believed.nextOffset()
                + ": another worker has gone on from there");
    }
}
