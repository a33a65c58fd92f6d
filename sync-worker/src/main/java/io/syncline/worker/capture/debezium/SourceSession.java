package io.syncline.worker.capture.debezium;

/** What every session with the source sets, so that a value has one text in all of them. */
public final class SourceSession {

    /** As the protocol's text form of a value wants it; and rows that a policy hides are an error, not a gap. */
    public static final String VALUE_SETTINGS = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres'; "
            + "SET bytea_output = 'hex'; SET extra_float_digits = 1; SET xmlbinary = 'base64'; SET row_security = off; "
            // Known from 17 on.
            + "SELECT set_config('transaction_timeout', '0', false) WHERE current_setting('transaction_timeout', true) IS NOT NULL";

    /**
     * Start-up options: limits that a role or database may have set for applications are not meant for us; and whoever has locked a
     * table is not waited for.
     */
    public static final String OPTIONS = "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0 -c lock_timeout=1s";

    /**
     * For sessions of the replication protocol. They lock no table, only wait (where a slot is made) until the transactions of the moment
     * are over.
     */
    public static final String PATIENCE = "SET lock_timeout = 0";

    private SourceSession() {}
}
