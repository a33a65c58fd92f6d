package io.syncline.worker.capture;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** The slot in the source: its position is the one position of the stream, and holding it is what makes a capturer. */
final class ReplicationSlot {

    private static final String TEMPORARY = "_tmp_";
    private static final Duration LONGEST_END = Duration.ofSeconds(10);

    private final SourceDatabase source;
    private final String name;

    ReplicationSlot(SourceDatabase source, String name) {
        this.source = source;
        this.name = name;
    }

    /**
     * @param confirmedLsn everything before it has been acknowledged
     * @param activePid    the backend that reads from it, 0 for none
     * @param lost         whether WAL that it needs is gone
     * @param retained     bytes of WAL that it keeps
     * @param behind       bytes of WAL that it has not confirmed
     */
    record State(long confirmedLsn, int activePid, boolean lost, long retained, long behind) {}

    @Nullable
    State state(Connection connection) throws SQLException {
        String sql = """
                SELECT confirmed_flush_lsn - '0/0'::pg_lsn, coalesce(active_pid, 0), coalesce(wal_status = 'lost', false),
                       coalesce(pg_current_wal_lsn() - restart_lsn, 0), coalesce(pg_current_wal_lsn() - confirmed_flush_lsn, 0)
                FROM pg_replication_slots WHERE slot_name = ?""";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, name);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next()
                        ? new State(rows.getLong(1), rows.getInt(2), rows.getBoolean(3), rows.getLong(4),
                                rows.getLong(5))
                        : null;
            }
        }
    }

    /** Where the source writes now. */
    long endOfWal(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")) {
            rows.next();
            return rows.getLong(1);
        }
    }

    /** Ends whoever reads from it, so that nobody else can move it from here on without taking it away from us. */
    void takeFromOthers(Connection connection) throws SQLException, InterruptedException {
        endSnapshots(connection);
        long until = System.nanoTime() + LONGEST_END.toNanos();
        for (State state = state(connection); state != null && state.activePid() != 0; state = state(connection)) {
            if (System.nanoTime() - until > 0) {
                throw new SQLException(
                        "slot " + name + " is held by backend " + state.activePid() + ", which does not end");
            }
            try (PreparedStatement statement = connection.prepareStatement("SELECT pg_terminate_backend(?)")) {
                statement.setInt(1, state.activePid());
                statement.execute();
            }
            Thread.sleep(50);
        }
    }

    /** Snapshots that earlier sessions still wait for: each would hold a slot and a WAL sender for as long as it waits. */
    private void endSnapshots(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                        + " WHERE temporary AND active_pid IS NOT NULL AND starts_with(slot_name, ?)")) {
            statement.setString(1, name + TEMPORARY);
            statement.execute();
        }
    }

    void drop(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT pg_drop_replication_slot(?)")) {
            statement.setString(1, name);
            statement.execute();
        }
    }

    /** Makes it, with the snapshot of the moment from which it tells every change. */
    ExportedSnapshot create() throws SQLException {
        return ExportedSnapshot.ofNewSlot(source, name, false);
    }

    /** The snapshot of a moment of the running stream, by a slot that lasts no longer than that: it would keep WAL. */
    ExportedSnapshot snapshotOfNow() throws SQLException {
        String temporary = name + TEMPORARY + Long.toString(ThreadLocalRandom.current().nextLong(1L << 40), 36);
        return ExportedSnapshot.ofNewSlot(source, temporary, true);
    }

    /** What sessions see now, for tables that are not streamed: no other transaction is waited for. */
    ExportedSnapshot snapshotOfReaders() throws SQLException {
        return ExportedSnapshot.ofReader(source);
    }

    /**
     * What the source showed at one point of its WAL: exactly the transactions that committed before {@code lsn}. (A snapshot of
     * any session's own is not that: a transaction can be in the WAL, and in our topics, and not yet be seen by others.)
     */
    static final class ExportedSnapshot implements AutoCloseable {

        private final SourceDatabase source;
        private final Connection keeper;
        private final String name;
        private final long lsn;
        private final Instant asOf;

        private ExportedSnapshot(SourceDatabase source, Connection keeper, String name, long lsn, Instant asOf) {
            this.source = source;
            this.keeper = keeper;
            this.name = name;
            this.lsn = lsn;
            this.asOf = asOf;
        }

        private static ExportedSnapshot ofNewSlot(SourceDatabase source, String slot, boolean temporary)
                throws SQLException {
            // Waits until the transactions that are writing now are over; nobody waits for us, but for who builds an index
            // concurrently, and he is not kept waiting.
            try (Connection maker = source.connectForReplication(); Statement statement = maker.createStatement()) {
                Instant asOf = time(statement);
                ResultSet rows = statement.executeQuery("CREATE_REPLICATION_SLOT " + Sql.identifier(slot)
                        + (temporary ? " TEMPORARY" : "") + " LOGICAL pgoutput");
                rows.next();
                // Who sees a snapshot can pass it on: for that the session with which the slot goes is not needed.
                return passedOn(source, rows.getString("snapshot_name"),
                        Lsn.parse(rows.getString("consistent_point")), asOf);
            }
        }

        private static ExportedSnapshot ofReader(SourceDatabase source) throws SQLException {
            return passedOn(source, null, null, null);
        }

        private static Instant time(Statement statement) throws SQLException {
            try (ResultSet row = statement.executeQuery("SELECT clock_timestamp()")) {
                row.next();
                return row.getTimestamp(1).toInstant();
            }
        }

        /** A snapshot that others export, or that of now, exported by a session of our own. */
        private static ExportedSnapshot passedOn(SourceDatabase source, @Nullable String snapshot, @Nullable Long lsn,
                @Nullable Instant asOf) throws SQLException {
            Connection keeper = open(source, snapshot);
            // A statement's time is taken before its snapshot.
            try (Statement statement = keeper.createStatement();
                    ResultSet rows = statement.executeQuery("SELECT pg_export_snapshot(),"
                            + " pg_current_wal_insert_lsn() - '0/0'::pg_lsn, statement_timestamp()")) {
                rows.next();
                return new ExportedSnapshot(source, keeper, rows.getString(1), lsn == null ? rows.getLong(2) : lsn,
                        asOf == null ? rows.getTimestamp(3).toInstant() : asOf);
            } catch (SQLException e) {
                keeper.close();
                throw e;
            }
        }

        long lsn() {
            return lsn;
        }

        /** A time before it, by the source's clock: it shows all that had been committed by then. */
        Instant asOf() {
            return asOf;
        }

        /** A session whose transaction sees the snapshot. */
        Connection open() throws SQLException {
            return open(source, name);
        }

        private static Connection open(SourceDatabase source, @Nullable String snapshot) throws SQLException {
            Connection connection = source.connectForReading();
            try {
                connection.setAutoCommit(false);
                begin(connection, snapshot);
                return connection;
            } catch (SQLException e) {
                connection.close();
                throw e;
            }
        }

        /** Lets go of what a session has locked, and begins a transaction in it that sees the snapshot too. */
        void beginAgain(Connection connection) throws SQLException {
            connection.rollback();
            begin(connection, name);
        }

        private static void begin(Connection connection, @Nullable String snapshot) throws SQLException {
            try (Statement statement = connection.createStatement()) {
                statement.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
                if (snapshot != null) {
                    statement.execute("SET TRANSACTION SNAPSHOT " + Sql.literal(snapshot));
                }
            }
        }

        /** Sessions that have been opened keep it. */
        @Override
        public void close() throws SQLException {
            keeper.close();
        }
    }
}
