package io.syncline.benchmarks;

import io.syncline.benchmarks.load.ChunkedAnswer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.List;
import org.postgresql.PGConnection;

/**
 * Many rows on their way to somebody who throws them away.
 *
 * @param end the last few hundred bytes of a pull, as text
 */
record Transfer(long firstByteMicros, long micros, long bytes, String end) {

    /** @param request the whole of it, of a pull */
    static Transfer pull(InetSocketAddress gateway, byte[] request) throws IOException {
        long begun = System.nanoTime();
        Counting counting = new Counting(true);
        ChunkedAnswer.passOn(gateway, request, counting);
        return counting.transfer(begun);
    }

    /** PostgreSQL's own JSON of a table, by PgJDBC. */
    static Transfer copy(Connection source, String table) throws IOException, SQLException {
        long begun = System.nanoTime();
        Counting counting = new Counting(false);
        source.unwrap(PGConnection.class).getCopyAPI().copyOut(copyStatement(table), counting);
        return counting.transfer(begun);
    }

    static String copyStatement(String table) {
        return "COPY (SELECT row_to_json(t) FROM %s t) TO STDOUT".formatted(table);
    }

    static Transfer middle(List<Transfer> transfers) {
        return transfers.stream()
                .sorted(Comparator.comparingLong(Transfer::micros))
                .skip(transfers.size() / 2)
                .findFirst()
                .orElseThrow();
    }

    double seconds() {
        return micros / 1e6;
    }

    /** Counts, notes when the first byte came, and keeps the end if asked to: that costs too much for each row of a COPY. */
    private static final class Counting extends OutputStream {

        private static final int KEPT = 512;

        private final boolean keepsEnd;
        private byte[] last = new byte[0];
        private long firstByte;
        private long count;

        Counting(boolean keepsEnd) {
            this.keepsEnd = keepsEnd;
        }

        @Override
        public void write(int one) {
            write(new byte[]{(byte) one}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            if (count == 0) {
                firstByte = System.nanoTime();
            }
            count += length;
            if (keepsEnd) {
                keep(bytes, offset, length);
            }
        }

        private void keep(byte[] bytes, int offset, int length) {
            int kept = Math.min(KEPT, length);
            byte[] before = length < KEPT ? last : new byte[0];
            int ofBefore = Math.min(before.length, KEPT - kept);
            byte[] now = new byte[ofBefore + kept];
            System.arraycopy(before, before.length - ofBefore, now, 0, ofBefore);
            System.arraycopy(bytes, offset + length - kept, now, ofBefore, kept);
            last = now;
        }

        Transfer transfer(long begun) {
            return new Transfer((firstByte - begun) / 1000, (System.nanoTime() - begun) / 1000, count,
                    new String(last, StandardCharsets.UTF_8));
        }
    }
}
