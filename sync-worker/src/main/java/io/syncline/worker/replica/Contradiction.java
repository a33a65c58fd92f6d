package io.syncline.worker.replica;

/**
 * A record that the capturer of its epoch does not write behind what was read before it: numbers have gone back. What comes of its
 * generation is not applied, a new one is asked for, and what there is is served as it was.
 *
 * @param kind of cause, the same for all records with it
 */
record Contradiction(String topic, int partition, Kind kind, String reason) {

    enum Kind {
        EPOCH_NOT_NEWER, BEGIN_NOT_NEWER, CHANGE_OF_OLDER, END_OF_OLDER, HALT_OF_OLDER, DROP_OF_OLDER
    }
}
