package io.syncline.worker.connection;

import java.sql.SQLException;
import java.sql.SQLRecoverableException;
import java.sql.SQLTransientException;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** Says of a database error whether it is the database's, a taken token's, or the content's. */
final class SqlFailure {

    private SqlFailure() {}

    static RuntimeException of(SQLException thrown, String tokenIndex) {
        String constraint = null;
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof PSQLException found) {
                ServerErrorMessage server = found.getServerErrorMessage();
                constraint = server == null ? null : server.getConstraint();
                if (tokenIndex.equals(constraint)) {
                    return new TokenTakenException(thrown);
                }
            }
        }
        if (unavailable(thrown)) {
            return new StoreUnavailableException(String.valueOf(thrown.getMessage()), thrown);
        }
        // PostgreSQL's message quotes the value that it refused, and so is not told on.
        return new IllegalStateException("PostgreSQL refused it: SQLSTATE " + thrown.getSQLState()
                + (constraint == null ? "" : ", constraint " + constraint));
    }

    private static boolean unavailable(SQLException thrown) {
        String state = thrown.getSQLState();
        if (state == null || state.length() != 5) {
            // No state: a pool that gave up waiting, a socket that broke.
            return true;
        }
        return switch (state.substring(0, 2)) {
            // connection · resources · operator · system · transaction rolled back · no longer in transaction (time-outs)
            case "08", "53", "57", "58", "40", "25" -> true;
            // 55P03: a lock was not granted in time. 42P01, 3F000: the schema is not there (yet).
            default -> thrown instanceof SQLTransientException || thrown instanceof SQLRecoverableException
                    || state.equals("55P03") || state.equals("42P01") || state.equals("3F000");
        };
    }
}
