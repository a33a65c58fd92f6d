package io.syncline.worker.replica;

import io.syncline.model.table.Place;
import io.syncline.model.table.RowChecksum;
import io.syncline.worker.replica.TableState.Delta;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/** Rows that wait to be written by one statement: of each key the newest, a few thousand rows or some megabytes. */
final class Rows {

    private static final int MAX_ROWS = 10_000;
    private static final long MAX_BYTES = 8 << 20;

    private record Row(byte[] key, byte @Nullable [] wire, Place place) {}

    private final Map<String, Row> rows = new LinkedHashMap<>();
    private long bytes;
    private long added;
    private long ofSnapshot;

    /** {@code wire} is null for a row that is gone. */
    void add(byte[] key, byte @Nullable [] wire, Place place) {
        // One char a byte: quick, and equal exactly where the bytes are.
        String name = new String(key, StandardCharsets.ISO_8859_1);
        Row row = new Row(key, wire, place);
        Row before = rows.putIfAbsent(name, row);
        if (before != null && before.place().compareTo(place) < 0) {
            rows.put(name, row);
        }
        bytes += key.length + (wire == null ? 0 : wire.length);
        added++;
        if (wire != null && place.commitLsn() == 0 && place.lsn() == 0 && place.number() == 0) {
            ofSnapshot++;
        }
    }

    boolean isEmpty() {
        return rows.isEmpty();
    }

    boolean isFull() {
        return rows.size() >= MAX_ROWS || bytes >= MAX_BYTES;
    }

    int size() {
        return rows.size();
    }

    /** Whether these are nothing but a snapshot's rows, which as a rule are not there yet. */
    boolean onlySnapshot() {
        return ofSnapshot == added;
    }

    /** How many of what was added were a snapshot's rows. */
    long ofSnapshot() {
        return ofSnapshot;
    }

    void clear() {
        rows.clear();
        bytes = 0;
        added = 0;
        ofSnapshot = 0;
    }

    /** Sends the rows in COPY's text format, and gives what they add. There are no tombstones among them. */
    Delta copyTo(CopyIn copy, ReplicaSql sql, long change) throws SQLException, TableFault {
        List<KeyKind> kinds = sql.kinds();
        try {
            CopyText text = new CopyText(copy);
            long wireBytes = 0;
            long checksum = 0;
            for (Row row : rows.values()) {
                if (kinds.size() == 1 && kinds.getFirst() == KeyKind.INTEGER) {
                    text.number(RowKey.parseInteger(row.key()));
                } else {
                    for (String value : RowKey.parse(row.key(), kinds)) {
                        text.value(value.getBytes(StandardCharsets.UTF_8));
                    }
                }
                byte[] wire = Objects.requireNonNull(row.wire());
                long hash = hash(wire);
                text.value(wire);
                text.number(hash);
                text.number(change);
                text.place(row.place());
                wireBytes += wire.length;
                checksum += hash;
            }
            text.end();
            return new Delta(rows.size(), wireBytes, checksum);
        } finally {
            if (copy.isActive()) {
                copy.cancelCopy();
            }
        }
    }

    /** Sets the arrays that {@link ReplicaSql#write} takes. */
    void bind(PreparedStatement statement, ReplicaSql sql, long change) throws SQLException, TableFault {
        List<KeyKind> kinds = sql.kinds();
        int count = rows.size();
        Object[] keys = new Object[kinds.size()];
        for (int k = 0; k < keys.length; k++) {
            keys[k] = kinds.get(k) == KeyKind.INTEGER ? new long[count] : new String[count];
        }
        @Nullable String[] wires = new @Nullable String[count];
        @Nullable Long[] hashes = new @Nullable Long[count];
        @Nullable String[] removed = new @Nullable String[count];
        long[] commitLsns = new long[count];
        long[] lsns = new long[count];
        long[] numbers = new long[count];
        int i = 0;
        for (Row row : rows.values()) {
            fill(keys, i, row.key(), kinds);
            if (row.wire() == null) {
                removed[i] = RowKey.object(row.key(), sql.keyNames());
            } else {
                wires[i] = new String(row.wire(), StandardCharsets.UTF_8);
                hashes[i] = hash(row.wire());
            }
            commitLsns[i] = row.place().commitLsn();
            lsns[i] = row.place().lsn();
            numbers[i] = row.place().number();
            i++;
        }
        // Its own method takes long[]; JDBC's would have every number boxed.
        PGConnection arrays = statement.getConnection().unwrap(PGConnection.class);
        int parameter = 1;
        for (Object array : keys) {
            statement.setArray(parameter++, arrays.createArrayOf(array instanceof long[] ? "int8" : "text", array));
        }
        statement.setArray(parameter++, arrays.createArrayOf("text", wires));
        statement.setArray(parameter++, arrays.createArrayOf("int8", hashes));
        statement.setArray(parameter++, arrays.createArrayOf("text", removed));
        statement.setArray(parameter++, arrays.createArrayOf("int8", commitLsns));
        statement.setArray(parameter++, arrays.createArrayOf("int8", lsns));
        statement.setArray(parameter++, arrays.createArrayOf("int8", numbers));
        statement.setLong(parameter, change);
    }

    private static long hash(byte[] wire) throws TableFault {
        try {
            return RowChecksum.of(wire);
        } catch (IllegalArgumentException e) {
            throw new TableFault("a record's value is not a row as JSON", false);
        }
    }

    private static void fill(Object[] keys, int row, byte[] key, List<KeyKind> kinds) throws TableFault {
        if (keys.length == 1 && keys[0] instanceof long[] integers) {
            integers[row] = RowKey.parseInteger(key);
            return;
        }
        String[] values = RowKey.parse(key, kinds);
        for (int k = 0; k < keys.length; k++) {
            if (keys[k] instanceof long[] integers) {
                integers[row] = RowKey.integer(values[k]);
            } else if (keys[k] instanceof String[] texts) {
                texts[row] = values[k];
            }
        }
    }
}
