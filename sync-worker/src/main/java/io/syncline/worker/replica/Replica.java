package io.syncline.worker.replica;

import java.sql.SQLException;
import java.util.List;

/** Where table changes are applied, and where it is known how far they have been. */
interface Replica {

    /**
     * Places a partition that this worker was just given.
     *
     * @param first the first offset that the topic still has
     * @param end   behind the last
     */
    Position place(String topic, int partition, String topicId, long first, long end) throws SQLException;

    /**
     * Applies batches of different partitions, and gives the positions behind them in the same order. With
     * {@link PositionLostException} or {@link SQLException} (the database is not there, or busy) some of them may have been
     * applied: the positions are to be read again.
     */
    List<Position> apply(List<Batch> batches) throws SQLException, PositionLostException;
}
