package io.syncline.gateway.table;

/** Counts the rows of one answer; written by the stream's thread, read when that has ended. */
final class Tally {

    private long rows;

    void rows(long more) {
        rows += more;
    }

    long rows() {
        return rows;
    }
}
