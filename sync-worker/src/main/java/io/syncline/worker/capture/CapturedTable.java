package io.syncline.worker.capture;

import io.syncline.model.log.Topics;
import io.syncline.model.table.KeyColumn;
import io.syncline.model.table.Place;
import io.syncline.model.table.TableChange;
import io.syncline.model.table.TableName;
import io.syncline.worker.capture.CaptureStore.TableStatus;
import io.syncline.worker.capture.MissingValues.TableChangedException;
import io.syncline.worker.capture.RowCounts.RowHash;
import io.syncline.worker.capture.StreamedChange.Kind;
import io.syncline.worker.capture.encode.TextRow;
import io.syncline.worker.capture.encode.UnencodableValueException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.connect.data.Struct;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A table while it is captured: which generation a change belongs to, and what is sent of it. The stream, the snapshots and the
 * catalogue come from three threads; all that they change is guarded by this object.
 */
final class CapturedTable {

    private static final Logger LOG = LoggerFactory.getLogger(CapturedTable.class);

    /** Changes kept while a snapshot is being opened; see {@link #hold}. */
    private static final int MOST_HELD = 10_000;

    private static final long MOST_HELD_CHARACTERS = 16L << 20;
    private static final Duration SHORTEST_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);
    private static final Duration SHORTEST_REQUESTS = Duration.ofSeconds(5);
    private static final Duration LONGEST_REQUESTS = Duration.ofMinutes(30);
    private static final Duration SHORTEST_HALT = Duration.ofMinutes(1);
    private static final Duration LONGEST_HALT = Duration.ofHours(1);

    private final TableName name;
    private final String topic;
    private final int partitions;
    private final long epoch;
    private final RowBound bound;
    private final ChangePublisher publisher;
    private final Generations generations;
    private final Duration refreshInterval;
    private final KeylessRows keylessRows;

    private SourceTable source;
    private long newest;
    /** Whether the replica has a complete generation, which it goes on serving. */
    private boolean served;
    /** The newest generation that has been given up, as long as that is not remembered in the state database; else 0. */
    private long givenUp;
    private @Nullable Generation current;
    private @Nullable Generation next;
    private @Nullable ArrayDeque<StreamedChange> held;
    private long heldCharacters;
    private @Nullable StreamedChange lastLetGo;
    /** Whether the stream has brought what was never in the table while a snapshot was being opened. */
    private boolean doubted;
    private boolean wanted;
    private CaptureStore.@Nullable Request request;
    /** The newest that has been taken. It is read once more where that is not in the state database yet. */
    private CaptureStore.@Nullable Request taken;
    private int requests;
    private long lastRequest;
    private boolean reading;
    private @Nullable LeftOut trouble;
    private @Nullable LeftOut unordered;
    private boolean halted;
    /** That it is halted, as long as it has not been sent. */
    private TableChange.@Nullable Halted unsaid;
    private boolean dropped;
    private int failures;
    private long notBefore = System.nanoTime();
    private long snapshotRows;
    private @Nullable Instant lastChangeAt;
    private long published;
    /** Of the newest record of the stream in each partition that Kafka has taken, -1 for none. */
    private final long[] lastOffsets;
    private CopyTimes.@Nullable Sent mark;

    CapturedTable(SourceTable source, int partitions, Generations generations, CaptureProperties properties,
            ChangePublisher publisher, KeylessRows keylessRows) {
        this.source = source;
        this.name = source.name();
        this.topic = Topics.table(name);
        this.partitions = partitions;
        this.generations = generations;
        epoch = generations.epoch();
        bound = new RowBound(properties.maxRowBytes());
        refreshInterval = properties.refreshInterval();
        this.keylessRows = keylessRows;
        this.publisher = publisher;
        lastOffsets = new long[partitions];
        Arrays.fill(lastOffsets, -1);
        wanted = true;
    }

    /** Something sent that must be acknowledged before the stream may be. */
    record Sent(CapturedTable table, Future<RecordMetadata> future) {

        RecordMetadata acknowledged() throws ExecutionException, InterruptedException {
            return table.publisher.await(future);
        }
    }

    /** Gets a row the values that the change came without; false if the source no longer has the row. */
    @FunctionalInterface
    interface Completion {
        boolean complete(SourceTable table, TextRow row, byte[] key, long xid)
                throws SQLException, TableChangedException, InterruptedException;
    }

    TableName name() {
        return name;
    }

    String topic() {
        return topic;
    }

    int partitions() {
        return partitions;
    }

    // ---- the catalogue

    /** What there has been of it before: marks that end a generation name the newest. */
    synchronized void follows(CaptureStore.Remembered remembered) {
        newest = remembered.generation();
        served = remembered.complete();
    }

    /**
     * Goes on with the generation that an earlier capturer completed. Not that of a streamed table without a key: which of two equal
     * rows a change was of, only its own capturer knew.
     */
    synchronized void resume(CaptureStore.Remembered remembered) {
        if (remembered.complete() && generations.trusts(remembered.generation())
                && remembered.fingerprint().equals(source.fingerprint())
                && !(source.keyless() && source.streamed())) {
            current = new Generation(remembered.generation(), source, remembered.snapshot(),
                    remembered.consistentLsn(), Instant.EPOCH, bound, keylessRows);
            wanted = !source.streamed();
            notBefore = System.nanoTime() + Math.max(0, refreshInterval.minus(remembered.age()).toNanos());
        }
    }

    synchronized long oid() {
        return source.oid();
    }

    synchronized boolean isStreamed() {
        return source.streamed();
    }

    Generation generation(long number, SourceTable table, PgSnapshot snapshot, long consistentLsn, Instant asOf) {
        return new Generation(number, table, snapshot, consistentLsn, asOf, bound, keylessRows);
    }

    /** Makes room for the rows of other tables without a key, if there are too many and this table has the most. */
    void giveWay() throws SupersededException, InterruptedException {
        synchronized (this) {
            Generation newer = next != null ? next : current;
            RowCounts counts = newer == null ? null : newer.counts();
            if (counts == null || !counts.hasToGiveWay()) {
                return;
            }
            halt(keylessRows.tooMany());
        }
        rememberGivenUp();
    }

    /**
     * Called before the slot moves past a change that has been left out, and after {@link #halt}. Only what is remembered is said: a
     * replica that has heard of a halt waits for another generation, which the next session would not begin if it did not know.
     */
    void rememberGivenUp() throws SupersededException, InterruptedException {
        long generation;
        TableChange.Halted halt;
        synchronized (this) {
            generation = givenUp;
            halt = unsaid;
        }
        if (generation > 0) {
            generations.giveUp(this, generation);
        }
        List<Future<RecordMetadata>> sent = List.of();
        synchronized (this) {
            // Not before: another thread may be about to let the slot move on.
            givenUp = givenUp == generation ? 0 : givenUp;
            if (halt != null && halt.equals(unsaid)) {
                unsaid = null;
                sent = publisher.sendToAll(topic, partitions, halt, System.currentTimeMillis());
            }
        }
        for (Future<RecordMetadata> mark : sent) {
            try {
                publisher.await(mark);
            } catch (ExecutionException e) {
                throw ChangePublisher.notTaken(e.getCause() == null ? e : e.getCause());
            }
        }
    }

    /** What the catalogue says now; a table that is not as its generation has it gets another one. */
    synchronized void seen(SourceTable now) {
        if (!now.fingerprint().equals(source.fingerprint())) {
            // What stood in the way may have been altered: no pause is kept.
            notBefore = System.nanoTime();
        }
        source = now;
        Generation newer = next != null ? next : current;
        if (newer != null && !newer.table().fingerprint().equals(now.fingerprint())) {
            outdated(newer);
        }
    }

    /** The collations that its rows are ordered by; none if it has no text in its key. */
    synchronized Set<String> collations() {
        return source.schema()
                .key()
                .stream()
                .map(KeyColumn::collation)
                .filter(Objects::nonNull)
                .collect(Collectors.toSet());
    }

    /**
     * Finds out whether its rows are in the source's order here.
     *
     * @param known collations that the state database has, of those that are wanted
     */
    synchronized void order(Set<String> known) {
        Set<String> missing = new TreeSet<>(collations());
        missing.removeAll(known);
        LeftOut before = unordered;
        unordered = missing.isEmpty()
                ? source.unordered()
                : new LeftOut("the state database has no collation " + String.join(", ", missing)
                        + ", by which the source orders its key: its order and ranges here are those of the state database's own"
                        + " locale",
                        "CREATE COLLATION in the state database; it is then read anew by itself");
        if (unordered != null && !unordered.equals(before)) {
            LOG.warn("Table {}: {}; {}", name, unordered.cause(), unordered.remedy());
        }
        if (unordered == null && before != null) {
            wanted = true;
        }
    }

    /** The replica asks for a new generation: at once the first time, more and more slowly while that does not help. */
    synchronized void request(CaptureStore.Request asked) {
        if (asked.equals(request) || asked.equals(taken)) {
            return;
        }
        request = asked;
        wanted = true;
        long now = System.nanoTime();
        if (now - lastRequest > LONGEST_REQUESTS.multipliedBy(2).toNanos()) {
            requests = 0;
        }
        long pause = requests == 0 ? 0 : pause(requests - 1, SHORTEST_REQUESTS, LONGEST_REQUESTS);
        // The time of the next reading on a schedule is not what it has to wait for.
        notBefore = now + (source.streamed() ? Math.max(notBefore - now, pause) : pause);
        requests++;
        lastRequest = now;
    }

    /** What the generation that has just begun answers. */
    synchronized CaptureStore.@Nullable Request takeRequest() {
        CaptureStore.Request answered = request;
        if (answered != null) {
            taken = answered;
        }
        request = null;
        return answered;
    }

    /** Whether a snapshot should be begun now; the caller then begins one. */
    synchronized boolean takeForReading() {
        if (wanted && !reading && System.nanoTime() - notBefore >= 0) {
            reading = true;
            return true;
        }
        return false;
    }

    /** The newest generation that has begun; 0 if none has. */
    synchronized long newest() {
        return newest;
    }

    /** Whether the generation that is served, or will be next, is of an epoch that is trusted. */
    synchronized boolean isTrusted() {
        return current != null && generations.trusts(current.number());
    }

    /** Its end, under a number that is newer than whatever has been sent of it. */
    synchronized List<Future<RecordMetadata>> drop() {
        letGo(current);
        letGo(next);
        held = null;
        dropped = true;
        return publisher.sendToAll(topic, partitions, new TableChange.Dropped(epoch, generations.next()),
                System.currentTimeMillis());
    }

    /** Whether all of its rows could be read the last time. */
    synchronized boolean isLive() {
        return !halted && current != null && next == null;
    }

    synchronized TableStatus status() {
        String state;
        if (halted) {
            state = "marked";
        } else if (isLive()) {
            state = "live";
        } else {
            state = served ? "refreshing" : "waiting";
        }
        LeftOut told = trouble != null ? trouble : and(unpublished(), unordered);
        boolean snapshot = next != null;
        return new TableStatus(name, state, told == null ? null : told.cause(), told == null ? null : told.remedy(),
                newest == 0 ? null : newest, snapshot ? snapshotRows : null,
                snapshot ? Math.max(0, source.estimatedRows()) : null,
                lastChangeAt);
    }

    private static @Nullable LeftOut and(@Nullable LeftOut one, @Nullable LeftOut other) {
        return one == null || other == null
                ? one == null ? other : one
                : new LeftOut(one.cause() + "; " + other.cause(), one.remedy() + "; " + other.remedy());
    }

    private @Nullable LeftOut unpublished() {
        LeftOut cause = source.unpublished();
        return cause == null
                ? null
                : new LeftOut("it is read anew every " + refreshInterval.toSeconds()
                        + " s, since its changes are not streamed: "
                        + cause.cause(), cause.remedy());
    }

    // ---- the stream

    /** The table as the changes that come now should have it: what to ask the source for is asked for by that. */
    synchronized @Nullable SourceTable streamed() {
        Generation newer = next != null ? next : current;
        return newer == null ? null : newer.table();
    }

    synchronized void change(StreamedChange change, Completion completion, List<Sent> sent)
            throws SQLException, InterruptedException {
        lastChangeAt = Instant.ofEpochMilli(change.timestamp());
        published = Math.max(published, change.lsn());
        if (held != null) {
            hold(held, change);
        }
        Generation generation = generationOf(change);
        if (generation != null) {
            send(change, generation, completion, sent);
        }
    }

    /** A change of the table came under another name: it was renamed, and may have its name back by now. */
    synchronized void changedElsewhere(StreamedChange change) {
        if (held != null) {
            hold(held, change);
        }
        Generation generation = generationOf(change);
        if (generation != null && generation.table().oid() == change.relation()) {
            outdated(generation);
        }
    }

    /** The stream brings changes under the table's name that are of rows which the table does not have. */
    synchronized void doubt() {
        doubted = held != null;
        Generation newer = next != null ? next : current;
        if (newer != null) {
            outdated(newer);
        }
    }

    /** How far what has been sent of it reaches in the source's WAL; 0 if nothing has. */
    synchronized long published() {
        return published;
    }

    /** Kafka has taken a record of the stream. */
    synchronized void taken(RecordMetadata record) {
        int partition = record.partition();
        // Where the offset is not known, or the topic is not the one that it was, it is never reached.
        long last = lastOffsets[partition];
        boolean follows = record.hasOffset() && (last == Long.MAX_VALUE || record.offset() > last);
        lastOffsets[partition] = follows ? record.offset() : Long.MAX_VALUE;
    }

    /** Kafka has taken all that the source had of it at this time. */
    synchronized void taken(Instant until) {
        CopyTimes.Reach reach = reach();
        mark = reach == null ? null : new CopyTimes.Sent(until, reach);
    }

    /** What is known of its copy by the stream; null while its copy does not follow the stream. */
    synchronized CopyTimes.@Nullable Followed followed() {
        CopyTimes.Reach reach = reach();
        return reach == null
                ? null
                : new CopyTimes.Followed(name, topic, reach,
                        mark != null && mark.reach().generation() == reach.generation() ? mark : null);
    }

    private CopyTimes.@Nullable Reach reach() {
        return current == null || next != null || halted || givenUp > 0 || !source.streamed()
                ? null
                : new CopyTimes.Reach(current.number(), Arrays.stream(lastOffsets).boxed().toList());
    }

    private @Nullable Generation generationOf(StreamedChange change) {
        // Behind the begin mark of the next generation nobody applies the current one's changes any more.
        Generation candidate = next != null ? next : current;
        return candidate != null && candidate.has(change) ? candidate : null;
    }

    /**
     * While a snapshot is being opened, nobody knows which of the changes that come meanwhile it will see: they are kept. Beyond a
     * bound the oldest are let go, since those are seen the soonest; if then not all that were let go are seen, the snapshot is
     * opened anew.
     */
    private void hold(ArrayDeque<StreamedChange> kept, StreamedChange change) {
        kept.addLast(change);
        heldCharacters += characters(change);
        while (kept.size() > MOST_HELD || heldCharacters > MOST_HELD_CHARACTERS) {
            StreamedChange oldest = kept.removeFirst();
            heldCharacters -= characters(oldest);
            lastLetGo = oldest;
        }
    }

    private static long characters(StreamedChange change) {
        Struct row = change.after() != null ? change.after() : change.before();
        if (row == null) {
            return 0;
        }
        return row.schema()
                .fields()
                .stream()
                .mapToLong(field -> row.get(field) instanceof String text ? text.length() : 0)
                .sum();
    }

    private void send(StreamedChange change, Generation generation, Completion completion, List<Sent> sent)
            throws SQLException, InterruptedException {
        if (change.garbled()) {
            // A snapshot tells whether it is so, and which row it is.
            trouble = new LeftOut("a change of it has a text that may not be in UTF-8",
                    SnapshotRun.NOT_CONVERTED_REMEDY);
            outdated(generation);
            return;
        }
        try {
            bound.verifyStreamed(characters(change));
            if (generation.counts() != null) {
                sendCounted(change, generation, generation.counts(), sent);
                return;
            }
            switch (change.kind()) {
                case UPSERT -> sendUpsert(change, generation, completion, sent);
                case DELETE -> sendDelete(change, change.before(), generation, sent);
                case TRUNCATE -> sendTruncate(change, generation, place(change, generation, 0), sent);
            }
        } catch (UnencodableValueException e) {
            halt(e);
        } catch (OutOfMemoryError e) {
            halt(RowBound.beyondMemory(e));
        } catch (TableChangedException e) {
            outdated(generation);
        }
    }

    /** A change of a table without a key: one of the old row less, one of the new row more. */
    private void sendCounted(StreamedChange change, Generation generation, RowCounts counts, List<Sent> sent) {
        if (change.kind() == Kind.TRUNCATE) {
            sendTruncate(change, generation, generation.nextPlace(), sent);
            counts.clear();
            return;
        }
        Struct before = change.before();
        Struct after = change.after();
        TextRow old = new TextRow(generation.table().columns().size());
        if (before != null) {
            if (!generation.reader().fits(before.schema())) {
                outdated(generation);
                return;
            }
            generation.reader().read(before, old);
            if (!hasAll(old)) {
                outdated(generation);
                return;
            }
        } else if (change.kind() == Kind.DELETE) {
            outdated(generation);
            return;
        }
        byte[] gone = before == null ? null : bound.json(generation.table(), old, null, generation.buffer());
        if (after == null) {
            takeAway(gone, change, generation, counts, sent);
            return;
        }
        if (!generation.reader().fits(after.schema())) {
            outdated(generation);
            return;
        }
        TextRow row = generation.row();
        generation.reader().read(after, row);
        for (int i = 0; i < row.columns(); i++) {
            if (row.isMissing(i) && !old.isMissing(i)) {
                // The old row is whole, whatever the new one came without.
                row.take(i, old, i);
            }
        }
        if (!hasAll(row)) {
            outdated(generation);
            return;
        }
        byte[] json = bound.json(generation.table(), row, null, generation.buffer());
        if (!Arrays.equals(gone, json)) {
            takeAway(gone, change, generation, counts, sent);
            RowHash hash = RowHash.of(json);
            int count = counts.addStreamed(hash, 1);
            if (count > 0) {
                send(new TableChange.Upsert(epoch, generation.nextPlace(), KeylessKey.of(hash, count), json), change,
                        sent);
            }
        }
    }

    private void takeAway(byte @Nullable [] json, StreamedChange change, Generation generation, RowCounts counts,
            List<Sent> sent) {
        if (json == null) {
            return;
        }
        RowHash hash = RowHash.of(json);
        int count = counts.addStreamed(hash, -1);
        if (count >= 0) {
            send(new TableChange.Delete(epoch, generation.nextPlace(), KeylessKey.of(hash, count + 1)), change,
                    sent);
        } else if (generation.ended()) {
            LOG.warn("Table {}, which has no key, has lost a row that it was not known to have: it is read anew", name);
            outdated(generation);
        }
        // Else the snapshot still has to bring it.
    }

    private void sendTruncate(StreamedChange change, Generation generation, Place place, List<Sent> sent) {
        publisher.sendToAll(topic, partitions, new TableChange.Truncate(epoch, place), change.timestamp())
                .forEach(future -> sent.add(new Sent(this, future)));
        if (generation == next && !generation.ended()) {
            // The rows that the snapshot still brings are gone, and nobody would know.
            outdated(generation);
        }
    }

    private void sendUpsert(StreamedChange change, Generation generation, Completion completion, List<Sent> sent)
            throws SQLException, TableChangedException, InterruptedException {
        Struct after = change.after();
        if (after == null || !generation.reader().fits(after.schema())) {
            outdated(generation);
            return;
        }
        SourceTable table = generation.table();
        TextRow row = generation.row();
        generation.reader().read(after, row);
        byte[] key = table.encoder().key(row, generation.buffer());
        if (change.before() != null) {
            if (!sendDeleteOfOldKey(change, change.before(), key, generation, sent)) {
                outdated(generation);
                return;
            }
            generation.reader().read(after, row);
        }
        if (hasAll(row) || completion.complete(table, row, key, change.xid())) {
            byte[] json = bound.json(table, row, key, generation.buffer());
            send(new TableChange.Upsert(epoch, place(change, generation, 1), key, json), change, sent);
        }
        // Else the row is gone by now: what became of it follows.
    }

    /**
     * Debezium makes a delete of a changed key only where it still finds the key in the source's catalogue. False if the old row came
     * without its key: the table's replica identity was another one then.
     */
    private boolean sendDeleteOfOldKey(StreamedChange change, Struct before, byte[] newKey, Generation generation,
            List<Sent> sent) {
        if (!generation.reader().fits(before.schema())) {
            return false;
        }
        generation.reader().readKey(before, generation.row());
        if (!hasKey(generation)) {
            return false;
        }
        byte[] oldKey = generation.table().encoder().key(generation.row(), generation.buffer());
        if (!Arrays.equals(oldKey, newKey)) {
            send(new TableChange.Delete(epoch, place(change, generation, 0), oldKey), change, sent);
        }
        return true;
    }

    private void sendDelete(StreamedChange change, @Nullable Struct before, Generation generation, List<Sent> sent) {
        if (before == null || !generation.reader().fits(before.schema())) {
            outdated(generation);
            return;
        }
        generation.reader().readKey(before, generation.row());
        if (!hasKey(generation)) {
            // The table's replica identity was another one when the row was deleted.
            outdated(generation);
            return;
        }
        byte[] key = generation.table().encoder().key(generation.row(), generation.buffer());
        send(new TableChange.Delete(epoch, place(change, generation, 0), key), change, sent);
    }

    private void send(TableChange message, StreamedChange change, List<Sent> sent) {
        sent.add(new Sent(this, publisher.send(topic, partitions, message, change.timestamp())));
    }

    private static boolean hasAll(TextRow row) {
        for (int i = 0; i < row.columns(); i++) {
            if (row.isMissing(i)) {
                return false;
            }
        }
        return true;
    }

    private static boolean hasKey(Generation generation) {
        return Arrays.stream(generation.table().keyColumns())
                .noneMatch(column -> generation.row().isMissing(column) || generation.row().isNull(column));
    }

    private static Place place(StreamedChange change, Generation generation, int numberInPair) {
        return new Place(generation.number(), change.commitLsn(), change.lsn(), 2 * change.number() + numberInPair);
    }

    // ---- snapshots

    /** From here on changes are kept for the snapshot that is about to be opened. */
    synchronized void startHolding() {
        held = new ArrayDeque<>();
        heldCharacters = 0;
        lastLetGo = null;
        doubted = false;
        if (!halted && source.streamed()) {
            trouble = SnapshotWait.UNKNOWN;
        }
    }

    /** What its snapshot waits for, as long as it has not begun. */
    synchronized void waitsFor(LeftOut transaction) {
        if (!halted && source.streamed() && (held != null || current == null && next == null)) {
            trouble = transaction;
        }
    }

    /**
     * A generation begins: its begin mark, then what has happened since its snapshot. False if too much has happened while it was
     * being opened.
     */
    synchronized boolean begin(Generation generation, Completion completion, List<Sent> sent)
            throws SQLException, InterruptedException {
        ArrayDeque<StreamedChange> kept = held;
        held = null;
        newest = generation.number();
        // The state database and the marks have the newer generation by now: nothing of an older one is gone on with.
        givenUp = 0;
        if (dropped || kept == null || lastLetGo != null && !generation.snapshot().sees(lastLetGo.xid())) {
            return false;
        }
        publisher.sendToAll(topic, partitions,
                new TableChange.SnapshotBegun(epoch, generation.number(), generation.table().schema()),
                generation.asOf().toEpochMilli()).forEach(future -> sent.add(new Sent(this, future)));
        letGo(current);
        letGo(next);
        next = generation;
        // What was sent before lies before its end mark.
        Arrays.fill(lastOffsets, -1);
        wanted = false;
        halted = false;
        unsaid = null;
        trouble = null;
        snapshotRows = 0;
        if (doubted) {
            outdated(generation);
        }
        for (StreamedChange change : kept) {
            if (generationOf(change) == generation) {
                if (change.table().equals(name)) {
                    send(change, generation, completion, sent);
                } else {
                    outdated(generation);
                }
            }
        }
        return true;
    }

    synchronized boolean isBeingRead(Generation generation) {
        return next == generation;
    }

    /** A snapshot's row of a streamed table without a key, as it is to be sent. */
    record CountedRow(byte[] key, Place place) {}

    /** Null if it is not to be sent: the generation has been given up, or the row has been taken away since the snapshot. */
    synchronized @Nullable CountedRow count(Generation generation, byte[] json) {
        RowCounts counts = generation.counts();
        if (next != generation || counts == null) {
            return null;
        }
        RowHash hash = RowHash.of(json);
        int count = counts.add(hash, 1);
        if (count <= 0) {
            return null;
        }
        // Where the stream has been before, there may be a tombstone, which wins over a snapshot's row.
        return new CountedRow(KeylessKey.of(hash, count),
                counts.isTouched(hash) ? generation.nextPlace() : Place.ofSnapshot(generation.number()));
    }

    synchronized void progress(long rows) {
        snapshotRows = rows;
    }

    /** The end mark; none if the generation has been given up. */
    synchronized List<Future<RecordMetadata>> end(Generation generation, long rows) {
        if (next != generation) {
            return List.of();
        }
        RowCounts counts = generation.counts();
        if (counts != null) {
            if (counts.hasNegative()) {
                LOG.warn(
                        "Table {}, which has no key, has lost a row that its snapshot has not brought: it is read anew",
                        name);
                outdated(generation);
                return List.of();
            }
            counts.forgetTouched();
        }
        generation.end();
        return publisher.sendToAll(topic, partitions,
                new TableChange.SnapshotEnded(epoch, generation.number(), rows, generation.asOf()),
                generation.asOf().toEpochMilli());
    }

    /** The end mark has been acknowledged, and that is remembered. */
    synchronized void completed(Generation generation) {
        served = true;
        if (generation.table().streamed()) {
            published = Math.max(published, generation.consistentLsn());
        }
        if (next == generation) {
            current = generation;
            next = null;
            failures = 0;
            if (!generation.table().streamed()) {
                wanted = true;
                notBefore = System.nanoTime() + refreshInterval.toNanos();
            }
        }
    }

    /** The snapshot is over, one way or the other. */
    synchronized void readingEnded() {
        reading = false;
        held = null;
        if (next != null && !next.ended()) {
            letGo(next);
            wanted = true;
        }
    }

    /** The snapshot could not be read; it is tried again after a while. */
    synchronized void failed(LeftOut why) {
        trouble = why;
        wanted = true;
        pause(SHORTEST_PAUSE, LONGEST_PAUSE);
    }

    /** A value of it cannot be sent: nothing more is, until another generation begins. {@link #rememberGivenUp} says so. */
    synchronized void halt(UnencodableValueException why) {
        if (halted) {
            return;
        }
        trouble = new LeftOut("table " + name + ": " + why.cause(),
                why.remedy() + "; it is read again by itself, after a pause");
        halted = true;
        served = false;
        givenUp = newest;
        letGo(current);
        letGo(next);
        wanted = true;
        pause(SHORTEST_HALT, LONGEST_HALT);
        unsaid = new TableChange.Halted(epoch, newest, trouble.cause());
    }

    private void pause(Duration shortest, Duration longest) {
        notBefore = System.nanoTime() + pause(failures, shortest, longest);
        failures++;
    }

    private static long pause(int before, Duration shortest, Duration longest) {
        return Math.min(longest.toNanos(), shortest.toNanos() << Math.min(before, 20));
    }

    private void letGo(@Nullable Generation generation) {
        if (generation == null) {
            return;
        }
        generation.letGo();
        if (generation == next) {
            next = null;
        } else if (generation == current) {
            current = null;
        }
    }

    /** Changes of it have not come: no generation of the stream can be gone on with, nor begun at a moment before this. */
    synchronized void passedOver(String cause) {
        if (!source.streamed()) {
            return;
        }
        held = null;
        trouble = new LeftOut("a change of it has been passed over: " + cause, "it is read anew by itself");
        boolean outdated = false;
        for (Generation generation : Arrays.asList(current, next)) {
            if (generation != null && generation.table().streamed()) {
                outdated(generation);
                outdated = true;
            }
        }
        if (outdated) {
            // What is passed over may come again and again: the table is not read all the time.
            pause(SHORTEST_REQUESTS, LONGEST_HALT);
        }
    }

    /** The generation is of a table that is no more as it was. */
    private void outdated(Generation generation) {
        letGo(generation);
        givenUp = Math.max(givenUp, generation.number());
        wanted = true;
    }
}
