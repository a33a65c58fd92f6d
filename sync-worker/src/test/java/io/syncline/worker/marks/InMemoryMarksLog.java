package io.syncline.worker.marks;

import java.util.ArrayList;
import java.util.List;

/** The marks topic without Kafka. */
final class InMemoryMarksLog implements MarksLog {

    private final List<Entry> entries = new ArrayList<>();

    /** What happens right before the next append, once: another writer that is quicker. */
    private Runnable beforeAppend = () -> {};

    void beforeNextAppend(Runnable other) {
        beforeAppend = other;
    }

    @Override
    public synchronized Marks read(long before) {
        Marks marks = new Marks();
        entries.stream()
                .limit(Math.min(before, entries.size()))
                .forEach(entry -> marks.apply(entry.mark().key(), entry.value()));
        return marks;
    }

    @Override
    public synchronized long append(List<Entry> more) {
        Runnable other = beforeAppend;
        beforeAppend = () -> {};
        other.run();
        entries.addAll(more);
        return entries.size() - more.size();
    }

    /** All that compaction must leave: the last record of each key. */
    synchronized void compact() {
        List<Entry> all = List.copyOf(entries);
        entries.clear();
        for (int i = 0; i < all.size(); i++) {
            Entry entry = all.get(i);
            if (entry.value() != null && all.subList(i + 1, all.size())
                    .stream()
                    .noneMatch(later -> later.mark().equals(entry.mark()))) {
                entries.add(entry);
            }
        }
    }

    synchronized int size() {
        return entries.size();
    }
}
