package io.syncline.gateway.state;

import io.syncline.model.connection.Event;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;

/**
 * The one way to read what the events add up to. Each read also says, from the same snapshot, which server answered and
 * which event is the last behind what it shows. So a read is answered only
 * <ul>
 * <li>from a server that has all that the log had when it was met ({@link Servers}): nobody hears of less than was told
 * before;
 * <li>where the log is known to have the last event behind what is shown ({@link HighWater}): nobody hears of what was
 * committed and never published, which a failover that loses commits would take back.
 * </ul>
 * Both are known without asking Kafka, as a rule; where they are not, a read waits for a bounded time, and fails with
 * {@link StateDatabaseBehindException}.
 */
public final class StateReads {

    /** A column that says which run of which server answers. */
    public static final String SERVER = "pg_postmaster_start_time()";
    /** A column with the last event of the settings. */
    public static final String SETTINGS_EVENT = lastEvent("'" + Event.SETTINGS_KEY + "'");
    private static final String KEY_EVENT = "SELECT " + SERVER + ", " + lastEvent("?");

    /** As long as a call waits for a connection. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final Duration AGAIN = Duration.ofMillis(100);
    /** An event that was committed a moment ago: its acknowledgement and the reply are on their way. */
    private static final Duration ON_ITS_WAY = Duration.ofMillis(50);

    private final DataSource database;
    private final Servers servers;
    private final HighWater highWater;
    private final Partitions partitions;
    private final int settingsPartition;

    public StateReads(DataSource database, Servers servers, HighWater highWater) {
        this.database = database;
        this.servers = servers;
        this.highWater = highWater;
        this.partitions = new Partitions(highWater.partitions());
        this.settingsPartition = partitions.of(Event.SETTINGS_KEY);
    }

    /**
     * A column with the sequence of a key's last event, 0 before its first. It touches only what is appended and never
     * changed: a snapshot that is held for long does not make it slow, as it would a row that each decision writes.
     *
     * @param key an expression of SQL
     */
    public static String lastEvent(String key) {
        return "coalesce((SELECT e.sequence FROM syncline.connection_event e WHERE e.key = " + key
                + " ORDER BY e.sequence DESC LIMIT 1), 0)";
    }

    /** The last event behind something that is shown. */
    public record Shown(int partition, long sequence) {}

    /** What was read, from which server, and what is behind it. */
    public record Seen<T>(T value, Instant server, List<Shown> shown) {

        List<Integer> partitions() {
            return shown.stream().map(Shown::partition).toList();
        }
    }

    /** Reads over a connection. */
    @FunctionalInterface
    public interface Read<T> {
        Seen<T> from(Connection connection) throws SQLException;
    }

    /** Reads within a transaction. */
    @FunctionalInterface
    public interface Part<T> {
        T from(Connection connection) throws SQLException;
    }

    /** What a row says of its server: its column {@link #SERVER}. */
    public static Instant server(ResultSet row, int column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }

    /** What a row shows of a key: its column {@link #lastEvent}. */
    public Shown shown(String key, ResultSet row, int column) throws SQLException {
        return new Shown(partitions.of(key), row.getLong(column));
    }

    /** What a row shows of the settings: its column {@link #SETTINGS_EVENT}. */
    public Shown settings(ResultSet row, int column) throws SQLException {
        return new Shown(settingsPartition, row.getLong(column));
    }

    /** Answers what is read as soon as it may be. */
    public <T> T read(Read<T> read) throws SQLException {
        long until = System.nanoTime() + PATIENCE.toNanos();
        boolean doubted = false;
        while (true) {
            Seen<T> seen;
            Optional<String> doubt;
            try (Connection connection = database.getConnection()) {
                if (doubted) {
                    servers.meet(connection);
                }
                Servers.View before = servers.view();
                seen = read.from(connection);
                doubt = before.doubt(seen.server(), seen.partitions());
            }
            if (doubt.isEmpty()) {
                doubt = unpublished(seen.shown(), doubted);
            }
            if (doubt.isEmpty()) {
                return seen.value();
            }
            if (System.nanoTime() - until >= 0) {
                throw new StateDatabaseBehindException(doubt.get());
            }
            // Read again: what was read before its server had caught up is old, and a failover may have taken it back.
            if (doubted) {
                await(() -> highWater.awaitChange(AGAIN));
            }
            doubted = true;
        }
    }

    /**
     * What is committed, whichever server says so: enough to break something off, which costs a new try if it was for
     * nothing. Nothing of it is to be told.
     */
    public <T> T unproven(Part<T> part) throws SQLException {
        try (Connection connection = database.getConnection()) {
            return part.from(connection);
        }
    }

    /** What depends on every site's events: a list of all, or that there is no such thing anywhere. */
    public <T> Seen<T> all(Connection connection, Part<T> part) throws SQLException {
        return inSnapshot(connection, () -> {
            Heads heads = servers.meet(connection);
            List<Shown> shown = new ArrayList<>();
            for (int partition = 0; partition < partitions.count(); partition++) {
                shown.add(new Shown(partition, heads.committed().getOrDefault(partition, 0L)));
            }
            return new Seen<>(part.from(connection), heads.server(), shown);
        });
    }

    /** What depends on the events of one site, or of the settings; of all where there is no key. */
    public <T> Seen<T> of(Optional<String> key, Connection connection, Part<T> part) throws SQLException {
        if (key.isEmpty()) {
            return all(connection, part);
        }
        return inSnapshot(connection, () -> {
            try (PreparedStatement statement = connection.prepareStatement(KEY_EVENT)) {
                statement.setString(1, key.get());
                try (ResultSet row = statement.executeQuery()) {
                    row.next();
                    return new Seen<>(part.from(connection), server(row, 1), List.of(shown(key.get(), row, 2)));
                }
            }
        });
    }

    @FunctionalInterface
    private interface Work<T> {
        T go() throws SQLException;
    }

    /** What is behind the answer and the answer itself, as of one moment. */
    private static <T> T inSnapshot(Connection connection, Work<T> work) throws SQLException {
        connection.setAutoCommit(false);
        try (Statement begin = connection.createStatement()) {
            begin.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
            return work.go();
        } finally {
            connection.rollback();
            connection.setAutoCommit(true);
        }
    }

    private boolean isPublished(Shown shown) {
        return shown.sequence() <= highWater.published(shown.partition());
    }

    /**
     * What of it is not known to be in the log, after a moment; empty where all is.
     *
     * @param met whether the database was asked before how far the log has come
     */
    private Optional<String> unpublished(List<Shown> all, boolean met) throws SQLException {
        for (Shown shown : all) {
            if (!isPublished(shown) && !awaitPublished(shown, ON_ITS_WAY)) {
                // No reply says so: perhaps this gateway does not hear them. The database says so, and if not, the log itself.
                if (met) {
                    highWater.ask(shown.partition());
                }
                return Optional.of("event " + shown.sequence() + " of partition " + shown.partition()
                        + " is committed and not known to be in the event log yet");
            }
        }
        return Optional.empty();
    }

    private boolean awaitPublished(Shown shown, Duration longest) throws SQLException {
        boolean[] known = new boolean[1];
        await(() -> known[0] = highWater.awaitPublished(shown.partition(), shown.sequence(), longest));
        return known[0];
    }

    @FunctionalInterface
    private interface Wait {
        void go() throws InterruptedException;
    }

    private static void await(Wait wait) throws SQLException {
        try {
            wait.go();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SQLException("interrupted while the state database was asked", e);
        }
    }
}
