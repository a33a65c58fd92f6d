package io.syncline.worker.replica;

import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The numbers of changes, which peers hand back to hear what came since. Microseconds since 1970 in the state database's time as a
 * rule, but never one that has been given before, nor a lower one, also where that database has been restored, and where its clock
 * has gone back: a bound is reserved outside of it before a number is used, and on a server that is not known all numbers are above
 * every bound. For one thread.
 */
final class ChangeNumbers {

    /** Long enough that reserving costs nothing; numbers of a new server begin no further ahead than this. */
    private static final long AHEAD_MICROS = TimeUnit.MINUTES.toMicros(5);

    private final LongSupplier newestBound;
    private final LongConsumer reserve;
    private @Nullable String server;
    private long floor;
    private long bound;

    /**
     * @param newestBound the greatest that any worker has reserved
     * @param reserve     reserves numbers up to the one it is given, and returns once that is known outside of the state database
     */
    ChangeNumbers(LongSupplier newestBound, LongConsumer reserve) {
        this.newestBound = newestBound;
        this.reserve = reserve;
    }

    /** No number can be given before more are reserved; the transaction is to begin again then. */
    static final class UnreservedException extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private final String server;
        private final long wanted;

        private UnreservedException(String server, long wanted) {
            super("change number " + wanted + " is not reserved yet", null, false, false);
            this.server = server;
            this.wanted = wanted;
        }
    }

    /** Before a transaction locks anything: as a rule this is where more are found to be needed. */
    void verify(String onServer, long now) {
        if (!onServer.equals(server) || now > bound) {
            throw new UnreservedException(onServer, now);
        }
    }

    /** The number of a change that is made now, greater than the last of its table. */
    long next(String onServer, long last, long now) {
        long number = Math.max(Math.max(last, floor) + 1, now);
        if (!onServer.equals(server) || number > bound) {
            throw new UnreservedException(onServer, number);
        }
        return number;
    }

    /** Makes what was wanted possible. Outside of any transaction, since it waits for Kafka. */
    void reserve(UnreservedException wanted) {
        if (!wanted.server.equals(server)) {
            floor = Math.max(floor, newestBound.getAsLong());
        }
        long upTo = Math.max(Math.max(wanted.wanted, floor + 1), bound) + AHEAD_MICROS;
        reserve.accept(upTo);
        bound = upTo;
        server = wanted.server;
    }

    /** The state database may have gone back: it is looked at as another server. */
    void distrust() {
        server = null;
    }
}
