package io.syncline.worker.replica;

import io.syncline.model.table.TableChange;
import java.util.List;

/**
 * Records of one topic partition in their order.
 *
 * @param from       where the worker believes that the partition stands
 * @param partitions how many the topic has
 * @param nextOffset of the partition once all entries are applied; not always the last entry's plus one
 */
record Batch(Position from, int partitions, List<Entry> entries, long nextOffset) {

    /** What a record says, or why it says nothing. */
    sealed interface Content {

        record Change(TableChange change) implements Content {}

        record Unreadable(String why) implements Content {}
    }

    record Entry(long offset, Content content) {}

    /** The rows' wire JSON, all of it. */
    long rowBytes() {
        return entries.stream()
                .mapToLong(entry -> entry.content() instanceof Content.Change(TableChange.Upsert upsert)
                        ? upsert.row().length
                        : 0)
                .sum();
    }

    /** The entries from the one at {@code index} on, behind those that {@code applied} stands for. */
    Batch rest(int index, Position applied) {
        return new Batch(applied, partitions, entries.subList(index, entries.size()), nextOffset);
    }

    /** The entries before the one at {@code index}. */
    Batch first(int index) {
        return new Batch(from, partitions, entries.subList(0, index), entries.get(index).offset());
    }
}
