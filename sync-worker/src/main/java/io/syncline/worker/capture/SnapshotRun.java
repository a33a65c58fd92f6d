package io.syncline.worker.capture;

import io.syncline.model.table.Place;
import io.syncline.model.table.TableChange;
import io.syncline.worker.capture.CapturedTable.Sent;
import io.syncline.worker.capture.ReplicationSlot.ExportedSnapshot;
import io.syncline.worker.capture.encode.JsonBytes;
import io.syncline.worker.capture.encode.TextRow;
import io.syncline.worker.capture.encode.UnencodableValueException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads some tables as they were at one moment, beside the stream: for each a new generation, its rows by COPY, its end mark. Each
 * table is read in a transaction of its own, so that its lock is let go as soon as it has been read.
 */
final class SnapshotRun implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(SnapshotRun.class);

    private static final long WATCH_INTERVAL_MS = 250;
    private static final int PROGRESS_ROWS = 1000;

    static final String NOT_CONVERTED_REMEDY = "correct the text in the source; the table is then read again by itself";

    private final SourceDatabase source;
    private final ReplicationSlot slot;
    private final SourceCatalogue catalogue;
    private final CaptureStore store;
    private final ChangePublisher publisher;
    private final CaptureProperties properties;
    private final RowBound bound;
    private final Generations generations;
    private final List<CapturedTable> tables;
    private final boolean streamed;
    private final @Nullable ExportedSnapshot given;
    private final Consumer<Throwable> fatal;

    private final Map<Integer, CapturedTable> readers = new ConcurrentHashMap<>();
    private final Set<Connection> sessions = ConcurrentHashMap.newKeySet();
    private final Set<CapturedTable> unended = ConcurrentHashMap.newKeySet();
    private volatile boolean cancelled;
    private volatile boolean allRead;
    /** Whether the snapshot is there, which may have to wait for transactions of others. */
    private volatile boolean opened;

    /**
     * @param tables which keep what happens to them from here on
     * @param streamed whether they are streamed: all of them, or none
     * @param given  the snapshot to read under; null: one of the moment
     * @param fatal told what ends the whole capture: Kafka does not take it, or another capturer has taken over
     */
    SnapshotRun(SourceDatabase source, ReplicationSlot slot, SourceCatalogue catalogue, CaptureStore store,
            ChangePublisher publisher,
            CaptureProperties properties, Generations generations, List<CapturedTable> tables, boolean streamed,
            @Nullable ExportedSnapshot given,
            Consumer<Throwable> fatal) {
        this.source = source;
        this.slot = slot;
        this.catalogue = catalogue;
        this.store = store;
        this.publisher = publisher;
        this.properties = properties;
        bound = new RowBound(properties.maxRowBytes());
        this.generations = generations;
        this.tables = List.copyOf(tables);
        unended.addAll(tables);
        this.streamed = streamed;
        this.given = given;
        this.fatal = fatal;
        tables.forEach(CapturedTable::startHolding);
    }

    private record Opened(CapturedTable table, Generation generation) {}

    private record Begun(CapturedTable table, Generation generation, List<Sent> sent) {}

    @Override
    public void run() {
        try (ExportedSnapshot snapshot = given != null
                ? given
                : streamed ? slot.snapshotOfNow()
                : slot.snapshotOfReaders()) {
            opened = true;
            read(snapshot, begin(snapshot));
        } catch (SQLException e) {
            LOG.warn("No snapshot of {}: {}", names(), e.getMessage());
            tables.forEach(table -> table.failed(new LeftOut("its snapshot cannot be read: " + e.getMessage(),
                    "it is tried again by itself; see the source's log if that goes on")));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (SupersededException | RuntimeException | Error e) {
            // An Error, too: nobody would hear of it.
            fatal.accept(e);
        } finally {
            opened = true;
            List.copyOf(unended).forEach(this::ended);
        }
    }

    boolean isOfStreamed() {
        return streamed;
    }

    /** Whether it waits for others' transactions. */
    boolean isWaiting() {
        return streamed && !opened;
    }

    void waitsFor(LeftOut transaction) {
        tables.forEach(table -> table.waitsFor(transaction));
    }

    /** Another run may take the table from here on. */
    private void ended(CapturedTable table) {
        if (unended.remove(table)) {
            table.readingEnded();
        }
    }

    private String names() {
        return String.join(", ", tables.stream().limit(10).map(table -> table.name().name()).toList())
                + (tables.size() > 10 ? " and " + (tables.size() - 10) + " more" : "");
    }

    /** Ends it from outside; what has begun has no end mark. */
    void cancel() {
        cancelled = true;
        for (Connection session : sessions) {
            try {
                session.abort(Runnable::run);
            } catch (SQLException e) {
                LOG.debug("A session with the source does not end: {}", e.getMessage());
            }
        }
    }

    private List<Begun> begin(ExportedSnapshot snapshot)
            throws SQLException, SupersededException, InterruptedException {
        PgSnapshot visible;
        Catalogue seen;
        Connection session = open(snapshot);
        try {
            try (Statement statement = session.createStatement();
                    ResultSet rows = statement.executeQuery("SELECT pg_current_snapshot()::text")) {
                rows.next();
                visible = PgSnapshot.parse(rows.getString(1));
            }
            seen = catalogue.read(session);
        } finally {
            close(session);
        }
        List<Opened> opened = new ArrayList<>();
        Map<String, Long> numbers = new HashMap<>();
        for (CapturedTable table : tables) {
            SourceTable asSeen = seen.tables().get(table.name());
            if (asSeen == null || asSeen.streamed() != streamed
                    || streamed && !seen.published().contains(table.name())) {
                // Gone, or of another kind, by now: the next look at the catalogue settles it.
                continue;
            }
            long number = generations.next();
            store.begin(generations.epoch(), number, table.topic(), asSeen, visible, snapshot.lsn());
            numbers.put(table.topic(), number);
            opened.add(new Opened(table, table.generation(number, asSeen, visible, snapshot.lsn(), snapshot.asOf())));
        }
        generations.begun(numbers);
        List<Begun> begun = new ArrayList<>();
        try (MissingValues values = new MissingValues(source)) {
            Lookup lookup = new Lookup(values);
            for (Opened one : opened) {
                CapturedTable table = one.table();
                List<Sent> sent = new ArrayList<>();
                if (table.begin(one.generation(), lookup, sent)) {
                    CaptureStore.Request request = table.takeRequest();
                    if (request != null) {
                        await(sent);
                        store.answered(request);
                    }
                    begun.add(new Begun(table, one.generation(), sent));
                    // What has happened since its snapshot may have halted it already.
                    table.rememberGivenUp();
                }
            }
        }
        LOG.info("Snapshot of {} at {}", names(), Lsn.text(snapshot.lsn()));
        return begun;
    }

    private void read(ExportedSnapshot snapshot, List<Begun> begun) throws InterruptedException {
        if (begun.isEmpty()) {
            return;
        }
        Thread.ofVirtual().name("capture-snapshot-watch").start(this::watch);
        Queue<Begun> unread = new ConcurrentLinkedQueue<>(begun);
        int threads = Math.min(properties.snapshotThreads(), begun.size());
        try (ExecutorService executor = Executors.newFixedThreadPool(threads,
                Thread.ofPlatform().name("capture-snapshot-", 0).daemon().factory())) {
            List<Future<?>> reading = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                reading.add(executor.submit(() -> readAll(snapshot, unread)));
            }
            for (Future<?> one : reading) {
                one.get();
            }
        } catch (ExecutionException e) {
            fatal.accept(e.getCause() == null ? e : e.getCause());
        } finally {
            allRead = true;
        }
    }

    /** One thread's share, in one session where all goes well. */
    private void readAll(ExportedSnapshot snapshot, Queue<Begun> unread) {
        Connection session = null;
        try {
            for (Begun table = unread.poll(); table != null && !cancelled; table = unread.poll()) {
                try {
                    if (session == null) {
                        session = open(snapshot);
                    } else {
                        snapshot.beginAgain(session);
                    }
                    if (!read(session, table)) {
                        // In the middle of a COPY: to cancel one whose backend has been ended may wait for ever.
                        close(session);
                        session = null;
                    }
                } catch (SQLException e) {
                    close(session);
                    session = null;
                    failed(table.table(), e);
                } catch (UnencodableValueException | OutOfMemoryError e) {
                    // In the middle of a COPY.
                    close(session);
                    session = null;
                    UnencodableValueException why = e instanceof OutOfMemoryError error
                            ? RowBound.beyondMemory(error)
                            : (UnencodableValueException) e;
                    LOG.warn("Table {} is halted: {}", table.table().name(), why.cause());
                    table.table().halt(why);
                    table.table().rememberGivenUp();
                }
                ended(table.table());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (SupersededException | ExecutionException | RuntimeException | Error e) {
            fatal.accept(e);
        } finally {
            close(session);
        }
    }

    private void failed(CapturedTable table, SQLException e) {
        if (!cancelled) {
            LOG.warn("The snapshot of table {} ended early and is begun anew: {}", table.name(), e.getMessage());
            table.failed(notConverted(e)
                    ? new LeftOut("a row of it has a text that cannot be told in UTF-8: " + e.getMessage(),
                            NOT_CONVERTED_REMEDY)
                    : new LeftOut("its snapshot ended early: " + e.getMessage(), "it is begun anew by itself"));
        }
    }

    /** character_not_in_repertoire, untranslatable_character */
    private static boolean notConverted(SQLException e) {
        return "22021".equals(e.getSQLState()) || "22P05".equals(e.getSQLState());
    }

    /** False if the generation was given up meanwhile: the session is of no more use. */
    private boolean read(Connection session, Begun begun)
            throws SQLException, SupersededException, ExecutionException, InterruptedException {
        CapturedTable table = begun.table();
        long rows = copy(session, begun);
        if (rows < 0) {
            return false;
        }
        await(begun.sent());
        List<Future<RecordMetadata>> end = table.end(begun.generation(), rows);
        for (Future<?> mark : end) {
            publisher.await(mark);
        }
        if (!end.isEmpty()) {
            store.complete(generations.epoch(), table.name(), begun.generation().number());
            table.completed(begun.generation());
            LOG.info("Table {} is captured: generation {}, {} rows", table.name(), begun.generation().number(), rows);
        }
        return true;
    }

    /** The number of rows; -1 if the generation was given up meanwhile. */
    private long copy(Connection session, Begun begun) throws SQLException, InterruptedException {
        CapturedTable table = begun.table();
        Generation generation = begun.generation();
        SourceTable columns = generation.table();
        ChangePublisher.Rows rows = publisher.rows(table.topic(), table.partitions(),
                new TableChange.Upsert(generations.epoch(), Place.ofSnapshot(generation.number()), new byte[0],
                        new byte[0]),
                generation.asOf().toEpochMilli());
        AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
        int pid = session.unwrap(PGConnection.class).getBackendPID();
        readers.put(pid, table);
        long count;
        try {
            count = copyRows(session, begun, rows, failure);
            if (count >= 0) {
                verifyNotRewritten(session, columns);
                session.rollback();
            }
        } finally {
            readers.remove(pid);
        }
        if (count >= 0) {
            rows.settle();
        }
        return failure.get() != null ? stopEarly(failure.get()) : count;
    }

    private long copyRows(Connection session, Begun begun, ChangePublisher.Rows rows,
            AtomicReference<@Nullable Exception> failure) throws SQLException {
        CapturedTable table = begun.table();
        Generation generation = begun.generation();
        SourceTable columns = generation.table();
        int own = columns.columns().size();
        TextRow row = new TextRow(columns.toldByPlace() ? own + 2 : own);
        JsonBytes buffer = bound.buffer();
        CopyOut copy = session.unwrap(PGConnection.class)
                .getCopyAPI()
                .copyOut("COPY (SELECT " + columns.selectList() + " FROM " + columns.rows()
                        + ") TO STDOUT");
        long read = 0;
        long ofSnapshot = 0;
        for (byte[] line = copy.readFromCopy(); line != null; line = copy.readFromCopy()) {
            bound.verifyCopied(line.length);
            row.readCopyLine(line);
            byte[] key = columns.keyless() ? null : columns.encoder().key(row, buffer);
            byte[] json = bound.json(columns, row, key, buffer);
            read++;
            if (columns.toldByPlace()) {
                key = KeylessKey.ofPlace(json, row.text(own), row.text(own + 1), read);
            }
            Callback callback = (_, problem) -> {
                if (problem != null) {
                    failure.compareAndSet(null, problem);
                }
            };
            if (key != null) {
                rows.send(key, json, callback);
                ofSnapshot++;
            } else {
                CapturedTable.CountedRow counted = table.count(generation, json);
                if (counted != null && counted.place().lsn() == 0) {
                    rows.send(counted.key(), json, callback);
                    ofSnapshot++;
                } else if (counted != null) {
                    begun.sent()
                            .add(new Sent(table, publisher.send(table.topic(), table.partitions(),
                                    new TableChange.Upsert(generations.epoch(), counted.place(), counted.key(), json),
                                    generation.asOf().toEpochMilli())));
                }
            }
            if (read % PROGRESS_ROWS == 0) {
                table.progress(read);
            }
            if (cancelled || failure.get() != null || !table.isBeingRead(generation)) {
                return -1;
            }
        }
        table.progress(read);
        return ofSnapshot;
    }

    private static long stopEarly(@Nullable Exception failure) {
        if (failure instanceof RecordTooLargeException tooLarge) {
            throw ChangePublisher.tooLarge(tooLarge);
        }
        if (failure != null) {
            throw new IllegalStateException("Kafka did not take a row: " + failure.getMessage(), failure);
        }
        return -1;
    }

    /** A rewritten table looks empty to an older snapshot: what was read of it is not what was there. */
    private static void verifyNotRewritten(Connection session, SourceTable table) throws SQLException {
        // The functions look at the catalogue as it is now, not as the snapshot sees it.
        String sql = "SELECT md5(string_agg(p.oid || ':' || coalesce(pg_relation_filenode(p.oid), 0), ',' ORDER BY p.oid)) FROM "
                + (table.partitioned()
                        ? "(SELECT relid::oid AS oid FROM pg_partition_tree(" + table.oid() + "::oid) WHERE isleaf) p"
                        : "(SELECT " + table.oid() + "::oid AS oid) p");
        try (Statement statement = session.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            if (!String.valueOf(rows.getString(1)).equals(table.places())) {
                throw new SQLException("it was rewritten before it could be read");
            }
        }
    }

    /** A reader that a session of the owner's waits for (to alter the table, or to truncate it) gives way. */
    private void watch() {
        String sql = "SELECT p.pid FROM unnest(?) AS p (pid) WHERE EXISTS ("
                + "SELECT FROM pg_locks w WHERE NOT w.granted AND p.pid = ANY (pg_blocking_pids(w.pid)))";
        while (!cancelled && !allRead) {
            try (Connection session = source.connect()) {
                while (!cancelled && !allRead) {
                    Thread.sleep(WATCH_INTERVAL_MS);
                    watch(session, sql);
                }
            } catch (SQLException e) {
                LOG.warn("Whether snapshots are waited for cannot be asked just now: {}", e.getMessage());
                try {
                    Thread.sleep(WATCH_INTERVAL_MS);
                } catch (InterruptedException interrupted) {
                    return;
                }
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void watch(Connection session, String sql) throws SQLException {
        Object[] pids = readers.keySet().toArray();
        if (pids.length == 0) {
            return;
        }
        try (var statement = session.prepareStatement(sql)) {
            statement.setArray(1, session.createArrayOf("int4", pids));
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    giveWay(session, rows.getInt(1));
                }
            }
        }
    }

    private void giveWay(Connection session, int pid) throws SQLException {
        CapturedTable table = readers.get(pid);
        if (table != null) {
            LOG.info("The snapshot of table {} gives way to a session that waits for it", table.name());
            // Cancelled, a COPY that waits for us to read on would go on waiting, and so would they.
            try (var statement = session.prepareStatement("SELECT pg_terminate_backend(?)")) {
                statement.setInt(1, pid);
                statement.execute();
            }
        }
    }

    private void await(List<Sent> sent) throws InterruptedException {
        for (Sent one : sent) {
            try {
                one.acknowledged();
            } catch (ExecutionException e) {
                stopEarly(e.getCause() instanceof Exception cause ? cause : e);
            }
        }
    }

    private Connection open(ExportedSnapshot snapshot) throws SQLException {
        Connection session = snapshot.open();
        sessions.add(session);
        if (cancelled) {
            close(session);
            throw new SQLException("the snapshot was cancelled");
        }
        return session;
    }

    private void close(@Nullable Connection session) {
        if (session != null) {
            sessions.remove(session);
            try {
                session.close();
            } catch (SQLException e) {
                LOG.debug("A session with the source does not end: {}", e.getMessage());
            }
        }
    }
}
