package io.syncline.worker.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.connection.Event;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.OperatorRole;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.PeerWish;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.Request;
import io.syncline.model.connection.SettingsChangeRequested;
import io.syncline.model.connection.SettingsEvent;
import io.syncline.model.connection.SettingsRequest;
import io.syncline.model.connection.Site;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.ChainReader;
import io.syncline.model.log.Fence;
import io.syncline.model.log.LogRecord;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.ReplyRecord;
import io.syncline.model.log.RequestRecord;
import io.syncline.worker.audit.ChainReading;
import io.syncline.worker.audit.EventLogReader;
import io.syncline.worker.connection.Interleaving.Actor;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * One partition of a site in memory: log, requests, a database with locks, and workers made of the real processor, publisher
 * and takeover, which may all believe that the partition is theirs.
 */
final class SimulatedSite {

    static final int PARTITION = 0;
    private static final int SITES = 4;
    private static final CredentialKeys STRANGERS = Fixtures.newKeys();

    final Interleaving interleaving;
    private final CredentialKeys keys;
    private final Random random;
    private final List<LogRecord> log = new ArrayList<>();
    private final List<RequestRecord> requests = new ArrayList<>();
    private final Database database = new Database();
    private final List<ReplyRecord> replies = new ArrayList<>();
    private final List<EventProducer> producers = new ArrayList<>();
    private final Map<String, Actor> workers = new LinkedHashMap<>();
    private final Set<UUID> ids = new HashSet<>();
    private int takeovers;
    private int rolledForward;
    private int sent;
    private int folded;
    private int strangeOffsets;
    /** Chance, in a thousand at each point, of what can go wrong. */
    private final int faults;
    private final boolean failovers;
    private final Strays strays;
    private int foreign;
    private boolean calm;

    SimulatedSite(long seed, CredentialKeys keys, int requestCount, int faults, boolean failovers) {
        this(seed, keys, requestCount, faults, failovers, Strays.NONE);
    }

    /** What a stranger writes into the events. */
    enum Strays {
        NONE,
        /** A fence with a key that we do not hold may be one's that has newer keys: it costs a takeover. */
        BUT_FENCES,
        ANY
    }

    SimulatedSite(long seed, CredentialKeys keys, int requestCount, int faults, boolean failovers, Strays strays) {
        this.strays = strays;
        this.interleaving = new Interleaving(seed);
        this.random = interleaving.random();
        this.keys = keys;
        this.faults = faults;
        this.failovers = failovers;
        ask(new SettingsChangeRequested(true, IncomingMode.AUTO_ACCEPT, false, null, "test"));
        for (int i = 0; i < requestCount; i++) {
            ask(anyRequest());
            if (random.nextInt(20) == 0) {
                // A gateway's producer that sent it twice.
                requests.add(requests.getLast());
            }
        }
    }

    private void ask(Request request) {
        requests.add(new RequestRecord(newId(), Fixtures.NOW.plus(Duration.ofDays(1)), request));
    }

    private UUID newId() {
        UUID id = new UUID(random.nextLong(), random.nextLong());
        ids.add(id);
        return id;
    }

    /** The newest sender record that was asked for, by site; and every pull. */
    private final @Nullable UUID[] senders = new UUID[SITES];
    private final List<SiteRequest.PullRequested> pulls = new ArrayList<>();

    private Request anyRequest() {
        int number = random.nextInt(SITES);
        SiteUrl site = SiteUrl.asSent("http://site-" + number + ".example");
        CredentialFingerprint token = new CredentialFingerprint(("0" + number).repeat(32));
        return switch (random.nextInt(12)) {
            case 0, 1, 2 -> new SiteRequest.RegistrationRequested(site, newId(), "n", token, Fixtures.SEALED, null,
                    "ip", null);
            case 3, 4 -> new SiteRequest.StatusChangeRequested(site, token, PeerWish.values()[random.nextInt(3)]);
            case 5 -> new SiteRequest.DeletionRequested(site, token);
            case 6 -> new SiteRequest.SenderCreationRequested(site, senders[number] = newId(), "s", token,
                    Fixtures.SEALED, true, false,
                    io.syncline.model.connection.ConnectionSettings.DEFAULTS, "test");
            case 7, 8 -> {
                SiteRequest.PullRequested pull = new SiteRequest.PullRequested(site,
                        Objects.requireNonNullElseGet(senders[number], this::newId), newId(),
                        io.syncline.model.connection.PullKind.DOWNLOAD, "t", 10, 1, 60, random.nextBoolean(), "ip");
                pulls.add(pull);
                yield pull;
            }
            case 9 -> {
                SiteRequest.PullRequested pull = pulls.isEmpty() ? null : pulls.get(random.nextInt(pulls.size()));
                yield pull == null ? new SiteRequest.DeletionRequested(site, token)
                        : new SiteRequest.PullReported(pull.siteUrl(), pull.grant(), random.nextInt(10), 1, null, 1,
                                io.syncline.model.connection.PullOutcome.COMPLETED);
            }
            case 10 -> new SettingsRequest.OperatorAdditionRequested("o" + number, OperatorRole.VIEWER, token, "test");
            default -> new SettingsChangeRequested(null,
                    random.nextBoolean() ? IncomingMode.AUTO_ACCEPT : IncomingMode.REQUIRE_APPROVAL, false, null,
                    "test");
        };
    }

    void startWorker(String name) {
        workers.put(name, interleaving.start(name, new Worker(name)));
    }

    void run() {
        interleaving.run(this::whatHappens);
    }

    /** From now on nothing fails, nothing is late. */
    void calm() {
        calm = true;
        producers.forEach(EventProducer::loseAll);
    }

    private void whatHappens() {
        for (EventProducer producer : List.copyOf(producers)) {
            if (calm || random.nextInt(3) == 0) {
                producer.deliver();
            }
        }
        if (calm) {
            return;
        }
        for (Map.Entry<String, Actor> worker : List.copyOf(workers.entrySet())) {
            Actor actor = worker.getValue();
            if (actor.ended()) {
                continue;
            }
            int dice = random.nextInt(1_000);
            if (dice < faults) {
                interleaving.note(actor + " is killed");
                actor.kill();
                workers.remove(worker.getKey());
                if (takeovers < 30) {
                    startWorker(worker.getKey() + "'");
                }
            } else if (dice < 3 * faults) {
                int steps = 10 + random.nextInt(200);
                interleaving.note(actor + " is frozen for " + steps);
                actor.freeze(steps);
            }
        }
        database.whatHappens();
        if (strays != Strays.NONE && random.nextInt(15) == 0) {
            interleaving.note("a stranger writes to offset " + log.size());
            log.add(stray());
            foreign++;
        }
    }

    /** A record that no worker of this cluster wrote. */
    private LogRecord stray() {
        LogRecord any = log.isEmpty() ? null : log.get(random.nextInt(log.size()));
        // A new cluster's first record with another key would be the sign of a wrong key file.
        boolean alterable = any != null && any.value() != null && any.value().length > 0;
        int kinds = database.rows.head(PARTITION).isEmpty() ? 2 : alterable ? 5 : 4;
        return switch (random.nextInt(kinds)) {
            case 0 -> new LogRecord(null, null, 0, new TreeMap<>());
            case 1 -> LogRecord.unreadable("its checksum is wrong");
            case 2 -> strays == Strays.BUT_FENCES ? new LogRecord(new byte[0], new byte[0], -1, new TreeMap<>())
                    : new Fence(newId(), Fixtures.NOW, "stranger", 0, "00".repeat(32)).toRecord(PARTITION, STRANGERS);
            case 3 -> LoggedEvent.chain(PARTITION, log.size() - 1, 1, new byte[32], newId(), newId(), 1, Fixtures.NOW,
                    Fixtures.reported(PeerWish.ACTIVE), STRANGERS).record();
            default -> {
                byte[] value = Objects.requireNonNull(any).value().clone();
                value[random.nextInt(value.length)] ^= 1;
                yield new LogRecord(any.key(), value, any.timestamp(), any.headers());
            }
        };
    }

    /** What a worker does, without the consumer group: it takes the partition and keeps it until it is told otherwise. */
    private final class Worker implements Runnable {

        private final String name;
        private final ConnectionProcessor processor;
        private final PartitionTakeover takeover;
        private final ConnectionPublisher publisher = new ConnectionPublisher(EventProducer::new,
                new RenewedProducer("replies", ReplyProducer::new, KafkaClients.REPLY_DELIVERY, () -> 0),
                (partition, from, to) -> ChainReading.foreignBetween(new SharedLog(), from, to, keys), Runnable::run,
                () -> 0);

        Worker(String name) {
            this.name = name;
            this.processor = new ConnectionProcessor(database, keys, SimulatedSite.this::newId, 1_000_000);
            this.takeover = new PartitionTakeover(database, keys, name, SimulatedSite.this::newId);
        }

        @Override
        public void run() {
            // Both workers may do so for ever: a group that gives one partition to two.
            for (int attempt = 0; attempt < 12; attempt++) {
                takeovers++;
                try {
                    switch (takeover.take(new SharedLog())) {
                        case PartitionTakeover.Result.Taken taken -> {
                            interleaving.note(name + " took over: " + taken);
                            rolledForward += taken.rolledForward();
                            sent += taken.sent();
                            folded += taken.folded() ? 1 : 0;
                            publisher.replyAgain(taken.replies());
                            decide(taken);
                            if (done()) {
                                return;
                            }
                        }
                        case PartitionTakeover.Result.Overtaken overtaken -> interleaving.note(name + ": " + overtaken);
                        case PartitionTakeover.Result.Stopped stopped ->
                                throw new AssertionError("stopped without cause: " + stopped);
                    }
                } catch (StoreUnavailableException | TokenTakenException | KafkaException e) {
                    interleaving.note(name + ": " + e);
                }
                publisher.closeEventProducer();
                interleaving.point("tries again");
            }
        }

        private void decide(PartitionTakeover.Result.Taken taken) {
            LogHead head = taken.head();
            ConnectionPublisher.Lane lane = publisher.open(PARTITION, head.published());
            while (lane.broken().isEmpty()) {
                interleaving.point("polls at " + head.nextRequestOffset());
                int from = (int) head.nextRequestOffset();
                int to = Math.min(requests.size(), from + 1 + random.nextInt(4));
                if (from >= to) {
                    if (lane.idle()) {
                        return;
                    }
                    continue;
                }
                List<Incoming> polled = new ArrayList<>();
                for (int i = from; i < to; i++) {
                    polled.add(new Incoming(i, requests.get(i)));
                }
                try {
                    var result = processor.process(List.of(new ConnectionProcessor.Batch(
                            head.publishedUpTo(lane.published()), taken.server(), polled, to))).get(PARTITION);
                    switch (result) {
                        case ConnectionProcessor.Result.Committed committed -> {
                            head = committed.head();
                            interleaving.point("committed up to event " + head.sequence());
                            publisher.publish(lane, committed.events(), committed.replies());
                        }
                        case ConnectionProcessor.Result.HeadMoved moved -> {
                            interleaving.note(name + ": " + moved.why());
                            return;
                        }
                        case null -> throw new AssertionError("no result");
                    }
                } catch (StoreUnavailableException e) {
                    interleaving.note(name + ": " + e);
                }
            }
            interleaving.note(name + ": " + lane.broken());
            strangeOffsets += lane.broken().filter(why -> why.contains("instead of")).isPresent() ? 1 : 0;
        }

        private boolean done() {
            return database.rows.head(PARTITION)
                    .filter(head -> head.nextRequestOffset() == requests.size())
                    .isPresent();
        }
    }

    private final class SharedLog implements PartitionTakeover.PartitionLog {

        @Override
        public int partition() {
            return PARTITION;
        }

        @Override
        public PartitionTakeover.PartitionLog ofSettings() {
            return this;
        }

        @Override
        public long beginning() {
            return 0;
        }

        @Override
        public long end() {
            interleaving.point("asks for the log's end");
            return log.size();
        }

        @Override
        public void read(long from, long to, EventLogReader.Each each) {
            if (interleaving.running() != null) {
                // An acknowledgement that is looked into comes in on no worker's thread.
                interleaving.point("reads the log from " + from + " to " + to);
            }
            for (long offset = from; offset < to; offset++) {
                each.record(offset, log.get((int) offset));
            }
        }

        @Override
        public List<Long> append(List<LogRecord> records) {
            List<Long> offsets = new ArrayList<>();
            for (LogRecord record : records) {
                interleaving.point("appends");
                offsets.add((long) log.size());
                log.add(record);
                if (unlucky(20)) {
                    throw new KafkaException("sent, but the acknowledgement was lost");
                }
            }
            interleaving.point("appended at " + offsets);
            return offsets;
        }
    }

    private boolean unlucky(int oneIn) {
        return !calm && faults > 0 && random.nextInt(oneIn) == 0;
    }

    /** A producer whose records are on their way until the world delivers them: in order, one at a time. */
    private final class EventProducer extends MockProducer<byte[], byte[]> {

        private record OnItsWay(ProducerRecord<byte[], byte[]> record, Callback callback) {}

        private final Deque<OnItsWay> onTheirWay = new ArrayDeque<>();
        /** Whether an acknowledgement is being given: then nothing is in flight, since one request at a time is. */
        private boolean failing;

        EventProducer() {
            super(false, null, new ByteArraySerializer(), new ByteArraySerializer());
            producers.add(this);
        }

        @Override
        public Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record, Callback callback) {
            onTheirWay.add(new OnItsWay(record, callback));
            return new CompletableFuture<>();
        }

        void deliver() {
            OnItsWay next = onTheirWay.poll();
            if (next == null) {
                return;
            }
            boolean arrives = !unlucky(200);
            long offset = log.size();
            if (arrives) {
                TreeMap<String, byte[]> headers = new TreeMap<>();
                for (Header header : next.record.headers()) {
                    headers.put(header.key(), header.value());
                }
                log.add(new LogRecord(next.record.key(), next.record.value(), next.record.timestamp(), headers));
            }
            failing = true;
            if (arrives && !unlucky(100)) {
                next.callback.onCompletion(new RecordMetadata(
                        new TopicPartition(next.record.topic(), PARTITION), offset, 0, 0, 0, 0), null);
            } else {
                next.callback.onCompletion(null, new KafkaException(arrives ? "sent, but not acknowledged" : "lost"));
            }
            failing = false;
        }

        void loseAll() {
            onTheirWay.clear();
        }

        @Override
        public void close(Duration timeout) {
            // The one in flight may arrive all the same.
            OnItsWay inFlight = failing ? null : onTheirWay.poll();
            List<OnItsWay> dropped = List.copyOf(onTheirWay);
            onTheirWay.clear();
            if (inFlight != null && !calm && random.nextBoolean()) {
                onTheirWay.add(new OnItsWay(inFlight.record, (metadata, failure) -> {
                }));
                inFlight.callback.onCompletion(null, new KafkaException("closed"));
            } else if (inFlight != null) {
                inFlight.callback.onCompletion(null, new KafkaException("closed"));
            }
            dropped.forEach(one -> one.callback.onCompletion(null, new KafkaException("closed")));
        }
    }

    private final class ReplyProducer extends MockProducer<byte[], byte[]> {

        ReplyProducer() {
            super(true, null, new ByteArraySerializer(), new ByteArraySerializer());
        }

        @Override
        public synchronized Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record, Callback callback) {
            replies.add(ReplyRecord.read(record.value()));
            return new CompletableFuture<>();
        }
    }

    /** The store in memory, with the partition's lock, its time-outs, commits of unknown end, and standbys that are behind. */
    private final class Database implements ConnectionStore {

        private final InMemoryConnectionStore rows = new InMemoryConnectionStore();
        private final Deque<InMemoryConnectionStore> past = new ArrayDeque<>();
        private @Nullable Locked locked;
        private int servers;

        private record Locked(@Nullable Actor owner, boolean[] aborted) {}

        void whatHappens() {
            rows.clock = rows.clock.plusMillis(random.nextInt(3));
            if (failovers && !past.isEmpty() && random.nextInt(150) == 0) {
                List<InMemoryConnectionStore> standbys = List.copyOf(past);
                InMemoryConnectionStore standby = standbys.get(random.nextInt(standbys.size()));
                interleaving.note("a standby takes over: " + standby.head(PARTITION));
                Instant clock = rows.clock;
                rows.failOverTo(standby.copy("server-" + ++servers));
                rows.clock = clock;
                past.clear();
                if (locked != null) {
                    locked.aborted[0] = true;
                    locked = null;
                }
            }
        }

        /** Waits for the partition's lock; a holder that does nothing loses it to the time-out. */
        private Locked lock() {
            while (true) {
                Locked held = locked;
                if (held == null) {
                    break;
                }
                if (held.owner == null || held.owner.idle()) {
                    interleaving.note(held.owner + " loses its transaction to the time-out");
                    held.aborted[0] = true;
                    break;
                }
                interleaving.point("waits for the lock of " + held.owner);
            }
            Locked mine = new Locked(interleaving.running(), new boolean[1]);
            locked = mine;
            return mine;
        }

        private void unlock(Locked mine) {
            if (locked == mine) {
                locked = null;
            }
        }

        private void maybeAway() {
            if (unlucky(150)) {
                throw new StoreUnavailableException("away", new IllegalStateException());
            }
        }

        @Override
        public Transaction begin(Scope scope) {
            interleaving.point("begins");
            maybeAway();
            Locked mine = lock();
            Transaction real = rows.begin(scope);
            return new Transaction() {

                @Override
                public State state() {
                    return real.state();
                }

                @Override
                public void commit(Changes changes) {
                    interleaving.point("commits");
                    if (mine.aborted[0]) {
                        throw new StoreUnavailableException("the session was ended", new IllegalStateException());
                    }
                    maybeAway();
                    InMemoryConnectionStore before = rows.copy("past");
                    real.commit(changes);
                    past.add(before);
                    if (past.size() > 12) {
                        past.removeFirst();
                    }
                    unlock(mine);
                    if (unlucky(100)) {
                        throw new StoreUnavailableException("committed, but nobody heard", new IllegalStateException());
                    }
                    interleaving.point("has committed");
                }

                @Override
                public void close() {
                    unlock(mine);
                }
            };
        }

        @Override
        public String server() {
            interleaving.point("asks for the server");
            return rows.server();
        }

        @Override
        public Instant clock() {
            return rows.clock();
        }

        @Override
        public Optional<LogHead> head(int partition) {
            interleaving.point("reads the head");
            return rows.head(partition);
        }

        @Override
        public Optional<LogHead> raiseFence(int partition, long fence) {
            interleaving.point("raises fence " + fence);
            maybeAway();
            Locked mine = lock();
            Optional<LogHead> raised = rows.raiseFence(partition, fence);
            unlock(mine);
            interleaving.point("raised fence " + fence + ": " + raised.isPresent());
            return raised;
        }

        @Override
        public List<StoredEvent> eventsAfter(int partition, long sequence) {
            interleaving.point("reads events after " + sequence);
            return rows.eventsAfter(partition, sequence);
        }

        @Override
        public List<StoredOutcome> outcomesOfLast(int partition, Duration age, int limit) {
            interleaving.point("reads outcomes");
            return rows.outcomesOfLast(partition, age, limit);
        }

        @Override
        public boolean forget(int partition, long fence) {
            interleaving.point("forgets");
            Locked mine = lock();
            boolean forgotten = rows.forget(partition, fence);
            unlock(mine);
            return forgotten;
        }
    }

    // ---- what must be true in the end

    void verify() {
        ChainReader reader = new ChainReader(PARTITION, ChainReader.Head.start(), keys);
        List<LoggedEvent> counted = new ArrayList<>();
        int found = 0;
        for (int offset = 0; offset < log.size(); offset++) {
            switch (reader.read(offset, log.get(offset))) {
                case ChainReader.Verdict.Counts counts -> counted.add(counts.event());
                case ChainReader.Verdict.Foreign _ -> found++;
                case ChainReader.Verdict.Raises _,ChainReader.Verdict.Voided _ -> {}
                case ChainReader.Verdict wrong -> throw new AssertionError(offset + ": " + wrong);
            }
        }
        assertThat(found).as("what strangers wrote, and nothing else, is foreign").isEqualTo(foreign);
        Map<UUID, Long> facts = new HashMap<>();
        counted.forEach(event -> facts.merge(event.requestId(), 1L, Long::sum));
        assertThat(facts).as("one fact a request").allSatisfy((id, count) -> assertThat(count).isEqualTo(1));
        assertThat(counted).as("requests in their order")
                .isSortedAccordingTo(java.util.Comparator.comparingLong(LoggedEvent::requestOffset));

        Map<SiteUrl, Site> sites = new HashMap<>();
        ModuleSettings settings = ModuleSettings.INITIAL;
        Map<UUID, Outcome> outcomes = new HashMap<>();
        for (LoggedEvent logged : counted) {
            Event event = logged.event();
            switch (event) {
                case SiteEvent happened -> {
                    Site after = sites.getOrDefault(happened.siteUrl(), Site.unknown(happened.siteUrl()))
                            .evolve(happened, logged.time());
                    sites.put(after.url(), after);
                    outcomes.put(logged.requestId(), ConnectionDecider.outcomeOf(happened, after, logged.time()));
                }
                case SettingsEvent changed -> {
                    settings = settings.evolve(changed, logged.time());
                    outcomes.put(logged.requestId(), Outcome.Accepted.WITHOUT_RECORD);
                }
            }
        }
        sites.values().removeIf(site -> site.equals(Site.unknown(site.url())));
        assertThat(database.rows.sites()).as("the log folds to the state").isEqualTo(sites);
        assertThat(database.rows.settings()).isEqualTo(settings);
        assertThat(database.rows.eventsAfter(PARTITION, 0)).hasSameSizeAs(counted);
        assertThat(database.rows.head(PARTITION)).hasValueSatisfying(head -> {
            assertThat(head.sequence()).isEqualTo(reader.head().sequence());
            assertThat(head.hash()).isEqualTo(reader.head().hash());
            assertThat(head.nextRequestOffset()).isEqualTo(requests.size());
        });

        for (ReplyRecord reply : replies) {
            if (facts.containsKey(reply.requestId())) {
                assertThat(reply.outcome()).as("what was answered is what happened")
                        .isEqualTo(outcomes.get(reply.requestId()));
            } else {
                assertThat(hasNoEffect(reply)).as("answered, but no fact: " + reply).isTrue();
            }
        }
        for (RequestRecord request : requests) {
            Optional<Outcome> stored = database.rows.outcome(request.requestId());
            if (facts.containsKey(request.requestId())) {
                assertThat(stored).contains(outcomes.get(request.requestId()));
            } else if (!failovers) {
                // What had no effect, a database that falls back may forget: its caller is told "not applied", truly.
                assertThat(stored).as("every request has its outcome: " + request).isPresent();
            }
            assertThat(stored).isNotEqualTo(Optional.of(new Outcome.Refused(Refusal.NOT_DECIDABLE)));
        }
        Map<UUID, Outcome> told = new HashMap<>();
        for (ReplyRecord reply : replies) {
            Outcome before = told.putIfAbsent(reply.requestId(), reply.outcome());
            assertThat(before == null || before.equals(reply.outcome())).as("told twice, the same: " + reply).isTrue();
        }
    }

    private boolean hasNoEffect(ReplyRecord reply) {
        RequestRecord request = requests.stream()
                .filter(one -> one.requestId().equals(reply.requestId()))
                .findFirst()
                .orElseThrow();
        return switch (reply.outcome()) {
            case Outcome.Refused _ -> true;
            // The wish or the setting held already.
            case Outcome.Accepted _ -> request.request() instanceof SiteRequest.StatusChangeRequested
                    || request.request() instanceof SettingsChangeRequested;
            case Outcome.Granted _,Outcome.AwaitingApproval _ -> false;
        };
    }

    String summary() {
        return log.size() + " records, " + takeovers + " takeovers, " + replies.size() + " replies";
    }

    /** How often it came to what the tests are about. */
    Happened happened() {
        return new Happened(takeovers, rolledForward, sent, folded, strangeOffsets, foreign);
    }

    record Happened(int takeovers, int rolledForward, int sent, int folded, int strangeOffsets, int foreign) {

        Happened plus(Happened other) {
            return new Happened(takeovers + other.takeovers, rolledForward + other.rolledForward, sent + other.sent,
                    folded + other.folded, strangeOffsets + other.strangeOffsets, foreign + other.foreign);
        }
    }
}
