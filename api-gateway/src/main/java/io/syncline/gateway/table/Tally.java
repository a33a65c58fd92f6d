package io.syncline.gateway.table;

/** Counts the rows of one answer; written by the stream's thread alone. */
final class Tally {

    private volatile long rows;

    void rows(long more) {
        rows = rows + more;
    }

    long rows() {
        return rows;
    }
}
