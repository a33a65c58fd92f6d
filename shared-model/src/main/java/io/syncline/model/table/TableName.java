package io.syncline.model.table;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
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

    /**
     * The name in letters that a topic's name and an SQL identifier take: bytes outside {@code [A-Za-z0-9_]} become
     * {@code -xx}; beyond {@code longest} characters the end gives way to a hash of the whole.
     */
    public String escaped(int longest) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        StringBuilder escaped = new StringBuilder();
        for (byte b : bytes) {
            char c = (char) (b & 0xff);
            if (c == '_' || (c < 128 && Character.isLetterOrDigit(c))) {
                escaped.append(c);
            } else {
                escaped.append('-').append(HexFormat.of().toHexDigits(b));
            }
        }
        if (escaped.length() <= longest) {
            return escaped.toString();
        }
        String hash = HexFormat.of().formatHex(Sha256.of(bytes), 0, 8);
        return escaped.substring(0, longest - hash.length() - 1) + "-" + hash;
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
