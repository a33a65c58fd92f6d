package io.syncline.worker.connection;

import io.syncline.model.connection.Connection;
import io.syncline.model.connection.Event;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.SettingsEvent;
import io.syncline.model.connection.SettingsRequest;
import io.syncline.model.connection.Site;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.LogRecord;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.ReplyRecord;
import io.syncline.worker.connection.ConnectionStore.Changes;
import io.syncline.worker.connection.ConnectionStore.Origin;
import io.syncline.worker.connection.ConnectionStore.Scope;
import io.syncline.worker.connection.ConnectionStore.SiteChange;
import io.syncline.worker.connection.ConnectionStore.State;
import io.syncline.worker.connection.ConnectionStore.StoredOutcome;
import io.syncline.worker.connection.ConnectionStore.Transaction;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides a polled batch in one transaction: load, decide, evolve, save. What it returns is committed and waits to be
 * published.
 */
final class ConnectionProcessor {

    private static final Logger log = LoggerFactory.getLogger(ConnectionProcessor.class);

    private final ConnectionStore store;
    private final CredentialKeys keys;
    private final Supplier<UUID> newId;
    private final int maxEventBytes;

    /** @param maxEventBytes the largest record that the events topic takes */
    ConnectionProcessor(ConnectionStore store, CredentialKeys keys, Supplier<UUID> newId, int maxEventBytes) {
        this.store = store;
        this.keys = keys;
        this.newId = newId;
        this.maxEventBytes = maxEventBytes;
    }

    /**
     * The requests of one partition.
     *
     * @param head       where the partition stands, as far as this worker knows
     * @param server     the database server that was found to stand there
     * @param nextOffset of the requests topic, behind the last of them
     */
    record Batch(LogHead head, String server, List<Incoming> requests, long nextOffset) {

        int partition() {
            return head.partition();
        }

        /** Whether it only asks if head and server are still these, and has nothing to say that is not there. */
        boolean onlyLooks(LogHead found) {
            return requests.isEmpty() && nextOffset <= head.nextRequestOffset()
                    && head.published().offset() <= found.published().offset();
        }
    }

    /** What came of a partition's batch. */
    sealed interface Result {

        /**
         * Committed, as far as {@code head.nextRequestOffset()}.
         *
         * @param replies in the order of the requests; true only once the events are in the log
         */
        record Committed(LogHead head, List<LoggedEvent> events, List<ReplyRecord> replies) implements Result {}

        /** Somebody else has written the partition since: it is not this worker's, or has to be taken over again. */
        record HeadMoved(LogHead expected, @Nullable LogHead found, boolean sameServer) implements Result {

            String why() {
                return sameServer
                        ? "the database has " + (found == null ? "nothing" : found) + ", this worker has " + expected
                        : "another database server answers, or the same one after a restart";
            }
        }
    }

    /**
     * Decides the batches of several partitions.
     *
     * @throws StoreUnavailableException where nothing at all could be committed, or it is not known
     */
    Map<Integer, Result> process(Collection<Batch> batches) {
        try {
            return decide(batches, false);
        } catch (StoreUnavailableException e) {
            throw e;
        } catch (RuntimeException e) {
            log.info("A batch of {} requests is decided one by one: {}",
                    batches.stream().mapToInt(batch -> batch.requests().size()).sum(), e.getMessage());
            return oneByOne(batches);
        }
    }

    private Map<Integer, Result> oneByOne(Collection<Batch> batches) {
        Map<Integer, Result> results = new LinkedHashMap<>();
        for (Batch batch : batches) {
            if (batch.requests().isEmpty() && batch.nextOffset() <= batch.head().nextRequestOffset()) {
                // It only says what has been acknowledged, and says so again the next time.
                continue;
            }
            LogHead head = batch.head();
            List<LoggedEvent> events = new ArrayList<>();
            List<ReplyRecord> replies = new ArrayList<>();
            @Nullable Result moved = null;
            try {
                for (Incoming request : batch.requests()) {
                    switch (alone(new Batch(head, batch.server(), List.of(request), request.offset() + 1))) {
                        case Result.Committed one -> {
                            head = one.head();
                            events.addAll(one.events());
                            replies.addAll(one.replies());
                        }
                        case Result.HeadMoved other -> moved = other;
                    }
                    if (moved != null) {
                        break;
                    }
                }
            } catch (StoreUnavailableException e) {
                // What was committed is told; the rest is asked for again, from head.nextRequestOffset() on.
                log.warn("The state database went away while requests were decided one by one: {}", e.getMessage());
            }
            // Committed events must be published whatever came after them, so a head that moved is found out again.
            results.put(batch.partition(),
                    moved != null && events.isEmpty() ? moved : new Result.Committed(head, events, replies));
        }
        return results;
    }

    private Result alone(Batch batch) {
        try {
            return only(decide(List.of(batch), false));
        } catch (TokenTakenException e) {
            // Another worker's transaction took the token after ours had looked.
            return only(decide(List.of(batch), true));
        } catch (StoreUnavailableException e) {
            throw e;
        } catch (RuntimeException e) {
            Incoming request = batch.requests().getFirst();
            log.error("Request {} at {}@{} cannot be decided, and is answered so: {}", request.record().requestId(),
                    batch.partition(), request.offset(), e.toString());
            return park(batch);
        }
    }

    private static Result only(Map<Integer, Result> results) {
        return results.values().iterator().next();
    }

    private Map<Integer, Result> decide(Collection<Batch> batches, boolean tokensAreTaken) {
        return inTransaction(scope(batches), batches, (deciding, requests) -> {
            for (Incoming request : requests) {
                deciding.decide(request, tokensAreTaken);
            }
        });
    }

    /** Loads nothing of the request but its id: a text that PostgreSQL refuses would be refused here again. */
    private Result park(Batch batch) {
        Set<UUID> ids = new HashSet<>();
        batch.requests().forEach(request -> ids.add(request.record().requestId()));
        Scope scope = new Scope(new TreeSet<>(Set.of(batch.partition())), Set.of(), Set.of(), Set.of(), ids, Set.of());
        return only(inTransaction(scope, List.of(batch), (deciding, requests) -> {
            for (Incoming request : requests) {
                deciding.park(request, Refusal.NOT_DECIDABLE);
            }
        }));
    }

    @FunctionalInterface
    private interface PartitionWork {

        void on(Deciding deciding, List<Incoming> requests);
    }

    private Map<Integer, Result> inTransaction(Scope scope, Collection<Batch> batches, PartitionWork work) {
        Map<Integer, Result> results = new LinkedHashMap<>();
        try (Transaction transaction = store.begin(scope)) {
            World world = new World(transaction.state());
            List<Deciding> decided = new ArrayList<>();
            for (Batch batch : batches) {
                LogHead found = transaction.state().heads().get(batch.partition());
                boolean sameServer = transaction.state().server().equals(batch.server());
                if (found == null || !batch.head().isStill(found) || !sameServer) {
                    results.put(batch.partition(), new Result.HeadMoved(batch.head(), found, sameServer));
                    continue;
                }
                if (batch.onlyLooks(found)) {
                    results.put(batch.partition(), new Result.Committed(batch.head(), List.of(), List.of()));
                    continue;
                }
                Deciding deciding = new Deciding(world, batch.head());
                work.on(deciding, batch.requests());
                deciding.upTo(batch.nextOffset());
                decided.add(deciding);
                results.put(batch.partition(), deciding.result());
            }
            if (!decided.isEmpty()) {
                transaction.commit(world.changes(decided));
            }
            return results;
        }
    }

    private static Scope scope(Collection<Batch> batches) {
        Set<Integer> partitions = new HashSet<>();
        Set<SiteUrl> sites = new HashSet<>();
        Set<UUID> ids = new HashSet<>();
        Set<CredentialFingerprint> tokens = new HashSet<>();
        Set<SiteUrl> pulls = new HashSet<>();
        Set<UUID> grants = new HashSet<>();
        for (Batch batch : batches) {
            partitions.add(batch.partition());
            for (Incoming incoming : batch.requests()) {
                ids.add(incoming.record().requestId());
                if (incoming.record().request() instanceof SiteRequest request) {
                    sites.add(request.siteUrl());
                    ConnectionDecider.claimedToken(request).ifPresent(tokens::add);
                    if (PullDecider.touchesPulls(request)) {
                        pulls.add(request.siteUrl());
                    }
                    PullDecider.grantOf(request).ifPresent(grants::add);
                }
            }
        }
        return new Scope(new TreeSet<>(partitions), sites, pulls, grants, ids, tokens);
    }

    /** What holds while a transaction decides: what was loaded, and what the requests so far made of it. */
    private static final class World {

        private final State loaded;
        private final Map<SiteUrl, Site> sites;
        private final Map<UUID, Outcome> outcomes;
        private final Map<CredentialFingerprint, SiteUrl> tokens;
        private ModuleSettings settings;

        World(State loaded) {
            this.loaded = loaded;
            this.sites = new HashMap<>(loaded.sites());
            this.outcomes = new HashMap<>(loaded.outcomes());
            this.tokens = new HashMap<>(loaded.tokens());
            this.settings = loaded.settings();
        }

        Site site(SiteUrl url) {
            return sites.getOrDefault(url, Site.unknown(url));
        }

        void evolve(SiteEvent event, Instant at) {
            Site before = site(event.siteUrl());
            Site after = before.evolve(event, at);
            sites.put(after.url(), after);
            tokensOf(before).forEach(token -> tokens.remove(token, before.url()));
            tokensOf(after).forEach(token -> tokens.put(token, after.url()));
        }

        private static List<CredentialFingerprint> tokensOf(Site site) {
            Connection.Sender sender = site.sender();
            return sender == null ? List.of() : sender.fingerprints().toList();
        }

        Changes changes(List<Deciding> decided) {
            List<LoggedEvent> events = new ArrayList<>();
            List<StoredOutcome> decisions = new ArrayList<>();
            List<LogHead> heads = new ArrayList<>();
            for (Deciding one : decided) {
                events.addAll(one.events);
                decisions.addAll(one.decisions);
                heads.add(one.head);
            }
            List<SiteChange> changed = new ArrayList<>();
            for (Site after : sites.values()) {
                Site before = loaded.sites().getOrDefault(after.url(), Site.unknown(after.url()));
                if (!before.equals(after)) {
                    changed.add(new SiteChange(before, after));
                }
            }
            return new Changes(events, decisions, changed, settings.equals(loaded.settings()) ? null : settings, heads,
                    Origin.DECISION);
        }
    }

    /** One partition while its requests are decided. */
    private final class Deciding {

        private final World world;
        /** For deadlines: never behind the database's clock, whatever its digits. */
        private final Instant clock;
        /** For events, which carry milliseconds. */
        private final Instant now;
        private final List<LoggedEvent> events = new ArrayList<>();
        private final List<StoredOutcome> decisions = new ArrayList<>();
        private final List<ReplyRecord> replies = new ArrayList<>();
        private LogHead head;

        Deciding(World world, LogHead head) {
            this.world = world;
            this.head = head;
            this.clock = latest(world.loaded.clock(), head.time());
            this.now = latest(clock.truncatedTo(ChronoUnit.MILLIS), head.time());
        }

        Result result() {
            return new Result.Committed(head, events, replies);
        }

        void upTo(long nextOffset) {
            head = new LogHead(head.partition(), head.fence(), head.sequence(), head.hash(),
                    Math.max(nextOffset, head.nextRequestOffset()), now, head.published());
        }

        void decide(Incoming incoming, boolean tokenIsTaken) {
            if (answeredBefore(incoming)) {
                return;
            }
            if (!clock.isBefore(incoming.record().deadline())) {
                answer(incoming, new Outcome.Refused(Refusal.DEADLINE_PASSED));
                return;
            }
            switch (incoming.record().request()) {
                case SiteRequest request -> {
                    boolean tokenInUse = tokenIsTaken || ConnectionDecider.claimedToken(request)
                            .filter(world.tokens::containsKey)
                            .isPresent();
                    Site site = world.site(request.siteUrl());
                    apply(incoming, ConnectionDecider.asExpected(site, request, incoming.record().expected())
                            ? ConnectionDecider.decide(site, world.settings, request, now, tokenInUse)
                            : Decision.refused(Refusal.CHANGED_SINCE));
                }
                case SettingsRequest request -> apply(incoming,
                        ConnectionDecider.decide(world.settings, request, incoming.record().expected()));
            }
        }

        private void apply(Incoming incoming, Decision<?> decision) {
            for (Event event : decision.events()) {
                LoggedEvent logged = LoggedEvent.chain(head.partition(), head.fence(), head.sequence() + 1, head.hash(),
                        newId.get(), incoming.record().requestId(), incoming.offset(), now, event, keys);
                if (size(logged.record()) > maxEventBytes) {
                    answer(incoming, new Outcome.Refused(Refusal.TOO_LARGE));
                    return;
                }
                switch (event) {
                    case SiteEvent happened -> world.evolve(happened, now);
                    case SettingsEvent changed -> world.settings = world.settings.evolve(changed, now);
                }
                events.add(logged);
                head = new LogHead(head.partition(), head.fence(), logged.sequence(), logged.hash(),
                        head.nextRequestOffset(), now, head.published());
            }
            answer(incoming, decision.outcome());
        }

        void park(Incoming incoming, Refusal refusal) {
            if (!answeredBefore(incoming)) {
                answer(incoming, new Outcome.Refused(refusal));
            }
        }

        /** A request that was decided gets its outcome again, and has no further effect. */
        private boolean answeredBefore(Incoming incoming) {
            UUID id = incoming.record().requestId();
            Outcome before = world.outcomes.get(id);
            if (before != null) {
                replies.add(new ReplyRecord(id, head.partition(), head.sequence(), before));
            }
            return before != null;
        }

        private void answer(Incoming incoming, Outcome outcome) {
            UUID id = incoming.record().requestId();
            world.outcomes.put(id, outcome);
            decisions.add(new StoredOutcome(id, head.partition(), incoming.offset(), head.sequence(), outcome, now));
            replies.add(new ReplyRecord(id, head.partition(), head.sequence(), outcome));
        }
    }

    private static Instant latest(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }

    /** What a record takes in a Kafka batch of its own, and a little more. */
    static int size(LogRecord record) {
        int size = 128 + length(record.key()) + length(record.value());
        for (Map.Entry<String, byte[]> header : record.headers().entrySet()) {
            size += 10 + header.getKey().length() + length(header.getValue());
        }
        return size;
    }

    private static int length(byte @Nullable [] bytes) {
        return bytes == null ? 0 : bytes.length;
    }
}
