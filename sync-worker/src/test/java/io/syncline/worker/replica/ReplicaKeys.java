package io.syncline.worker.replica;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.syncline.model.table.Place;
import io.syncline.model.table.TableSchema;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/** Which keys are one row for the replica: the statements of a replica table, for tests of other rooms. */
public final class ReplicaKeys implements AutoCloseable {

    private final Connection connection;
    private final ReplicaSql sql;
    private final String name;
    private long number;

    /** Makes an empty replica table with this key, in a state schema that is there. */
    public ReplicaKeys(Connection connection, TableSchema schema) {
        this.connection = connection;
        TableState.Content content = new TableState.Content(1, schema.table().name() + ".1", schema, 0, 0, 0, 0);
        name = content.replicaName();
        try {
            ReplicaSchema.create(connection, content);
            sql = ReplicaSql.of(content);
        } catch (SQLException | TableFault e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    /** How many rows there are when these have been written to an empty table, each in a statement of its own or all in one. */
    public int rows(List<byte[]> keys, boolean atOnce) {
        try (Statement statement = connection.createStatement()) {
            statement.execute("DELETE FROM syncline_replica.\"" + name + "\"");
            Rows rows = new Rows();
            for (byte[] key : keys) {
                rows.add(key, "{}".getBytes(StandardCharsets.UTF_8), new Place(1, 1, 1, ++number));
                if (!atOnce) {
                    write(rows);
                }
            }
            write(rows);
            return count(statement);
        } catch (SQLException | TableFault e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    /** How many rows are left when one of those is deleted that {@link #rows} has written. */
    public int rowsWithout(byte[] key) {
        try (Statement statement = connection.createStatement()) {
            Rows rows = new Rows();
            rows.add(key, null, new Place(1, 1, 1, ++number));
            write(rows);
            return count(statement);
        } catch (SQLException | TableFault e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    private void write(Rows rows) throws SQLException, TableFault {
        if (rows.isEmpty()) {
            return;
        }
        try (PreparedStatement write = connection.prepareStatement(sql.write())) {
            rows.bind(write, sql, 1);
            try (ResultSet result = write.executeQuery()) {
                assertTrue(result.next());
            }
        }
        rows.clear();
    }

    private int count(Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery(
                "SELECT count(wire) FROM syncline_replica.\"" + name + "\"")) {
            row.next();
            return row.getInt(1);
        }
    }

    @Override
    public void close() throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("DROP TABLE syncline_replica.\"" + name + "\"");
        }
    }
}
