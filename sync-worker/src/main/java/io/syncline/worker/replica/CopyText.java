package io.syncline.worker.replica;

import io.syncline.model.table.Place;
import java.sql.SQLException;
import org.postgresql.copy.CopyIn;

/** Writes COPY's text format: UTF-8 values with tabs between, what would end a value or a line behind a backslash. */
final class CopyText {

    private static final int BUFFER = 64 * 1024;

    private final CopyIn copy;
    private final byte[] buffer = new byte[BUFFER];
    private int filled;
    /** Of the longest number, with its sign. */
    private final byte[] digits = new byte[20];

    CopyText(CopyIn copy) {
        this.copy = copy;
    }

    /** A value that is not a row's last. */
    void value(byte[] utf8) throws SQLException {
        int plain = 0;
        for (int i = 0; i < utf8.length; i++) {
            byte letter = letterOf(utf8[i]);
            if (letter != 0) {
                raw(utf8, plain, i);
                raw((byte) '\\');
                raw(letter);
                plain = i + 1;
            }
        }
        raw(utf8, plain, utf8.length);
        raw((byte) '\t');
    }

    /** What stands behind the backslash for this byte; 0 where it stands for itself. */
    private static byte letterOf(byte b) {
        return switch (b) {
            case '\\' -> '\\';
            case '\t' -> 't';
            case '\n' -> 'n';
            case '\r' -> 'r';
            default -> 0;
        };
    }

    /** A number that is not a row's last. */
    void number(long number) throws SQLException {
        digits(number);
        raw((byte) '\t');
    }

    /** The numbers of a place, which end the row. */
    void place(Place place) throws SQLException {
        digits(place.commitLsn());
        raw((byte) '\t');
        digits(place.lsn());
        raw((byte) '\t');
        digits(place.number());
        raw((byte) '\n');
    }

    void end() throws SQLException {
        flush();
        copy.endCopy();
    }

    private void digits(long number) throws SQLException {
        // Counted down from 0: the least long has no positive of its own.
        long rest = number < 0 ? number : -number;
        int at = digits.length;
        do {
            digits[--at] = (byte) ('0' - rest % 10);
            rest /= 10;
        } while (rest != 0);
        if (number < 0) {
            digits[--at] = '-';
        }
        raw(digits, at, digits.length);
    }

    private void raw(byte[] bytes, int start, int end) throws SQLException {
        int from = start;
        while (end - from > BUFFER - filled) {
            int some = BUFFER - filled;
            System.arraycopy(bytes, from, buffer, filled, some);
            filled = BUFFER;
            from += some;
            flush();
        }
        System.arraycopy(bytes, from, buffer, filled, end - from);
        filled += end - from;
    }

    private void raw(byte b) throws SQLException {
        if (filled == BUFFER) {
            flush();
        }
        buffer[filled++] = b;
    }

    private void flush() throws SQLException {
        copy.writeToCopy(buffer, 0, filled);
        filled = 0;
    }
}
