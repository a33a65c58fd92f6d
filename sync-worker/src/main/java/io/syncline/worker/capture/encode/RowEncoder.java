package io.syncline.worker.capture.encode;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A table's rows as wire JSON ('Values in records' of the protocol): an object for the row, an array of the same values for its
 * key. Made once for a table's columns; holds nothing of a row, so any thread may use it with a buffer of its own.
 */
public final class RowEncoder {

    private final String[] names;
    private final byte[][] beforeValue;
    private final ValueWriter[] writers;
    private final int[] keyColumns;

    /** A column and how its text is written. */
    public record Column(String name, ValueType type) {}

    /** @param keyColumns the key's columns by their place among the columns, in the key's order */
    public RowEncoder(List<Column> columns, int[] keyColumns) {
        this.keyColumns = keyColumns.clone();
        names = new String[columns.size()];
        beforeValue = new byte[columns.size()][];
        writers = new ValueWriter[columns.size()];
        JsonBytes json = new JsonBytes();
        for (int i = 0; i < names.length; i++) {
            names[i] = columns.get(i).name();
            byte[] name = names[i].getBytes(StandardCharsets.UTF_8);
            json.reset();
            if (i > 0) {
                json.write(',');
            }
            json.writeString(name, 0, name.length);
            json.write(':');
            beforeValue[i] = json.toBytes();
            writers[i] = ValueWriter.of(columns.get(i).type());
        }
        // In the row as in the key: a peer that is given the key of a deleted row has to find the row by it.
        for (int i : keyColumns) {
            writers[i] = ValueWriter.ofKey(columns.get(i).type());
        }
    }

    public byte[] row(TextRow row, JsonBytes buffer) {
        buffer.reset().write('{');
        for (int i = 0; i < writers.length; i++) {
            buffer.write(beforeValue[i]);
            writeValue(i, row, buffer);
        }
        buffer.write('}');
        return buffer.toBytes();
    }

    public byte[] key(TextRow row, JsonBytes buffer) {
        buffer.reset();
        for (int i = 0; i < keyColumns.length; i++) {
            buffer.write(i == 0 ? '[' : ',');
            writeValue(keyColumns[i], row, buffer);
        }
        buffer.write(']');
        return buffer.toBytes();
    }

    private void writeValue(int column, TextRow row, JsonBytes buffer) {
        if (row.isNull(column)) {
            buffer.write(ValueWriter.Literals.NULL);
        } else if (row.isMissing(column)) {
            throw new UnencodableValueException("the row came without its value").in(names[column]);
        } else {
            try {
                writers[column].write(row.bytes(), row.from(column), row.to(column), buffer);
            } catch (RowTooLargeException e) {
                throw e;
            } catch (UnencodableValueException e) {
                throw e.in(names[column]);
            }
        }
    }
}
