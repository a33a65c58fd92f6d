package io.syncline.worker.connection;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Several statements in one round trip: PgJDBC sends what semicolons separate at once. Each one still has its own snapshot,
 * taken after the one before it has ended.
 */
final class Pipeline {

    /** Reads one row. */
    @FunctionalInterface
    interface RowReader {

        void read(ResultSet row) throws SQLException;
    }

    private final Connection connection;
    private final List<String> statements = new ArrayList<>();
    private final List<@Nullable Object> parameters = new ArrayList<>();
    private final List<RowReader> readers = new ArrayList<>();

    Pipeline(Connection connection) {
        this.connection = connection;
    }

    Pipeline run(String sql, @Nullable Object... values) {
        return query(sql, row -> {
        }, values);
    }

    Pipeline query(String sql, RowReader reader, @Nullable Object... values) {
        statements.add(sql);
        readers.add(reader);
        for (Object value : values) {
            parameters.add(value);
        }
        return this;
    }

    /**
     * Executes all of it.
     *
     * @return how many rows each statement changed, -1 for one that gave rows
     */
    int[] execute() throws SQLException {
        int[] changed = new int[statements.size()];
        try (PreparedStatement all = connection.prepareStatement(String.join(";\n", statements))) {
            for (int i = 0; i < parameters.size(); i++) {
                all.setObject(i + 1, parameters.get(i));
            }
            boolean rows = all.execute();
            for (int i = 0; i < changed.length; i++) {
                changed[i] = all.getUpdateCount();
                if (rows) {
                    try (ResultSet result = all.getResultSet()) {
                        while (result.next()) {
                            readers.get(i).read(result);
                        }
                    }
                }
                rows = all.getMoreResults();
            }
        }
        return changed;
    }

    Connection connection() {
        return connection;
    }

    java.sql.Array array(String type, Object[] values) throws SQLException {
        return connection.createArrayOf(type, values);
    }
}
