package io.syncline.model.testing;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/** What an operator may have set for a role or a database, each of it as far from what we need as it can be. */
public final class HostileSettings {

    /** Of every version from 14 on, by the names that SHOW takes. */
    public static final Map<String, String> ALL = all();

    private HostileSettings() {}

    private static Map<String, String> all() {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("client_encoding", "LATIN1");
        all.put("DateStyle", "German, DMY");
        all.put("IntervalStyle", "sql_standard");
        all.put("TimeZone", "Asia/Kolkata");
        all.put("extra_float_digits", "-15");
        all.put("bytea_output", "escape");
        all.put("xmlbinary", "hex");
        all.put("xmloption", "document");
        // Of the few locales that any machine has; the C library knows no currency in any of them.
        all.put("lc_monetary", "POSIX");
        all.put("lc_numeric", "POSIX");
        all.put("lc_time", "POSIX");
        all.put("quote_all_identifiers", "on");
        all.put("standard_conforming_strings", "off");
        all.put("backslash_quote", "off");
        all.put("array_nulls", "off");
        all.put("transform_null_equals", "on");
        all.put("row_security", "on");
        all.put("default_transaction_isolation", "serializable");
        all.put("default_transaction_read_only", "on");
        all.put("default_transaction_deferrable", "on");
        all.put("idle_session_timeout", "1s");
        all.put("exit_on_error", "on");
        all.put("jit", "on");
        all.put("search_path", "pg_temp");
        all.put("statement_timeout", "1s");
        all.put("lock_timeout", "1ms");
        all.put("idle_in_transaction_session_timeout", "1s");
        return all;
    }

    /** Statements that set all of it for a role. */
    public static String[] ofRole(String role) {
        return Stream.concat(
                ALL.entrySet()
                        .stream()
                        .map(setting -> "ALTER ROLE " + role + " SET " + setting.getKey() + " = '"
                                + setting.getValue() + "'"),
                // In versions that know it.
                Stream.of("DO $$ BEGIN IF current_setting('transaction_timeout', true) IS NOT NULL THEN"
                        + " EXECUTE 'ALTER ROLE " + role + " SET transaction_timeout = ''1s'''; END IF; END $$",
                        "DO $$ BEGIN IF current_setting('restrict_nonsystem_relation_kind', true) IS NOT NULL THEN"
                                + " EXECUTE 'ALTER ROLE " + role
                                + " SET restrict_nonsystem_relation_kind = ''view, foreign-table'''; END IF; END $$"))
                .toArray(String[]::new);
    }
}
