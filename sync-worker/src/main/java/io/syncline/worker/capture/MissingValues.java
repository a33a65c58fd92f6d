package io.syncline.worker.capture;

import io.syncline.worker.capture.encode.JsonBytes;
import io.syncline.worker.capture.encode.TextRow;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;

/**
 * Reads from the source what a change came without: TOASTed values that it left as they were, and generated columns. What is read
 * may be of a later moment than the change, which does no harm: its own change follows.
 */
final class MissingValues implements AutoCloseable {

    /** How many rows one question asks for. */
    static final int ROWS_AT_ONCE = 500;

    /** How many bytes of found values are held for the changes that wait for them; one row may be larger. */
    private static final long MOST_BYTES = 16L << 20;

    private static final int LOCK_ATTEMPTS = 5;

    private static final Set<String> CLASSES_OF_TABLES = Set.of("22", "54", "XX");

    private static final Duration LONGEST_INVISIBLE = Duration.ofSeconds(60);

    private final SourceDatabase source;
    private @Nullable Connection session;
    private @Nullable PgSnapshot seen;

    MissingValues(SourceDatabase source) {
        this.source = source;
    }

    /** The source's table is not as the change's table is: it has been altered or dropped. */
    static final class TableChangedException extends Exception {
        TableChangedException(SQLException cause) {
            super(cause.getMessage(), cause);
        }
    }

    /** The answer to one question: rows by their keys. Those that are gone are not among them. */
    static final class Found {
        private final int[] columns;
        private final Set<String> asked;
        private final Map<String, TextRow> rows = new HashMap<>();
        private long bytes;

        private Found(int[] columns, Set<String> asked) {
            this.columns = columns;
            this.asked = asked;
        }

        long bytes() {
            return bytes;
        }

        /** Whether it tells of a row that it is gone, or has all that the row lacks. */
        boolean answers(String key, BitSet missing) {
            BitSet rest = (BitSet) missing.clone();
            Arrays.stream(columns).forEach(rest::clear);
            return rest.isEmpty() && asked.contains(key);
        }

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

    /**
     * Reads rows by their keys: as many of them as there is room for, the others are left for another question.
     *
     * @param keys by the key's JSON: a row of which only the key is read, {@link #ROWS_AT_ONCE} at most
     * @param xids of the changes' transactions: in the WAL, a transaction can be over before other sessions see it
     */
    Found read(SourceTable table, BitSet missing, Map<String, TextRow> keys, Set<Long> xids)
            throws SQLException, TableChangedException, InterruptedException {
        int[] columns = missing.stream().toArray();
        Found found = new Found(columns, new HashSet<>(keys.keySet()));
        readPatiently(query(table, columns, keys.values()), table, found, xids);
        return found;
    }

    private void readPatiently(String query, SourceTable table, Found found, Set<Long> xids)
            throws SQLException, TableChangedException, InterruptedException {
        for (int attempt = 1;; attempt++) {
            try {
                Connection connection = session();
                awaitVisible(connection, xids);
                read(connection, query, table, found);
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
                        if (isOfTheTable(state)) {
                            throw new TableChangedException(e);
                        }
                        if (attempt > 1 || e instanceof SQLTimeoutException) {
                            throw e;
                        }
                    }
                }
                Thread.sleep(100);
            }
        }
    }

    /**
     * Whether a question about a table fails because of what it holds, or of what we may read of it: data exceptions, no right to it,
     * values past PostgreSQL's limits, damaged pages. Its snapshot meets the same, and says so of this table alone.
     */
    static boolean isOfTheTable(String state) {
        return state.length() == 5
                && (CLASSES_OF_TABLES.contains(state.substring(0, 2)) || state.equals("42501"));
    }

    private Connection session() throws SQLException {
        Connection connection = session;
        if (connection == null || connection.isClosed()) {
            connection = source.connect();
            session = connection;
        }
        return connection;
    }

    /** Without this a row that has just been inserted could be missed, and taken for one that is gone. */
    private void awaitVisible(Connection connection, Set<Long> xids) throws SQLException, InterruptedException {
        long begun = System.nanoTime();
        for (PgSnapshot now = seen; now == null || !xids.stream().allMatch(now::sees);) {
            if (now != null && now != seen) {
                Thread.sleep(2);
            }
            if (System.nanoTime() - begun > LONGEST_INVISIBLE.toNanos()) {
                throw new SQLTimeoutException("a transaction that the WAL says is over is not seen by others for "
                        + LONGEST_INVISIBLE.toSeconds() + " s: does it wait for a synchronous standby?");
            }
            try (Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("SELECT pg_current_snapshot()::text")) {
                rows.next();
                now = PgSnapshot.parse(rows.getString(1));
            }
            if (xids.stream().allMatch(now::sees)) {
                seen = now;
            }
        }
    }

    private static void read(Connection connection, String query, SourceTable table, Found found) throws SQLException {
        int[] columns = found.columns;
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
                found.rows.put(text(table.encoder().key(key, buffer)), values);
                found.bytes += bytes.length;
                if (found.bytes > MOST_BYTES) {
                    found.asked.retainAll(found.rows.keySet());
                    return;
                }
            }
        } finally {
            if (copy.isActive()) {
                copy.cancelCopy();
            }
        }
    }

    /** COPY, since it alone gives each type's own text; it takes no parameters. */
    private static String query(SourceTable table, int[] columns, Collection<TextRow> keys) {
        List<String> selected = new ArrayList<>();
        Arrays.stream(columns).forEach(column -> selected.add(Sql.identifier(table.columns().get(column).name())));
        List<String> keyNames = new ArrayList<>();
        Arrays.stream(table.keyColumns())
                .forEach(column -> keyNames.add(Sql.identifier(table.columns().get(column).name())));
        selected.addAll(keyNames);
        StringBuilder query = new StringBuilder("COPY (SELECT ").append(String.join(", ", selected))
                .append(" FROM ")
                .append(table.rows())
                .append(" WHERE (")
                .append(String.join(", ", keyNames))
                .append(") IN (");
        String separator = "(";
        for (TextRow key : keys) {
            query.append(separator);
            separator = ", (";
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
