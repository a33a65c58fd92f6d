package io.syncline.worker.capture;

import io.syncline.model.table.TableName;
import io.syncline.worker.capture.CopyTimes.Applied;
import java.sql.ResultSet;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * What capture keeps in the state database. A capturer whose epoch is not the newest changes nothing here, and each of its writes
 * finds out whether the one before it is still there.
 */
final class CaptureStore {

    /** Whether our role can have citext there. */
    private static final String CITEXT = """
            SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citext')
                OR EXISTS (SELECT FROM pg_available_extension_versions v, pg_roles r
                           WHERE v.name = 'citext' AND r.rolname = current_user
                           AND (r.rolsuper OR v.trusted AND has_database_privilege(current_database(), 'CREATE')))""";

    private final JdbcTemplate template;
    private final JdbcClient jdbc;
    private final TransactionTemplate transactions;
    private final DecodingStore decoding;

    /** The epoch that was taken here last, and how many writes of it there have been; guarded by this object. */
    private long epochTaken;
    private long beat;
    /** Writes since the last that is known to have been committed: they may have been, or not. */
    private int inDoubt;

    CaptureStore(DataSource state) {
        template = new JdbcTemplate(state);
        jdbc = JdbcClient.create(template);
        decoding = new DecodingStore(jdbc, this);
        transactions = new TransactionTemplate(new JdbcTransactionManager(state));
    }

    /** A table's newest generation, as it was begun. */
    record Remembered(
            TableName table,
            String topic,
            long generation,
            boolean complete,
            PgSnapshot snapshot,
            long consistentLsn,
            String fingerprint,
            boolean gone,
            Duration age) {

        /** Whether the fingerprint is of a version that witnessed less: it equals none of this one's. */
        boolean isOfOlderVersion() {
            return complete && !fingerprint.startsWith(Witness.FORMAT);
        }
    }

    /** The replica's wish for a new generation. */
    record Request(String topic, String reason, Instant askedAt) {}

    /** What the operator is told of a table. */
    record TableStatus(
            TableName table,
            String state,
            @Nullable String cause,
            @Nullable String remedy,
            @Nullable Long generation,
            @Nullable Long snapshotRows,
            @Nullable Long snapshotEstimated,
            @Nullable Instant lastChangeAt) {

        /** What is captured of it stands still. */
        TableStatus notKeptUp(LeftOut why) {
            return new TableStatus(table, state.equals("live") ? "refreshing" : state, why.cause(), why.remedy(),
                    generation, snapshotRows, snapshotEstimated, lastChangeAt);
        }
    }

    /** What the operator is told of the source. */
    record SourceStatus(
            String state,
            @Nullable SourceProblem problem,
            String warnings,
            @Nullable SourceIdentity identity,
            String slot,
            String publication,
            ReplicationSlot.@Nullable State slotState,
            @Nullable Instant lastChangeAt,
            @Nullable Duration lag) {}

    /** What the state database can hold in keys. */
    ReplicaServer replicaServer() {
        return Objects.requireNonNull(template.execute((ConnectionCallback<ReplicaServer>) connection -> {
            try (Statement statement = connection.createStatement(); ResultSet row = statement.executeQuery(CITEXT)) {
                row.next();
                return new ReplicaServer(connection.getMetaData().getDatabaseMajorVersion() * 10_000,
                        row.getBoolean(1), DatabaseCollation.of(connection).locale());
            }
        }));
    }

    /** The newest epoch that anything here is of: a new one must be greater, whatever else is known. */
    long newestEpoch() {
        return jdbc.sql("""
                SELECT greatest((SELECT epoch FROM syncline.capture_epoch WHERE id = 1),
                    (SELECT max(generation) / :perEpoch FROM syncline.capture_table),
                    (SELECT max(last_generation) / :perEpoch FROM syncline.replica_table),
                    (SELECT max(greatest(epoch, generation / :perEpoch)) FROM syncline.replica_position))""")
                .param("perEpoch", Generations.PER_EPOCH)
                .query(Long.class)
                .single();
    }

    /**
     * The epoch before a new one.
     *
     * @param asLeft whether what was written from here in that epoch is there; true if it was another worker's
     */
    record Taken(long before, boolean asLeft) {}

    /** Takes an epoch that is greater than all before; empty if another one is as great. */
    synchronized Optional<Taken> takeEpoch(long epoch, String holder) {
        Optional<Taken> taken = jdbc.sql("""
                UPDATE syncline.capture_epoch e SET epoch = :epoch, holder = :holder, since = now(), beat = 0
                FROM (SELECT epoch, beat FROM syncline.capture_epoch WHERE id = 1 FOR UPDATE) b
                WHERE e.id = 1 AND b.epoch < :epoch RETURNING b.epoch, b.beat""")
                .param("epoch", epoch)
                .param("holder", holder)
                .query((row, _) -> new Taken(row.getLong(1), row.getLong(1) > epochTaken
                        || row.getLong(1) == epochTaken && row.getLong(2) >= beat && row.getLong(2) <= beat + inDoubt))
                .optional();
        if (taken.isPresent()) {
            epochTaken = epoch;
            beat = 0;
            inDoubt = 0;
        }
        return taken;
    }

    /** The newest epoch that the replica has read in a topic; 0 if none. */
    long epochInTopics() {
        return jdbc.sql("""
                SELECT greatest(coalesce((SELECT max(greatest(epoch, generation / :perEpoch)) FROM syncline.replica_position), 0),
                    coalesce((SELECT max(last_generation) / :perEpoch FROM syncline.replica_table), 0))""")
                .param("perEpoch", Generations.PER_EPOCH)
                .query(Long.class)
                .single();
    }

    /** Which cluster this state database is of. */
    String cluster() {
        return jdbc.sql("SELECT cluster::text FROM syncline.capture_epoch WHERE id = 1").query(String.class).single();
    }

    void verifyNewest(long epoch) throws SupersededException {
        verifyNewest(epoch,
                jdbc.sql("SELECT epoch FROM syncline.capture_epoch WHERE id = 1").query(Long.class).single());
    }

    private static void verifyNewest(long epoch, long found) throws SupersededException {
        if (found > epoch) {
            throw new SupersededException(epoch);
        }
        if (found < epoch) {
            throw new StateWentBackException("its capture epoch is " + found + ", and was " + epoch);
        }
    }

    Map<TableName, Remembered> tables() {
        Map<TableName, Remembered> tables = new HashMap<>();
        jdbc.sql(
                "SELECT table_name, topic, generation, complete, snapshot, consistent_lsn, fingerprint, gone,"
                        + " (extract(epoch FROM now() - changed_at) * 1000)::bigint FROM syncline.capture_table")
                .query((row, _) -> new Remembered(new TableName(row.getString(1)), row.getString(2), row.getLong(3),
                        row.getBoolean(4), PgSnapshot.parse(row.getString(5)), row.getLong(6), row.getString(7),
                        row.getBoolean(8), Duration.ofMillis(row.getLong(9))))
                .list()
                .forEach(table -> tables.put(table.table(), table));
        return tables;
    }

    /** Begins a generation of a table. */
    void begin(long epoch, long generation, String topic, SourceTable table, PgSnapshot snapshot, long lsn)
            throws SupersededException {
        boolean begun = asNewest(epoch, () -> jdbc.sql("""
                INSERT INTO syncline.capture_table AS t
                    (table_name, topic, generation, complete, snapshot, consistent_lsn, fingerprint, gone, changed_at)
                VALUES (?, ?, ?, false, ?, ?, ?, false, now())
                ON CONFLICT (table_name) DO UPDATE SET generation = excluded.generation, complete = false,
                    snapshot = excluded.snapshot, consistent_lsn = excluded.consistent_lsn,
                    fingerprint = excluded.fingerprint, gone = false, changed_at = now()
                WHERE t.generation < excluded.generation""")
                .params(table.name().name(), topic, generation, snapshot.toString(), lsn, table.fingerprint())
                .update()) == 1;
        if (!begun) {
            throw new StateWentBackException("table " + table.name() + " has a generation there that is not older than "
                    + generation + ", which is the next");
        }
    }

    void complete(long epoch, TableName table, long generation) throws SupersededException {
        boolean completed = asNewest(epoch, () -> jdbc
                // One that has been given up meanwhile stays so.
                .sql("UPDATE syncline.capture_table SET complete = fingerprint <> '', changed_at = now()"
                        + " WHERE table_name = ? AND generation = ?")
                .params(table.name(), generation)
                .update()) == 1;
        if (!completed) {
            throw new StateWentBackException(
                    "generation " + generation + " of table " + table + " is not there any more");
        }
    }

    /** What there is of a table, up to a generation, cannot be gone on with. */
    void giveUp(long epoch, TableName table, long generation) throws SupersededException {
        boolean newest = asNewest(epoch, () -> {
            jdbc.sql("""
                    UPDATE syncline.capture_table SET complete = false, fingerprint = '', changed_at = now()
                    WHERE table_name = ? AND generation <= ?""").params(table.name(), generation).update();
            // A newer one may have begun meanwhile, an older one not.
            return jdbc.sql("SELECT count(*) FROM syncline.capture_table WHERE table_name = ? AND generation >= ?")
                    .params(table.name(), generation)
                    .query(Long.class)
                    .single();
        }) == 1;
        if (!newest) {
            throw new StateWentBackException(
                    "generation " + generation + " of table " + table + " is not there any more");
        }
    }

    void gone(long epoch, TableName table) throws SupersededException {
        asNewest(epoch, () -> jdbc
                .sql("UPDATE syncline.capture_table SET gone = true, complete = false, changed_at = now() WHERE table_name = ?")
                .param(table.name())
                .update());
    }

    /** A slot that is made anew tells nothing of what went before: no generation can be gone on with. */
    void forgetGenerations(long epoch) throws SupersededException {
        asNewest(epoch, () -> {
            jdbc.sql("UPDATE syncline.capture_source SET published_lsn = 0, confirmed_lsn = NULL WHERE id = 1")
                    .update();
            return jdbc.sql("UPDATE syncline.capture_table SET complete = false, changed_at = now() WHERE complete")
                    .update();
        });
    }

    /** The OID of the publication that the slot has been made for; null if that is not known. */
    @Nullable
    Long slotPublication() {
        return jdbc.sql("SELECT slot_publication FROM syncline.capture_source WHERE slot_publication IS NOT NULL")
                .query(Long.class)
                .optional()
                .orElse(null);
    }

    void saveSlotPublication(long epoch, long oid) throws SupersededException {
        asNewest(epoch,
                () -> jdbc.sql("UPDATE syncline.capture_source SET slot_publication = ? WHERE id = 1")
                        .param(oid)
                        .update());
    }

    /** How far what has been published reaches in the source's WAL; 0 if nothing is known. */
    long publishedLsn() {
        return jdbc.sql("SELECT published_lsn FROM syncline.capture_source").query(Long.class).optional().orElse(0L);
    }

    void savePublished(long epoch, long lsn) throws SupersededException {
        asNewest(epoch, () -> jdbc
                .sql("UPDATE syncline.capture_source SET published_lsn = greatest(published_lsn, ?) WHERE id = 1")
                .param(lsn)
                .update());
    }

    /** Remembers where a stream begins until it is known to be the slot's. */
    void streamBegins(long epoch, long lsn) throws SupersededException {
        asNewest(epoch,
                () -> jdbc.sql("UPDATE syncline.capture_source SET unverified_start = ? WHERE id = 1")
                        .param(lsn)
                        .update());
    }

    void streamVerified(long epoch) throws SupersededException {
        asNewest(epoch,
                () -> jdbc.sql("UPDATE syncline.capture_source SET unverified_start = NULL WHERE id = 1").update());
    }

    /** Where a stream was to begin that has never been seen to begin there; beyond all places if there is none. */
    long unverifiedStart() {
        return jdbc.sql("SELECT unverified_start FROM syncline.capture_source WHERE unverified_start IS NOT NULL")
                .query(Long.class)
                .optional()
                .orElse(Long.MAX_VALUE);
    }

    /** Spares the replica to distrust a topic that has just been made. */
    void topicMade(String topic, String topicId, int partitions) {
        for (int partition = 0; partition < partitions; partition++) {
            jdbc.sql("""
                    INSERT INTO syncline.replica_position (topic, partition, topic_id, next_offset, epoch, generation, complete)
                    VALUES (?, ?, ?, 0, 0, 0, false) ON CONFLICT DO NOTHING""")
                    .params(topic, partition, topicId)
                    .update();
        }
    }

    /** Those of some collations that the replica can order by. */
    Set<String> collations(Collection<String> wanted) {
        return Set.copyOf(jdbc.sql("""
                SELECT collname FROM pg_collation WHERE collname = ANY (?) AND pg_collation_is_visible(oid) AND collisdeterministic
                AND collencoding IN (-1, (SELECT encoding FROM pg_database WHERE datname = current_database()))""")
                .param(wanted.toArray(String[]::new))
                .query(String.class)
                .list());
    }

    List<Request> requests() {
        return jdbc.sql("SELECT topic, reason, asked_at FROM syncline.capture_request")
                .query((row, _) -> new Request(row.getString(1), row.getString(2), row.getTimestamp(3).toInstant()))
                .list();
    }

    /** A request stays if it was made anew meanwhile. */
    void answered(Request request) {
        jdbc.sql("DELETE FROM syncline.capture_request WHERE topic = ? AND asked_at = ?")
                .params(request.topic(), Timestamp.from(request.askedAt()))
                .update();
    }

    @Nullable
    SourceIdentity identity() {
        return jdbc.sql(
                "SELECT system_identifier, timeline FROM syncline.capture_source WHERE system_identifier IS NOT NULL")
                .query((row, _) -> new SourceIdentity(row.getString(1), row.getLong(2)))
                .optional()
                .orElse(null);
    }

    /** What the source was last seen to have confirmed; 0 if nothing is known. */
    long confirmedLsn() {
        return jdbc.sql("SELECT confirmed_lsn FROM syncline.capture_source WHERE confirmed_lsn IS NOT NULL")
                .query(String.class)
                .optional()
                .map(Lsn::parse)
                .orElse(0L);
    }

    /** Told by whoever has the lease, before it has an epoch. */
    void saveProblem(String holder, SourceStatus status) {
        long epoch = jdbc.sql("SELECT epoch FROM syncline.capture_epoch WHERE id = 1").query(Long.class).single();
        try {
            uncounted(epoch, () -> saved(epoch, holder, status));
        } catch (SupersededException e) {
            // Whoever has begun meanwhile tells how that goes.
            return;
        }
    }

    /** What failed the last time is told until it is known to be over: while the source is being checked as well. */
    void saveSource(long epoch, String holder, SourceStatus status) throws SupersededException {
        asNewest(epoch, () -> saved(epoch, holder, status));
    }

    private int saved(long epoch, String holder, SourceStatus status) {
        SourceProblem problem = status.problem();
        SourceIdentity identity = status.identity();
        ReplicationSlot.State slot = status.slotState();
        return jdbc.sql("""
                    INSERT INTO syncline.capture_source AS s
                        (id, state, epoch, holder, setting, value, problem, remedy, retry_may_fix, warnings, system_identifier, timeline,
                         slot_name, publication, confirmed_lsn, retained_bytes, behind_bytes, last_change_at, lag_ms, updated_at)
                    VALUES (1, :state, :epoch, :holder, :setting, :value, :problem, :remedy, :retry, :warnings, :system, :timeline,
                            :slot, :publication, :confirmed, :retained, :behind, :lastChange, :lag, now())
                    ON CONFLICT (id) DO UPDATE SET state = excluded.state, epoch = excluded.epoch, holder = excluded.holder,
                        setting = CASE WHEN excluded.state = 'checking' THEN s.setting ELSE excluded.setting END,
                        value = CASE WHEN excluded.state = 'checking' THEN s.value ELSE excluded.value END,
                        problem = CASE WHEN excluded.state = 'checking' THEN s.problem ELSE excluded.problem END,
                        remedy = CASE WHEN excluded.state = 'checking' THEN s.remedy ELSE excluded.remedy END,
                        retry_may_fix = CASE WHEN excluded.state = 'checking' THEN s.retry_may_fix ELSE excluded.retry_may_fix END,
                        warnings = excluded.warnings,
                        system_identifier = coalesce(excluded.system_identifier, s.system_identifier),
                        timeline = coalesce(excluded.timeline, s.timeline), slot_name = excluded.slot_name,
                        publication = excluded.publication,
                        confirmed_lsn = coalesce(excluded.confirmed_lsn, s.confirmed_lsn),
                        retained_bytes = coalesce(excluded.retained_bytes, s.retained_bytes),
                        behind_bytes = coalesce(excluded.behind_bytes, s.behind_bytes),
                        last_change_at = coalesce(excluded.last_change_at, s.last_change_at), lag_ms = excluded.lag_ms,
                        updated_at = now()""")
                .param("state", status.state())
                .param("epoch", epoch)
                .param("holder", holder)
                .param("setting", problem == null ? null : problem.setting())
                .param("value", problem == null ? null : problem.value())
                .param("problem", problem == null ? null : problem.problem())
                .param("remedy", problem == null ? null : problem.remedy())
                .param("retry", problem == null ? null : problem.retryMayFix())
                .param("warnings", status.warnings())
                .param("system", identity == null ? null : identity.systemIdentifier())
                .param("timeline", identity == null ? null : identity.timeline())
                .param("slot", status.slot())
                .param("publication", status.publication())
                .param("confirmed", slot == null ? null : Lsn.text(slot.confirmedLsn()))
                .param("retained", slot == null ? null : slot.retained())
                .param("behind", slot == null ? null : slot.behind())
                .param("lastChange", timestamp(status.lastChangeAt()))
                .param("lag", status.lag() == null ? null : status.lag().toMillis())
                .update();
    }

    /**
     * What the slot keeps, by whoever has measured it, of whatever epoch: told where the one who captures does not tell it.
     *
     * @param warning empty: what was warned of before stays until somebody captures again
     */
    void saveMeasured(ReplicationSlot.@Nullable State slot, String warning) {
        jdbc.sql("""
                UPDATE syncline.capture_source SET retained_bytes = :retained, behind_bytes = :behind,
                    warnings = coalesce(nullif(:warning, ''), warnings)
                WHERE id = 1 AND (state <> 'running' OR updated_at < clock_timestamp() - interval '10 s')""")
                .param("retained", slot == null ? null : slot.retained())
                .param("behind", slot == null ? null : slot.behind())
                .param("warning", warning)
                .update();
    }

    void saveTables(long epoch, Collection<TableStatus> changed, Collection<TableName> removed)
            throws SupersededException {
        asNewest(epoch, () -> {
            for (TableName table : removed) {
                jdbc.sql("DELETE FROM syncline.capture_status WHERE table_name = ?").param(table.name()).update();
            }
            for (TableStatus status : changed) {
                jdbc.sql("""
                        INSERT INTO syncline.capture_status
                            (table_name, state, cause, remedy, generation, snapshot_rows, snapshot_estimated, last_change_at, updated_at)
                        VALUES (:table, :state, :cause, :remedy, :generation, :rows, :estimated, :lastChange, now())
                        ON CONFLICT (table_name) DO UPDATE SET state = excluded.state, cause = excluded.cause,
                            remedy = excluded.remedy, generation = excluded.generation, snapshot_rows = excluded.snapshot_rows,
                            snapshot_estimated = excluded.snapshot_estimated, last_change_at = excluded.last_change_at,
                            updated_at = now()""")
                        .param("table", status.table().name())
                        .param("state", status.state())
                        .param("cause", status.cause())
                        .param("remedy", status.remedy())
                        .param("generation", status.generation())
                        .param("rows", status.snapshotRows())
                        .param("estimated", status.snapshotEstimated())
                        .param("lastChange", timestamp(status.lastChangeAt()))
                        .update();
            }
            return changed.size();
        });
    }

    /** What the session before was the last to know goes on to hold, and no more than that. */
    void holdKnownTimes(long epoch) throws SupersededException {
        asNewest(epoch, () -> hold(Set.of()));
    }

    /**
     * Raises the times up to which the copies have everything.
     *
     * @param until what the source had then has been sent
     * @param known what follows from where the replica stands, in this session's epoch
     */
    void saveKnownTimes(long epoch, Instant until, Function<List<Applied>, CopyTimes.Known> known)
            throws SupersededException {
        asNewest(epoch, () -> {
            CopyTimes.Known now = known.apply(applied(epoch));
            now.until()
                    .forEach((table, time) -> jdbc.sql("""
                    UPDATE syncline.capture_table SET known_until = greatest(known_until, ?) WHERE table_name = ?""")
                            .params(Timestamp.from(time.isBefore(until) ? time : until), table.name())
                            .update());
            // Before the source's time is raised, which is not known to hold for these any more.
            hold(now.keepUp());
            return jdbc.sql("UPDATE syncline.capture_source SET known_until = greatest(known_until, ?) WHERE id = 1")
                    .param(Timestamp.from(until))
                    .update();
        });
    }

    private int hold(Set<TableName> keepUp) {
        return jdbc.sql("""
                UPDATE syncline.capture_table t SET keeps_up = k.name IS NOT NULL,
                    known_until = CASE WHEN t.keeps_up THEN greatest(t.known_until, s.known_until) ELSE t.known_until END
                FROM syncline.capture_table o LEFT JOIN unnest(?::text[]) k (name) ON k.name = o.table_name
                    LEFT JOIN syncline.capture_source s ON true
                WHERE o.table_name = t.table_name AND t.keeps_up <> (k.name IS NOT NULL)""")
                .param(keepUp.stream().map(TableName::name).toArray(String[]::new))
                .update();
    }

    /** Of topics whose newest generation is served: those of their partitions where this epoch's mark has been read. */
    private List<Applied> applied(long epoch) {
        return jdbc.sql("""
                SELECT p.topic, p.partition, p.generation, p.next_offset
                FROM syncline.replica_position p JOIN syncline.replica_table r ON r.topic = p.topic
                WHERE r.state = 'live' AND r.generation = p.generation AND p.epoch = ?""")
                .param(epoch)
                .query((row, _) -> new Applied(row.getString(1), row.getInt(2), row.getLong(3), row.getLong(4)))
                .list();
    }

    List<TableName> tablesWithStatus() {
        return jdbc.sql("SELECT table_name FROM syncline.capture_status")
                .query((row, _) -> new TableName(row.getString(1)))
                .list();
    }

    DecodingStore decoding() {
        return decoding;
    }

    /** Writes as the capturer with the newest epoch. */
    <T> T asNewest(long epoch, Supplier<T> write) throws SupersededException {
        synchronized (this) {
            if (epoch == epochTaken) {
                return counted(epoch, write);
            }
        }
        return uncounted(epoch, write);
    }

    private <T> T uncounted(long epoch, Supplier<T> write) throws SupersededException {
        T written = transactions.execute(_ -> {
            // Shared: whoever takes the next epoch waits for this transaction, and none that comes after passes.
            boolean newest = jdbc.sql("SELECT epoch FROM syncline.capture_epoch WHERE id = 1 FOR SHARE")
                    .query(Long.class)
                    .single() == epoch;
            return newest ? write.get() : null;
        });
        if (written == null) {
            throw new SupersededException(epoch);
        }
        return written;
    }

    /** One at a time, so that the count is known: a database that has another one is not as the last write left it. */
    private <T> T counted(long epoch, Supplier<T> write) throws SupersededException {
        record Counted<T>(long beat, T result) {}
        inDoubt++;
        Counted<T> written = transactions.execute(_ -> jdbc.sql("""
                UPDATE syncline.capture_epoch SET beat = beat + 1
                WHERE id = 1 AND epoch = ? AND beat BETWEEN ? AND ? RETURNING beat""")
                .params(epoch, beat, beat + inDoubt - 1)
                .query(Long.class)
                .optional()
                .map(count -> new Counted<>(count, write.get()))
                .orElse(null));
        if (written == null) {
            verifyNewest(epoch);
            throw new StateWentBackException("of the writes of epoch " + epoch + ", which were " + beat
                    + ", it does not have the last");
        }
        beat = written.beat();
        inDoubt = 0;
        return written.result();
    }

    private static @Nullable Timestamp timestamp(@Nullable Instant instant) {
        return instant == null ? null : Timestamp.from(instant);
    }
}
