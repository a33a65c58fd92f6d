package io.syncline.worker.capture;

import java.util.Arrays;

/**
 * Which transactions a snapshot sees, as {@code pg_current_snapshot()} tells it. Transaction ids of the WAL have 32 bits and
 * wrap around; those of a snapshot have 64.
 *
 * @param xmin  all before it are over
 * @param xmax  none from it on had begun to end
 * @param open  those between that were not over, ascending
 */
record PgSnapshot(long xmin, long xmax, long[] open) {

    static PgSnapshot parse(String text) {
        String[] parts = text.split(":", -1);
        if (parts.length != 3) {
            throw new IllegalArgumentException("'" + text + "' is no pg_snapshot");
        }
        long[] open = parts[2].isEmpty()
                ? new long[0]
                : Arrays.stream(parts[2].split(",")).mapToLong(Long::parseLong).sorted().toArray();
        return new PgSnapshot(Long.parseLong(parts[0]), Long.parseLong(parts[1]), open);
    }

    /**
     * Whether a committed transaction's changes are in what the snapshot reads.
     *
     * @param xid as the WAL has it, in 32 bits
     */
    boolean sees(long xid) {
        // The full id is the one nearest to the snapshot: no transaction in the WAL is 2^31 away from one that is not frozen.
        long full = xmax + (int) (xid - xmax);
        return full < xmin || full < xmax && Arrays.binarySearch(open, full) < 0;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PgSnapshot snapshot && snapshot.toString().equals(toString());
    }

    @Override
    public int hashCode() {
        return toString().hashCode();
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder().append(xmin).append(':').append(xmax).append(':');
        for (int i = 0; i < open.length; i++) {
            text.append(i == 0 ? "" : ",").append(open[i]);
        }
        return text.toString();
    }
}
