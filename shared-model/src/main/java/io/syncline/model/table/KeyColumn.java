package io.syncline.model.table;

import org.jspecify.annotations.Nullable;

/**
 * A column of a table's key.
 *
 * @param nativeType PostgreSQL's {@code format_type} of it: the replica's key column has the same type, so that order and
 *                   ranges are PostgreSQL's own
 * @param collation  the column's own collation, null where it has the type's default
 */
public record KeyColumn(String name, String nativeType, @Nullable String collation) {}
