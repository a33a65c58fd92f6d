package io.syncline.worker.connection;

import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.SettingsEvent;
import io.syncline.model.connection.Site;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.ChainReader;
import io.syncline.model.log.ChainReader.Verdict;
import io.syncline.model.log.Fence;
import io.syncline.model.log.LogRecord;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.MalformedRecordException;
import io.syncline.model.log.ReplyRecord;
import io.syncline.worker.audit.EventLogReader;
import io.syncline.worker.connection.ConnectionStore.Changes;
import io.syncline.worker.connection.ConnectionStore.Origin;
import io.syncline.worker.connection.ConnectionStore.Scope;
import io.syncline.worker.connection.ConnectionStore.SiteChange;
import io.syncline.worker.connection.ConnectionStore.State;
import io.syncline.worker.connection.ConnectionStore.StoredEvent;
import io.syncline.worker.connection.ConnectionStore.StoredOutcome;
import io.syncline.worker.connection.ConnectionStore.Transaction;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes a worker the owner of a partition, and database and log tell the same story:
 * <ol>
 * <li>append a fence to the events; its offset is the new epoch;
 * <li>put it into {@code log_head}, which waits for the old owner's transaction and shuts out all its later ones;
 * <li>read the log up to the fence: what the database lacks is rolled forward, what the log lacks is sent, and where they
 * differ the log wins.
 * </ol>
 * Can be broken off and begun again at any point.
 */
final class PartitionTakeover {

    /** Replies to requests decided longer ago are not sent again: their callers have looked the outcome up. */
    private static final Duration REPLY_AGAIN = Duration.ofSeconds(15);
    private static final int MOST_REPLIES_AGAIN = 10_000;
    /** How many events are rolled forward in one transaction. */
    private static final int ROLL_FORWARD = 500;

    private final ConnectionStore store;
    private final CredentialKeys keys;
    private final String worker;
    private final Supplier<UUID> newId;

    PartitionTakeover(ConnectionStore store, CredentialKeys keys, String worker, Supplier<UUID> newId) {
        this.store = store;
        this.keys = keys;
        this.worker = worker;
        this.newId = newId;
    }

    /** The log, as a takeover of one of its partitions needs it. */
    interface PartitionLog {

        int partition();

        /** The log of the partition that the settings' events are in; this one, perhaps. */
        PartitionLog ofSettings();

        /** Offset of the first record that is still there. */
        long beginning();

        /** Offset behind the last record. */
        long end();

        /** Reads from one offset up to another one, that one excluded. */
        void read(long from, long to, EventLogReader.Each each);

        /** Appends records, and waits until they are acknowledged; their offsets, in their order. */
        List<Long> append(List<LogRecord> records);
    }

    /** How a takeover ended. */
    sealed interface Result {

        /**
         * @param head          where the partition stands, in the database and in the log
         * @param replies       that callers may not have got
         * @param rolledForward events that the database lacked
         * @param sent          events that the log lacked
         * @param folded        whether database and log differed, so that the rows were folded anew
         * @param server        the database server that this holds for
         */
        record Taken(
                LogHead head,
                String server,
                List<ReplyRecord> replies,
                int rolledForward,
                int sent,
                boolean folded)
                implements Result {}

        /** Another worker's fence is newer. */
        record Overtaken(String why) implements Result {}

        /** The log is not as workers write it; only a person can say what happened. */
        record Stopped(String why, String remedy) implements Result {}
    }

    /** What the database has cannot have come from this log. */
    private static final class DiffersException extends RuntimeException {

        private static final long serialVersionUID = 1L;

        DiffersException(String why) {
            super(why, null, false, false);
        }
    }

    /** The log was written with other keys than ours. */
    private static final class OtherKeysException extends RuntimeException {

        private static final long serialVersionUID = 1L;

        OtherKeysException(int partition, long offset) {
            super("this is not the cluster's key file, or an older one: the newest fence of partition " + partition
                    + ", at offset " + offset + ", was made with a key that is not in it", null, false, false);
        }
    }

    /** Found in the log: carries the verdict out of the reading. */
    private static final class ForeignRecordException extends RuntimeException {

        private static final long serialVersionUID = 1L;

        ForeignRecordException(long offset, String why) {
            super("offset " + offset + ": " + why, null, false, false);
        }
    }

    Result take(PartitionLog log) {
        try {
            return attempt(log);
        } catch (OtherKeysException e) {
            return new Result.Stopped(String.valueOf(e.getMessage()),
                    "give this worker the file that the other gateways and workers have (syncline.credentials.key-file);"
                            + " if it has it, a worker with another one wrote the fence: find it, and restore the topic");
        } catch (ForeignRecordException e) {
            return new Result.Stopped(String.valueOf(e.getMessage()),
                    "find out who wrote to or deleted from the events topic; restore the topic, or the key file that its"
                            + " records were written with");
        } catch (DiffersException e) {
            return new Result.Stopped("the log cannot be folded: " + e.getMessage(),
                    "its records are ours, but one cannot have followed on the other; keep the topic, and ask for help");
        }
    }

    private Result attempt(PartitionLog log) {
        int partition = log.partition();
        String server = store.server();
        LogHead before = store.head(partition).orElse(LogHead.start(partition));
        Result.Stopped unreadable = unreadable(before, log);
        if (unreadable != null) {
            return unreadable;
        }
        // Before anything is written: there may be nothing to read since the last takeover that other keys would show in.
        requireOurKeys(partition, before, log);
        PartitionLog ofSettings = log.ofSettings();
        if (ofSettings.partition() != partition) {
            // And nothing at all in a partition of a new cluster.
            requireOurKeys(partition,
                    store.head(ofSettings.partition()).orElse(LogHead.start(ofSettings.partition())), ofSettings);
        }
        // The fence names the head that its writer has read: signed proof of the log before it.
        ChainReader read = new ChainReader(partition, before.published().head(), keys);
        log.read(before.published().offset(), log.end(), (offset, record) -> judge(read, offset, record));
        ChainReader.Head known = read.head();
        Instant time = latest(store.clock().truncatedTo(ChronoUnit.MILLIS), before.time());
        long fence = log.append(List.of(new Fence(newId.get(), time, worker, known.sequence(),
                HexFormat.of().formatHex(known.hash())).toRecord(partition, keys))).getFirst();

        LogHead raised = store.raiseFence(partition, fence).orElse(null);
        if (raised == null) {
            return overtaken(partition, fence);
        }
        return new Reconciliation(raised, time, server, log).run();
    }

    private static Result.@Nullable Stopped unreadable(LogHead head, PartitionLog log) {
        long acknowledged = Math.max(head.published().offset(), head.fence() + 1);
        if (log.end() < acknowledged) {
            return new Result.Stopped(
                    "the log ends at offset " + log.end() + ", but " + acknowledged
                            + " records of it were acknowledged",
                    "the broker lost records, or the database belongs to another cluster: restore the topic, or give"
                            + " the database that belongs to it");
        }
        long from = head.fence() < 0 ? head.published().offset()
                : Math.min(head.published().offset(), head.fence());
        if (log.beginning() > from) {
            return new Result.Stopped("the log begins at offset " + log.beginning() + ", and is needed from " + from,
                    "somebody deleted records of the events topic, which are kept for ever: restore it");
        }
        return null;
    }

    /**
     * Proves that the cluster's keys are ours, by a partition's newest fence. Where there is none yet, the takeover reads the
     * log from its beginning; where the fence was deleted or altered, that stops its own partition and no other.
     */
    private void requireOurKeys(int taken, LogHead head, PartitionLog log) {
        long fence = head.fence();
        if (fence < log.beginning() || fence >= log.end()) {
            return;
        }
        log.read(fence, fence + 1, (offset, record) -> {
            try {
                Fence.read(log.partition(), record, keys);
            } catch (MalformedRecordException e) {
                if (e.unknownKey()) {
                    throw new OtherKeysException(log.partition(), offset);
                }
                if (log.partition() == taken) {
                    throw new ForeignRecordException(offset, e.why());
                }
            }
        });
    }

    private Result overtaken(int partition, long fence) {
        LogHead now = store.head(partition).orElse(LogHead.start(partition));
        return new Result.Overtaken("our fence is at offset " + fence + ", one at " + now.fence() + " is in force");
    }

    private static Verdict judge(ChainReader reader, long offset, LogRecord record) {
        Verdict verdict = reader.read(offset, record);
        if (verdict instanceof Verdict.Foreign foreign) {
            throw new ForeignRecordException(offset, foreign.why());
        }
        return verdict;
    }

    /** Step 3, under a fence that is in force. */
    private final class Reconciliation {

        private final int partition;
        private final long fence;
        private final Instant fenceTime;
        private final String server;
        private final PartitionLog log;
        /** What the database has behind the point from which the log is read, by sequence. */
        private final Map<Long, StoredEvent> stored = new HashMap<>();
        /** Stored events as the log has them, where it has them under a newer fence. */
        private final List<LoggedEvent> chainedOtherwise = new ArrayList<>();
        private LogHead head;
        private int rolledForward;

        Reconciliation(LogHead raised, Instant fenceTime, String server, PartitionLog log) {
            this.partition = raised.partition();
            this.fence = raised.fence();
            this.fenceTime = fenceTime;
            this.server = server;
            this.head = raised;
            this.log = log;
        }

        Result run() {
            boolean folded = false;
            ChainReader.Head logged;
            try {
                logged = compare();
            } catch (DiffersException e) {
                if (log.beginning() > 0) {
                    return new Result.Stopped(
                            "database and log differ (" + e.getMessage() + "), and the log begins at offset "
                                    + log.beginning(),
                            "somebody deleted records of the events topic, which are kept for ever: restore it");
                }
                // The log wins. Rolling forward from nothing is folding anew, and goes on where it is broken off.
                folded = true;
                if (!store.forget(partition, fence)) {
                    return overtaken(partition, fence);
                }
                head = store.head(partition).orElse(LogHead.start(partition));
                logged = compare();
            }
            requireSettings();
            int sent = send(logged);
            if (sent < 0) {
                return new Result.Overtaken("somebody wrote behind our fence at offset " + fence);
            }
            List<ReplyRecord> replies = store.outcomesOfLast(partition, REPLY_AGAIN, MOST_REPLIES_AGAIN)
                    .stream()
                    .map(one -> new ReplyRecord(one.requestId(), partition, head.sequence(), one.outcome()))
                    .toList();
            return new Result.Taken(head, server, replies, rolledForward, sent, folded);
        }

        /**
         * Reads the log up to the fence against the stored events, and rolls forward what the database lacks.
         *
         * @return where the log ends
         */
        private ChainReader.Head compare() {
            stored.clear();
            chainedOtherwise.clear();
            store.eventsAfter(partition, head.published().head().sequence())
                    .forEach(event -> stored.put(event.sequence(), event));
            ChainReader reader = new ChainReader(partition, head.published().head(), keys);
            List<LoggedEvent> lacking = new ArrayList<>();
            log.read(head.published().offset(), fence + 1, (offset, record) -> {
                if (!(judge(reader, offset, record) instanceof Verdict.Counts(LoggedEvent event))) {
                    return;
                }
                StoredEvent ours = stored.get(event.sequence());
                if (ours == null) {
                    lacking.add(event);
                    if (lacking.size() == ROLL_FORWARD) {
                        rollForward(lacking, new LogHead.Published(offset + 1, reader.head()));
                    }
                } else if (!Arrays.equals(ours.hash(), event.hash())) {
                    if (!ours.saysTheSameAs(event)) {
                        throw new DiffersException("event " + event.sequence() + " is another one in the database");
                    }
                    chainedOtherwise.add(event);
                }
            });
            if (!lacking.isEmpty()) {
                rollForward(lacking, new LogHead.Published(fence + 1, reader.head()));
            }
            return reader.head();
        }

        private void rollForward(List<LoggedEvent> lacking, LogHead.Published upTo) {
            Set<SiteUrl> sites = new HashSet<>();
            Set<UUID> grants = new HashSet<>();
            for (LoggedEvent logged : lacking) {
                if (logged.event() instanceof SiteEvent event) {
                    sites.add(event.siteUrl());
                    PullDecider.grantOf(event).ifPresent(grants::add);
                }
            }
            try (Transaction transaction = store.begin(scope(sites, grants))) {
                State state = transaction.state();
                requireStill(state);
                Map<SiteUrl, Site> evolved = new HashMap<>(state.sites());
                ModuleSettings settings = state.settings();
                List<StoredOutcome> outcomes = new ArrayList<>();
                long nextRequest = head.nextRequestOffset();
                for (LoggedEvent logged : lacking) {
                    Outcome outcome = switch (logged.event()) {
                        case SiteEvent event -> {
                            Site after = evolve(evolved.getOrDefault(event.siteUrl(), Site.unknown(event.siteUrl())),
                                    event, logged);
                            evolved.put(event.siteUrl(), after);
                            yield ConnectionDecider.outcomeOf(event, after, logged.time());
                        }
                        case SettingsEvent event -> {
                            settings = evolve(settings, event, logged);
                            yield Outcome.Accepted.WITHOUT_RECORD;
                        }
                    };
                    outcomes.add(new StoredOutcome(logged.requestId(), partition, logged.requestOffset(),
                            logged.sequence(), outcome,
                            logged.time()));
                    nextRequest = Math.max(nextRequest, logged.requestOffset() + 1);
                }
                List<SiteChange> changes = new ArrayList<>();
                evolved.forEach((url, after) -> changes
                        .add(new SiteChange(state.sites().getOrDefault(url, Site.unknown(url)), after)));
                LoggedEvent last = lacking.getLast();
                LogHead next = new LogHead(partition, fence, last.sequence(), last.hash(), nextRequest,
                        latest(last.time(), head.time()), upTo);
                List<LoggedEvent> events = new ArrayList<>(chainedOtherwise);
                events.addAll(lacking);
                transaction.commit(new Changes(events, outcomes, changes,
                        settings.equals(state.settings()) ? null : settings, List.of(next), Origin.LOG));
                head = next;
                rolledForward += lacking.size();
            }
            chainedOtherwise.clear();
            lacking.clear();
        }

        private static Site evolve(Site before, SiteEvent event, LoggedEvent logged) {
            try {
                return before.evolve(event, logged.time());
            } catch (IllegalStateException e) {
                throw new DiffersException("event " + logged.sequence() + ": " + e.getMessage());
            }
        }

        private static ModuleSettings evolve(ModuleSettings before, SettingsEvent event, LoggedEvent logged) {
            try {
                return before.evolve(event, logged.time());
            } catch (IllegalStateException e) {
                throw new DiffersException("event " + logged.sequence() + ": " + e.getMessage());
            }
        }

        /**
         * Chains what the log lacks onto its end, under our fence, and sends it.
         *
         * @return how many events were sent, -1 if somebody else wrote in between
         */
        private int send(ChainReader.Head logged) {
            List<LoggedEvent> lacking = new ArrayList<>();
            byte[] previous = logged.hash();
            for (long sequence = logged.sequence() + 1; stored.containsKey(sequence); sequence++) {
                StoredEvent event = stored.get(sequence);
                LoggedEvent again = LoggedEvent.chain(partition, fence, sequence, previous, event.id(),
                        event.requestId(), event.requestOffset(), event.time(), event.key(), event.type(),
                        event.payload(), keys);
                lacking.add(again);
                previous = again.hash();
            }
            // In the database first: an event that is in the log under this fence must never be unknown to it.
            List<LoggedEvent> changed = new ArrayList<>(chainedOtherwise);
            changed.addAll(lacking);
            LogHead next = new LogHead(partition, fence, logged.sequence() + lacking.size(), previous,
                    head.nextRequestOffset(), latest(head.time(), fenceTime), new LogHead.Published(fence + 1, logged));
            try (Transaction transaction = store.begin(scope(Set.of(), Set.of()))) {
                requireStill(transaction.state());
                if (!transaction.state().server().equals(server)) {
                    throw new StoreUnavailableException("the database server changed during the takeover",
                            new IllegalStateException("was " + server + ", is " + transaction.state().server()));
                }
                transaction.commit(new Changes(changed, List.of(), List.of(), null, List.of(next), Origin.LOG));
                head = next;
            }
            if (lacking.isEmpty()) {
                return 0;
            }
            List<Long> offsets = log.append(lacking.stream().map(LoggedEvent::record).toList());
            for (int i = 0; i < offsets.size(); i++) {
                if (offsets.get(i) != fence + 1 + i) {
                    return -1;
                }
            }
            head = head.publishedUpTo(new LogHead.Published(offsets.getLast() + 1, head.chain()));
            return lacking.size();
        }

        /**
         * Every partition is decided with the settings: a database that lost their newest event (a standby that took over
         * too early) must have it back before anything is decided.
         */
        private void requireSettings() {
            PartitionLog ofSettings = log.ofSettings();
            if (ofSettings.partition() == partition) {
                return;
            }
            // The log's end first: what lies before it was committed before, so a head that is read later has it.
            long end = ofSettings.end();
            LogHead known = store.head(ofSettings.partition()).orElse(LogHead.start(ofSettings.partition()));
            // A record of nobody's stops its own partition and no other: it is passed over here.
            ChainReader reader = new ChainReader(ofSettings.partition(), known.published().head(), keys);
            if (known.published().offset() < end) {
                ofSettings.read(known.published().offset(), end, (offset, record) -> reader.read(offset, record));
            }
            if (reader.head().sequence() > known.sequence()) {
                throw new StoreUnavailableException("the settings are behind the log until the owner of partition "
                        + ofSettings.partition() + " has rolled them forward",
                        new IllegalStateException(
                                "event " + known.sequence() + " of " + reader.head().sequence()));
            }
        }

        private Scope scope(Set<SiteUrl> sites, Set<UUID> grants) {
            return new Scope(new TreeSet<>(Set.of(partition)), sites, sites, grants, Set.of(), Set.of());
        }

        private void requireStill(State state) {
            LogHead found = state.heads().get(partition);
            if (found == null || !head.isStill(found)) {
                throw new StoreUnavailableException("somebody else wrote the partition during the takeover",
                        new IllegalStateException("found " + found + ", expected " + head));
            }
        }
    }

    private static Instant latest(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }
}
