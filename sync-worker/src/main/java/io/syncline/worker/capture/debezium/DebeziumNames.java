package io.syncline.worker.capture.debezium;

import io.debezium.relational.TableId;
import io.debezium.util.Strings;
import java.util.Collection;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which names of tables and columns survive Debezium's decoder. It writes a table's name as quoted text and parses that again, and it
 * takes quotes away from columns' names: some names come out as another one, or not at all. The answers come from Debezium's own code.
 */
public final class DebeziumNames {

    /** The one schema that is captured. */
    public static final String SCHEMA = "public";

    private DebeziumNames() {}

    /** Whether a table of this name keeps it. */
    public static boolean keepsTable(String table) {
        TableId id = new TableId(null, SCHEMA, table);
        try {
            // Where the decoder hands a change to the stream, and the stream reads whose it is.
            TableId parsed = TableId.parse(id.toDoubleQuotedString(), false);
            return parsed != null && parsed.catalog() == null && SCHEMA.equals(parsed.schema())
                    && table.equals(parsed.table());
        } catch (RuntimeException e) {
            return false;
        }
    }

    /** Whether a column of this name keeps it. */
    public static boolean keepsColumn(String column) {
        return column.equals(Strings.unquoteIdentifierPart(column));
    }

    /** A column that Debezium takes for one before it; null if there is none. */
    public static @Nullable String firstTwin(Collection<String> columns) {
        Set<String> folded = new HashSet<>();
        for (String column : columns) {
            // By the JVM's locale, as Debezium does it.
            if (!folded.add(column.toLowerCase(Locale.getDefault()))) {
                return column;
            }
        }
        return null;
    }
}
