package io.syncline.worker.connection;

import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.PartitionLock;
import io.syncline.model.log.ReplyRecord;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * {@link ConnectionStore} in PostgreSQL. A transaction is two round trips, however many records it decides: lock and load;
 * save and commit.
 */
final class PostgresConnectionStore implements ConnectionStore {

    /** The unique index whose violation means: another sender record has this token. */
    private static final String TOKEN_INDEX = "connection_sender_fingerprint";

    /** A standby that took over, or a copy that was restored, was started at another time. */
    private static final String SERVER_AND_CLOCK = "SELECT extract(epoch FROM pg_postmaster_start_time())::text,"
            + " clock_timestamp()";

    private final DataSource database;

    PostgresConnectionStore(DataSource database) {
        this.database = database;
    }

    @Override
    public Transaction begin(Scope scope) {
        return calling(() -> {
            Connection connection = database.getConnection();
            try {
                connection.setAutoCommit(false);
                return new PostgresTransaction(connection, load(connection, scope));
            } catch (SQLException | RuntimeException e) {
                discard(connection);
                throw e;
            }
        });
    }

    private static State load(Connection connection, Scope scope) throws SQLException {
        Map<Integer, LogHead> heads = new HashMap<>();
        Map<UUID, Outcome> outcomes = new HashMap<>();
        Map<CredentialFingerprint, SiteUrl> tokens = new HashMap<>();
        String[] server = new String[1];
        Instant[] clock = new Instant[1];
        ModuleSettings[] settings = {ModuleSettings.INITIAL};
        SiteRows siteRows = new SiteRows();

        Pipeline pipeline = new Pipeline(connection);
        Object partitions = pipeline.array("integer", scope.partitions().toArray());
        // Statements of their own, in this order: what is read behind the locks must be read after they were granted.
        pipeline.run("SELECT pg_advisory_xact_lock(?, p) FROM unnest(?) AS p", PartitionLock.SPACE, partitions)
                .query(LogHeadRows.SELECT + " WHERE partition = ANY (?) ORDER BY partition FOR UPDATE", row -> {
                    LogHead head = LogHeadRows.read(row);
                    heads.put(head.partition(), head);
                }, partitions)
                .query(SERVER_AND_CLOCK, row -> {
                    server[0] = row.getString(1);
                    clock[0] = SqlTime.read(row, 2);
                })
                .query("""
                        SELECT enabled, incoming_mode, incoming_password_hash, password_revision, updated_at, operators
                        FROM syncline.settings""", row -> settings[0] = SettingsRows.read(row));
        if (!scope.sites().isEmpty()) {
            Object urls = pipeline.array("text", scope.sites().stream().map(SiteUrl::text).toArray());
            pipeline.query(SiteRows.SELECT_CONNECTION + " WHERE site_url = ANY (?)", siteRows::readConnection, urls)
                    .query(SiteRows.SELECT_IMPOSITION + " WHERE site_url = ANY (?)", siteRows::readImposition, urls);
        }
        PullRows pullRows = new PullRows();
        pullRows.load(pipeline, scope.pulls(), scope.grants());
        if (!scope.requestIds().isEmpty()) {
            pipeline.query("SELECT request_id, outcome FROM syncline.request_outcome WHERE request_id = ANY (?)",
                    row -> outcomes.put(row.getObject(1, UUID.class), ReplyRecord.readStored(row.getString(2))),
                    pipeline.array("uuid", scope.requestIds().toArray()));
        }
        if (!scope.claimedTokens().isEmpty()) {
            Object claimed = pipeline.array("text",
                    scope.claimedTokens().stream().map(CredentialFingerprint::hex).toArray());
            pipeline.query("""
                    SELECT fingerprint, site_url FROM syncline.connection
                    WHERE direction = 'sender' AND fingerprint = ANY (?)
                    UNION ALL SELECT previous, site_url FROM syncline.connection, unnest(previous_fingerprints) AS previous
                    WHERE previous_fingerprints && ? AND previous = ANY (?)""",
                    row -> tokens.put(new CredentialFingerprint(row.getString(1)), SiteUrl.asSent(row.getString(2))),
                    claimed, claimed, claimed);
        }
        pipeline.execute();
        return new State(server[0], clock[0], heads, settings[0], siteRows.sites(scope.sites(), pullRows), outcomes,
                tokens);
    }

    private static final class PostgresTransaction implements Transaction {

        private final Connection connection;
        private final State state;
        private boolean ended;

        PostgresTransaction(Connection connection, State state) {
            this.connection = connection;
            this.state = state;
        }

        @Override
        public State state() {
            return state;
        }

        @Override
        public void commit(Changes changes) {
            calling(() -> {
                saveAndCommit(connection, changes);
                ended = true;
                connection.close();
                return null;
            });
        }

        @Override
        public void close() {
            if (!ended) {
                ended = true;
                discard(connection);
            }
        }
    }

    /** In one round trip: the server comes to the commit only if all before it went well. */
    private static void saveAndCommit(Connection connection, Changes changes) throws SQLException {
        Pipeline pipeline = new Pipeline(connection);
        boolean fromLog = changes.origin() == Origin.LOG;
        List<LoggedEvent> events = changes.events();
        if (fromLog && !events.isEmpty()) {
            LoggedEvent first = events.getFirst();
            pipeline.run("DELETE FROM syncline.connection_event WHERE partition = ? AND sequence >= ?",
                    first.partition(), first.sequence());
        }
        if (!events.isEmpty()) {
            EventRows.insert(pipeline, events);
        }
        if (!changes.outcomes().isEmpty()) {
            OutcomeRows.insert(pipeline, changes.outcomes(), fromLog);
        }
        SiteRows.save(pipeline, changes.sites());
        PullRows.save(pipeline, changes.sites());
        if (changes.settings() != null) {
            SettingsRows.save(pipeline, changes.settings());
        }
        LogHeadRows.update(pipeline, changes.heads());
        pipeline.run("COMMIT").execute();
        // Nothing to do but for the driver to know it.
        connection.commit();
    }

    @Override
    public String server() {
        String[] server = new String[1];
        inTransaction(
                pipeline -> pipeline.query(SERVER_AND_CLOCK, row -> server[0] = row.getString(1)).execute());
        return server[0];
    }

    @Override
    public Instant clock() {
        Instant[] clock = new Instant[1];
        inTransaction(
                pipeline -> pipeline.query(SERVER_AND_CLOCK, row -> clock[0] = SqlTime.read(row, 2)).execute());
        return clock[0];
    }

    @Override
    public Optional<LogHead> head(int partition) {
        List<LogHead> found = new ArrayList<>();
        inTransaction(pipeline -> pipeline
                .query(LogHeadRows.SELECT + " WHERE partition = ?", row -> found.add(LogHeadRows.read(row)), partition)
                .execute());
        return found.stream().findFirst();
    }

    @Override
    public Optional<LogHead> raiseFence(int partition, long fence) {
        List<LogHead> raised = new ArrayList<>();
        LogHead start = LogHead.start(partition);
        inTransaction(pipeline -> pipeline.query("""
                INSERT INTO syncline.log_head AS head (partition, fence, sequence, hash, next_request_offset, time,
                    log_offset, log_fence, log_sequence, log_hash)
                VALUES (?, ?, ?, ?, ?, ?::timestamptz, ?, ?, ?, ?)
                ON CONFLICT (partition) DO UPDATE SET fence = excluded.fence WHERE head.fence < excluded.fence
                RETURNING """ + " " + LogHeadRows.COLUMNS, row -> raised.add(LogHeadRows.read(row)), partition, fence,
                start.sequence(), start.hash(), start.nextRequestOffset(), start.time().toString(),
                start.published().offset(), start.published().head().fence(), start.published().head().sequence(),
                start.published().head().hash()).execute());
        return raised.stream().findFirst();
    }

    @Override
    public List<StoredEvent> eventsAfter(int partition, long sequence) {
        List<StoredEvent> events = new ArrayList<>();
        inTransaction(pipeline -> pipeline.query("""
                SELECT sequence, event_id, request_id, request_offset, event_time, key, type, payload, hash
                FROM syncline.connection_event WHERE partition = ? AND sequence > ? ORDER BY sequence""",
                row -> events.add(EventRows.read(row)), partition, sequence).execute());
        return events;
    }

    @Override
    public List<StoredOutcome> outcomesOfLast(int partition, Duration age, int limit) {
        List<StoredOutcome> outcomes = new ArrayList<>();
        inTransaction(pipeline -> pipeline
                .query("""
                SELECT * FROM (
                    SELECT request_id, partition, request_offset, coalesce(sequence, 0), outcome, decided_at
                    FROM syncline.request_outcome
                    WHERE decided_at >= clock_timestamp() - ? * interval '1 millisecond' AND partition = ?
                    ORDER BY request_offset DESC LIMIT ?) newest
                ORDER BY request_offset""", row -> outcomes.add(OutcomeRows.read(row)), age.toMillis(), partition,
                        limit)
                .execute());
        return outcomes;
    }

    @Override
    public boolean forget(int partition, long fence) {
        int[] forgotten = new int[1];
        LogHead start = LogHead.start(partition);
        inTransaction(pipeline -> {
            int[] changed = pipeline
                    .run("UPDATE syncline.log_head SET fence = fence WHERE partition = ? AND fence = ?", partition,
                            fence)
                    .execute();
            if (changed[0] == 0) {
                return;
            }
            new Pipeline(pipeline.connection())
                    .run("""
                            DELETE FROM syncline.connection WHERE site_url IN
                                (SELECT key FROM syncline.connection_event WHERE partition = ?)""", partition)
                    .run("""
                            DELETE FROM syncline.imposition WHERE site_url IN
                                (SELECT key FROM syncline.connection_event WHERE partition = ?)""", partition)
                    .run("""
                            DELETE FROM syncline.pull_use WHERE site_url IN
                                (SELECT key FROM syncline.connection_event WHERE partition = ?)""", partition)
                    .run("""
                            DELETE FROM syncline.pull_grant WHERE site_url IN
                                (SELECT key FROM syncline.connection_event WHERE partition = ?)""", partition)
                    .run("""
                            DELETE FROM syncline.pull_approval WHERE site_url IN
                                (SELECT key FROM syncline.connection_event WHERE partition = ?)""", partition)
                    .run("""
                            DELETE FROM syncline.settings WHERE EXISTS
                                (SELECT FROM syncline.connection_event WHERE partition = ? AND key = ?)""", partition,
                            io.syncline.model.connection.Event.SETTINGS_KEY)
                    .run("""
                            DELETE FROM syncline.request_outcome WHERE request_id IN
                                (SELECT request_id FROM syncline.connection_event WHERE partition = ?)""", partition)
                    .run("DELETE FROM syncline.connection_event WHERE partition = ?", partition)
                    .run("""
                            UPDATE syncline.log_head SET sequence = ?, hash = ?, next_request_offset = ?,
                                log_offset = ?, log_fence = ?, log_sequence = ?, log_hash = ?
                            WHERE partition = ?""", start.sequence(), start.hash(), start.nextRequestOffset(),
                            start.published().offset(), start.published().head().fence(),
                            start.published().head().sequence(), start.published().head().hash(), partition)
                    .execute();
            forgotten[0] = 1;
        });
        return forgotten[0] == 1;
    }

    @FunctionalInterface
    private interface PipelineUse {

        void in(Pipeline pipeline) throws SQLException;
    }

    private void inTransaction(PipelineUse use) {
        calling(() -> {
            try (Connection connection = database.getConnection()) {
                connection.setAutoCommit(false);
                try {
                    use.in(new Pipeline(connection));
                    connection.commit();
                } catch (SQLException | RuntimeException e) {
                    discard(connection);
                    throw e;
                }
                return null;
            }
        });
    }

    @FunctionalInterface
    private interface Call<T extends @Nullable Object> {

        T go() throws SQLException;
    }

    private static <T extends @Nullable Object> T calling(Call<T> call) {
        try {
            return call.go();
        } catch (SQLException e) {
            throw SqlFailure.of(e, TOKEN_INDEX);
        }
    }

    private static void discard(Connection connection) {
        try {
            connection.rollback();
        } catch (SQLException e) {
            // A connection that cannot roll back is broken, and the server has rolled back or will.
        }
        try {
            connection.close();
        } catch (SQLException e) {
            // As above: the pool throws it away.
        }
    }

    /** Rows of {@code log_head}. */
    private static final class LogHeadRows {

        static final String COLUMNS = "partition, fence, sequence, hash, next_request_offset, time, log_offset, log_fence,"
                + " log_sequence, log_hash";
        static final String SELECT = "SELECT " + COLUMNS + " FROM syncline.log_head";

        static LogHead read(ResultSet row) throws SQLException {
            return new LogHead(row.getInt(1), row.getLong(2), row.getLong(3), row.getBytes(4), row.getLong(5),
                    SqlTime.read(row, 6), new LogHead.Published(row.getLong(7),
                            new io.syncline.model.log.ChainReader.Head(row.getLong(8), row.getLong(9),
                                    row.getBytes(10))));
        }

        /** Fails, by a division by zero, where one of them is not under the fence that this transaction holds locked. */
        static void update(Pipeline pipeline, List<LogHead> heads) throws SQLException {
            pipeline.run("""
                    WITH moved AS (UPDATE syncline.log_head SET sequence = v.sequence, hash = v.hash,
                        next_request_offset = v.next_request_offset, time = v.time, log_offset = v.log_offset,
                        log_fence = v.log_fence, log_sequence = v.log_sequence, log_hash = v.log_hash
                    FROM unnest(?, ?, ?, ?, ?, ?::timestamptz[], ?, ?, ?, ?) AS v (partition, fence, sequence, hash,
                        next_request_offset, time, log_offset, log_fence, log_sequence, log_hash)
                    WHERE log_head.partition = v.partition AND log_head.fence = v.fence RETURNING 1)
                    SELECT 1 / (count(*) = ?)::int FROM moved""",
                    pipeline.array("integer", heads.stream().map(LogHead::partition).toArray()),
                    pipeline.array("bigint", heads.stream().map(LogHead::fence).toArray()),
                    pipeline.array("bigint", heads.stream().map(LogHead::sequence).toArray()),
                    pipeline.array("bytea", heads.stream().map(LogHead::hash).toArray(byte[][]::new)),
                    pipeline.array("bigint", heads.stream().map(LogHead::nextRequestOffset).toArray()),
                    pipeline.array("text", heads.stream().map(head -> head.time().toString()).toArray()),
                    pipeline.array("bigint", heads.stream().map(head -> head.published().offset()).toArray()),
                    pipeline.array("bigint", heads.stream().map(head -> head.published().head().fence()).toArray()),
                    pipeline.array("bigint", heads.stream().map(head -> head.published().head().sequence()).toArray()),
                    pipeline.array("bytea",
                            heads.stream().map(head -> head.published().head().hash()).toArray(byte[][]::new)),
                    heads.size());
        }
    }

    /** Rows of {@code connection_event}. */
    private static final class EventRows {

        static StoredEvent read(ResultSet row) throws SQLException {
            return new StoredEvent(row.getLong(1), row.getObject(2, UUID.class), row.getObject(3, UUID.class),
                    row.getLong(4), SqlTime.read(row, 5), row.getString(6), row.getString(7), row.getBytes(8),
                    row.getBytes(9));
        }

        static void insert(Pipeline pipeline, List<LoggedEvent> events) throws SQLException {
            pipeline.run("""
                    INSERT INTO syncline.connection_event (partition, sequence, event_id, request_id, request_offset, key,
                        type, payload, event_time, fence, previous_hash, hash)
                    SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?::timestamptz[], ?, ?, ?)""",
                    pipeline.array("integer", events.stream().map(LoggedEvent::partition).toArray()),
                    pipeline.array("bigint", events.stream().map(LoggedEvent::sequence).toArray()),
                    pipeline.array("uuid", events.stream().map(LoggedEvent::id).toArray()),
                    pipeline.array("uuid", events.stream().map(LoggedEvent::requestId).toArray()),
                    pipeline.array("bigint", events.stream().map(LoggedEvent::requestOffset).toArray()),
                    pipeline.array("text", events.stream().map(LoggedEvent::key).toArray()),
                    pipeline.array("text", events.stream().map(LoggedEvent::type).toArray()),
                    pipeline.array("bytea", events.stream().map(LoggedEvent::payload).toArray(byte[][]::new)),
                    pipeline.array("text", events.stream().map(event -> event.time().toString()).toArray()),
                    pipeline.array("bigint", events.stream().map(LoggedEvent::fence).toArray()),
                    pipeline.array("bytea", events.stream().map(LoggedEvent::previousHash).toArray(byte[][]::new)),
                    pipeline.array("bytea", events.stream().map(LoggedEvent::hash).toArray(byte[][]::new)));
        }
    }

    /** Rows of {@code request_outcome}. */
    private static final class OutcomeRows {

        static StoredOutcome read(ResultSet row) throws SQLException {
            return new StoredOutcome(row.getObject(1, UUID.class), row.getInt(2), row.getLong(3), row.getLong(4),
                    ReplyRecord.readStored(row.getString(5)), SqlTime.read(row, 6));
        }

        static void insert(Pipeline pipeline, List<StoredOutcome> outcomes, boolean overwrite) throws SQLException {
            // A plain insert where we decide: a second outcome for a request must fail, not win.
            pipeline.run("""
                    INSERT INTO syncline.request_outcome (request_id, partition, request_offset, sequence, outcome, decided_at)
                    SELECT * FROM unnest(?, ?, ?, ?, ?, ?::timestamptz[])""" + (overwrite ? """

                    ON CONFLICT (request_id) DO UPDATE SET partition = excluded.partition,
                        request_offset = excluded.request_offset, sequence = excluded.sequence, outcome = excluded.outcome,
                        decided_at = excluded.decided_at""" : ""),
                    pipeline.array("uuid", outcomes.stream().map(StoredOutcome::requestId).toArray()),
                    pipeline.array("integer", outcomes.stream().map(StoredOutcome::partition).toArray()),
                    pipeline.array("bigint", outcomes.stream().map(StoredOutcome::requestOffset).toArray()),
                    pipeline.array("bigint", outcomes.stream().map(StoredOutcome::sequence).toArray()),
                    pipeline.array("text",
                            outcomes.stream().map(one -> ReplyRecord.storedForm(one.outcome())).toArray()),
                    pipeline.array("text", outcomes.stream().map(one -> one.decidedAt().toString()).toArray()));
        }
    }
}
