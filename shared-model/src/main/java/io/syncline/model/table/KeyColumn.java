package io.syncline.model.table;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A column of a table's key.
 *
 * @param nativeType PostgreSQL's {@code format_type} of it, of a domain that of the type below: the replica's key column has
 *                   the same type, so that order and ranges are PostgreSQL's own
 * @param collation  the collation in force, also where it is the database's own; null for types that have none, or where it
 *                   has no name
 * @param labels     an enum's labels in their order; empty for any other type
 */
public record KeyColumn(String name, String nativeType, @Nullable String collation, List<String> labels) {

    public KeyColumn(String name, String nativeType, @Nullable String collation) {
        this(name, nativeType, collation, List.of());
    }

    public KeyColumn {
        // Null in what was written before there were enums in keys.
        labels = labels == null ? List.of() : List.copyOf(labels);
    }
}
