package io.syncline.worker.capture.debezium;

import java.io.IOException;
import java.sql.SQLException;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * What the slot says cannot be decoded, by the source or by Debezium: reading it again will fail at the same place. Never a failure of a
 * connection, of memory, disk or locks, nor of Kafka.
 */
public final class UndecodableException extends RuntimeException {

    /** Data that cannot be converted or written as text; errors of the source's own. */
    private static final Set<String> CLASSES = Set.of("22", "XX");

    /** feature_not_supported, undefined_object, undefined_table, undefined_column: of the catalogue as it was at that place. */
    private static final Set<String> STATES = Set.of("0A000", "42704", "42P01", "42703");

    private static final Pattern LSN = Pattern.compile("\\b[0-9A-F]{1,8}/[0-9A-F]{1,8}\\b");

    private final String kind;
    private final @Nullable String lsn;

    UndecodableException(String kind, @Nullable String lsn, Throwable cause) {
        // The place follows in further lines, and is told apart.
        super(String.valueOf(cause.getMessage()).lines().findFirst().orElse(kind), cause);
        this.kind = kind;
        this.lsn = lsn;
    }

    /** What it is if the stream has ended like this; null if reading it again may help. */
    static @Nullable UndecodableException of(SQLException problem) {
        String state = problem.getSQLState() == null ? "" : problem.getSQLState();
        return state.length() == 5 && (CLASSES.contains(state.substring(0, 2)) || STATES.contains(state))
                ? new UndecodableException(state, lsn(problem), problem)
                : null;
    }

    /** The same of a failure of Debezium's own. */
    static @Nullable UndecodableException of(RuntimeException problem) {
        return isOfDebezium(problem)
                ? new UndecodableException(problem.getClass().getSimpleName(), null, problem)
                : null;
    }

    /** Whether it comes from what was read, and from nobody who was asked for more. */
    static boolean isOfDebezium(RuntimeException problem) {
        for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException || cause instanceof IOException || cause instanceof Error
                    || cause instanceof InterruptedException) {
                return false;
            }
        }
        return true;
    }

    private static @Nullable String lsn(SQLException problem) {
        ServerErrorMessage message = problem instanceof PSQLException e ? e.getServerErrorMessage() : null;
        String where = message == null ? null : message.getWhere();
        if (where == null) {
            return null;
        }
        // slot "…", output plugin "pgoutput", in the change callback, associated LSN 0/398D958: in the source's language.
        String last = null;
        for (Matcher matcher = LSN.matcher(where); matcher.find();) {
            last = matcher.group();
        }
        return last;
    }

    /** SQLSTATE, or the name of Debezium's exception. */
    public String kind() {
        return kind;
    }

    /** The place in the WAL that cannot be decoded, as PostgreSQL writes it; null if that is not known. */
    public @Nullable String lsn() {
        return lsn;
    }
}
