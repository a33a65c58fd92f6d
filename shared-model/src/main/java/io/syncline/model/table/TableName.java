package io.syncline.model.table;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;

/** The name of a table in the source's schema {@code public}, as PostgreSQL has it: case and odd characters included. */
public record TableName(String name) implements Comparable<TableName> {

    /** PostgreSQL's NAMEDATALEN - 1, in bytes. */
    public static final int MAX_BYTES = 63;

    private static final List<String> NEVER_SERVED_PREFIXES = List.of("schema_", "pg_", "oban_", "phoenix_kit_sync_");
    private static final Set<String> NEVER_SERVED = Set.of("phoenix_kit_user_tokens", "phoenix_kit_settings");

    public TableName {
        int bytes = name.getBytes(StandardCharsets.UTF_8).length;
        if (bytes == 0 || bytes > MAX_BYTES || name.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a table's name has 1 to " + MAX_BYTES + " bytes and no NUL");
        }
    }

    /** Whether a text can name a table at all. */
    public static boolean possible(String text) {
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        return bytes > 0 && bytes <= MAX_BYTES && text.indexOf('\0') < 0;
    }

    /** Tables that hold secrets or a framework's own matters are never captured and never served (protocol). */
    public boolean neverServed() {
        return NEVER_SERVED.contains(name) || NEVER_SERVED_PREFIXES.stream().anyMatch(name::startsWith);
    }

    @Override
    public int compareTo(TableName other) {
        return name.compareTo(other.name);
    }

    @Override
    public String toString() {
        return name;
    }
}
