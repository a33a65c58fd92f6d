package io.syncline.worker.capture;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * How many copies of each row a table without a key has, by a hash of the row: what tells equal rows apart is a number among them.
 * A count below 0 is of a row whose snapshot has not come yet. Not for two threads at once.
 */
final class RowCounts {

    /** Of a row's wire JSON: the first 128 bits of its SHA-256. Two rows with the same one are equal. */
    record RowHash(long high, long low) {

        private static final ThreadLocal<MessageDigest> SHA_256 = ThreadLocal.withInitial(() -> {
            try {
                return MessageDigest.getInstance("SHA-256");
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every JDK has SHA-256", e);
            }
        });

        static RowHash of(byte[] json) {
            return of(json, "");
        }

        /** Of a row in one of several places. */
        static RowHash of(byte[] json, String where) {
            MessageDigest digest = SHA_256.get();
            digest.update(json);
            ByteBuffer hash = ByteBuffer.wrap(digest.digest(where.getBytes(StandardCharsets.US_ASCII)));
            return new RowHash(hash.getLong(), hash.getLong());
        }
    }

    private static final int FIRST_SLOTS = 64;

    private final KeylessRows.Share share;
    private long[] high = new long[FIRST_SLOTS];
    private long[] low = new long[FIRST_SLOTS];
    private int[] counts = new int[FIRST_SLOTS];
    /** Whether the slot has a hash; one whose count is 0 keeps it, since others may lie behind. */
    private boolean[] taken = new boolean[FIRST_SLOTS];
    private boolean[] touched = new boolean[FIRST_SLOTS];
    private int used;
    private long negative;

    /** @param share of the rows that there may be: all of which there are copies count */
    RowCounts(KeylessRows.Share share) {
        this.share = share;
    }

    int count(RowHash hash) {
        int slot = slot(hash);
        return taken[slot] ? counts[slot] : 0;
    }

    /** Adds to a row's count, and gives what it is then; remembers that this was the stream's doing. */
    int addStreamed(RowHash hash, int difference) {
        int now = add(hash, difference);
        touched[slot(hash)] = true;
        return now;
    }

    /** Whether the stream has had to do with such rows. */
    boolean isTouched(RowHash hash) {
        return touched[slot(hash)];
    }

    /** Nobody will ask any more what the stream has had to do with. */
    void forgetTouched() {
        Arrays.fill(touched, false);
    }

    /** Adds to a row's count, and gives what it is then. */
    int add(RowHash hash, int difference) {
        int slot = slot(hash);
        int before = taken[slot] ? counts[slot] : 0;
        int now = Math.addExact(before, difference);
        if (before == 0 && now != 0) {
            share.take();
        } else if (before != 0 && now == 0) {
            share.giveBackOne();
        }
        if (!taken[slot] && (used + 1) * 3L > counts.length * 2L) {
            rehash();
            slot = slot(hash);
        }
        if (!taken[slot]) {
            taken[slot] = true;
            high[slot] = hash.high();
            low[slot] = hash.low();
            used++;
        }
        counts[slot] = now;
        negative += (now < 0 ? 1 : 0) - (before < 0 ? 1 : 0);
        return now;
    }

    /** Whether a row is missing that has been taken away. */
    boolean hasNegative() {
        return negative > 0;
    }

    void clear() {
        share.giveBackAll();
        Arrays.fill(taken, false);
        Arrays.fill(touched, false);
        Arrays.fill(counts, 0);
        used = 0;
        negative = 0;
    }

    /** Nobody will ask any more. */
    void end() {
        share.end();
    }

    /** Whether its table has to give way to others. */
    boolean hasToGiveWay() {
        return share.hasToGiveWay();
    }

    /** For how many rows there is room. */
    int room() {
        return counts.length / 3 * 2;
    }

    private int slot(RowHash hash) {
        int mask = counts.length - 1;
        int slot = (int) hash.low() & mask;
        while (taken[slot] && (high[slot] != hash.high() || low[slot] != hash.low())) {
            slot = slot + 1 & mask;
        }
        return slot;
    }

    /** Into more slots, or, where most are of rows that are gone, into as many. */
    private void rehash() {
        int alive = 0;
        for (int i = 0; i < counts.length; i++) {
            alive += isLiving(i) ? 1 : 0;
        }
        int slots = alive * 2L > counts.length ? Math.multiplyExact(counts.length, 2) : counts.length;
        long[] oldHigh = high;
        long[] oldLow = low;
        int[] oldCounts = counts;
        boolean[] living = new boolean[counts.length];
        for (int i = 0; i < living.length; i++) {
            living[i] = isLiving(i);
        }
        boolean[] oldTouched = touched;
        high = new long[slots];
        low = new long[slots];
        counts = new int[slots];
        taken = new boolean[slots];
        touched = new boolean[slots];
        used = 0;
        for (int i = 0; i < oldCounts.length; i++) {
            if (living[i]) {
                int slot = slot(new RowHash(oldHigh[i], oldLow[i]));
                taken[slot] = true;
                high[slot] = oldHigh[i];
                low[slot] = oldLow[i];
                counts[slot] = oldCounts[i];
                touched[slot] = oldTouched[i];
                used++;
            }
        }
    }

    private boolean isLiving(int slot) {
        return taken[slot] && (counts[slot] != 0 || touched[slot]);
    }
}
