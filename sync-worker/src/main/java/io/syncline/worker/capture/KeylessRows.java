package io.syncline.worker.capture;

import io.syncline.worker.capture.encode.UnencodableValueException;
import java.util.HashSet;
import java.util.Set;

/**
 * How many different rows all streamed tables without a key have together, each of which costs memory. Where there are too many,
 * the table that has the most gives way, whichever brought the last: a small one goes on beside a large one.
 */
final class KeylessRows {

    private final int most;
    /** Those that have any. */
    private final Set<Share> shares = new HashSet<>();
    private long all;

    KeylessRows(int most) {
        this.most = most;
    }

    /** One table's. */
    final class Share {

        private int rows;
        private boolean ended;

        private Share() {}

        /** Makes room for one more; throws if this is the table that has to give way. */
        void take() {
            synchronized (KeylessRows.this) {
                if (ended) {
                    return;
                }
                if (all >= most && isLargest()) {
                    throw tooMany();
                }
                if (rows++ == 0) {
                    shares.add(this);
                }
                all++;
            }
        }

        void giveBackOne() {
            synchronized (KeylessRows.this) {
                if (!ended) {
                    all--;
                    if (--rows == 0) {
                        shares.remove(this);
                    }
                }
            }
        }

        void giveBackAll() {
            synchronized (KeylessRows.this) {
                all -= rows;
                rows = 0;
                shares.remove(this);
            }
        }

        /** Gives back all that it has, and takes no more. */
        void end() {
            synchronized (KeylessRows.this) {
                giveBackAll();
                ended = true;
            }
        }

        /** Others have brought more than there is room for, and this is the table that has to give way. */
        boolean hasToGiveWay() {
            synchronized (KeylessRows.this) {
                return all > most && isLargest();
            }
        }

        private boolean isLargest() {
            return shares.stream().noneMatch(other -> other.rows > rows);
        }
    }

    Share share() {
        return new Share();
    }

    UnencodableValueException tooMany() {
        return new UnencodableValueException(
                "it has no key, and of the streamed tables like it the most different rows; together they have more than"
                        + " syncline.capture.max-keyless-rows (" + most + ")",
                "give it a primary key; or raise syncline.capture.max-keyless-rows (a row takes some 50 bytes of the worker's"
                        + " memory); or ALTER TABLE … REPLICA IDENTITY DEFAULT, to have it read anew every"
                        + " syncline.capture.refresh-interval, however large it is");
    }
}
