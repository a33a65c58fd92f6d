package io.syncline.worker.marks;

import io.syncline.worker.marks.MarksLog.Entry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Numbers that others have seen, and that are never given a second time: the state database alone cannot vouch for that, since it
 * may be restored, or fail over to a standby that lacks its last commits. Each is in Kafka before it is used. Safe for several
 * workers and threads at once; every method throws {@link KafkaException} where Kafka cannot be read, or does not acknowledge.
 */
public final class StateMarks {

    private static final Logger LOG = LoggerFactory.getLogger(StateMarks.class);

    /** Each attempt ends above all numbers that it has seen: only a crowd of writers needs a third. */
    private static final int MOST_ATTEMPTS = 20;

    private final MarksLog log;
    private final String writer;

    /**
     * @param kafka  settings that every Kafka client has: where the brokers are, and how to be let in
     * @param writer how an operator knows this worker
     */
    public StateMarks(Map<String, Object> kafka, String writer) {
        this(new KafkaMarksLog(kafka), writer);
    }

    StateMarks(MarksLog log, String writer) {
        this.log = log;
        this.writer = writer;
    }

    /**
     * A capture epoch that no other worker has or will be given.
     *
     * @param before what the topic said before it
     */
    public record Epoch(long number, Marks before) {}

    /** What the topic says now. */
    public Marks read() {
        return log.read(MarksLog.END);
    }

    /**
     * Gives a capture epoch that is greater than all before.
     *
     * @param above and greater than this: a topic that has been emptied does not know of older ones
     */
    public Epoch nextEpoch(long above) {
        for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
            long newest = Math.max(read().epoch(), above);
            if (newest >= Mark.MOST_EPOCH) {
                throw new IllegalStateException(
                        "the newest capture epoch is " + newest + ", and there is none beyond " + Mark.MOST_EPOCH);
            }
            long candidate = newest + 1;
            long offset = write(Mark.EPOCH, candidate, "");
            if (offset >= 0) {
                // Another worker may have read the same end: the first in the log has the number.
                Marks before = log.read(offset);
                if (before.epoch() < candidate) {
                    return new Epoch(candidate, before);
                }
            }
        }
        throw new KafkaException("Kafka: no new capture epoch after " + MOST_ATTEMPTS
                + " attempts, as other workers take them");
    }

    /** An epoch is in the state database. */
    public void begun(long epoch) {
        write(Mark.BEGUN, epoch, "");
        tidy();
    }

    /** Generations of tables, by their topics, are in the state database; what they say goes to the tables' topics after this. */
    public void generations(Map<String, Long> generations) {
        append(generations.entrySet()
                .stream()
                .map(one -> entry(Mark.GENERATION + one.getKey(), one.getValue(), ""))
                .collect(Collectors.toCollection(ArrayList::new)));
    }

    /** The state database has it that this generation, and all before it, are not gone on with. */
    public void givenUp(String topic, long generation) {
        write(Mark.GIVEN_UP + topic, generation, "");
    }

    /**
     * No generation of an older epoch is gone on with from now on.
     *
     * @param why empty where nothing is wrong: the slot has been made again
     */
    public void distrust(long epoch, String why) {
        write(Mark.DISTRUST, epoch, why);
    }

    /** Changes of rows may have numbers up to this one. */
    public void changes(long bound) {
        write(Mark.CHANGES, bound, "");
        tidy();
    }

    /** Drops what newer numbers say as well; the next to come here does it where this fails. */
    private void tidy() {
        try {
            List<Entry> dropped = read().dominated().stream().map(mark -> new Entry(mark, null)).toList();
            if (!dropped.isEmpty()) {
                append(dropped);
            }
        } catch (KafkaException e) {
            LOG.debug("Older marks are left for the next time: {}", e.getMessage());
        }
    }

    private long write(String kind, long number, String why) {
        return append(List.of(entry(kind, number, why)));
    }

    private long append(List<Entry> entries) {
        return entries.isEmpty() ? -1 : log.append(entries);
    }

    private Entry entry(String kind, @Nullable Long number, String why) {
        return new Entry(new Mark(kind, number == null ? 0 : number), new MarkValue(writer, why).json());
    }
}
