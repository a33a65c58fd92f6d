package io.syncline.worker.replica;

import java.util.Optional;

/** Where a partition that this worker was just given goes on, and whether what the replica has of it can be trusted. */
sealed interface Placement {

    Position position();

    /** The stored position and the topic fit together. */
    record Resumed(Position position) implements Placement {}

    /** They do not: nothing that is in the topic now is read, and a new generation is asked for. */
    record Distrusted(Position position, String reason) implements Placement {}

    /**
     * Places a partition.
     *
     * @param first the first offset that the topic still has
     * @param end   behind the last
     */
    static Placement of(String topic, int partition, String topicId, Optional<Position> stored, long first, long end) {
        Position atEnd = Position.trustingNothing(topic, partition, topicId, end);
        if (stored.isEmpty()) {
            return new Distrusted(atEnd, "the replica has no position in " + topic + "/" + partition);
        }
        Position position = stored.get();
        if (!position.topicId().equals(topicId)) {
            return new Distrusted(atEnd, topic + " was deleted and made again");
        }
        if (position.nextOffset() < first || position.nextOffset() > end) {
            return new Distrusted(atEnd, "the replica stands at offset " + position.nextOffset() + " of " + topic + "/"
                    + partition + ", which has only " + first + " to " + end);
        }
        return new Resumed(position);
    }
}
