package io.syncline.worker.capture;

import java.util.Locale;

/** WAL positions: {@code 16/B374D848} in PostgreSQL's writing, one number here. */
final class Lsn {

    private Lsn() {}

    static long parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 1) {
            throw new IllegalArgumentException("'" + text + "' is no LSN");
        }
        return Long.parseLong(text, 0, slash, 16) << 32 | Long.parseLong(text, slash + 1, text.length(), 16);
    }

    static String text(long lsn) {
        return Long.toHexString(lsn >>> 32).toUpperCase(Locale.ROOT) + "/"
                + Long.toHexString(lsn & 0xffffffffL).toUpperCase(Locale.ROOT);
    }
}
