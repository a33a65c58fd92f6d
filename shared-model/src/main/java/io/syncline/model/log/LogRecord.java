package io.syncline.model.log;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A Kafka record without Kafka: what a codec makes and reads.
 *
 * @param timestamp milliseconds since 1970, the record's CreateTime
 */
public record LogRecord(
        byte @Nullable [] key,
        byte @Nullable [] value,
        long timestamp,
        SortedMap<String, byte[]> headers) {

    public LogRecord {
        headers = Collections.unmodifiableSortedMap(new TreeMap<>(headers));
    }

    /** Stands for a record that the client cannot decode: it is foreign, for this cause. */
    public static LogRecord unreadable(String why) {
        return new LogRecord(null, null, -1,
                new TreeMap<>(Map.of(LogHeaders.UNREADABLE, why.getBytes(StandardCharsets.UTF_8))));
    }
}
