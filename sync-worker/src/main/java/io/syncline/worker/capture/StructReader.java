package io.syncline.worker.capture;

import io.syncline.worker.capture.debezium.TextConverter;
import io.syncline.worker.capture.encode.TextRow;
import java.util.List;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.jspecify.annotations.Nullable;

/** Reads Debezium's rows into those of a table as it was at one moment. Not for two threads at once. */
final class StructReader {

    private final long table;
    private final List<SourceTable.Column> columns;
    private final int[] keyColumns;

    /** Debezium makes a new schema whenever the source tells the table's columns anew; equal ones are compared by identity. */
    private @Nullable Schema lastSchema;
    private @Nullable Field @Nullable [] lastFields;

    StructReader(SourceTable table) {
        this.table = table.oid();
        columns = table.columns();
        keyColumns = table.keyColumns();
    }

    /**
     * Whether rows of this schema are the table's, and have its columns, no more and no fewer, in the same order and of the same types:
     * another table may have had its name when they changed, and another column one of its columns' names.
     */
    boolean fits(Schema schema) {
        return fields(schema) != null;
    }

    /** A whole row, except for what the source did not send. */
    void read(Struct row, TextRow into) {
        into.reset();
        @Nullable Field[] fields = fittingFields(row.schema());
        for (int i = 0; i < fields.length; i++) {
            read(row, fields[i], i, into);
        }
    }

    /** Its key alone. */
    void readKey(Struct row, TextRow into) {
        into.reset();
        @Nullable Field[] fields = fittingFields(row.schema());
        for (int column : keyColumns) {
            read(row, fields[column], column, into);
        }
    }

    private static void read(Struct row, @Nullable Field field, int column, TextRow into) {
        if (field == null) {
            return;
        }
        // Struct.get() gives a column's default where the row has a null.
        Object value = row.getWithoutDefault(field.name());
        if (value == null) {
            into.setNull(column);
        } else if (value == TextConverter.NO_TEXT) {
            throw new IllegalStateException(
                    "Debezium gave no text for column " + field.name() + ": is this another version of it?");
        } else if (value != TextConverter.UNCHANGED) {
            into.set(column, (String) value);
        }
    }

    private @Nullable Field[] fittingFields(Schema schema) {
        @Nullable Field[] fields = fields(schema);
        if (fields == null) {
            throw new IllegalArgumentException("the row is of another table, or of another time");
        }
        return fields;
    }

    private @Nullable Field @Nullable [] fields(Schema schema) {
        if (schema != lastSchema) {
            lastSchema = schema;
            lastFields = match(schema);
        }
        return lastFields;
    }

    private @Nullable Field @Nullable [] match(Schema schema) {
        @Nullable Field[] fields = new Field[columns.size()];
        List<Field> given = schema.fields();
        int next = 0;
        for (int i = 0; i < fields.length; i++) {
            SourceTable.Column column = columns.get(i);
            Field field = next < given.size() ? given.get(next) : null;
            if (field != null && field.name().equals(column.name())) {
                if (TextConverter.typeOid(field.schema()) != column.typeOid()
                        || TextConverter.relation(field.schema()) != table) {
                    return null;
                }
                fields[i] = field;
                next++;
            } else if (!column.generated()) {
                return null;
            }
        }
        return next == given.size() ? fields : null;
    }
}
