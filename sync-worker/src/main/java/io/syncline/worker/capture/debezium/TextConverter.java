package io.syncline.worker.capture.debezium;

import io.debezium.connector.postgresql.UnchangedToastedReplicationMessageColumn;
import io.debezium.spi.converter.CustomConverter;
import io.debezium.spi.converter.RelationalColumn;
import java.util.Properties;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.jspecify.annotations.Nullable;

/** Hands every value over as the text that it is; the column's type goes along in the field's schema. */
public final class TextConverter implements CustomConverter<SchemaBuilder, RelationalColumn> {

    /** Stands for a TOASTed value that the source did not send. Compared by identity: no text of a row is this one. */
    public static final String UNCHANGED = new String("unchanged");

    /**
     * Stands for what is no text. Debezium asks for columns' defaults too, before the source has told a table's columns; a row's
     * value is never this one. Compared by identity.
     */
    public static final String NO_TEXT = new String("no text");

    private static final String TYPE_OID = "oid";
    private static final String RELATION = "relation";

    @Override
    public void configure(Properties properties) {}

    @Override
    public void converterFor(RelationalColumn column, ConverterRegistration<SchemaBuilder> registration) {
        registration.register(
                SchemaBuilder.string()
                        .optional()
                        .parameter(TYPE_OID, Integer.toUnsignedString(column.nativeType()))
                        .parameter(RELATION, StreamedSchema.relation(column.typeExpression())),
                TextConverter::convert);
    }

    /** The type that a field's column had when the change was made. */
    public static long typeOid(Schema field) {
        return parameter(field, TYPE_OID);
    }

    /** The OID of the table that a field's row is of, whatever its name was then; 0 if the source has not said it. */
    public static long relation(Schema field) {
        return parameter(field, RELATION);
    }

    private static long parameter(Schema field, String name) {
        String oid = field.parameters() == null ? null : field.parameters().get(name);
        if (oid == null) {
            throw new IllegalArgumentException("the field was not made by " + TextConverter.class.getSimpleName());
        }
        return Long.parseLong(oid);
    }

    private static @Nullable String convert(@Nullable Object value) {
        return switch (value) {
            case null -> null;
            case String text -> text;
            default -> UnchangedToastedReplicationMessageColumn.isUnchangedToastedValue(value) ? UNCHANGED : NO_TEXT;
        };
    }
}
