package io.syncline.worker.capture;

import io.syncline.worker.capture.encode.JsonBytes;
import io.syncline.worker.capture.encode.TextRow;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;

/**
 * Reads from the source what a change came without: TOASTed values that it left as they were, and generated columns. What is read
 * may be of a later moment than the change, which does no harm: its own change follows.
 */
final class MissingValues implements AutoCloseable {

    /** How many rows one question asks for. */
    private static final int ROWS_AT_ONCE = 500;

    private static final int LOCK_ATTEMPTS = 5;

    private final SourceDatabase source;
    private @Nullable Connection session;

    MissingValues(SourceDatabase source) {
        this.source = source;
    }

    /** The source's table is not as the change's table is: it has been altered or dropped. */
    static final class TableChangedException extends Exception {
        TableChangedException(SQLException cause) {
            super(cause.getMessage(), cause);
        }
    }

    /** Rows by their keys; those that are gone are not among them. */
    record Found(int[] columns, Map<String, TextRow> rows) {

        /** Completes a row; false if the source no longer has it. */
        boolean complete(TextRow row, byte[] key) {
            TextRow found = rows.get(text(key));
            if (found == null) {
                return false;
            }
            for (int i = 0; i < columns.length; i++) {
                if (row.isMissing(columns[i])) {
                    row.take(columns[i], found, i);
                }
            }
            return true;
        }
    }

    static String text(byte[] key) {
        return new String(key, StandardCharsets.UTF_8);
    }

    /** The columns that a row lacks. */
    static void addMissing(TextRow row, BitSet missing) {
        for (int i = 0; i < row.columns(); i++) {
            if (row.isMissing(i)) {
                missing.set(i);
            }
        }
    }

    /** @param keys a row for each key, of which only the key is read */
    Found read(SourceTable table, BitSet missing, List<TextRow> keys)
            throws SQLException, TableChangedException, InterruptedException {
        int[] columns = missing.stream().toArray();
        Map<String, TextRow> rows = new HashMap<>();
        for (int from = 0; from < keys.size(); from += ROWS_AT_ONCE) {
            List<TextRow> some = keys.subList(from, Math.min(keys.size(), from + ROWS_AT_ONCE));
            readPatiently(query(table, columns, some), table, columns, rows);
        }
        return new Found(columns, rows);
    }

    private void readPatiently(String query, SourceTable table, int[] columns, Map<String, TextRow> rows)
            throws SQLException, TableChangedException, InterruptedException {
        for (int attempt = 1;; attempt++) {
            try {
                read(query, table, columns, rows);
                return;
            } catch (SQLException e) {
                String state = e.getSQLState() == null ? "" : e.getSQLState();
                switch (state) {
                    // undefined_table, undefined_column, and comparing the key with what it is not any more
                    case "42P01", "42703", "42883", "42804", "22P02" -> throw new TableChangedException(e);
                    // lock_not_available: the owner alters the table just now
                    case "55P03" -> {
                        if (attempt == LOCK_ATTEMPTS) {
                            throw new TableChangedException(e);
                        }
                    }
                    default -> {
                        close();
                        if (attempt > 1) {
                            throw e;
                        }
                    }
                }
                Thread.sleep(100);
            }
        }
    }

    private void read(String query, SourceTable table, int[] columns, Map<String, TextRow> rows) throws SQLException {
        Connection connection = session;
        if (connection == null || connection.isClosed()) {
            connection = source.connect();
            session = connection;
            try (Statement statement = connection.createStatement()) {
                statement.execute("SET lock_timeout = '1s'");
            }
        }
        int[] keyColumns = table.keyColumns();
        TextRow line = new TextRow(columns.length + keyColumns.length);
        TextRow key = new TextRow(table.columns().size());
        JsonBytes buffer = new JsonBytes();
        CopyOut copy = connection.unwrap(PGConnection.class).getCopyAPI().copyOut(query);
        try {
            for (byte[] bytes = copy.readFromCopy(); bytes != null; bytes = copy.readFromCopy()) {
                line.readCopyLine(bytes);
                key.reset();
                for (int i = 0; i < keyColumns.length; i++) {
                    key.take(keyColumns[i], line, columns.length + i);
                }
                TextRow values = new TextRow(columns.length);
                for (int i = 0; i < columns.length; i++) {
                    values.take(i, line, i);
                }
                rows.put(text(table.encoder().key(key, buffer)), values);
            }
        } finally {
            if (copy.isActive()) {
                copy.cancelCopy();
            }
        }
    }

    /** COPY, since it alone gives each type's own text; it takes no parameters. */
    private static String query(SourceTable table, int[] columns, List<TextRow> keys) {
        List<String> selected = new ArrayList<>();
        Arrays.stream(columns).forEach(column -> selected.add(Sql.identifier(table.columns().get(column).name())));
        List<String> keyNames = new ArrayList<>();
        Arrays.stream(table.keyColumns())
                .forEach(column -> keyNames.add(Sql.identifier(table.columns().get(column).name())));
        selected.addAll(keyNames);
        StringBuilder query = new StringBuilder("COPY (SELECT ").append(String.join(", ", selected))
                .append(" FROM ONLY ")
                .append(table.qualifiedName())
                .append(" WHERE (")
                .append(String.join(", ", keyNames))
                .append(") IN (");
        for (int i = 0; i < keys.size(); i++) {
            TextRow key = keys.get(i);
            query.append(i == 0 ? "(" : ", (");
            for (int k = 0; k < table.keyColumns().length; k++) {
                int column = table.keyColumns()[k];
                String text = new String(key.bytes(), key.from(column), key.to(column) - key.from(column),
                        StandardCharsets.UTF_8);
                query.append(k == 0 ? "" : ", ")
                        .append(Sql.literal(text))
                        .append("::")
                        .append(table.columns().get(column).nativeType());
            }
            query.append(')');
        }
        return query.append(")) TO STDOUT").toString();
    }

    @Override
    public void close() {
        Connection connection = session;
        session = null;
        if (connection != null) {
            try {
                connection.close();
            } catch (SQLException e) {
                // It was of no use any more.
            }
        }
    }
}
