package io.syncline.worker.marks;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the marks topic says: the newest number of each kind, whatever order they were written in; 0 where there is none. */
public final class Marks {

    private final Map<String, TreeMap<Long, String>> kinds = new HashMap<>();

    /**
     * That no generation of an older epoch may be gone on with.
     *
     * @param why empty where nothing is wrong: the slot has been made again
     */
    public record Distrust(long epoch, String why) {}

    /**
     * Takes the next record in.
     *
     * @param value null where the number is dropped, since a higher one of its kind is there
     */
    void apply(String key, @Nullable String value) {
        Optional<Mark> found = Mark.parse(key);
        if (found.isEmpty()) {
            return;
        }
        Mark mark = found.get();
        if (value != null) {
            kinds.computeIfAbsent(mark.kind(), _ -> new TreeMap<>()).put(mark.number(), value);
        } else if (kinds.containsKey(mark.kind())) {
            kinds.get(mark.kind()).remove(mark.number());
        }
    }

    /** The newest capture epoch that anybody has asked for. */
    public long epoch() {
        return newest(Mark.EPOCH);
    }

    /** The newest capture epoch that the state database had. */
    public long begun() {
        return newest(Mark.BEGUN);
    }

    /** The newest generation of a table that the state database had. */
    public long generation(String topic) {
        return newest(Mark.GENERATION + topic);
    }

    /** The newest generation of a table that may not be gone on with, nor any older one. */
    public long givenUp(String topic) {
        return newest(Mark.GIVEN_UP + topic);
    }

    /** The topics of all tables of which a generation has begun. */
    public List<String> topics() {
        return kinds.entrySet()
                .stream()
                .filter(kind -> kind.getKey().startsWith(Mark.GENERATION) && !kind.getValue().isEmpty())
                .map(kind -> kind.getKey().substring(Mark.GENERATION.length()))
                .sorted()
                .toList();
    }

    /** No change of a row has a greater number. */
    public long changes() {
        return newest(Mark.CHANGES);
    }

    public Optional<Distrust> distrust() {
        TreeMap<Long, String> numbers = kinds.get(Mark.DISTRUST);
        return numbers == null || numbers.isEmpty()
                ? Optional.empty()
                : Optional.of(new Distrust(numbers.lastKey(), MarkValue.parse(numbers.lastEntry().getValue()).why()));
    }

    /** Those below the newest of their kind, which says all that they say. */
    List<Mark> dominated() {
        List<Mark> dominated = new ArrayList<>();
        kinds.forEach((kind, numbers) -> {
            if (!numbers.isEmpty()) {
                numbers.headMap(numbers.lastKey()).keySet().forEach(number -> dominated.add(new Mark(kind, number)));
            }
        });
        return dominated;
    }

    private long newest(String kind) {
        TreeMap<Long, String> numbers = kinds.get(kind);
        return numbers == null || numbers.isEmpty() ? 0 : numbers.lastKey();
    }
}
