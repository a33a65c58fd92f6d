package io.syncline.worker.capture;

import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.syncline.model.table.TableName;
import io.syncline.worker.capture.CapturedTable.Sent;
import io.syncline.worker.capture.StreamedChange.Kind;
import io.syncline.worker.capture.debezium.RefusedTables;
import io.syncline.worker.capture.debezium.RefusedTables.Refused;
import io.syncline.worker.capture.debezium.TextConverter;
import io.syncline.worker.capture.encode.JsonBytes;
import io.syncline.worker.capture.encode.TextRow;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The stream: takes Debezium's batches, sends what they say, and lets the slot move only when all of it has been acknowledged.
 */
final class TableCapture implements DebeziumEngine.ChangeConsumer<ChangeEvent<SourceRecord, SourceRecord>> {

    private static final Logger LOG = LoggerFactory.getLogger(TableCapture.class);

    private static final String OPERATION = "op";
    /** Of a logical message. */
    private static final String MESSAGE = "message";
    private static final char NOT_UTF_8 = '\uFFFD';

    private final Tables tables;
    private final MissingValues values;
    private final RefusedTables passedOver;
    private final SourceTimes times;
    private final Consumer<Instant> takenUntil;
    private final boolean rawTexts;
    private final Guard guard;
    private final Runnable unknown;
    /** Names in the stream that have been no table's of ours. */
    private final Set<TableName> unknownNames = new HashSet<>();
    private boolean guarded;
    private long lastCommitLsn = -1;
    private long lastLsn = -1;
    private long number;
    private volatile long lastTimestamp;
    /**
     * When the last batch was acknowledged, and how long after the newest commit in it, in milliseconds; 0 where it had nothing but
     * heartbeats.
     */
    private volatile @Nullable Handled handled;
    /** Since when there are changes that have come and are not in Kafka yet; 0 for none. */
    private volatile long inHandSince;

    record Handled(long at, long lag) {}

    /** What is captured. */
    interface Tables {
        @Nullable
        CapturedTable named(TableName name);

        /** The one that has the OID by now, whatever its name. */
        @Nullable
        CapturedTable of(long oid);
    }

    /** Asked once the slot is ours, and before anything moves it. */
    @FunctionalInterface
    interface Guard {
        void verify() throws SQLException, SupersededException;
    }

    /**
     * @param passedOver tells, before what comes behind it, what of the stream does not come as it should
     * @param takenUntil given a time of the source when Kafka has taken all that the source had then
     * @param rawTexts   whether texts come as they lie in the source, in whatever encoding
     * @param unknown    told once of each name that is no table's: the catalogue has to be looked at
     */
    TableCapture(Tables tables, MissingValues values, RefusedTables passedOver, SourceTimes times,
            Consumer<Instant> takenUntil, boolean rawTexts, Guard guard, Runnable unknown) {
        this.tables = tables;
        this.values = values;
        this.passedOver = passedOver;
        this.times = times;
        this.takenUntil = takenUntil;
        this.rawTexts = rawTexts;
        this.guard = guard;
        this.unknown = unknown;
    }

    /** When the source committed what came last, in milliseconds since 1970; 0 if nothing has come. */
    long lastTimestamp() {
        return lastTimestamp;
    }

    /**
     * How far the stream is behind the source; null before anything has come. Silence is lag if it lasts longer than this, and at once
     * while changes are in hand: Kafka may not take them, or others not see yet what they need.
     */
    @Nullable
    Duration lag(Duration longestSilence) {
        Handled last = handled;
        return last == null ? null : lag(last, inHandSince, System.currentTimeMillis(), longestSilence);
    }

    static Duration lag(Handled last, long inHandSince, long now, Duration longestSilence) {
        long silence = now - last.at();
        long more = silence > longestSilence.toMillis() ? silence : inHandSince == 0 ? 0 : now - inHandSince;
        return Duration.ofMillis(Math.max(0, last.lag() + more));
    }

    @Override
    public void handleBatch(List<ChangeEvent<SourceRecord, SourceRecord>> events,
            DebeziumEngine.RecordCommitter<ChangeEvent<SourceRecord, SourceRecord>> committer)
            throws InterruptedException {
        if (events.isEmpty()) {
            return;
        }
        inHandSince = System.currentTimeMillis();
        try {
            verifyOnce();
            passOver();
            List<StreamedChange> changes = new ArrayList<>(events.size());
            Instant until = null;
            for (ChangeEvent<SourceRecord, SourceRecord> event : events) {
                StreamedChange change = change(event.value());
                if (change != null) {
                    changes.add(change);
                }
                Instant time = time(event.value());
                until = time == null ? until : time;
            }
            Set<CapturedTable> touched = Collections.newSetFromMap(new IdentityHashMap<>());
            await(send(changes, touched));
            rememberGivenUp(touched);
            if (until != null) {
                takenUntil.accept(until);
            }
            long now = System.currentTimeMillis();
            handled = new Handled(now, changes.isEmpty() ? 0 : now - changes.getLast().timestamp());
            inHandSince = 0;
        } catch (SQLException | SupersededException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
        // One mark for all: positions only grow.
        committer.markProcessed(events.getLast());
        committer.markBatchFinished();
    }

    /**
     * A capturer that was slow to take the slot may have been overtaken: its records would be void, and the slot would move past
     * them. That we read says that the slot is ours; whoever takes a newer epoch after this takes the slot away first.
     */
    private void verifyOnce() throws SQLException, SupersededException {
        if (!guarded) {
            guard.verify();
            guarded = true;
        }
    }

    private void passOver() throws SupersededException, InterruptedException {
        for (Refused one : passedOver.take()) {
            CapturedTable table = tables.named(new TableName(one.table()));
            if (table != null) {
                table.passedOver(one.cause());
                table.rememberGivenUp();
            }
        }
        for (long root : passedOver.takeDoubtful()) {
            CapturedTable table = tables.of(root);
            if (table != null) {
                LOG.info("Table {} has had a partition that is none of it any more: it is read into a new generation",
                        table.name());
                table.doubt();
                table.rememberGivenUp();
            }
        }
    }

    /** A generation of which a change has been left out must not be gone on with, whatever happens from here on. */
    private static void rememberGivenUp(Set<CapturedTable> touched)
            throws SupersededException, InterruptedException {
        for (CapturedTable table : touched) {
            table.rememberGivenUp();
        }
    }

    private @Nullable Instant time(SourceRecord record) {
        return record.value() instanceof Struct value && value.schema().field(MESSAGE) != null
                ? times.read(value.getStruct(MESSAGE))
                : null;
    }

    private @Nullable StreamedChange change(SourceRecord record) {
        if (!(record.value() instanceof Struct value)) {
            return null;
        }
        Field operation = value.schema().field(OPERATION);
        if (operation == null) {
            // a heartbeat
            return null;
        }
        Struct source = value.getStruct("source");
        String table = source.getString("table");
        Kind kind = switch (value.getString(OPERATION)) {
            case "c", "u", "r" -> Kind.UPSERT;
            case "d" -> Kind.DELETE;
            case "t" -> Kind.TRUNCATE;
            default -> null; // a logical message
        };
        if (kind == null || table == null) {
            return null;
        }
        Map<String, ?> offset = record.sourceOffset();
        long lsn = number(offset, "lsn");
        long commitLsn = number(offset, "lsn_commit");
        number = commitLsn == lastCommitLsn && lsn == lastLsn ? number + 1 : 0;
        lastCommitLsn = commitLsn;
        lastLsn = lsn;
        lastTimestamp = source.getInt64("ts_ms");
        Struct before = value.getStruct("before");
        Struct after = value.getStruct("after");
        return new StreamedChange(new TableName(table), kind, commitLsn, lsn, number, number(offset, "txId"),
                rawTexts && (isGarbled(before) || isGarbled(after)), lastTimestamp, before, after);
    }

    /** Whether something of it may not have been in UTF-8: Debezium puts one character for all that is not. */
    private static boolean isGarbled(@Nullable Struct row) {
        return row != null && row.schema()
                .fields()
                .stream()
                .anyMatch(field -> row.getWithoutDefault(field.name()) instanceof String text
                        && text.indexOf(NOT_UTF_8) >= 0);
    }

    private static long number(Map<String, ?> offset, String name) {
        if (offset.get(name) instanceof Number value) {
            return value.longValue();
        }
        throw new IllegalStateException(
                "Debezium's offset " + offset + " has no " + name + ": is this another version of it?");
    }

    private List<Sent> send(List<StreamedChange> changes, Set<CapturedTable> touched)
            throws SQLException, InterruptedException {
        List<Sent> sent = new ArrayList<>(changes.size());
        Lookup lookup = expected(changes);
        for (StreamedChange change : changes) {
            CapturedTable table = tables.named(change.table());
            if (table != null) {
                table.change(change, lookup, sent);
                touched.add(table);
            }
            long relation = change.relation();
            if (relation != 0 && (table == null || table.oid() != relation)) {
                CapturedTable owner = tables.of(relation);
                if (owner != null) {
                    owner.changedElsewhere(change);
                    touched.add(owner);
                }
                if (unknownNames.add(change.table())) {
                    LOG.info(
                            "Changes of table {} have come, which is no table of that name as the catalogue was seen last:"
                                    + " it is looked at again",
                            change.table());
                    unknown.run();
                }
            }
        }
        return sent;
    }

    private static void await(List<Sent> sent) throws InterruptedException {
        for (Sent one : sent) {
            try {
                one.table().taken(one.acknowledged());
            } catch (ExecutionException e) {
                if (e.getCause() instanceof RecordTooLargeException tooLarge) {
                    one.table()
                            .halt(ChangePublisher.tooLarge(tooLarge));
                } else {
                    throw ChangePublisher.notTaken(e.getCause() == null ? e : e.getCause());
                }
            }
        }
    }

    // ---- what changes came without, to be asked for in one question for many rows

    private Lookup expected(List<StreamedChange> changes) {
        Lookup lookup = new Lookup(values);
        Map<SourceTable, Incomplete> incomplete = new IdentityHashMap<>();
        for (StreamedChange change : changes) {
            Struct after = change.after();
            CapturedTable table = after == null ? null : tables.named(change.table());
            SourceTable columns = table == null ? null : table.streamed();
            if (after != null && columns != null && columns.streamed() && !columns.keyless()
                    && (columns.hasGeneratedColumns() || hasUnchanged(after))) {
                incomplete.computeIfAbsent(columns, Incomplete::new).expect(after, change.xid(), lookup);
            }
        }
        return lookup;
    }

    private static boolean hasUnchanged(Struct row) {
        Schema schema = row.schema();
        for (Field field : schema.fields()) {
            if (row.get(field) == TextConverter.UNCHANGED) {
                return true;
            }
        }
        return false;
    }

    /** Finds out what rows of one table lack. */
    private static final class Incomplete {
        private final SourceTable columns;
        private final StructReader reader;
        private final TextRow row;
        private final JsonBytes buffer = new JsonBytes();

        Incomplete(SourceTable columns) {
            this.columns = columns;
            reader = new StructReader(columns);
            row = new TextRow(columns.columns().size());
        }

        void expect(Struct after, long xid, Lookup lookup) {
            if (!reader.fits(after.schema())) {
                return;
            }
            reader.read(after, row);
            BitSet missing = new BitSet();
            MissingValues.addMissing(row, missing);
            TextRow key = new TextRow(columns.columns().size());
            reader.readKey(after, key);
            lookup.expect(columns, missing, columns.encoder().key(key, buffer), key, xid);
        }
    }
}
