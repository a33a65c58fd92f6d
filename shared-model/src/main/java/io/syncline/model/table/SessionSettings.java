package io.syncline.model.table;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What every session with a PostgreSQL sets, be it the source's or the state database's. A server, a database or a role may have
 * other values for applications of its own; under those one value would have two texts, one text two meanings, or a statement of ours
 * would fail. The list is what remains of all settings that a session may change (pg_settings of 14 and of 18), less those that only
 * choose a plan, bound memory, log, trace, or speak of what our sessions never do (vacuum, text search, warnings of escapes), and less
 * those that only a superuser may set, which a role of ours may not undo.
 */
public final class SessionSettings {

    /** A setting, and what another value of it would do. */
    public record Setting(String name, String value, String otherwise) {}

    /** In PostgreSQL 14 and all later versions. */
    public static final List<Setting> ALL = List.of(
            new Setting("client_encoding", "UTF8", "texts arrive in other bytes"),
            new Setting("DateStyle", "ISO, MDY", "dates and times have another text"),
            new Setting("IntervalStyle", "postgres", "intervals have another text"),
            new Setting("TimeZone", "UTC", "timestamptz has another text"),
            new Setting("extra_float_digits", "1", "two floating-point numbers have one text"),
            new Setting("bytea_output", "hex", "bytea has another text"),
            new Setting("xmlbinary", "base64", "bytes within xml have another text"),
            new Setting("xmloption", "content", "xml that is no document is refused"),
            new Setting("lc_monetary", "C", "money has another text, and another meaning where it is read"),
            new Setting("lc_numeric", "C", "numbers have another text in formats of the locale"),
            new Setting("lc_time", "C", "dates have another text in formats of the locale"),
            new Setting("quote_all_identifiers", "off", "types, defaults and reg* values have another text"),
            new Setting("standard_conforming_strings", "on",
                    "a backslash in a literal is an escape, and defaults are written so"),
            new Setting("backslash_quote", "safe_encoding", "a literal with an escaped quote is refused"),
            new Setting("array_nulls", "on", "NULL in an array's text is a string"),
            new Setting("transform_null_equals", "off", "a comparison with NULL is another one"),
            new Setting("row_security", "off", "rows that a policy hides are missing without an error"),
            new Setting("default_transaction_isolation", "read committed",
                    "a statement fails that conflicts with another"),
            new Setting("default_transaction_read_only", "off", "what we have to write is refused"),
            new Setting("default_transaction_deferrable", "off", "a transaction waits before it begins"),
            new Setting("idle_session_timeout", "0", "a session that waits is ended"),
            new Setting("exit_on_error", "off", "an error that we expect ends the session"),
            new Setting("jit", "off", "a short statement is compiled for longer than it runs"));

    /** A later version's setting, in an older one unknown: PostgreSQL 17 and later, and what has been given it since. */
    private static final Setting VIEWS = new Setting("restrict_nonsystem_relation_kind", "",
            "foreign tables that are partitions are refused");

    private SessionSettings() {}

    /**
     * The statements that set all of it, in one string without a semicolon behind it. What a URL's options say is undone by it.
     *
     * @param schema where names are looked up, and made
     * @param more   where they are looked up last
     */
    public static String statements(String schema, String... more) {
        return ALL.stream()
                .map(setting -> "SET " + setting.name() + " = '" + setting.value() + "'; ")
                .collect(Collectors.joining())
                + setWhereKnown(VIEWS) + "; " + searchPath(schema, more);
    }

    /** Sets a setting that older versions do not know; without a semicolon behind it. */
    public static String setWhereKnown(Setting setting) {
        return "SELECT set_config('" + setting.name() + "', '" + setting.value() + "', false) WHERE current_setting('"
                + setting.name() + "', true) IS NOT NULL";
    }

    /**
     * Names are looked up in PostgreSQL's own schema before all others, and early where citext is: without its operators, which are found
     * by name, citext is compared as text. Types in other schemas than these are written with their schema.
     */
    private static String searchPath(String schema, String... more) {
        return "SELECT set_config('search_path', concat_ws(', ', '" + schema + "',"
                + " (SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_extension e"
                + " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace"
                + " WHERE e.extname OPERATOR(pg_catalog.=) 'citext')"
                + Stream.of(more).map(other -> ", '" + other + "'").collect(Collectors.joining()) + "), false)";
    }

    /** The same as start-up options: they hold from a session's first statement, and in sessions that others make for us. */
    public static String options() {
        return ALL.stream()
                .map(setting -> "-c " + setting.name() + "=" + setting.value().replace(" ", "\\ "))
                .collect(Collectors.joining(" "));
    }
}
