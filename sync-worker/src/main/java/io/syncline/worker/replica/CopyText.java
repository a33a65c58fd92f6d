package io.syncline.worker.replica;

import io.syncline.model.table.Place;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import org.postgresql.copy.CopyIn;

/** Writes COPY's text format: UTF-8 values with tabs between, what would end a value or a line behind a backslash. */
final class CopyText {

    private static final int BUFFER = 64 * 1024;

    private final CopyIn copy;
    private final byte[] buffer = new byte[BUFFER];
    private int filled;

    CopyText(CopyIn copy) {
        this.copy = copy;
    }

    /** A value that is not a row's last. */
    void value(byte[] utf8) throws SQLException {
        for (byte b : utf8) {
            if (filled > BUFFER - 2) {
                flush();
            }
            switch (b) {
                case '\\' -> escaped((byte) '\\');
                case '\t' -> escaped((byte) 't');
                case '\n' -> escaped((byte) 'n');
                case '\r' -> escaped((byte) 'r');
                default -> buffer[filled++] = b;
            }
        }
        raw((byte) '\t');
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
        for (byte digit : Long.toString(number).getBytes(StandardCharsets.US_ASCII)) {
            raw(digit);
        }
    }

    private void escaped(byte letter) {
        buffer[filled++] = '\\';
        buffer[filled++] = letter;
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
