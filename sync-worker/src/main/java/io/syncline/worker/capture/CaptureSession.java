package io.syncline.worker.capture;

import io.syncline.model.table.TableChange;
import io.syncline.model.table.TableName;
import io.syncline.worker.capture.CaptureStore.Remembered;
import io.syncline.worker.capture.CaptureStore.SourceStatus;
import io.syncline.worker.capture.CaptureStore.TableStatus;
import io.syncline.worker.capture.ReplicationSlot.ExportedSnapshot;
import io.syncline.worker.capture.debezium.RefusedTables;
import io.syncline.worker.capture.debezium.SourceSession;
import io.syncline.worker.capture.debezium.UndecodableException;
import io.syncline.worker.marks.Marks;
import io.syncline.worker.marks.StateMarks;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.connect.errors.ConnectException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One turn of capturing, from taking the slot to losing it. In this order: a new epoch; whoever holds the slot is ended; what is
 * published is put right; the epoch's mark goes to every topic; the stream starts. Then the catalogue is looked at again and again,
 * and tables that need it are snapshotted.
 */
final class CaptureSession {

    private static final Logger LOG = LoggerFactory.getLogger(CaptureSession.class);

    /** A big table's snapshot must not keep a small new one waiting. */
    private static final int MOST_RUNS = 2;

    private static final Duration FRIENDLY_END = Duration.ofSeconds(5);
    private static final Duration HARD_END = Duration.ofSeconds(25);

    private final SourceDatabase source;
    private final CaptureProperties properties;
    private final CaptureStore store;
    private final StateMarks marks;
    private final TableTopics topics;
    private final ChangePublisher publisher;
    private final BooleanSupplier goOn;
    private final String holder;
    private final Supplier<String> warnings;
    private final Semaphore signal;
    private final AtomicReference<String> found;

    private final Publication publication;
    private final ReplicationSlot slot;
    private final SourceCatalogue catalogue;
    private final UndecodableSlot undecodable;
    private final Map<TableName, CapturedTable> tables = new ConcurrentHashMap<>();
    private final Map<TableName, TableStatus> told = new HashMap<>();
    private final Map<TableName, LeftOut> leftOut = new TreeMap<>();
    private final KeylessRows keylessRows;
    /** Tables that are yet to be published, and why they could not be. */
    private final Map<TableName, LeftOut> refused = new HashMap<>();
    private final Set<TableName> undropped = new HashSet<>();
    private final Map<SnapshotRun, Thread> runs = new ConcurrentHashMap<>();
    private final AtomicReference<@Nullable Throwable> fatal = new AtomicReference<>();
    private final CopyTimes copyTimes = new CopyTimes();

    private long epoch;
    private Generations generations;
    /** What the state database lacked, until every table has been read since; empty if nothing. */
    private String wentBack;
    private volatile @Nullable Instant takenUntil;
    private Map<TableName, Remembered> remembered = Map.of();
    private @Nullable SourceIdentity identity;
    /** The publication's OID. */
    private long published;
    /** Why the catalogue could not be looked at the last time; empty if it could. */
    private String notLooked = "";
    /** That there is no schema to capture from; empty if there is one. */
    private String withoutSchema = "";

    /**
     * @param goOn     whether this worker still has the lease and is not being stopped
     * @param signal   released by others when {@code goOn} may have changed
     * @param found    what the session before found that the state database lacks, until that is in Kafka; empty if nothing
     */
    CaptureSession(SourceDatabase source, CaptureProperties properties, CaptureStore store, StateMarks marks,
            TableTopics topics, ChangePublisher publisher, BooleanSupplier goOn, Semaphore signal, String holder,
            Supplier<String> warnings, AtomicReference<String> found) {
        this.source = source;
        this.properties = properties;
        this.store = store;
        this.marks = marks;
        this.found = found;
        wentBack = found.get();
        generations = new Generations(0, 0, store, marks);
        this.topics = topics;
        this.publisher = publisher;
        this.goOn = goOn;
        this.signal = signal;
        this.holder = holder;
        this.warnings = warnings;
        publication = new Publication(properties.publication());
        slot = new ReplicationSlot(source, properties.slotName());
        Exclusions exclusions = new Exclusions();
        catalogue = new SourceCatalogue(properties.publication(), store.replicaServer(), exclusions);
        undecodable = new UndecodableSlot(source, properties, store.decoding(), exclusions);
        keylessRows = new KeylessRows(properties.maxKeylessRows());
    }

    /**
     * Captures until the lease is lost or something fails.
     *
     * @throws StateWentBackException if the state database does not say what was written to it: the next session trusts nothing there
     */
    void run() throws SQLException, SourceUnusableException, SupersededException, ExecutionException,
            InterruptedException {
        try {
            capture();
        } catch (StateWentBackException e) {
            found.set(e.lacking());
            try {
                // For whoever captures next, should this worker not live to do it.
                marks.distrust(epoch + 1, e.lacking());
            } catch (KafkaException unwritten) {
                LOG.debug("That the state database went back is not in Kafka yet: {}", unwritten.getMessage());
            }
            throw e;
        }
    }

    private void capture() throws SQLException, SourceUnusableException, SupersededException, ExecutionException,
            InterruptedException {
        try (Connection connection = source.connect()) {
            claim(connection);
        }
        takeEpoch();
        LOG.info("Capturing {} begins: epoch {}", source.database(), epoch);
        // What the session before was the last to know: this one has yet to see that the copies have it all.
        store.holdKnownTimes(epoch);
        SourceTimes times = new SourceTimes(epoch);
        StreamEngine engine = null;
        long startLsn = 0;
        try (Connection connection = source.connect();
                MissingValues values = new MissingValues(source);
                RefusedTables passedOver = new RefusedTables()) {
            Start start = begin(connection);
            startLsn = start.lsn();
            store.streamBegins(epoch, start.lsn());
            if (start.snapshot() != null) {
                // Before the stream: what it brings from the beginning on is for these snapshots.
                snapshot(due(true), true, start.snapshot());
            }
            TableCapture stream = new TableCapture(byNameOrOid(), values, passedOver, times, this::taken,
                    SourceCheck.encoding(connection).equals(SourceSession.NO_ENCODING), () -> verify(start.lsn()),
                    signal::release);
            engine = StreamEngine.start(CaptureSettings.engine(source, properties, start.lsn(), passedOver), stream,
                    signal::release);
            while (goOn.getAsBoolean()) {
                failIfEnded(engine);
                snapshotWhatIsDue();
                nameWhatIsWaitedFor(connection);
                tell(connection, stream);
                tellTimes(times);
                times.write(connection);
                var unused = signal.tryAcquire(properties.catalogueInterval().toMillis(), TimeUnit.MILLISECONDS);
                if (goOn.getAsBoolean()) {
                    failIfEnded(engine);
                    if (lookAgain(connection)) {
                        times.looked();
                    }
                    for (CapturedTable table : tables.values()) {
                        table.giveWay();
                    }
                    takeRequests();
                }
            }
            store.saveSource(epoch, holder, status("stopped", null, null, null));
        } catch (UndecodableException e) {
            undecodable.failed(epoch, startLsn, e);
            throw e;
        } finally {
            end(engine);
        }
    }

    /**
     * The epoch comes from Kafka, and goes to the state database. What that remembers is compared with what it had: where it lacks
     * any of it, no generation is gone on with, since it may lack, too, that one of them was given up.
     */
    private void takeEpoch() {
        StateMarks.Epoch allocated;
        Optional<CaptureStore.Taken> taken;
        do {
            allocated = marks.nextEpoch(store.newestEpoch());
            taken = store.takeEpoch(allocated.number(), holder);
        } while (taken.isEmpty());
        epoch = allocated.number();
        Collection<Remembered> there = store.tables().values();
        if (wentBack.isEmpty()) {
            wentBack = taken.get().asLeft()
                    ? StateWitness.missing(allocated.before(), taken.get().before(), there).orElse("")
                    : "the last writes of epoch " + taken.get().before();
        }
        Optional<Marks.Distrust> distrust = allocated.before().distrust();
        if (wentBack.isEmpty()) {
            generations = new Generations(epoch, distrust.map(Marks.Distrust::epoch).orElse(0L), store, marks);
            boolean allRead = there.stream()
                    .allMatch(table -> table.gone() || table.complete() && generations.trusts(table.generation()));
            wentBack = allRead ? "" : distrust.map(Marks.Distrust::why).orElse("");
        } else {
            LOG.warn("{}", wentBackSentence());
            found.set(wentBack);
            trustNothing();
        }
        found.set("");
        marks.begun(epoch);
    }

    /** No generation that there is now is gone on with, whatever becomes of this session. */
    private void trustNothing() {
        marks.distrust(epoch, wentBack);
        generations = new Generations(epoch, epoch, store, marks);
    }

    private String wentBackSentence() {
        return StateWentBackException.sentence(wentBack) + "; " + StateWentBackException.REMEDY;
    }

    private TableCapture.Tables byNameOrOid() {
        return new TableCapture.Tables() {
            @Override
            public @Nullable CapturedTable named(TableName name) {
                return tables.get(name);
            }

            @Override
            public @Nullable CapturedTable of(long oid) {
                return tables.values().stream().filter(table -> table.oid() == oid).findAny().orElse(null);
            }
        };
    }

    private record Start(long lsn, @Nullable ExportedSnapshot snapshot) {}

    /** Before anything is touched: whoever takes the slot ends its reader. */
    private void claim(Connection connection) throws SQLException, SourceUnusableException {
        publication.ensureExists(connection);
        String cluster = store.cluster();
        String owner = publication.claim(connection, cluster);
        if (!owner.equals(cluster)) {
            throw new SourceUnusableException(new SourceProblem("syncline.capture.publication",
                    properties.publication(),
                    "it is of another Syncline cluster, " + owner + " (this one is " + cluster
                            + "), and two with one slot would take changes away from each other",
                    "set syncline.capture.publication and slot-name to names of this cluster's own; or, if that cluster is no"
                            + " more, DROP PUBLICATION " + properties.publication()
                            + " and SELECT pg_drop_replication_slot('"
                            + properties.slotName() + "')",
                    true));
        }
        published = publication.putRight(connection);
    }

    private Start begin(Connection connection)
            throws SQLException, SupersededException, ExecutionException, InterruptedException {
        slot.takeFromOthers(connection);
        SourceIdentity now = SourceIdentity.of(source);
        store.saveSource(epoch, holder, status("checking", null, null, null));
        undecodable.remember();
        ReplicationSlot.State state = usableSlot(connection, now);
        if (state == null) {
            trustNothing();
            store.forgetGenerations(epoch);
        }
        // Not before: what an interrupted start has forgotten must stay forgotten.
        identity = now;
        remembered = store.tables();
        markEpochInOldTopics();
        look(connection);
        forgetStatusOfOthers();
        store.saveSource(epoch, holder, status("running", state, null, null));
        if (state != null) {
            store.saveSlotPublication(epoch, published);
            LOG.info("The slot {} stands at {}", properties.slotName(), Lsn.text(state.confirmedLsn()));
            return new Start(state.confirmedLsn(), null);
        }
        // After the publication: pgoutput looks at it as it was when a change was made.
        ExportedSnapshot snapshot = createSlot();
        try {
            store.saveSlotPublication(epoch, published);
        } catch (SupersededException | RuntimeException e) {
            // A transaction that stays open holds the source's vacuum back.
            close(snapshot);
            throw e;
        }
        LOG.info("The slot {} has been made at {}", properties.slotName(), Lsn.text(snapshot.lsn()));
        return new Start(snapshot.lsn(), snapshot);
    }

    /** It may have to wait for others' transactions, for as long as those last: operators read meanwhile for which. */
    private ExportedSnapshot createSlot() throws SQLException, InterruptedException {
        Thread teller = Thread.ofVirtual().name("capture-slot-wait").start(() -> {
            try {
                while (true) {
                    Thread.sleep(properties.catalogueInterval());
                    try (Connection connection = source.connect()) {
                        LeftOut transaction = SnapshotWait.of(connection);
                        tables.values().forEach(table -> table.waitsFor(transaction));
                        store.saveTables(epoch, tables.values().stream().map(CapturedTable::status).toList(),
                                List.of());
                    }
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (SQLException | SupersededException | RuntimeException e) {
                LOG.debug("What the slot waits for cannot be told: {}", e.getMessage());
            }
        });
        try {
            return slot.create();
        } finally {
            teller.interrupt();
            teller.join();
        }
    }

    /**
     * Debezium makes a slot that it does not find: one that was dropped behind our check begins where it was made, and what happened
     * before is lost. So that this cannot pass, not even by a crash here, the beginning is remembered until the slot has shown that
     * it is the one we saw: nothing has moved it yet.
     */
    private void verify(long startLsn) throws SQLException, SupersededException {
        store.verifyNewest(epoch);
        try (Connection connection = source.connect()) {
            ReplicationSlot.State state = slot.state(connection);
            if (state == null || state.confirmedLsn() > startLsn) {
                throw new SQLException(
                        "slot " + properties.slotName() + " is not the one that the stream began with, which stood at "
                                + Lsn.text(startLsn));
            }
        }
        store.streamVerified(epoch);
    }

    /** The slot, if what it says follows on what is in the topics; null if it must be made. */
    private ReplicationSlot.@Nullable State usableSlot(Connection connection, SourceIdentity now)
            throws SQLException, SupersededException {
        ReplicationSlot.State state = slot.state(connection);
        if (state == null) {
            return null;
        }
        SourceIdentity before = store.identity();
        if (before != null && !before.equals(now)) {
            LOG.warn("The source is another one, or restored ({}, before {}): everything is captured anew", now,
                    before);
        } else if (slot.endOfWal(connection) < store.confirmedLsn()) {
            LOG.warn(
                    "The source's WAL ends before what had been confirmed: it is restored to an earlier moment, and everything is"
                            + " captured anew");
        } else if (hasGoneBack(state)) {
            LOG.warn(
                    "The slot {} stands at {}, before what has been published: the source was restarted, or is restored to an"
                            + " earlier moment, and everything is captured anew",
                    properties.slotName(), Lsn.text(state.confirmedLsn()));
        } else if (state.lost()) {
            LOG.warn("The slot {} has lost WAL that it needs (max_slot_wal_keep_size): everything is captured anew",
                    properties.slotName());
        } else if (!Publication.isOfSlot(published, store.slotPublication())) {
            LOG.warn(
                    "Publication {} is another one than when the slot {} was made. What happened while there was none cannot be"
                            + " read, and everything is captured anew",
                    publication, properties.slotName());
        } else if (state.confirmedLsn() > store.unverifiedStart()) {
            LOG.warn("The slot {} has been made anew by others: everything is captured anew", properties.slotName());
        } else if (!undecodable.isGivenUp(connection, epoch, state, () -> catalogue.read(connection).tables())) {
            return state;
        }
        slot.drop(connection);
        return null;
    }

    /**
     * A slot goes back when the source crashes, to where it was last written to disk; and when the source is restored. In the second
     * case what was published from there on has never been, and what comes now may be taken for older than that. Nothing tells one
     * from the other, since a restored source may have written more than it has lost by now.
     */
    private boolean hasGoneBack(ReplicationSlot.State state) {
        return state.confirmedLsn() < store.confirmedLsn() && state.confirmedLsn() < store.publishedLsn();
    }

    /** Topics of tables that may not be there any more: an older capturer may still write to them. */
    private void markEpochInOldTopics() throws ExecutionException, InterruptedException {
        Set<String> existing = topics.existing();
        List<Future<RecordMetadata>> marks = new ArrayList<>();
        for (Remembered table : remembered.values()) {
            if (existing.contains(table.topic())) {
                marks.addAll(markEpoch(table.topic(), topics.partitions(table.topic())));
            }
        }
        await(marks);
    }

    private List<Future<RecordMetadata>> markEpoch(String topic, int partitions) {
        return publisher.sendToAll(topic, partitions, new TableChange.EpochBegun(epoch), System.currentTimeMillis());
    }

    private void await(Collection<? extends Future<?>> sent) throws ExecutionException, InterruptedException {
        for (Future<?> one : sent) {
            publisher.await(one);
        }
    }

    // ---- the catalogue

    /** Where a lock keeps us from it, what was seen last goes on to hold; false then. */
    private boolean lookAgain(Connection connection)
            throws SQLException, SupersededException, ExecutionException, InterruptedException {
        try {
            look(connection);
            notLooked = "";
            return true;
        } catch (SQLException e) {
            if (!SourceDatabase.isLockTimeout(e)) {
                throw e;
            }
            String sentence = SourceCheck.ofLock("the catalogue cannot be looked at: " + e.getMessage()).sentence();
            if (!sentence.equals(notLooked)) {
                LOG.warn("{}", sentence);
            }
            notLooked = sentence;
            return false;
        }
    }

    /** Puts right what is published, and takes tables in and out. */
    private void look(Connection connection)
            throws SQLException, SupersededException, ExecutionException, InterruptedException {
        if (publication.putRight(connection) != published) {
            throw new IllegalStateException("publication " + publication
                    + " was dropped, renamed or replaced: it is made again, and everything is captured anew");
        }
        Catalogue now = catalogue.read(connection);
        undecodable.include(epoch, now.tables(), this::isLive);
        leftOut.clear();
        leftOut.putAll(now.leftOut());
        String missing = now.tables().isEmpty() && now.leftOut().isEmpty() && SourceCheck.lacksSchema(connection)
                ? SourceCheck.NO_SCHEMA.sentence()
                : "";
        if (!missing.isEmpty() && withoutSchema.isEmpty()) {
            LOG.warn("{}", missing);
        }
        withoutSchema = missing;
        unpublish(connection, now);
        Map<TableName, SourceTable> captured = publish(connection, now);
        for (SourceTable table : now.tables().values()) {
            if (!table.streamed()) {
                captured.put(table.name(), table);
            }
        }
        takeIn(captured, now.published());
        takeOut(captured.keySet(), now);
        verifyOrder();
    }

    private boolean isLive(TableName table) {
        CapturedTable captured = tables.get(table);
        return captured != null && captured.isLive();
    }

    private void verifyOrder() {
        Set<String> wanted = new HashSet<>();
        tables.values().forEach(table -> wanted.addAll(table.collations()));
        Set<String> known = wanted.isEmpty() ? Set.of() : store.collations(wanted);
        tables.values().forEach(table -> table.order(known));
    }

    /** First of all: until this is done, UPDATE and DELETE may fail on such a table. */
    private void unpublish(Connection connection, Catalogue now) {
        for (TableName table : now.published()) {
            SourceTable known = now.tables().get(table);
            if (known == null || !known.streamed()) {
                try {
                    publication.drop(connection, table);
                    LeftOut cause = known == null ? now.leftOut().get(table) : known.unpublished();
                    LOG.warn("Table {} is taken out of the publication: {}", table,
                            cause == null ? "it is never served" : cause.cause());
                    undropped.remove(table);
                } catch (SQLException e) {
                    if (undropped.add(table)) {
                        LOG.warn("Table {} cannot be taken out of the publication yet: {}", table,
                                Publication.refusal(e));
                    }
                }
            }
        }
        undropped.retainAll(now.published());
    }

    private Map<TableName, SourceTable> publish(Connection connection, Catalogue now) throws SQLException {
        Map<TableName, SourceTable> published = new HashMap<>();
        for (SourceTable table : now.tables().values()) {
            if (!table.streamed()) {
                continue;
            }
            if (now.published().contains(table.name())) {
                published.put(table.name(), table);
                continue;
            }
            try {
                if (publication.add(connection, table)) {
                    published.put(table.name(), table);
                }
                refused.remove(table.name());
            } catch (SQLException e) {
                if (!connection.isValid(5)) {
                    throw e;
                }
                LeftOut why = new LeftOut("it cannot be published yet: " + Publication.refusal(e),
                        "it is tried again by itself");
                if (refused.put(table.name(), why) == null) {
                    LOG.warn("Table {}: {}", table.name(), why.cause());
                }
            }
        }
        refused.keySet().removeIf(table -> published.containsKey(table) || !isStreamed(now.tables().get(table)));
        return published;
    }

    private static boolean isStreamed(@Nullable SourceTable table) {
        return table != null && table.streamed();
    }

    private void takeIn(Map<TableName, SourceTable> now, Set<TableName> publishedBefore)
            throws ExecutionException, InterruptedException {
        List<SourceTable> fresh = new ArrayList<>();
        for (SourceTable table : now.values()) {
            CapturedTable captured = tables.get(table.name());
            if (captured == null) {
                fresh.add(table);
            } else {
                captured.seen(table);
            }
        }
        if (fresh.isEmpty()) {
            return;
        }
        Map<TableName, Remembered> before = store.tables();
        long older = before.values().stream().filter(Remembered::isOfOlderVersion).count();
        if (older > 0) {
            LOG.info(
                    "{} tables are read into new generations, once: an older version has captured them, which did not witness what"
                            + " is done to a table and undone",
                    older);
        }
        Map<TableName, Integer> partitions = topics.ensure(fresh.stream().map(SourceTable::name).toList());
        List<Future<RecordMetadata>> marks = new ArrayList<>();
        List<CapturedTable> captured = new ArrayList<>();
        for (SourceTable table : fresh) {
            int count = partitions.getOrDefault(table.name(), 1);
            CapturedTable one = new CapturedTable(table, count, generations, properties, publisher, keylessRows);
            Remembered known = before.get(table.name());
            if (known != null) {
                one.follows(known);
                if (!table.streamed() || publishedBefore.contains(table.name())) {
                    one.resume(known);
                }
            }
            marks.addAll(markEpoch(one.topic(), count));
            captured.add(one);
        }
        await(marks);
        captured.forEach(one -> tables.put(one.name(), one));
    }

    /** What is only waiting to be published stays as it is. */
    private void takeOut(Set<TableName> captured, Catalogue now)
            throws SupersededException, ExecutionException, InterruptedException {
        for (CapturedTable table : List.copyOf(tables.values())) {
            if (!captured.contains(table.name()) && !now.tables().containsKey(table.name())) {
                // Before any change of it is let go.
                if (table.newest() > 0) {
                    generations.giveUp(table, table.newest());
                }
                tables.remove(table.name());
                await(table.drop());
                store.gone(epoch, table.name());
                LOG.info("Table {} is no longer captured", table.name());
            }
        }
        Set<String> existing = null;
        for (Remembered table : remembered.values()) {
            if (!table.gone() && !tables.containsKey(table.table()) && !now.tables().containsKey(table.table())) {
                existing = existing == null ? topics.existing() : existing;
                if (existing.contains(table.topic())) {
                    await(publisher.sendToAll(table.topic(), topics.partitions(table.topic()),
                            new TableChange.Dropped(epoch, generations.next()), System.currentTimeMillis()));
                }
                store.gone(epoch, table.table());
            }
        }
        // From here on what is in tables is what counts.
        remembered = Map.of();
    }

    // ---- snapshots

    private void takeRequests() {
        Map<String, CapturedTable> byTopic = new HashMap<>();
        tables.values().forEach(table -> byTopic.put(table.topic(), table));
        for (CaptureStore.Request request : store.requests()) {
            CapturedTable table = byTopic.get(request.topic());
            if (table != null) {
                LOG.info("The replica of table {} asks for a new generation: {}", table.name(), request.reason());
                table.request(request);
            }
        }
    }

    private List<CapturedTable> due(boolean streamed) {
        return tables.values()
                .stream()
                .filter(table -> table.isStreamed() == streamed)
                .filter(CapturedTable::takeForReading)
                .toList();
    }

    private void snapshotWhatIsDue() {
        runs.values().removeIf(thread -> !thread.isAlive());
        for (boolean streamed : new boolean[]{true, false}) {
            if (runs.keySet().stream().filter(run -> run.isOfStreamed() == streamed).count() < MOST_RUNS) {
                snapshot(due(streamed), streamed, null);
            }
        }
    }

    private void snapshot(List<CapturedTable> due, boolean streamed, @Nullable ExportedSnapshot given) {
        if (due.isEmpty()) {
            close(given);
            return;
        }
        SnapshotRun run = new SnapshotRun(source, slot, catalogue.forAnotherSession(), store, publisher, properties,
                generations, due, streamed, given,
                problem -> {
                    fatal.compareAndSet(null, problem);
                    signal.release();
                });
        Thread thread = Thread.ofPlatform().daemon().name("capture-snapshot").unstarted(run);
        runs.put(run, thread);
        thread.start();
    }

    private void nameWhatIsWaitedFor(Connection connection) throws SQLException {
        List<SnapshotRun> waiting = runs.keySet().stream().filter(SnapshotRun::isWaiting).toList();
        if (!waiting.isEmpty()) {
            LeftOut transaction = SnapshotWait.of(connection);
            waiting.forEach(run -> run.waitsFor(transaction));
        }
    }

    private static void close(@Nullable ExportedSnapshot snapshot) {
        if (snapshot != null) {
            try {
                snapshot.close();
            } catch (SQLException e) {
                LOG.debug("A session with the source does not end: {}", e.getMessage());
            }
        }
    }

    // ---- telling

    private void tell(Connection connection, TableCapture stream) throws SQLException, SupersededException {
        Map<TableName, TableStatus> now = new HashMap<>();
        leftOut.forEach((table, why) -> now.put(table,
                new TableStatus(table, "left_out", why.cause(), why.remedy(), null, null, null, null)));
        tables.forEach((table, captured) -> now.put(table, captured.status()));
        refused.forEach((table, why) -> now.merge(table,
                new TableStatus(table, "waiting", why.cause(), why.remedy(), null, null, null, null),
                (captured, _) -> captured.notKeptUp(why)));
        List<TableStatus> changed = now.values()
                .stream()
                .filter(status -> !status.equals(told.get(status.table())))
                .toList();
        List<TableName> removed = told.keySet().stream().filter(table -> !now.containsKey(table)).toList();
        if (!changed.isEmpty() || !removed.isEmpty()) {
            store.saveTables(epoch, changed, removed);
            told.clear();
            told.putAll(now);
        }
        ReplicationSlot.State slotState = slot.state(connection);
        // Before it is said that the slot has passed it.
        store.savePublished(epoch, tables.values().stream().mapToLong(CapturedTable::published).max().orElse(0));
        long inTopics = store.epochInTopics();
        if (inTopics > epoch) {
            // Another worker may just have taken over.
            store.verifyNewest(epoch);
            throw new StateWentBackException("the replica has read records of epoch " + inTopics
                    + " in the topics, behind which those of epoch " + epoch + " are void");
        }
        if (!wentBack.isEmpty() && tables.values().stream().allMatch(CapturedTable::isTrusted)) {
            LOG.info("Every table has been read since the state database went back");
            wentBack = "";
            try {
                // The next sessions have nothing to warn of any more; what is trusted stays as it is.
                marks.distrust(generations.trustedFrom(), "");
            } catch (KafkaException e) {
                LOG.debug("That every table has been read is not in Kafka yet: {}", e.getMessage());
            }
        }
        // Last: that nothing is behind must not be read beside tables of which it was not said yet what has come.
        long timestamp = stream.lastTimestamp();
        store.saveSource(epoch, holder,
                status("running", slotState, timestamp == 0 ? null : Instant.ofEpochMilli(timestamp),
                        stream.lag(properties.heartbeat().multipliedBy(2))));
    }

    /** Called by the stream when Kafka has taken all that the source had at a time. */
    private void taken(Instant until) {
        tables.values().forEach(table -> table.taken(until));
        takenUntil = until;
    }

    private void tellTimes(SourceTimes times) throws SupersededException {
        // Before it is asked what has been sent by now, which is at least what the source had then.
        Instant taken = takenUntil;
        Instant known = taken == null ? null : times.known(taken);
        if (known == null) {
            return;
        }
        List<CopyTimes.Followed> followed = tables.values()
                .stream()
                .filter(table -> !refused.containsKey(table.name()))
                .map(CapturedTable::followed)
                .filter(Objects::nonNull)
                .toList();
        store.saveKnownTimes(epoch, known, applied -> copyTimes.known(followed, applied));
    }

    /** What an earlier capturer told of tables that are no more. */
    private void forgetStatusOfOthers() throws SupersededException {
        List<TableName> others = store.tablesWithStatus()
                .stream()
                .filter(table -> !tables.containsKey(table) && !leftOut.containsKey(table)
                        && !refused.containsKey(table))
                .toList();
        store.saveTables(epoch, List.of(), others);
    }

    private SourceStatus status(String state, ReplicationSlot.@Nullable State slotState, @Nullable Instant lastChange,
            @Nullable Duration lag) {
        String all = Stream
                .of(warnings.get(), wentBack.isEmpty() ? "" : wentBackSentence(), notLooked, withoutSchema)
                .filter(text -> !text.isEmpty())
                .collect(Collectors.joining("\n"));
        return new SourceStatus(state, null, all, identity, properties.slotName(), properties.publication(),
                slotState, lastChange, lag);
    }

    // ---- the end

    private void failIfEnded(StreamEngine engine) throws SupersededException, InterruptedException {
        Throwable problem = fatal.get();
        if (problem == null && engine.hasEnded()) {
            problem = engine.failure();
            if (problem == null) {
                problem = new IllegalStateException("Debezium ended by itself");
            }
        }
        UndecodableException undecoded = undecodable(problem);
        if (undecoded != null) {
            throw undecoded;
        }
        switch (problem) {
            case null -> {}
            case SupersededException superseded -> throw superseded;
            case InterruptedException interrupted -> throw interrupted;
            case Throwable other when StateWentBackException.in(other) != null ->
                    throw StateWentBackException.in(other);
            default -> throw new IllegalStateException(innermostMessage(problem), problem);
        }
    }

    private static @Nullable UndecodableException undecodable(@Nullable Throwable problem) {
        for (Throwable inner = problem; inner != null; inner = inner.getCause()) {
            if (inner instanceof UndecodableException e) {
                return e;
            }
        }
        return null;
    }

    /** Debezium wraps what happened several times over: the innermost that says anything, or what we have said of Kafka. */
    static String innermostMessage(Throwable problem) {
        String message = problem.getClass().getSimpleName();
        for (Throwable inner = problem; inner != null; inner = inner.getCause()) {
            // Debezium's wrapper of whatever happens with the source is, by its kind, Kafka's.
            if (inner instanceof KafkaException kafka && !(inner instanceof ConnectException)) {
                return ChangePublisher.sentence(kafka);
            }
            message = inner.getMessage() == null ? message : inner.getMessage();
        }
        return message;
    }

    private void end(@Nullable StreamEngine engine) throws InterruptedException {
        runs.keySet().forEach(SnapshotRun::cancel);
        if (engine != null && !engine.end(FRIENDLY_END)) {
            // It waits for Kafka, which does not answer.
            publisher.close();
            if (!engine.end(HARD_END)) {
                LOG.warn("Debezium has not ended within {} s", FRIENDLY_END.plus(HARD_END).toSeconds());
            }
        }
        publisher.close();
        for (Thread thread : runs.values()) {
            thread.join(FRIENDLY_END);
        }
    }
}
