package io.syncline.gateway.table;

/** Counts the rows of one answer; written by the stream's thread, read when that has ended. */
final class Tally {

    private long rows;

    void row() {
        rows++;
    }

    long rows() {
        return rows;
    }
}
