package io.syncline.gateway.state;

import java.sql.SQLTransientConnectionException;

/** The database at the other end lacks what this gateway knows to have happened: a standby that took over too early. */
public final class StateDatabaseBehindException extends SQLTransientConnectionException {

    /** SQLSTATE "cannot connect now", so that whoever knows nothing of us takes it for what it is. */
    private static final String CANNOT_CONNECT_NOW = "57P03";

    StateDatabaseBehindException(String reason) {
        super(reason, CANNOT_CONNECT_NOW);
    }
}
