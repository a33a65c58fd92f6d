package io.syncline.worker.connection;

import java.sql.SQLException;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The rows of a statement as arrays, one a column. */
record Columns<R>(Pipeline pipeline, List<R> rows) {

    java.sql.Array text(Function<R, @Nullable String> value) throws SQLException {
        return of("text", value);
    }

    java.sql.Array of(String type, Function<R, ? extends @Nullable Object> value) throws SQLException {
        return pipeline.array(type, rows.stream().map(value).toArray());
    }
}
