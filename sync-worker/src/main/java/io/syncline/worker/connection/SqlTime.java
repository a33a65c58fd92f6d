package io.syncline.worker.connection;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;

/** Instants in PostgreSQL: written as ISO 8601 text, read with the microseconds that it keeps. */
final class SqlTime {

    private SqlTime() {}

    static Instant read(ResultSet row, int column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
