package io.syncline.worker.replica;

import io.syncline.model.table.Place;
import io.syncline.model.table.TableChange;
import io.syncline.model.table.TableName;
import io.syncline.worker.replica.TableState.Content;
import io.syncline.worker.replica.TableState.Delta;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/** One transaction of the materialiser: the tables it has locked, and the rows that it has not written yet. */
final class ReplicaTransaction {

    /**
     * Not waiting for the disk at commit loses nothing: rows and position come back together from before, and Kafka has the
     * rest. The planner is kept to the key's index, which it would leave for a whole scan as long as it has not heard how
     * the table has grown. A worker that freezes here holds its locks for as long as {@link #longestPause} says.
     */
    private static final String SETTINGS = "SELECT set_config('synchronous_commit', 'off', true),"
            + " set_config('idle_in_transaction_session_timeout', ?, true), set_config('jit', 'off', true), "
            + indexOnly(true) + ", (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now,"
            // What is another after a failover, after a restore, and where the tables have been made again in it.
            + " pg_postmaster_start_time() || '/' || current_database() || '/' || pg_relation_filenode('syncline.replica_table')"
            + " AS server, (SELECT epoch FROM syncline.capture_epoch WHERE id = 1) AS capture_epoch";

    /** Between two statements, where there is next to nothing to do. */
    private static final Duration SHORT_PAUSE = Duration.ofSeconds(5);

    /** Converted and sent in a second, at least, by a worker on a machine that has too much to do. */
    private static final int BYTES_A_SECOND = 2 << 20;

    /**
     * The longest that the truncation of a table, or the end of a generation, may take. The group may give the partition to
     * another worker meanwhile: that one waits for the position's lock, and then goes on behind this transaction.
     */
    private static final Duration WHOLE_TABLE = Duration.ofHours(1);

    private static final String UNIQUE_VIOLATION = "23505";

    private final Connection connection;
    private final Map<String, TableState> tables;
    private final ChangeNumbers numbers;
    private final Server server;
    private final List<Contradiction> contradictions = new ArrayList<>();
    /** The newest generation of each topic that has begun in this transaction. */
    private final Map<String, Long> begunHere = new HashMap<>();
    private final Set<String> changed = new HashSet<>();
    /** Tables whose rows this transaction changes: they have their change's number. */
    private final Set<String> numbered = new HashSet<>();
    private final Rows rows = new Rows();

    /**
     * @param identity     which server, and which database on it, and since when
     * @param now          its time, microseconds since 1970
     * @param captureEpoch that of whoever captures
     */
    private record Server(String identity, long now, long captureEpoch) {

        static Server begin(Connection connection, Duration longestPause) throws SQLException {
            try (PreparedStatement settings = connection.prepareStatement(SETTINGS)) {
                settings.setString(1, Long.toString(longestPause.toMillis()));
                try (ResultSet row = settings.executeQuery()) {
                    row.next();
                    return new Server(row.getString("server"), row.getLong("now"), row.getLong("capture_epoch"));
                }
            }
        }
    }

    private ReplicaTransaction(Connection connection, ChangeNumbers numbers, Server server,
            Map<String, TableState> tables) {
        this.connection = connection;
        this.numbers = numbers;
        this.server = server;
        this.tables = tables;
    }

    /**
     * Locks the batches' positions, which must be as believed, then their tables.
     *
     * @throws ChangeNumbers.UnreservedException as may every other method that changes rows
     */
    static ReplicaTransaction begin(Connection connection, ChangeNumbers numbers, List<Batch> batches)
            throws SQLException, PositionLostException {
        Server server = Server.begin(connection, longestPause(batches));
        numbers.verify(server.identity(), server.now());
        ReplicaPositions.lock(connection, batches.stream().map(Batch::from).toList());
        return new ReplicaTransaction(connection, numbers, server, new HashMap<>(ReplicaSchema.lock(connection,
                batches.stream().map(batch -> batch.from().topic()).distinct().toList())));
    }

    /** Places a partition: where it stands, or at the topic's end, and then what there is is served as it was. */
    static Placement place(Connection connection, ChangeNumbers numbers, String topic, int partition, String topicId,
            long first, long end) throws SQLException {
        Server server = Server.begin(connection, SHORT_PAUSE);
        Placement placement = Placement.of(topic, partition, topicId,
                ReplicaPositions.load(connection, topic, partition), first, end);
        if (placement instanceof Placement.Distrusted distrusted) {
            ReplicaTransaction transaction = new ReplicaTransaction(connection, numbers, server,
                    new HashMap<>(ReplicaSchema.lock(connection, List.of(topic))));
            transaction.abandon(topic, distrusted.reason());
            transaction.save(List.of(distrusted.position()));
        }
        return placement;
    }

    /** What has been found, to be told once the transaction is committed. */
    List<Contradiction> contradictions() {
        return contradictions;
    }

    /**
     * PostgreSQL takes a session for frozen, and ends it, that says nothing for so long within a transaction. Rows are put together
     * between two statements, and they may be large.
     */
    static Duration longestPause(List<Batch> batches) {
        long bytes = batches.stream().mapToLong(Batch::rowBytes).sum();
        return SHORT_PAUSE.plusMillis(bytes * 1_000 / BYTES_A_SECOND);
    }

    /** Applies a change, and gives what the partition's position is after it, but for its offset. */
    Position apply(Position position, int partitions, TableChange change) throws SQLException, TableFault {
        if (change.epoch() < position.epoch()) {
            // Of a capturer that has been succeeded; but not if that is the one who captures.
            return change.epoch() == server.captureEpoch() && position.generation() > 0
                    ? contradicted(flush(position), Contradiction.Kind.EPOCH_NOT_NEWER,
                            "a record of capture epoch " + change.epoch()
                                    + ", the newest that there is, came behind the mark of epoch "
                                    + position.epoch())
                    : position;
        }
        return switch (change) {
            case TableChange.Upsert c -> row(position, c.key(), c.row(), c.place());
            case TableChange.Delete c -> row(position, c.key(), null, c.place());
            case TableChange.Truncate c -> truncate(position, c.place());
            case TableChange.SnapshotBegun c -> begin(position, partitions, c);
            case TableChange.SnapshotEnded c -> end(position, c);
            case TableChange.Halted c -> halt(position, c);
            case TableChange.Dropped c -> drop(position, c.generation());
            case TableChange.EpochBegun c -> position.inEpoch(c.epoch());
        };
    }

    /** Writes the rows that wait; they are of this position's partition and generation. */
    Position flush(Position position) throws SQLException, TableFault {
        TableState table = tables.get(position.topic());
        Content content = table == null ? null : table.target(position.generation()).orElse(null);
        if (rows.isEmpty() || table == null || content == null) {
            return position;
        }
        TableState numberedTable = numbered(table);
        Delta delta = write(content, numberedTable.lastChange());
        update(numberedTable.written(content.generation(), delta));
        Position counted = position.counted(rows.ofSnapshot());
        rows.clear();
        return counted;
    }

    /** Stores what the transaction has made of its tables and positions. */
    void save(List<Position> positions) throws SQLException {
        for (String topic : changed) {
            TableState table = tables.get(topic);
            if (table != null) {
                ReplicaSchema.save(connection, table);
            }
        }
        ReplicaPositions.save(connection, positions);
    }

    /** Marks the table of a batch whose only record cannot be applied. */
    Position mark(Batch batch, TableFault fault) throws SQLException {
        Position position = batch.from();
        if (batch.entries().getFirst().content() instanceof Batch.Content.Change(TableChange.SnapshotBegun begun)) {
            // The table cannot even begin: let it be known all the same.
            make(begun.schema().table(), position.topic(), batch.partitions());
            position = position.begun(Math.max(position.generation(), begun.generation()));
        }
        if (fault.newGenerationMayHelp()) {
            ReplicaPositions.request(connection, position.topic(), fault.cause());
        }
        return stop(position, position.generation(), fault.cause());
    }

    private Position row(Position position, byte[] key, byte @Nullable [] wire, Place place)
            throws SQLException, TableFault {
        if (place.generation() < position.generation()) {
            return older(position, Contradiction.Kind.CHANGE_OF_OLDER, "a change", place.generation());
        }
        TableState table = tables.get(position.topic());
        if (table == null || table.target(position.generation()).isEmpty()) {
            return position;
        }
        belongs(position, place);
        Position room = rows.isFull() ? flush(position) : position;
        rows.add(key, wire, place);
        return room;
    }

    private Position truncate(Position before, Place place) throws SQLException, TableFault {
        if (place.generation() < before.generation()) {
            return older(before, Contradiction.Kind.CHANGE_OF_OLDER, "a truncation", place.generation());
        }
        Position position = flush(before);
        TableState table = tables.get(position.topic());
        Content content = table == null ? null : table.target(position.generation()).orElse(null);
        if (table == null || content == null) {
            return position;
        }
        belongs(position, place);
        TableState numberedTable = numbered(table);
        try (WholeTable whole = new WholeTable(connection);
                PreparedStatement statement = connection.prepareStatement(ReplicaSql.of(content).truncate())) {
            statement.setLong(1, place.commitLsn());
            statement.setLong(2, place.lsn());
            statement.setLong(3, place.number());
            statement.setLong(4, numberedTable.lastChange());
            update(numberedTable.written(content.generation(), delta(statement)));
            whole.done();
        }
        return position;
    }

    private Position begin(Position before, int partitions, TableChange.SnapshotBegun begun)
            throws SQLException, TableFault {
        Position position = flush(before);
        if (begun.generation() <= position.generation()) {
            return notNewer(position, begun, position.generation());
        }
        TableState table = make(begun.schema().table(), position.topic(), partitions);
        if (begun.generation() > table.lastGeneration()) {
            ReplicaSchema.discard(connection, table.next());
            TableState next = table.begin(begun.schema(), begun.generation(), partitions);
            ReplicaSchema.create(connection, next.target(begun.generation()).orElseThrow());
            update(next);
        } else
            if (Math.max(begunHere.getOrDefault(position.topic(), 0L),
                    ReplicaPositions.newestGeneration(connection, position.topic())) < begun.generation()) {
                        // Otherwise another partition has read the mark before this one.
                        return notNewer(position, begun, table.lastGeneration());
                    }
        begunHere.merge(position.topic(), begun.generation(), Math::max);
        // A partition that was placed at the topic's end has not read the mark of its epoch.
        return position.begun(begun.generation()).inEpoch(Math.max(position.epoch(), begun.epoch()));
    }

    private Position notNewer(Position position, TableChange.SnapshotBegun begun, long newest)
            throws SQLException, TableFault {
        return contradicted(position, Contradiction.Kind.BEGIN_NOT_NEWER, "generation " + begun.generation()
                + " began behind generation " + newest + ", which is not older");
    }

    /** Of the capturer that began the newer generation, or of one after it: nobody who knows of that one writes it. */
    private Position older(Position before, Contradiction.Kind kind, String what, long generation)
            throws SQLException, TableFault {
        if (!tables.containsKey(before.topic())) {
            // Dropped while its snapshot was being read: a row that was on its way is owed to no copy.
            return before;
        }
        Position position = flush(before);
        return contradicted(position, kind,
                what + " of generation " + generation + " came behind the begin of generation "
                        + position.generation());
    }

    private Position contradicted(Position position, Contradiction.Kind kind, String what) throws SQLException {
        String reason = what + ": numbers of capture have gone back";
        abandon(position.topic(), reason);
        contradictions.add(new Contradiction(position.topic(), position.partition(), kind, reason));
        return position.trustingNothing();
    }

    /** What comes is not trusted any more: what there is is served as it was, and a new generation is asked for. */
    private void abandon(String topic, String reason) throws SQLException {
        TableState table = tables.get(topic);
        if (table != null) {
            ReplicaSchema.discard(connection, table.next());
            numbered.add(topic);
            update(table.abandon(numbers.next(server.identity(), table.lastChange(), server.now())));
        }
        ReplicaPositions.request(connection, topic, reason);
    }

    private Position end(Position before, TableChange.SnapshotEnded ended) throws SQLException, TableFault {
        if (ended.generation() < before.generation()) {
            return older(before, Contradiction.Kind.END_OF_OLDER, "the end", ended.generation());
        }
        Position position = flush(before);
        TableState table = tables.get(position.topic());
        if (ended.generation() != position.generation() || table == null || !table.building(ended.generation())) {
            return position;
        }
        Position complete = position.ended();
        ReplicaPositions.save(connection, List.of(complete));
        OptionalLong brought = ReplicaPositions.snapshotRows(connection, position.topic(), ended.generation(),
                table.partitions());
        if (brought.isEmpty()) {
            return complete;
        }
        if (brought.getAsLong() < ended.rows()) {
            throw new TableFault("the snapshot of generation " + ended.generation() + " had " + ended.rows()
                    + " rows, " + brought.getAsLong() + " of them arrived; another one has been asked for", true);
        }
        Content built = table.target(ended.generation()).orElseThrow();
        TableState numberedTable = numbered(table);
        TableState.Served old = table.served();
        boolean continued = old != null && old.content().schema().key().equals(built.schema().key());
        if (old != null) {
            if (continued) {
                takeGhosts(built, old.content(), numberedTable.lastChange());
            }
            ReplicaSchema.discard(connection, old.content());
        }
        update(numberedTable.complete(built, ended.asOf(), continued));
        return complete;
    }

    private void takeGhosts(Content built, Content old, long change) throws SQLException, TableFault {
        try (WholeTable whole = new WholeTable(connection);
                PreparedStatement statement = connection
                        .prepareStatement(ReplicaSql.of(built).takeGhosts(old.replicaName()))) {
            statement.setLong(1, change);
            statement.executeUpdate();
            whole.done();
        }
    }

    private Position halt(Position before, TableChange.Halted halted) throws SQLException, TableFault {
        return halted.generation() < before.generation()
                ? older(before, Contradiction.Kind.HALT_OF_OLDER, "the halt", halted.generation())
                : stop(flush(before), halted.generation(), halted.cause());
    }

    private Position stop(Position position, long generation, String cause) throws SQLException {
        TableState table = tables.get(position.topic());
        if (generation < position.generation() || table == null || table.lastGeneration() > generation) {
            return position;
        }
        ReplicaSchema.discard(connection, table.next());
        update(table.halt(generation, cause));
        return generation > position.generation() ? position.begun(generation) : position;
    }

    private Position drop(Position before, long generation) throws SQLException, TableFault {
        if (generation < before.generation()) {
            return older(before, Contradiction.Kind.DROP_OF_OLDER, "the drop", generation);
        }
        Position position = flush(before);
        TableState table = tables.get(position.topic());
        if (table == null || table.lastGeneration() > generation) {
            return position;
        }
        ReplicaSchema.remove(connection, table);
        tables.remove(position.topic());
        numbered.remove(position.topic());
        return generation > position.generation() ? position.begun(generation) : position;
    }

    /** A row of a generation that has not begun here: its begin mark is missing, and who knows what else. */
    private static void belongs(Position position, Place place) throws TableFault {
        if (place.generation() > position.generation()) {
            throw new TableFault("a change of generation " + place.generation() + " came while generation "
                    + position.generation() + " was the newest to have begun; a new one has been asked for", true);
        }
    }

    private Delta write(Content content, long change) throws SQLException, TableFault {
        ReplicaSql sql = ReplicaSql.of(content);
        if (rows.onlySnapshot()) {
            // As a rule none of them is there yet. Where one is (it was delivered twice), all go the longer way.
            Savepoint before = connection.setSavepoint();
            try {
                Delta delta = rows.copyTo(connection.unwrap(PGConnection.class).getCopyAPI().copyIn(sql.copy()), sql,
                        change);
                connection.releaseSavepoint(before);
                return delta;
            } catch (SQLException e) {
                if (!UNIQUE_VIOLATION.equals(e.getSQLState())) {
                    throw e;
                }
                connection.rollback(before);
            }
        }
        try (PreparedStatement write = connection.prepareStatement(sql.write())) {
            rows.bind(write, sql, change);
            return delta(write);
        }
    }

    /** What a statement says that it did; the sum of hashes, which may be any number, modulo 2^64. */
    private static Delta delta(PreparedStatement statement) throws SQLException {
        try (ResultSet result = statement.executeQuery()) {
            result.next();
            return new Delta(result.getLong(1), result.getLong(2), result.getBigDecimal(3).toBigInteger().longValue());
        }
    }

    /** The table with the number that this transaction's changes of it have. */
    private TableState numbered(TableState table) {
        if (!numbered.add(table.topic())) {
            return table;
        }
        TableState withNumber = table
                .changed(numbers.next(server.identity(), table.lastChange(), server.now()));
        update(withNumber);
        return withNumber;
    }

    private TableState make(TableName name, String topic, int partitions) throws SQLException {
        TableState table = tables.get(topic);
        if (table == null) {
            table = ReplicaSchema.make(connection, name, topic, partitions);
            tables.put(topic, table);
        }
        return table;
    }

    private void update(TableState table) {
        tables.put(table.topic(), table);
        changed.add(table.topic());
    }

    /** While a statement reads a whole table: by any plan, and for as long as a large one takes. */
    private static final class WholeTable implements AutoCloseable {

        private final Connection connection;
        private final int patience;
        private boolean done;

        WholeTable(Connection connection) throws SQLException {
            this.connection = connection;
            this.patience = connection.getNetworkTimeout();
            execute(connection, "SELECT " + indexOnly(false) + ", set_config('statement_timeout', '"
                    + WHOLE_TABLE.toMillis() + "', true)");
            // PostgreSQL 17 and later.
            execute(connection, "SELECT set_config('transaction_timeout', '0', true)"
                    + " WHERE current_setting('transaction_timeout', true) IS NOT NULL");
            connection.setNetworkTimeout(Runnable::run, (int) WHOLE_TABLE.plusMinutes(1).toMillis());
        }

        /** The statement has succeeded: its transaction goes on. */
        void done() {
            done = true;
        }

        @Override
        public void close() throws SQLException {
            connection.setNetworkTimeout(Runnable::run, patience);
            if (done) {
                execute(connection, "SELECT " + indexOnly(true));
            }
        }
    }

    /** Whether the planner may not read whole tables; a statement that has to do so may. */
    private static String indexOnly(boolean only) {
        String others = only ? "off" : "on";
        return "set_config('enable_seqscan', '" + others + "', true), set_config('enable_hashjoin', '" + others
                + "', true), set_config('enable_mergejoin', '" + others + "', true)";
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
