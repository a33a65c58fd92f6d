package io.syncline.worker.capture;

import io.syncline.worker.capture.CaptureStore.Remembered;
import io.syncline.worker.marks.Marks;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Compares what the state database remembers with what the marks topic says that it had. Pure. */
final class StateWitness {

    private StateWitness() {}

    /** What the state database lacks, which it had: each of it was in there before its mark was written. Empty if nothing. */
    static Optional<String> missing(Marks marks, long epoch, Collection<Remembered> remembered) {
        if (epoch < marks.begun()) {
            return Optional.of("its capture epoch is " + epoch + ", and was " + marks.begun());
        }
        for (Remembered table : remembered) {
            long generation = marks.generation(table.topic());
            if (table.generation() < generation) {
                return Optional.of("the newest generation of table " + table.table() + " there is " + table.generation()
                        + ", and was " + generation);
            }
            if (table.complete() && table.generation() <= marks.givenUp(table.topic())) {
                return Optional.of("generation " + table.generation() + " of table " + table.table()
                        + " is good there, and was given up");
            }
        }
        Set<String> known = remembered.stream().map(Remembered::topic).collect(Collectors.toSet());
        return marks.topics()
                .stream()
                .filter(topic -> !known.contains(topic))
                .findFirst()
                .map(topic -> "it knows no generation of " + topic + ", and had " + marks.generation(topic));
    }
}
