package io.syncline.model.log;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Predicate;

/** The acknowledged holes of one partition, with the events that were restored: what a {@link ChainReader} may pass. */
public final class Acknowledgements {

    private final List<Bridge> bridges = new ArrayList<>();
    private final NavigableSet<Long> fences = new TreeSet<>();

    /**
     * An acknowledged hole.
     *
     * @param restored events of the hole that lie in the log again, each proven by its neighbour's hash, in their order
     */
    public record Bridge(Hole hole, Fence acknowledgement, List<LoggedEvent> restored) {

        public Bridge {
            restored = List.copyOf(restored);
        }

        /** How many events nothing restores. */
        public long lost() {
            return Math.max(0, hole.afterSequence() - hole.beforeSequence()) - restored.size();
        }
    }

    /**
     * Takes note of an acknowledgement. A hole of which less is found than it says was restored is not passed: something
     * was altered or removed since.
     *
     * @param found the events of this cluster that lie where the acknowledgement says, in the order of their offsets
     */
    public void add(Fence acknowledgement, List<LoggedEvent> found) {
        Acknowledgement said = acknowledgement.acknowledges();
        if (said == null) {
            return;
        }
        for (int i = 0; i < said.holes().size(); i++) {
            Hole hole = said.holes().get(i);
            // The newest word about a hole holds: more may have been restored since.
            bridges.removeIf(bridge -> bridge.hole().isThatOf(hole));
            List<LoggedEvent> restored = proven(hole, found);
            if (restored.size() < said.restored().get(i)) {
                continue;
            }
            bridges.add(new Bridge(hole, acknowledgement, restored));
            if (hole.fence() >= 0) {
                fences.add(hole.fence());
            }
        }
    }

    /** Those events that the hash behind the hole or the hash before it proves, directly or through each other. */
    public static List<LoggedEvent> proven(Hole hole, List<LoggedEvent> found) {
        Map<Long, List<LoggedEvent>> bySequence = new HashMap<>();
        found.forEach(one -> bySequence.computeIfAbsent(one.sequence(), sequence -> new ArrayList<>()).add(one));
        Deque<LoggedEvent> behind = new ArrayDeque<>();
        String hash = hole.afterHash();
        long sequence = hole.afterSequence();
        for (; sequence > hole.beforeSequence(); sequence--) {
            String own = hash;
            Optional<LoggedEvent> one = first(bySequence, sequence, event -> hex(event.hash()).equals(own));
            if (one.isEmpty()) {
                break;
            }
            behind.addFirst(one.get());
            hash = hex(one.get().previousHash());
        }
        List<LoggedEvent> proven = new ArrayList<>();
        hash = hole.beforeHash();
        for (long next = hole.beforeSequence() + 1; next < sequence; next++) {
            String previous = hash;
            Optional<LoggedEvent> one = first(bySequence, next, event -> hex(event.previousHash()).equals(previous));
            if (one.isEmpty()) {
                break;
            }
            proven.add(one.get());
            hash = hex(one.get().hash());
        }
        proven.addAll(behind);
        return proven;
    }

    private static Optional<LoggedEvent> first(Map<Long, List<LoggedEvent>> bySequence, long sequence,
            Predicate<LoggedEvent> proven) {
        return bySequence.getOrDefault(sequence, List.of()).stream().filter(proven).findFirst();
    }

    private static String hex(byte[] hash) {
        return HexFormat.of().formatHex(hash);
    }

    public List<Bridge> bridges() {
        return List.copyOf(bridges);
    }

    public boolean isEmpty() {
        return bridges.isEmpty();
    }

    /** The acknowledged hole in front of a reader that stands at a head and meets what goes on from an event. */
    Optional<Bridge> bridging(ChainReader.Head head, long afterSequence, String afterHash) {
        return bridges.stream().filter(bridge -> {
            Hole hole = bridge.hole();
            // A reader that begins within the hole has no other way out of it.
            boolean reached = hole.beforeSequence() == head.sequence() && hole.beforeHash().equals(hex(head.hash()))
                    || hole.beforeSequence() < head.sequence() && head.sequence() <= hole.afterSequence();
            return reached && hole.afterSequence() == afterSequence && hole.afterHash().equals(afterHash);
        }).findFirst();
    }

    /** Whether the fence at an offset is missing, and acknowledged to be. */
    public boolean knowsMissing(long fence) {
        return fences.contains(fence);
    }

    /** The newest missing fence up to an offset; -1 for none. */
    long newestMissingUpTo(long offset) {
        Long fence = fences.floor(offset);
        return fence == null ? -1 : fence;
    }

    /** Whether it is acknowledged that the log begins no earlier than at an offset. */
    public boolean coversBeginning(long from, long beginning) {
        return bridges.stream()
                .anyMatch(bridge -> bridge.hole().fromOffset() <= from && bridge.hole().toOffset() >= beginning);
    }
}
