package io.syncline.model.table;

import org.jspecify.annotations.Nullable;

/**
 * A column as {@code information_schema.columns} gives it, which is what {@code table-schema} shows.
 *
 * @param columnName             its name
 * @param dataType               {@code data_type}, for instance {@code character varying}
 * @param isNullable             {@code YES} or {@code NO}
 * @param columnDefault          the default's expression
 * @param characterMaximumLength in characters
 * @param nativeType             PostgreSQL's {@code format_type}, for instance {@code character varying(50)} or {@code uuid[]};
 *                               not shown to peers
 */
public record ColumnInfo(
        String columnName,
        String dataType,
        String isNullable,
        @Nullable String columnDefault,
        @Nullable Integer characterMaximumLength,
        String nativeType) {}
