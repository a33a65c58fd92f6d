package io.syncline.worker.replica;

/**
 * How far a topic partition has been applied, as the worker has it in memory and PostgreSQL in {@code replica_position}:
 * where the two differ, another worker owns the partition.
 *
 * @param topicId      Kafka's id of the topic: one that was deleted and made again is another topic
 * @param epoch        of the newest epoch mark; records of an older one are void
 * @param generation   the newest that has begun here, 0 for none; rows of any other are not applied
 * @param snapshotRows how many rows that generation's snapshot has brought here
 * @param complete     whether that generation's end mark has been read
 */
record Position(
        String topic,
        int partition,
        String topicId,
        long nextOffset,
        long epoch,
        long generation,
        long snapshotRows,
        boolean complete) {

    /** Before the first record of a topic, or behind all that must not be trusted. */
    static Position trustingNothing(String topic, int partition, String topicId, long nextOffset) {
        return new Position(topic, partition, topicId, nextOffset, 0, 0, 0, false);
    }

    /** What follows is of no generation that has begun here; the topic's epochs count on. */
    Position trustingNothing() {
        return new Position(topic, partition, topicId, nextOffset, epoch, 0, 0, false);
    }

    Position at(long offset) {
        return new Position(topic, partition, topicId, offset, epoch, generation, snapshotRows, complete);
    }

    Position inEpoch(long newer) {
        return new Position(topic, partition, topicId, nextOffset, newer, generation, snapshotRows, complete);
    }

    Position begun(long newer) {
        return new Position(topic, partition, topicId, nextOffset, epoch, newer, 0, false);
    }

    /** After rows of the snapshot; whatever the stream has done to them meanwhile, they have been brought. */
    Position counted(long rows) {
        return complete
                ? this
                : new Position(topic, partition, topicId, nextOffset, epoch, generation, snapshotRows + rows, false);
    }

    Position ended() {
        return new Position(topic, partition, topicId, nextOffset, epoch, generation, snapshotRows, true);
    }
}
