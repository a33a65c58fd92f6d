package io.syncline.worker.capture.debezium;

import io.syncline.model.table.SessionSettings;
import io.syncline.model.table.SessionSettings.Setting;

/** What every session with the source sets, so that a value has one text in all of them. */
public final class SourceSession {

    /**
     * As the protocol's text form of a value wants it; and limits that a role, a database or a URL may have set for applications are not
     * meant for us.
     */
    public static final String SETTINGS = SessionSettings.statements("public")
            + "; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '1s'; "
            + SessionSettings.setWhereKnown(new Setting("transaction_timeout", "0", "a long reading is ended"));

    /** The same from the first moment on, and in the sessions that Debezium makes; whoever has locked a table is not waited for. */
    public static final String OPTIONS = SessionSettings.options()
            + " -c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c lock_timeout=1s";

    /**
     * For sessions of the replication protocol. They lock no table, only wait (where a slot is made) until the transactions of the moment
     * are over.
     */
    public static final String PATIENCE = "SET lock_timeout = 0";

    /** For sessions in which a text that is in no encoding, or that UTF-8 has no place for, must be no error. */
    public static final String RAW_TEXTS = "SET client_encoding = 'SQL_ASCII'";

    /** The server_encoding of a database whose texts may be in any encoding, or in none. */
    public static final String NO_ENCODING = "SQL_ASCII";

    private SourceSession() {}

    /** Start-up options behind those that a URL has, which they win over. */
    public static String options(String ofUrl) {
        return (ofUrl + " " + OPTIONS).strip();
    }
}
