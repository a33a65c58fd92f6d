package io.syncline.worker.marks;

import java.util.List;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/** The marks topic as a log. */
interface MarksLog {

    /** Behind all records that there are. */
    long END = Long.MAX_VALUE;

    /** A record; its value is null where the key is dropped. */
    record Entry(Mark mark, @Nullable String value) {}

    /**
     * Everything before an offset.
     *
     * @throws KafkaException if it cannot be read now
     */
    Marks read(long before);

    /**
     * Appends records and waits until all are acknowledged.
     *
     * @return the offset of the first; -1 if it is acknowledged and its offset is not known
     * @throws KafkaException if they are not; some may be there all the same
     */
    long append(List<Entry> entries);
}
