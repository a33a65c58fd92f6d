package io.syncline.worker.replica;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** {@code replica_position} and {@code capture_request}: how far each partition is applied, and which table needs a new generation. */
final class ReplicaPositions {

    private static final String COLUMNS = "topic, partition, topic_id, next_offset, epoch, generation,"
            + " snapshot_rows, complete";

    private ReplicaPositions() {}

    /** A partition's position, once no transaction of a former owner is under way on it; locked. */
    static Optional<Position> load(Connection connection, String topic, int partition) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("SELECT " + COLUMNS
                + " FROM syncline.replica_position WHERE topic = ? AND partition = ? FOR UPDATE")) {
            select.setString(1, topic);
            select.setInt(2, partition);
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? Optional.of(position(row)) : Optional.empty();
            }
        }
    }

    /** Locks positions until the transaction ends; {@link PositionLostException} where one is not as it is believed. */
    static void lock(Connection connection, Collection<Position> believed) throws SQLException, PositionLostException {
        String[] topics = believed.stream().map(Position::topic).toArray(String[]::new);
        Integer[] partitions = believed.stream().map(Position::partition).toArray(Integer[]::new);
        Set<Position> found = new HashSet<>();
        // In one order everywhere: two workers that disagree on who owns what wait for each other, never in a ring.
        try (PreparedStatement select = connection.prepareStatement("SELECT " + COLUMNS
                + " FROM syncline.replica_position WHERE (topic, partition) IN (SELECT * FROM unnest(?::text[], ?::int[]))"
                + " ORDER BY topic, partition FOR UPDATE")) {
            select.setArray(1, connection.createArrayOf("text", topics));
            select.setArray(2, connection.createArrayOf("int4", partitions));
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    found.add(position(rows));
                }
            }
        }
        for (Position position : believed) {
            if (!found.contains(position)) {
                boolean further = found.stream()
                        .anyMatch(one -> one.topic().equals(position.topic()) && one.partition() == position.partition()
                                && (one.nextOffset() >= position.nextOffset()
                                        || !one.topicId().equals(position.topicId())));
                throw new PositionLostException(position, !further);
            }
        }
    }

    static void save(Connection connection, Collection<Position> positions) throws SQLException {
        try (PreparedStatement upsert = connection.prepareStatement("INSERT INTO syncline.replica_position (" + COLUMNS
                + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (topic, partition) DO UPDATE SET topic_id = excluded.topic_id,"
                + " next_offset = excluded.next_offset, epoch = excluded.epoch, generation = excluded.generation,"
                + " snapshot_rows = excluded.snapshot_rows, complete = excluded.complete")) {
            for (Position position : positions) {
                upsert.setString(1, position.topic());
                upsert.setInt(2, position.partition());
                upsert.setString(3, position.topicId());
                upsert.setLong(4, position.nextOffset());
                upsert.setLong(5, position.epoch());
                upsert.setLong(6, position.generation());
                upsert.setLong(7, position.snapshotRows());
                upsert.setBoolean(8, position.complete());
                upsert.addBatch();
            }
            upsert.executeBatch();
        }
    }

    /** The rows that a generation's snapshot brought in all partitions, once each of them has read the end mark. */
    static OptionalLong snapshotRows(Connection connection, String topic, long generation, int partitions)
            throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("SELECT count(*), sum(snapshot_rows)"
                + " FROM syncline.replica_position WHERE topic = ? AND partition < ? AND generation = ? AND complete")) {
            select.setString(1, topic);
            select.setInt(2, partitions);
            select.setLong(3, generation);
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return row.getInt(1) == partitions ? OptionalLong.of(row.getLong(2)) : OptionalLong.empty();
            }
        }
    }

    /** The newest generation that has begun in any partition of a topic. */
    static long newestGeneration(Connection connection, String topic) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT coalesce(max(generation), 0) FROM syncline.replica_position WHERE topic = ?")) {
            select.setString(1, topic);
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    /** Asks capture for a new generation; asking twice is asking once. */
    static void request(Connection connection, String topic, String reason) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO syncline.capture_request"
                + " (topic, reason, asked_at) VALUES (?, ?, clock_timestamp()) ON CONFLICT (topic) DO UPDATE"
                + " SET reason = excluded.reason, asked_at = excluded.asked_at")) {
            insert.setString(1, topic);
            insert.setString(2, reason);
            insert.executeUpdate();
        }
    }

    private static Position position(ResultSet row) throws SQLException {
        return new Position(row.getString(1), row.getInt(2), row.getString(3), row.getLong(4), row.getLong(5),
                row.getLong(6), row.getLong(7), row.getBoolean(8));
    }
}
