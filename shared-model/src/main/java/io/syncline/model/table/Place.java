package io.syncline.model.table;

/**
 * Where a change stands in the life of its table: an older place never wins over a newer one. Compared field by field.
 *
 * @param generation the snapshot that the change belongs to
 * @param commitLsn  LSN of the commit before the change's own transaction's, 0 for a snapshot's rows. Before the own LSN, since
 *                   a transaction that wrote early and committed late carries small LSNs
 * @param lsn        the change's own LSN, 0 for a snapshot's rows
 * @param number     among changes with the same LSN
 */
public record Place(long generation, long commitLsn, long lsn, long number) implements Comparable<Place> {

    /** The place of a row that a generation's snapshot brought: before every change of that generation. */
    public static Place ofSnapshot(long generation) {
        return new Place(generation, 0, 0, 0);
    }

    @Override
    public int compareTo(Place other) {
        int byGeneration = Long.compare(generation, other.generation);
        if (byGeneration != 0) {
            return byGeneration;
        }
        int byCommit = Long.compare(commitLsn, other.commitLsn);
        if (byCommit != 0) {
            return byCommit;
        }
        int byLsn = Long.compare(lsn, other.lsn);
        return byLsn != 0 ? byLsn : Long.compare(number, other.number);
    }

    /** The four numbers in decimal with dots between. */
    @Override
    public String toString() {
        return generation + "." + commitLsn + "." + lsn + "." + number;
    }

    public static Place parse(String text) {
        String[] parts = text.split("\\.", -1);
        if (parts.length != 4) {
            throw new IllegalArgumentException("a place is four numbers with dots between");
        }
        return new Place(Long.parseLong(parts[0]), Long.parseLong(parts[1]), Long.parseLong(parts[2]),
                Long.parseLong(parts[3]));
    }
}
