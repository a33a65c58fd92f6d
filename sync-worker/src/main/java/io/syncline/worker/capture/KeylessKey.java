package io.syncline.worker.capture;

import io.syncline.worker.capture.RowCounts.RowHash;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** What a row of a table without a key is told apart by: no column of the table's, see {@code TableSchema.NO_KEY}. */
final class KeylessKey {

    /** To be read behind a row's own columns for {@link #ofPlace}. */
    static final String PLACE = "tableoid, ctid";

    /** The block of a row that has no place of its own: foreign tables, which may be partitions, need not give one. */
    private static final long NO_BLOCK = 0xffff_ffffL;

    private KeylessKey() {}

    /** Which row, and which of those that equal it. */
    static byte[] of(RowHash hash, long number) {
        return ("[\"" + new UUID(hash.high(), hash.low()) + "\"," + number + "]").getBytes(StandardCharsets.US_ASCII);
    }

    /**
     * Which row, and where it lies: for a table that is read as a whole each time, so that nobody has to count its rows.
     *
     * @param leaf   the table on disk that it lies in
     * @param place  the ctid there
     * @param number of the row in this reading
     */
    static byte[] ofPlace(byte[] json, String leaf, String place, long number) {
        int comma = place.indexOf(',');
        long block = Long.parseLong(place.substring(1, comma));
        long offset = Long.parseLong(place.substring(comma + 1, place.length() - 1));
        return of(RowHash.of(json, leaf), block == NO_BLOCK ? number : block << 16 | offset);
    }
}
