package io.syncline.model.table;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.HexFormat;

/**
 * A row as 64 bits, by the names of its columns and whatever their order. A table's checksum is the sum of its rows', modulo
 * 2^64: it is the same for the same rows in any order, on any site, and equal rows do not cancel each other out.
 *
 * <p>XXH64 of each value's wire JSON, with the XXH64 of the column's name as its seed; their sum, mixed once more, so that
 * values which change places between rows change the table's sum.
 */
public final class RowChecksum {

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private static final long P1 = 0x9E3779B185EBCA87L;
    private static final long P2 = 0xC2B2AE3D27D4EB4FL;
    private static final long P3 = 0x165667B19E3779F9L;
    private static final long P4 = 0x85EBCA77C2B2AE63L;
    private static final long P5 = 0x27D4EB2F165667C5L;

    private RowChecksum() {}

    /** Of a row's wire JSON; {@link IllegalArgumentException} if that is no object. */
    public static long of(byte[] row) {
        int to = row.length;
        int at = JsonSpans.skipSpace(row, 0, to);
        if (at >= to || row[at] != '{') {
            throw JsonSpans.malformed();
        }
        long sum = 0;
        at = JsonSpans.skipSpace(row, at + 1, to);
        while (at < to && row[at] != '}') {
            int nameEnd = JsonSpans.endOfString(row, at, to);
            long seed = xxh64(row, at + 1, nameEnd - 1, 0);
            at = JsonSpans.skipSpace(row, nameEnd, to);
            if (at >= to || row[at] != ':') {
                throw JsonSpans.malformed();
            }
            at = JsonSpans.skipSpace(row, at + 1, to);
            int end = JsonSpans.endOfValue(row, at, to);
            sum += xxh64(row, at, end, seed);
            at = JsonSpans.skipSpace(row, end, to);
            if (at < to && row[at] == ',') {
                at = JsonSpans.skipSpace(row, at + 1, to);
            }
        }
        return mixed(sum);
    }

    /** As it is shown: 16 hexadecimal digits. */
    public static String text(long checksum) {
        return HexFormat.of().toHexDigits(checksum);
    }

    static long xxh64(byte[] bytes, int from, int to, long seed) {
        int at = from;
        long hash;
        if (to - from >= 32) {
            long a = seed + P1 + P2;
            long b = seed + P2;
            long c = seed;
            long d = seed - P1;
            for (; at <= to - 32; at += 32) {
                a = round(a, (long) LONG.get(bytes, at));
                b = round(b, (long) LONG.get(bytes, at + 8));
                c = round(c, (long) LONG.get(bytes, at + 16));
                d = round(d, (long) LONG.get(bytes, at + 24));
            }
            hash = Long.rotateLeft(a, 1) + Long.rotateLeft(b, 7) + Long.rotateLeft(c, 12) + Long.rotateLeft(d, 18);
            hash = (hash ^ round(0, a)) * P1 + P4;
            hash = (hash ^ round(0, b)) * P1 + P4;
            hash = (hash ^ round(0, c)) * P1 + P4;
            hash = (hash ^ round(0, d)) * P1 + P4;
        } else {
            hash = seed + P5;
        }
        hash += to - from;
        for (; at <= to - 8; at += 8) {
            hash = Long.rotateLeft(hash ^ round(0, (long) LONG.get(bytes, at)), 27) * P1 + P4;
        }
        if (at <= to - 4) {
            hash = Long.rotateLeft(hash ^ ((int) INT.get(bytes, at) & 0xFFFFFFFFL) * P1, 23) * P2 + P3;
            at += 4;
        }
        for (; at < to; at++) {
            hash = Long.rotateLeft(hash ^ (bytes[at] & 0xFF) * P5, 11) * P1;
        }
        return mixed(hash);
    }

    private static long round(long accumulator, long input) {
        return Long.rotateLeft(accumulator + input * P2, 31) * P1;
    }

    private static long mixed(long hash) {
        long mixed = (hash ^ hash >>> 33) * P2;
        mixed = (mixed ^ mixed >>> 29) * P3;
        return mixed ^ mixed >>> 32;
    }
}
