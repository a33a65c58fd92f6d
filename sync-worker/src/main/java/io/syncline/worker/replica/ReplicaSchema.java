package io.syncline.worker.replica;

import io.syncline.model.log.TableChangeCodec;
import io.syncline.model.table.KeyColumn;
import io.syncline.model.table.ReplicaLayout;
import io.syncline.model.table.TableName;
import io.syncline.worker.replica.TableState.Content;
import io.syncline.worker.replica.TableState.Kind;
import io.syncline.worker.replica.TableState.Served;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code replica_table} and the replica tables themselves: made for a generation, thrown away when nothing names them. */
final class ReplicaSchema {

    private static final String COLUMNS = "table_name, topic, partitions, last_generation, state, cause, replica_name,"
            + " generation, schema, row_count, size_bytes, checksum, began, as_of, next_name, next_generation, next_schema,"
            + " next_row_count, next_size_bytes, next_checksum, next_began, last_change, known_since";

    /** Of PostgreSQL's advisory locks, the one under which enum types are made and dropped. */
    static final long TYPES_LOCK = 0x73796e63_656e756dL;

    private static final Logger LOG = LoggerFactory.getLogger(ReplicaSchema.class);

    private ReplicaSchema() {}

    /** The tables of topics, by topic, locked until the transaction ends: their counts are changed by one at a time. */
    static Map<String, TableState> lock(Connection connection, Collection<String> topics) throws SQLException {
        Map<String, TableState> found = new HashMap<>();
        try (PreparedStatement select = connection.prepareStatement("SELECT " + COLUMNS
                + " FROM syncline.replica_table WHERE topic = ANY (?) ORDER BY topic FOR NO KEY UPDATE")) {
            select.setArray(1, connection.createArrayOf("text", topics.toArray()));
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    TableState state = state(rows);
                    found.put(state.topic(), state);
                }
            }
        }
        return found;
    }

    /** The row of a table that may be there already, locked. */
    static TableState make(Connection connection, TableName table, String topic, int partitions) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO syncline.replica_table"
                + " (table_name, topic, partitions, last_generation, state, row_count, size_bytes, checksum, began, next_row_count,"
                + " next_size_bytes, next_checksum, next_began, last_change, known_since, depends_on, changed_at)"
                + " VALUES (?, ?, ?, 0, 'waiting', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{}', now()) ON CONFLICT DO NOTHING")) {
            insert.setString(1, table.name());
            insert.setString(2, topic);
            insert.setInt(3, partitions);
            insert.executeUpdate();
        }
        return Optional.ofNullable(lock(connection, List.of(topic)).get(topic))
                .orElseThrow(
                        () -> new IllegalStateException("table '" + table + "' is fed by another topic than " + topic));
    }

    static void save(Connection connection, TableState state) throws SQLException {
        Served served = state.served();
        Content now = served == null ? null : served.content();
        Content next = state.next();
        try (PreparedStatement update = connection.prepareStatement("UPDATE syncline.replica_table SET partitions = ?,"
                + " last_generation = ?, state = ?, cause = ?, replica_name = ?, generation = ?, schema = ?, row_count = ?,"
                + " size_bytes = ?, checksum = ?, began = ?, as_of = ?, next_name = ?, next_generation = ?, next_schema = ?,"
                + " next_row_count = ?, next_size_bytes = ?, next_checksum = ?, next_began = ?, last_change = ?, known_since = ?,"
                + " depends_on = ?, changed_at = clock_timestamp() WHERE table_name = ?")) {
            update.setInt(1, state.partitions());
            update.setLong(2, state.lastGeneration());
            update.setString(3, state.kind().word());
            update.setString(4, state.cause());
            set(update, 5, now);
            update.setObject(12, served == null ? null : served.asOf().atOffset(ZoneOffset.UTC),
                    Types.TIMESTAMP_WITH_TIMEZONE);
            set(update, 13, next);
            update.setLong(20, state.lastChange());
            update.setLong(21, state.knownSince());
            Content shown = now == null ? next : now;
            List<String> dependsOn = shown == null ? List.of() : shown.schema().dependsOn();
            update.setArray(22, connection.createArrayOf("text", dependsOn.toArray()));
            update.setString(23, state.table().name());
            update.executeUpdate();
        }
    }

    /** The source no longer has the table. */
    static void remove(Connection connection, TableState state) throws SQLException {
        discard(connection, state.next());
        discard(connection, state.served() == null ? null : state.served().content());
        try (PreparedStatement delete = connection
                .prepareStatement("DELETE FROM syncline.replica_table WHERE table_name = ?")) {
            delete.setString(1, state.table().name());
            delete.executeUpdate();
        }
    }

    static void create(Connection connection, Content content) throws SQLException, TableFault {
        ReplicaSql sql = ReplicaSql.of(content);
        try (Statement statement = connection.createStatement()) {
            // A number may come again after the capturer has lost its own; what then has the name is garbage.
            statement.execute(ReplicaSql.drop(content.replicaName()));
            prepare(connection, statement, content.schema().key());
            statement.execute(sql.create(collations(connection, content.schema().key())));
            statement.execute(sql.indexTombstones());
            statement.execute(sql.indexChanges());
        }
        try (PreparedStatement delete = connection
                .prepareStatement("DELETE FROM syncline.replica_garbage WHERE replica_name = ?")) {
            delete.setString(1, content.replicaName());
            delete.executeUpdate();
        }
    }

    /** Makes what the key's types need, if it is not there. */
    private static void prepare(Connection connection, Statement statement, List<KeyColumn> key) throws SQLException {
        for (KeyColumn column : key) {
            if (column.nativeType().equals("citext")) {
                // Where another schema has it, sessions look there; see SessionSettings.
                statement.execute("CREATE EXTENSION IF NOT EXISTS citext SCHEMA " + ReplicaLayout.SCHEMA);
            }
            if (!column.labels().isEmpty()) {
                statement.execute("SELECT pg_advisory_xact_lock(" + TYPES_LOCK + ")");
                try (PreparedStatement select = connection.prepareStatement("SELECT to_regtype(?) IS NULL")) {
                    select.setString(1, ReplicaLayout.keyType(column));
                    try (ResultSet row = select.executeQuery()) {
                        if (row.next() && row.getBoolean(1)) {
                            statement.execute(ReplicaSql.createEnum(column.labels()));
                        }
                    }
                }
            }
        }
    }

    /** Those of the key's collations that this database has. */
    private static Set<String> collations(Connection connection, List<KeyColumn> key) throws SQLException {
        Set<String> wanted = new HashSet<>();
        for (KeyColumn column : key) {
            if (column.collation() != null) {
                wanted.add(column.collation());
            }
        }
        Set<String> found = new HashSet<>();
        try (PreparedStatement select = connection.prepareStatement("SELECT collname FROM pg_collation WHERE"
                + " collname = ANY (?) AND pg_collation_is_visible(oid) AND collisdeterministic"
                + " AND collencoding IN (-1, (SELECT encoding FROM pg_database WHERE datname = current_database()))")) {
            select.setArray(1, connection.createArrayOf("text", wanted.toArray()));
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    found.add(rows.getString(1));
                }
            }
        }
        wanted.removeAll(found);
        if (!wanted.isEmpty()) {
            LOG.warn("the state database has no collation {}: rows by such keys are ordered by its own default;"
                    + " CREATE COLLATION there for the source's order, and the table is read anew by itself", wanted);
        }
        return found;
    }

    /** Leaves a replica table to be dropped later: now it would wait for the pulls that read it, and they for it. */
    static void discard(Connection connection, @Nullable Content content) throws SQLException {
        if (content == null) {
            return;
        }
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO syncline.replica_garbage"
                + " (replica_name, since) VALUES (?, now()) ON CONFLICT DO NOTHING")) {
            insert.setString(1, content.replicaName());
            insert.executeUpdate();
        }
    }

    private static void set(PreparedStatement update, int first, @Nullable Content content) throws SQLException {
        update.setString(first, content == null ? null : content.replicaName());
        update.setObject(first + 1, content == null ? null : content.generation(), Types.BIGINT);
        update.setString(first + 2, content == null ? null : TableChangeCodec.schemaJson(content.schema()));
        update.setLong(first + 3, content == null ? 0 : content.rows());
        update.setLong(first + 4, content == null ? 0 : content.bytes());
        update.setLong(first + 5, content == null ? 0 : content.checksum());
        update.setLong(first + 6, content == null ? 0 : content.began());
    }

    private static TableState state(ResultSet row) throws SQLException {
        Content served = content(row, 7);
        OffsetDateTime asOf = row.getObject(14, OffsetDateTime.class);
        return new TableState(new TableName(row.getString(1)), row.getString(2), row.getInt(3), row.getLong(4),
                row.getLong(22), row.getLong(23), Kind.of(row.getString(5)), row.getString(6),
                served == null || asOf == null ? null : new Served(served, asOf.toInstant()), content(row, 15));
    }

    private static @Nullable Content content(ResultSet row, int first) throws SQLException {
        String name = row.getString(first);
        return name == null
                ? null
                : new Content(row.getLong(first + 1), name, TableChangeCodec.readSchema(row.getString(first + 2)),
                        row.getLong(first + 3), row.getLong(first + 4), row.getLong(first + 5),
                        row.getLong(first + 6));
    }
}
