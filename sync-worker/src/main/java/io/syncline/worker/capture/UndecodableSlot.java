package io.syncline.worker.capture;

import io.syncline.model.table.TableName;
import io.syncline.worker.capture.DecodingStore.Excluded;
import io.syncline.worker.capture.DecodingStore.Failure;
import io.syncline.worker.capture.debezium.UndecodableException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives up a slot that cannot be read on: what cannot be decoded at its place never will be. The table that it was, where that can be
 * found, is kept out of the stream first, so that the next slot does not come to the same end.
 */
final class UndecodableSlot {

    private static final Logger LOG = LoggerFactory.getLogger(UndecodableSlot.class);

    /** Long enough that a further slot may be given up, should the table be the cause again. */
    private static final Duration SHORTEST_EXCLUSION = Duration.ofHours(1);

    private final SourceDatabase source;
    private final CaptureProperties properties;
    private final DecodingStore store;
    private final Exclusions exclusions;

    UndecodableSlot(SourceDatabase source, CaptureProperties properties, DecodingStore store, Exclusions exclusions) {
        this.source = source;
        this.properties = properties;
        this.store = store;
        this.exclusions = exclusions;
    }

    /** The source's tables. */
    @FunctionalInterface
    interface Tables {
        Map<TableName, SourceTable> read() throws SQLException;
    }

    /** Before the catalogue is looked at for the first time. */
    void remember() {
        exclusions.set(store.excluded());
    }

    /** Whether the slot is to be dropped, for which all is prepared then. Its reader has been ended. */
    boolean isGivenUp(Connection connection, long epoch, ReplicationSlot.State slot, Tables tables)
            throws SQLException, SupersededException {
        Failure failure = store.failure();
        if (failure == null || !(failure.history()
                .verdict(slot.confirmedLsn(), store.now()) instanceof SlotHistory.Verdict.Abandon)) {
            return false;
        }
        TableName culprit = culprit(connection, failure);
        SourceTable table = culprit == null ? null : tables.read().get(culprit);
        if (table != null) {
            exclude(epoch, table,
                    "a change of it" + at(failure.recordLsn()) + " cannot be decoded: " + failure.problem());
        }
        store.abandoned(epoch);
        LOG.warn(
                "The slot {} stands at {} and cannot be read on, at the second attempt as at the first{}: {}. It is given up, and every"
                        + " table is read into a new generation{}",
                properties.slotName(), Lsn.text(slot.confirmedLsn()),
                at(failure.recordLsn()), failure.problem(),
                table == null ? "" : "; table " + table.name() + ", which it was, is kept out of the stream");
        return true;
    }

    private void exclude(long epoch, SourceTable table, String cause) throws SupersededException {
        String identity = Exclusions.identity(table);
        store.exclude(epoch, table.name(), identity, cause);
        Map<TableName, Excluded> excluded = new HashMap<>(exclusions.all());
        excluded.put(table.name(), new Excluded(identity, cause, Duration.ZERO));
        exclusions.set(excluded);
    }

    /** Whose change it was; null if nothing tells. */
    private @Nullable TableName culprit(Connection connection, Failure failure) {
        String lsn = failure.recordLsn();
        if (lsn == null || !failure.kind().startsWith("22")) {
            // What is not in a value fails alike for whoever reads it.
            return null;
        }
        try {
            return ChangePeek.tableOf(source, connection, properties.slotName(), properties.publication(), lsn);
        } catch (SQLException e) {
            LOG.warn("Which table the change at {} is of cannot be found: {}", lsn, e.getMessage());
            return null;
        }
    }

    private static String at(@Nullable String lsn) {
        return lsn == null ? "" : " at " + lsn;
    }

    /** Remembers that a turn has ended like this. */
    void failed(long epoch, long startLsn, UndecodableException problem)
            throws SupersededException, SourceUnusableException {
        Failure before = store.failure();
        SlotHistory history = (before == null ? SlotHistory.NONE : before.history()).failed(startLsn);
        store.save(epoch, history, problem);
        if (history.verdict(startLsn, store.now()) instanceof SlotHistory.Verdict.Stop stop) {
            throw new SourceUnusableException(new SourceProblem("slot " + properties.slotName(), Lsn.text(startLsn),
                    "what follows" + at(problem.lsn()) + " cannot be decoded: " + problem.getMessage()
                            + "; for such a cause the slot was given up and every table read anew less than an hour ago",
                    "look for what keeps writing this into the source; it is tried again by itself, and at "
                            + stop.until()
                            + " the slot is given up again and every table read anew; to have that at once:"
                            + " SELECT pg_drop_replication_slot('" + properties.slotName() + "') in the source",
                    true));
        }
    }

    /**
     * Takes tables back into the stream that have been altered, or that could be read as a whole a while later.
     *
     * @param live whether all rows of a table could be read the last time
     */
    void include(long epoch, Map<TableName, SourceTable> tables, Predicate<TableName> live) throws SupersededException {
        if (exclusions.all().isEmpty()) {
            return;
        }
        // Asked again for their ages.
        Map<TableName, Excluded> kept = store.excluded();
        for (Map.Entry<TableName, Excluded> one : Map.copyOf(kept).entrySet()) {
            SourceTable table = tables.get(one.getKey());
            boolean altered = table != null
                    && !Objects.equals(Exclusions.identity(table), one.getValue().identity());
            boolean over = one.getValue().age().compareTo(SHORTEST_EXCLUSION) > 0 && live.test(one.getKey());
            if (altered || over) {
                store.include(epoch, one.getKey());
                kept.remove(one.getKey());
                LOG.info("Table {} is streamed again: {}", one.getKey(),
                        altered ? "it has been altered" : "all its rows can be read");
            }
        }
        exclusions.set(kept);
    }
}
