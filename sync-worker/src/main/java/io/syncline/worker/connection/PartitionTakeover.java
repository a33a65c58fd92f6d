package io.syncline.worker.connection;

import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.SettingsEvent;
import io.syncline.model.connection.Site;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.Acknowledgements;
import io.syncline.model.log.ChainReader;
import io.syncline.model.log.ChainReader.Verdict;
import io.syncline.model.log.Fence;
import io.syncline.model.log.Hole;
import io.syncline.model.log.LogRecord;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.MalformedRecordException;
import io.syncline.model.log.ReplyRecord;
import io.syncline.worker.audit.ChainReading;
import io.syncline.worker.audit.ForeignRecords;
import io.syncline.worker.audit.PartitionRecords;
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
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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

    private static final Logger LOG = LoggerFactory.getLogger(PartitionTakeover.class);

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
    interface PartitionLog extends PartitionRecords {

        /** The log of the partition that the settings' events are in; this one, perhaps. */
        PartitionLog ofSettings();

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
         * @param foreign       records that were passed over
         */
        record Taken(
                LogHead head,
                String server,
                List<ReplyRecord> replies,
                int rolledForward,
                int sent,
                boolean folded,
                ForeignRecords foreign)
                implements Result {}

        /** Another worker's fence is newer. */
        record Overtaken(String why) implements Result {}

        /**
         * The log is not as workers write it; only a person can say what happened.
         *
         * @param fenced whether a fence was appended before that was found: the log keeps each for ever
         */
        record Stopped(String why, String remedy, boolean fenced) implements Result {}
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

        OtherKeysException(String record, long offset) {
            super("this is not the cluster's key file, or an older one: " + record + ", at offset " + offset
                    + ", was made with a key that is not in it", null, false, false);
        }
    }

    /** Something is missing in the log, and nobody has acknowledged it. */
    private static final class HoleException extends RuntimeException {

        private static final long serialVersionUID = 1L;

        HoleException(List<Hole> holes) {
            this(holes.stream()
                    .limit(3)
                    .map(hole -> hole.what() + " of the log, between offsets " + hole.fromOffset() + " and "
                            + hole.toOffset() + ", was altered, removed or replaced")
                    .collect(Collectors.joining("; "))
                    + (holes.size() > 3 ? "; and " + (holes.size() - 3) + " more" : ""));
        }

        HoleException(String why) {
            super(why, null, false, false);
        }
    }

    /** What a takeover finds out before it writes anything. */
    private static final class Seen implements ChainReading.Visitor {

        private final ForeignRecords foreign = new ForeignRecords();
        private final List<Hole> holes = new ArrayList<>();
        private boolean ours;
        private long unknownKeyAt = -1;
        /** Would count, if the key that it names were in our file, and nothing of ours behind it says otherwise. */
        private @Nullable LoggedEvent claims;
        private long claimsAt;

        @Override
        public void verdict(long offset, Verdict verdict, ChainReader reader) {
            if (verdict instanceof Verdict.Foreign(String why, MalformedRecordException.Kind kind, LoggedEvent claiming)) {
                foreign.at(offset, why);
                unknownKeyAt = kind == MalformedRecordException.Kind.UNKNOWN_KEY ? offset : unknownKeyAt;
                if (claiming != null && claims == null) {
                    claims = claiming;
                    claimsAt = offset;
                }
                return;
            }
            ours = true;
            switch (verdict) {
                case Verdict.Counts _,Verdict.Raises _,Verdict.Resumes _,Verdict.RaisesBehind _ -> claims = null;
                case Verdict.Proves(Fence _, List<Hole> proven) -> holes.addAll(proven);
                case Verdict.Voided _,Verdict.Detached _,Verdict.Foreign _ -> {}
            }
        }
    }

    Result take(PartitionLog log) {
        return stopping(false, () -> attempt(log));
    }

    private static Result stopping(boolean fenced, Supplier<Result> work) {
        try {
            return work.get();
        } catch (OtherKeysException e) {
            return new Result.Stopped(String.valueOf(e.getMessage()),
                    "give this worker the file that the other gateways and workers have (syncline.credentials.key-file);"
                            + " if it has it, a worker with another one wrote the record: find it, and restore the topic",
                    fenced);
        } catch (HoleException e) {
            return new Result.Stopped(String.valueOf(e.getMessage()),
                    "find out who wrote to or deleted from the events topic. See what is missing, and what of it the state"
                            + " database has, with: java -jar sync-worker.jar repair-log; with --acknowledge and --reason it"
                            + " lets the partition go on",
                    fenced);
        } catch (DiffersException e) {
            return new Result.Stopped("the log cannot be folded: " + e.getMessage(),
                    "its records are ours, but one cannot have followed on the other; keep the topic, and ask for help",
                    fenced);
        }
    }

    private Result attempt(PartitionLog log) {
        int partition = log.partition();
        String server = store.server();
        LogHead before = store.head(partition).orElse(LogHead.start(partition));
        Result.Stopped shorter = shorterThanAcknowledged(before, log);
        if (shorter != null) {
            return shorter;
        }
        // Before anything is written: there may be nothing to read since the last takeover that other keys would show in.
        String fenceFault = requireOurKeys(before, log);
        PartitionLog ofSettings = log.ofSettings();
        if (ofSettings.partition() != partition) {
            // And nothing at all in a partition of a new cluster.
            requireOurKeys(store.head(ofSettings.partition()).orElse(LogHead.start(ofSettings.partition())),
                    ofSettings);
        }
        // The fence names the head that its writer has read: signed proof of the log before it.
        ChainReading.Read<Seen> read = ChainReading.read(log, before.published().head(), firstToRead(before, log),
                log.end(), keys, Seen::new);
        requireReadable(before, log, read, fenceFault);
        // Each fence is kept for ever: none is appended while there is something to wait for.
        requireSettings(log);
        ChainReader.Head known = read.reader().head();
        Instant time = latest(store.clock().truncatedTo(ChronoUnit.MILLIS), before.time());
        long fence = log.append(List.of(new Fence(newId.get(), time, worker, known.sequence(),
                HexFormat.of().formatHex(known.hash())).toRecord(partition, keys))).getFirst();

        LogHead raised = store.raiseFence(partition, fence).orElse(null);
        if (raised == null) {
            return overtaken(partition, fence);
        }
        return stopping(true, new Reconciliation(raised, time, server, log, read)::run);
    }

    private static long firstToRead(LogHead head, PartitionLog log) {
        return Math.max(head.published().offset(), log.beginning());
    }

    private static Result.@Nullable Stopped shorterThanAcknowledged(LogHead head, PartitionLog log) {
        long acknowledged = Math.max(head.published().offset(), head.fence() + 1);
        if (log.end() < acknowledged) {
            return new Result.Stopped(
                    "the log ends at offset " + log.end() + ", but " + acknowledged
                            + " records of it were acknowledged",
                    "the broker lost records, or the database belongs to another cluster: restore the topic, or give"
                            + " the database that belongs to it",
                    false);
        }
        return null;
    }

    /** What is missing stops the partition, unless an operator has acknowledged it. */
    private void requireReadable(LogHead head, PartitionLog log, ChainReading.Read<Seen> read,
            @Nullable String fenceFault) {
        Seen seen = read.visitor();
        LoggedEvent claims = seen.claims;
        boolean behind = read.reader().head().sequence() > head.sequence() || head.fence() < 0;
        if (claims != null && (behind || knownToDatabase(claims))) {
            // A database that has all that we can read is witness that nothing follows; one that is behind is none.
            throw new OtherKeysException("event " + claims.sequence() + " of partition " + log.partition(),
                    seen.claimsAt);
        }
        if (!seen.ours && seen.unknownKeyAt >= 0 && head.fence() < 0) {
            throw new OtherKeysException("a record of partition " + log.partition(), seen.unknownKeyAt);
        }
        List<Hole> holes = new ArrayList<>(seen.holes);
        holes.addAll(read.reader().open());
        if (!holes.isEmpty()) {
            throw new HoleException(holes);
        }
        if (fenceFault != null && !read.acknowledged().knowsMissing(head.fence())) {
            throw new HoleException("the fence at offset " + head.fence() + ", the newest that the database knows, was"
                    + " altered: " + fenceFault);
        }
        long from = head.fence() < 0 ? head.published().offset()
                : Math.min(head.published().offset(), head.fence());
        long beginning = log.beginning();
        if (beginning > from && !read.acknowledged().coversBeginning(from, beginning)) {
            throw new HoleException("the log begins at offset " + beginning + ", and is needed from " + from
                    + ": records were deleted");
        }
    }

    private boolean knownToDatabase(LoggedEvent event) {
        return store.eventsAfter(event.partition(), event.sequence() - 1)
                .stream()
                .findFirst()
                .filter(stored -> stored.sequence() == event.sequence()
                        && Arrays.equals(stored.hash(), event.hash()))
                .isPresent();
    }

    /**
     * Proves that the cluster's keys are ours, by a partition's newest fence. Where there is none yet, the takeover reads the
     * log from its beginning.
     *
     * @return what is wrong with the fence, if that was altered; it stops its own partition and no other
     */
    private @Nullable String requireOurKeys(LogHead head, PartitionLog log) {
        long fence = head.fence();
        if (fence < log.beginning() || fence >= log.end()) {
            return null;
        }
        @Nullable String[] fault = {"no record is there any more"};
        log.read(fence, fence + 1, (offset, record) -> {
            try {
                Fence.read(log.partition(), record, keys);
                fault[0] = null;
            } catch (MalformedRecordException e) {
                if (e.unknownKey()) {
                    throw new OtherKeysException("the newest fence of partition " + log.partition(), offset);
                }
                fault[0] = e.why();
            }
        });
        return fault[0];
    }

    private Result overtaken(int partition, long fence) {
        LogHead now = store.head(partition).orElse(LogHead.start(partition));
        return new Result.Overtaken("our fence is at offset " + fence + ", one at " + now.fence() + " is in force");
    }

    /**
     * Every partition is decided with the settings: a database that lost their newest event (a standby that took over
     * too early) must have it back before anything is decided.
     */
    private void requireSettings(PartitionLog log) {
        PartitionLog ofSettings = log.ofSettings();
        if (ofSettings.partition() == log.partition()) {
            return;
        }
        // The log's end first: what lies before it was committed before, so a head that is read later has it.
        long end = ofSettings.end();
        LogHead known = store.head(ofSettings.partition()).orElse(LogHead.start(ofSettings.partition()));
        // A hole stops its own partition and no other: it is passed over here.
        ChainReader reader = ChainReading.pass(ofSettings, known.published().head(), firstToRead(known, ofSettings),
                end, keys, new Acknowledgements(), (offset, verdict, at) -> {
                });
        if (reader.head().sequence() > known.sequence()) {
            throw new StoreUnavailableException("the settings are behind the log until the owner of partition "
                    + ofSettings.partition() + " has rolled them forward",
                    new IllegalStateException(
                            "event " + known.sequence() + " of " + reader.head().sequence()));
        }
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
        private final ForeignRecords foreign;
        private Acknowledgements acknowledged;
        private LogHead head;
        private int rolledForward;
        /** Whether events were passed that are lost for good: then what follows may not fit what went before. */
        private boolean lossy;

        Reconciliation(LogHead raised, Instant fenceTime, String server, PartitionLog log,
                ChainReading.Read<Seen> read) {
            this.partition = raised.partition();
            this.fence = raised.fence();
            this.fenceTime = fenceTime;
            this.server = server;
            this.head = raised;
            this.log = log;
            this.acknowledged = read.acknowledged();
            this.foreign = read.visitor().foreign;
        }

        Result run() {
            boolean folded = false;
            ChainReader.Head logged;
            try {
                logged = compare();
            } catch (DiffersException e) {
                ChainReading.Read<Seen> all = ChainReading.read(log, ChainReader.Head.start(), log.beginning(),
                        fence + 1, keys, Seen::new);
                acknowledged = all.acknowledged();
                if (log.beginning() > 0 && !acknowledged.coversBeginning(0, log.beginning())) {
                    return new Result.Stopped(
                            "database and log differ (" + e.getMessage() + "), and the log begins at offset "
                                    + log.beginning(),
                            "somebody deleted records of the events topic, which are kept for ever: restore it, or have"
                                    + " them restored from the state database: java -jar sync-worker.jar repair-log",
                            true);
                }
                List<Hole> holes = new ArrayList<>(all.visitor().holes);
                holes.addAll(all.reader().open());
                if (!holes.isEmpty()) {
                    // Before anything is forgotten: a log with holes is no better than the database.
                    throw new HoleException(holes);
                }
                // The log wins. Rolling forward from nothing is folding anew, and goes on where it is broken off.
                folded = true;
                if (!store.forget(partition, fence)) {
                    return overtaken(partition, fence);
                }
                head = store.head(partition).orElse(LogHead.start(partition));
                logged = compare();
            }
            // Again: what was committed before the fence was raised is to be seen from now on.
            requireSettings(log);
            int sent = send(logged);
            if (sent < 0) {
                return new Result.Overtaken("another worker wrote behind our fence at offset " + fence);
            }
            List<ReplyRecord> replies = store.outcomesOfLast(partition, REPLY_AGAIN, MOST_REPLIES_AGAIN)
                    .stream()
                    .map(one -> new ReplyRecord(one.requestId(), partition, head.sequence(), one.outcome()))
                    .toList();
            return new Result.Taken(head, server, replies, rolledForward, sent, folded, foreign);
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
            List<LoggedEvent> lacking = new ArrayList<>();
            ChainReader reader = new ChainReader(partition, head.published().head(), firstToRead(head, log), keys,
                    acknowledged);
            log.read(firstToRead(head, log), fence + 1, (offset, record) -> {
                switch (reader.read(offset, record)) {
                    case Verdict.Counts(LoggedEvent event) -> compare(event, lacking);
                    case Verdict.Resumes(Acknowledgements.Bridge bridge, LoggedEvent event) -> {
                        restore(bridge, lacking);
                        compare(event, lacking);
                    }
                    case Verdict.RaisesBehind(Acknowledgements.Bridge bridge, Fence _) -> restore(bridge, lacking);
                    // Written since we have looked.
                    case Verdict.Proves(Fence _, List<Hole> holes) -> throw new HoleException(holes);
                    case Verdict.Raises _,Verdict.Voided _,Verdict.Detached _,Verdict.Foreign _ -> {}
                }
                if (lacking.size() >= ROLL_FORWARD) {
                    rollForward(lacking, new LogHead.Published(offset + 1, reader.head()));
                }
            });
            if (!reader.open().isEmpty()) {
                throw new HoleException(reader.open());
            }
            if (!lacking.isEmpty()) {
                rollForward(lacking, new LogHead.Published(fence + 1, reader.head()));
            }
            return reader.head();
        }

        private void restore(Acknowledgements.Bridge bridge, List<LoggedEvent> lacking) {
            lossy |= bridge.lost() > 0;
            for (LoggedEvent event : bridge.restored()) {
                if (event.sequence() > head.published().head().sequence()) {
                    compare(event, lacking);
                }
            }
        }

        private void compare(LoggedEvent event, List<LoggedEvent> lacking) {
            StoredEvent ours = stored.get(event.sequence());
            if (ours == null) {
                lacking.add(event);
            } else if (!Arrays.equals(ours.hash(), event.hash())) {
                if (!ours.saysTheSameAs(event)) {
                    throw new DiffersException("event " + event.sequence() + " is another one in the database");
                }
                chainedOtherwise.add(event);
            }
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

        private Site evolve(Site before, SiteEvent event, LoggedEvent logged) {
            try {
                return before.evolve(event, logged.time());
            } catch (IllegalStateException e) {
                if (lossy) {
                    leftAsItWas(logged, e);
                    return before;
                }
                throw new DiffersException("event " + logged.sequence() + ": " + e.getMessage());
            }
        }

        private ModuleSettings evolve(ModuleSettings before, SettingsEvent event, LoggedEvent logged) {
            try {
                return before.evolve(event, logged.time());
            } catch (IllegalStateException e) {
                if (lossy) {
                    leftAsItWas(logged, e);
                    return before;
                }
                throw new DiffersException("event " + logged.sequence() + ": " + e.getMessage());
            }
        }

        /** What an event builds on was acknowledged as lost: it changes nothing. */
        private void leftAsItWas(LoggedEvent logged, IllegalStateException e) {
            LOG.warn("Event {} of partition {} changes nothing, since events before it are acknowledged as lost: {}",
                    logged.sequence(), partition, e.getMessage());
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
            LogHead sent = new LogHead(partition, fence, logged.sequence() + lacking.size(), previous,
                    head.nextRequestOffset(), latest(head.time(), fenceTime), new LogHead.Published(fence + 1, logged));
            try (Transaction transaction = store.begin(scope(Set.of(), Set.of()))) {
                requireStill(transaction.state());
                if (!transaction.state().server().equals(server)) {
                    throw new StoreUnavailableException("the database server changed during the takeover",
                            new IllegalStateException("was " + server + ", is " + transaction.state().server()));
                }
                transaction.commit(new Changes(changed, List.of(), List.of(), null, List.of(sent), Origin.LOG));
                head = sent;
            }
            if (lacking.isEmpty()) {
                return 0;
            }
            List<Long> offsets = log.append(lacking.stream().map(LoggedEvent::record).toList());
            long next = fence + 1;
            for (long offset : offsets) {
                if (offset < next || offset > next && ChainReading.foreignBetween(log, next, offset, keys).isEmpty()) {
                    return -1;
                }
                next = offset + 1;
            }
            head = head.publishedUpTo(new LogHead.Published(offsets.getLast() + 1, head.chain()));
            return lacking.size();
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
