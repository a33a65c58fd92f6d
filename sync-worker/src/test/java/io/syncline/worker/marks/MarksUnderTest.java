package io.syncline.worker.marks;

import java.util.Map;
import org.apache.kafka.common.KafkaException;

/** Marks without Kafka, for the rooms that read and write them. */
public final class MarksUnderTest {

    private MarksUnderTest() {}

    /** What a topic with these keys says. */
    public static Marks of(String... keys) {
        Marks marks = new Marks();
        for (String key : keys) {
            marks.apply(key, "{}");
        }
        return marks;
    }

    public static StateMarks inMemory() {
        return new StateMarks(new InMemoryMarksLog(), "test");
    }

    /** Of a broker that is away. */
    public static StateMarks away() {
        return new StateMarks(new MarksLog() {

            @Override
            public Marks read(long before) {
                throw new KafkaException("Kafka is away");
            }

            @Override
            public long append(java.util.List<Entry> entries) {
                throw new KafkaException("Kafka is away");
            }
        }, Map.of().toString());
    }
}
