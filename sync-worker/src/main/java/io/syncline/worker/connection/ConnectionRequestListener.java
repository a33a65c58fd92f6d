package io.syncline.worker.connection;

import io.syncline.model.connection.Event;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.MalformedRecordException;
import io.syncline.model.log.RequestRecord;
import io.syncline.model.log.Topics;
import io.syncline.worker.audit.EventLogReader;
import io.syncline.worker.connection.ConnectionProcessor.Batch;
import io.syncline.worker.connection.PartitionTakeover.Result;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The loop: poll, decide, publish. One thread, whose big batches beat many threads with small ones; takeovers run beside it,
 * so that one partition's trouble holds up no other.
 *
 * <p>The group only proposes who owns a partition. The fence and {@code log_head} decide.
 */
final class ConnectionRequestListener implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(ConnectionRequestListener.class);

    private static final Duration IDLE_POLL = Duration.ofMillis(200);
    private static final Duration BUSY_POLL = Duration.ofMillis(5);
    private static final Duration REST_OF_BATCH = Duration.ofMillis(1);
    private static final Duration FIRST_RETRY = Duration.ofMillis(250);
    private static final Duration LAST_RETRY = Duration.ofSeconds(5);
    /** A stopped partition goes on soon after a person has mended or acknowledged what stopped it. */
    private static final Duration STOPPED_RETRY = Duration.ofSeconds(5);
    /** Each try of a partition that stops only behind its fence leaves one in the log, for ever. */
    private static final Duration FENCED_RETRY = Duration.ofMinutes(1);
    private static final Duration STOPPED_SAID_AGAIN = Duration.ofMinutes(1);
    private static final Duration ASK_GROUP = Duration.ofSeconds(2);
    /** How often an idle worker looks whether its database is still the one that it knows. */
    private static final Duration LOOK = Duration.ofSeconds(2);
    /** How long an acknowledgement may wait for the next batch before it is written by itself. */
    private static final Duration PUBLISHED_WAITS = Duration.ofMillis(200);
    private static final Duration SHOW_OFFSETS = Duration.ofSeconds(2);
    private static final Duration LAST_ACKNOWLEDGEMENTS = Duration.ofSeconds(2);
    private static final Duration LOG_PATIENCE = Duration.ofSeconds(30);
    /** Events sent and not acknowledged: beyond it, nothing more is decided until the broker has caught up. */
    private static final int MOST_UNACKNOWLEDGED = 4 * KafkaClients.BATCH;

    private final KafkaClients kafka;
    private final CredentialKeys keys;
    private final ConnectionProcessor processor;
    private final PartitionTakeover takeover;
    private final int partitionCount;
    private final int maxEventBytes;
    private final Thread thread = Thread.ofPlatform().name("connection").unstarted(this::run);

    private final Map<Integer, Owned> partitions = new HashMap<>();
    private final Queue<Runnable> takeoverEnds = new ConcurrentLinkedQueue<>();
    private final AtomicLong malformed = new AtomicLong();
    private volatile Map<Integer, PartitionStatus> status = Map.of();
    private volatile @Nullable String trouble;
    private volatile boolean closed;
    private volatile @Nullable Consumer<byte[], byte[]> waking;
    private long pausedUntil = System.nanoTime();
    private Duration backOff = FIRST_RETRY;
    private long offsetsShown = System.nanoTime();
    private long lookedAt = System.nanoTime();
    private int lastCount;

    ConnectionRequestListener(KafkaClients kafka, CredentialKeys keys, ConnectionProcessor processor,
            PartitionTakeover takeover, int partitionCount, int maxEventBytes) {
        this.kafka = kafka;
        this.keys = keys;
        this.processor = processor;
        this.takeover = takeover;
        this.partitionCount = partitionCount;
        this.maxEventBytes = maxEventBytes;
    }

    /** A partition that the group gave to this worker. Touched by the loop's thread only. */
    private static final class Owned {

        private final int partition;
        private Phase phase = Phase.TO_TAKE;
        /** When its rows were written last. */
        private long writtenAt = System.nanoTime();
        private long retryAt = System.nanoTime();
        /** Whether this is not the takeover that its assignment called for. */
        private boolean again;
        private long shown;
        private Duration retryAfter = FIRST_RETRY;
        private String detail = "assigned";
        /** What of the log its takeover passed over, in words. */
        private String foreign = "";
        /** Whether the last takeover that came to an end found that it must not go on. */
        private boolean stopped;
        private final Repeated stoppedSaid = new Repeated(STOPPED_SAID_AGAIN);
        private @Nullable Ownership ownership;

        Owned(int partition) {
            this.partition = partition;
        }

        void retry(String why, Phase as, Duration after) {
            ownership = null;
            phase = as;
            detail = why;
            retryAt = System.nanoTime() + after.toNanos();
        }

        void retrySoon(String why) {
            retry(why, Phase.TO_TAKE, retryAfter);
            retryAfter = longer(retryAfter);
        }
    }

    private enum Phase {
        TO_TAKE, TAKING, DECIDING, STOPPED
    }

    /** What a takeover won: where the partition stands, on which database server, and where its events go. */
    private record Ownership(LogHead head, String server, ConnectionPublisher.Lane lane) {

        Ownership at(LogHead next) {
            return new Ownership(next, server, lane);
        }

        /** Where the partition stands, with what has been acknowledged since. */
        LogHead published() {
            return head.publishedUpTo(lane.published());
        }

        /** Without requests: asks whether head and server are still these, and writes what has been acknowledged. */
        Batch look() {
            return new Batch(published(), server, List.of(), head.nextRequestOffset());
        }

        boolean hasNewsOfLog() {
            return lane.published().offset() > head.published().offset();
        }
    }

    void start() {
        thread.start();
    }

    /** What this worker is to each partition that the group gave it. */
    Map<Integer, PartitionStatus> partitions() {
        return status;
    }

    /** What keeps the loop from deciding, if anything does. */
    @Nullable
    String trouble() {
        return trouble;
    }

    /** Records of the requests topic that were no requests of ours. */
    long malformed() {
        return malformed.get();
    }

    private void run() {
        while (!closed) {
            try (ForeignLook look = new ForeignLook(() -> new EventLogReader(kafka.named("look"), LOG_PATIENCE), keys);
                    ConnectionPublisher publisher = new ConnectionPublisher(() -> kafka.events(maxEventBytes),
                            new RenewedProducer("replies", kafka::replies, KafkaClients.REPLY_DELIVERY,
                                    System::nanoTime),
                            look, look, System::nanoTime)) {
                consume(publisher);
            } catch (WakeupException e) {
                // Closed: the loop's condition says so.
            } catch (RuntimeException | Error e) {
                trouble = e.toString();
                log.error("The request loop failed, and begins anew in {} s: {}", LAST_RETRY.toSeconds(), e.toString(),
                        e);
                pause(LAST_RETRY);
            } finally {
                partitions.clear();
                showStatus();
            }
        }
    }

    private void consume(ConnectionPublisher publisher) {
        Consumer<byte[], byte[]> consumer = kafka.requests();
        try {
            waking = consumer;
            if (closed) {
                return;
            }
            consumer.subscribe(List.of(Topics.REQUESTS), new Assignments(consumer, publisher));
            while (!closed) {
                endTakeovers();
                takeBackBroken(publisher);
                beginTakeovers(consumer, publisher);
                pauseAllBut(consumer, decidable(publisher));
                Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> polled = poll(consumer, publisher);
                if (!polled.isEmpty()) {
                    decide(consumer, publisher, polled);
                } else if (lookIsDue()) {
                    decideBatches(consumer, publisher, looks());
                } else if (decidable(publisher)) {
                    decideBatches(consumer, publisher, acknowledged());
                }
                showOffsets(consumer);
                showStatus();
            }
        } finally {
            waking = null;
            awaitAcknowledgements(publisher, LAST_ACKNOWLEDGEMENTS);
            // Interrupted or woken, it still leaves the group, so that the next owner need not wait for the time-out.
            consumer.close(CloseOptions.timeout(LAST_ACKNOWLEDGEMENTS));
        }
    }

    // ---- deciding

    /**
     * While a batch was decided, the consumer's next fetch ended with whatever came first, and the rest is still at the
     * broker. A transaction costs the same for one request and for a hundred: where there were more a moment ago, the rest
     * is fetched too.
     */
    private Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> poll(Consumer<byte[], byte[]> consumer,
            ConnectionPublisher publisher) {
        Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> polled = new HashMap<>();
        int count = add(consumer.poll(patience(publisher)), polled);
        if (count == 0) {
            return polled;
        }
        while (count < lastCount / 2 && count < KafkaClients.BATCH) {
            int more = add(consumer.poll(REST_OF_BATCH), polled);
            count += more;
            if (more == 0) {
                break;
            }
        }
        lastCount = count;
        return polled;
    }

    private static int add(ConsumerRecords<byte[], byte[]> polled,
            Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> to) {
        for (TopicPartition from : polled.partitions()) {
            to.computeIfAbsent(from, partition -> new ArrayList<>()).addAll(polled.records(from));
        }
        return polled.count();
    }

    private void decide(Consumer<byte[], byte[]> consumer, ConnectionPublisher publisher,
            Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> polled) {
        List<Batch> batches = new ArrayList<>();
        polled.forEach((from, records) -> {
            Owned owned = partitions.get(from.partition());
            if (owned != null && owned.ownership != null && owned.phase == Phase.DECIDING) {
                batches.add(batch(owned.ownership, records));
            }
        });
        for (Batch other : acknowledged()) {
            if (batches.stream().noneMatch(batch -> batch.partition() == other.partition())) {
                batches.add(other);
            }
        }
        decideBatches(consumer, publisher, batches);
    }

    private void decideBatches(Consumer<byte[], byte[]> consumer, ConnectionPublisher publisher, List<Batch> batches) {
        if (batches.isEmpty()) {
            return;
        }
        lookedAt = System.nanoTime();
        try {
            processor.process(batches).forEach((partition, result) -> {
                Owned owned = partitions.get(partition);
                if (owned == null || owned.ownership == null) {
                    return;
                }
                switch (result) {
                    case ConnectionProcessor.Result.Committed committed -> {
                        owned.writtenAt = System.nanoTime();
                        owned.ownership = owned.ownership.at(committed.head());
                        publisher.publish(owned.ownership.lane(), committed.events(), committed.replies());
                    }
                    case ConnectionProcessor.Result.HeadMoved moved -> owned.ownership.lane().abandon(moved.why());
                }
            });
            if (rewindUndecided(consumer, batches)) {
                backOff("a batch was decided in part only");
            } else {
                recovered();
            }
        } catch (StoreUnavailableException e) {
            rewindUndecided(consumer, batches);
            backOff("the state database cannot be used: " + e.getMessage());
        }
    }

    private boolean lookIsDue() {
        return System.nanoTime() - lookedAt >= LOOK.toNanos() && System.nanoTime() - pausedUntil >= 0;
    }

    /**
     * Batches without requests. A database that was replaced while nobody asked for anything is behind the log, gateways
     * answer nothing from it, and so no request would ever come and have it rolled forward.
     */
    private List<Batch> looks() {
        List<Batch> looks = new ArrayList<>();
        for (Owned owned : partitions.values()) {
            if (owned.ownership != null && owned.phase == Phase.DECIDING) {
                looks.add(owned.ownership.look());
            }
        }
        return looks;
    }

    /**
     * Those partitions whose last events were acknowledged and whose next batch does not come. A gateway that hears no replies
     * learns from the database that what it reads there is in the log; the next batch would tell it, whenever that is.
     */
    private List<Batch> acknowledged() {
        List<Batch> batches = new ArrayList<>();
        for (Owned owned : partitions.values()) {
            if (owned.ownership != null && owned.phase == Phase.DECIDING && owned.ownership.lane().broken().isEmpty()
                    && owned.ownership.hasNewsOfLog()
                    && System.nanoTime() - owned.writtenAt >= PUBLISHED_WAITS.toNanos()) {
                batches.add(owned.ownership.look());
            }
        }
        return batches;
    }

    private Batch batch(Ownership ownership, List<ConsumerRecord<byte[], byte[]>> records) {
        List<Incoming> requests = new ArrayList<>(records.size());
        for (ConsumerRecord<byte[], byte[]> record : records) {
            RequestRecord request = read(record);
            if (request != null) {
                requests.add(new Incoming(record.offset(), request));
            }
        }
        return new Batch(ownership.published(), ownership.server(), requests, records.getLast().offset() + 1);
    }

    private @Nullable RequestRecord read(ConsumerRecord<byte[], byte[]> record) {
        String why;
        try {
            if (record.value() == null) {
                throw new MalformedRecordException("it has no value");
            }
            RequestRecord request = RequestRecord.read(record.value());
            if (partitionOf(request.request().key()) == record.partition()) {
                return request;
            }
            why = "its site belongs to another partition";
        } catch (MalformedRecordException e) {
            why = e.getMessage();
        } catch (RuntimeException e) {
            // A field that another version leaves out, for instance: one record must not stop the partition.
            why = e.getClass().getSimpleName();
        }
        if (malformed.incrementAndGet() % 1_000 == 1) {
            log.warn("Record {}-{}@{} is no request and is passed over ({} so far): {}", record.topic(),
                    record.partition(), record.offset(), malformed.get(), why);
        }
        return null;
    }

    /** As Kafka's default partitioner: two partitions for one site would be two orders for its events. */
    private int partitionOf(String key) {
        return Utils.toPositive(Utils.murmur2(key.getBytes(StandardCharsets.UTF_8))) % partitionCount;
    }

    /** What was polled and not committed is asked for again. */
    private boolean rewindUndecided(Consumer<byte[], byte[]> consumer, List<Batch> batches) {
        boolean rewound = false;
        for (Batch batch : batches) {
            Owned owned = partitions.get(batch.partition());
            if (owned != null && owned.ownership != null
                    && owned.ownership.head().nextRequestOffset() < batch.nextOffset()) {
                consumer.seek(requests(batch.partition()), owned.ownership.head().nextRequestOffset());
                rewound |= owned.ownership.lane().broken().isEmpty();
            }
        }
        return rewound;
    }

    private void backOff(String why) {
        if (trouble == null) {
            log.warn("Nothing is decided for now, {}", why);
            trouble = why;
        }
        pausedUntil = System.nanoTime() + backOff.toNanos();
        backOff = longer(backOff);
    }

    private void recovered() {
        if (trouble != null) {
            log.info("Requests are decided again");
            trouble = null;
        }
        backOff = FIRST_RETRY;
    }

    private boolean decidable(ConnectionPublisher publisher) {
        return System.nanoTime() - pausedUntil >= 0 && publisher.unacknowledged() < MOST_UNACKNOWLEDGED;
    }

    private Duration patience(ConnectionPublisher publisher) {
        boolean busy = !decidable(publisher)
                || partitions.values().stream().anyMatch(owned -> owned.phase != Phase.DECIDING);
        return busy ? BUSY_POLL : IDLE_POLL;
    }

    private void pauseAllBut(Consumer<byte[], byte[]> consumer, boolean decidable) {
        List<TopicPartition> pause = new ArrayList<>();
        List<TopicPartition> resume = new ArrayList<>();
        for (TopicPartition assigned : consumer.assignment()) {
            Owned owned = partitions.get(assigned.partition());
            boolean on = decidable && owned != null && owned.phase == Phase.DECIDING;
            if (on == consumer.paused().contains(assigned)) {
                (on ? resume : pause).add(assigned);
            }
        }
        if (!pause.isEmpty()) {
            consumer.pause(pause);
        }
        if (!resume.isEmpty()) {
            consumer.resume(resume);
        }
    }

    // ---- taking over

    private void beginTakeovers(Consumer<byte[], byte[]> consumer, ConnectionPublisher publisher) {
        long now = System.nanoTime();
        for (Owned owned : partitions.values()) {
            boolean waits = owned.phase == Phase.TO_TAKE || owned.phase == Phase.STOPPED;
            if (waits && now - owned.retryAt >= 0) {
                if (owned.again && !stillGiven(consumer, owned)) {
                    owned.retrySoon("the group does not say that this partition is still this worker's");
                    continue;
                }
                owned.phase = Phase.TAKING;
                owned.again = true;
                Thread.ofVirtual()
                        .name("takeover-" + owned.partition)
                        .start(() -> takeOver(owned, consumer, publisher));
            }
        }
    }

    /**
     * Asks the group, by an offset commit, which it takes from members only. A worker that was frozen and wakes up would
     * otherwise raise a fence against the one that has long gone on.
     */
    private boolean stillGiven(Consumer<byte[], byte[]> consumer, Owned owned) {
        try {
            TopicPartition from = requests(owned.partition);
            consumer.commitSync(Map.of(from, new OffsetAndMetadata(owned.shown)), ASK_GROUP);
            return true;
        } catch (WakeupException e) {
            throw e;
        } catch (KafkaException e) {
            log.debug("partition {} is perhaps not ours any more", owned.partition, e);
            return false;
        }
    }

    private void takeOver(Owned owned, Consumer<byte[], byte[]> consumer,
            ConnectionPublisher publisher) {
        long began = System.nanoTime();
        Runnable end;
        // Clients of its own: closed with it, they send nothing later.
        try (EventLogReader reader = new EventLogReader(kafka.named("takeover"), LOG_PATIENCE);
                Producer<byte[], byte[]> producer = kafka.events(maxEventBytes)) {
            Result result = takeover
                    .take(new KafkaPartitionLog(owned.partition, partitionOf(Event.SETTINGS_KEY), reader,
                            producer));
            EventLogReader.Extent requests = reader.extent(Topics.REQUESTS, owned.partition);
            long millis = (System.nanoTime() - began) / 1_000_000;
            end = () -> ended(owned, result, requests, millis, consumer, publisher);
        } catch (StoreUnavailableException | TokenTakenException | KafkaException e) {
            end = () -> notNow(owned, e.getMessage() == null ? e.toString() : e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            end = () -> {
                log.error("Takeover of partition {} failed: {}", owned.partition, e.toString(), e);
                owned.retrySoon(e.toString());
            };
        }
        takeoverEnds.add(end);
    }

    private void endTakeovers() {
        for (Runnable end = takeoverEnds.poll(); end != null; end = takeoverEnds.poll()) {
            end.run();
        }
    }

    private void ended(Owned owned, Result result, EventLogReader.Extent requests, long millis,
            Consumer<byte[], byte[]> consumer,
            ConnectionPublisher publisher) {
        if (partitions.get(owned.partition) != owned) {
            log.info("Partition {} was taken over and is somebody else's already", owned.partition);
            return;
        }
        switch (result) {
            case Result.Taken taken -> {
                LogHead head = within(requests, taken.head());
                consumer.seek(requests(owned.partition), head.nextRequestOffset());
                publisher.replyAgain(taken.replies());
                owned.ownership = new Ownership(head, taken.server(),
                        publisher.open(owned.partition, head.published()));
                owned.phase = Phase.DECIDING;
                owned.stopped = false;
                owned.foreign = taken.foreign().toString();
                owned.detail = "fence " + head.fence();
                if (!owned.foreign.isEmpty()) {
                    log.warn("Partition {} of {}: {}. See them with: java -jar sync-worker.jar verify-log",
                            owned.partition, Topics.EVENTS, owned.foreign);
                }
                owned.shown = head.nextRequestOffset();
                owned.retryAfter = FIRST_RETRY;
                log.info(
                        "Partition {} taken over in {} ms: fence {}, event {}, next request {}; {} events rolled forward{},"
                                + " {} sent, {} replies sent again",
                        owned.partition, millis, head.fence(), head.sequence(),
                        head.nextRequestOffset(), taken.rolledForward(),
                        taken.folded() ? " (folded anew: database and log differed)" : "", taken.sent(),
                        taken.replies().size());
            }
            case Result.Overtaken overtaken -> {
                log.info("Partition {} not taken over: {}", owned.partition, overtaken.why());
                owned.stopped = false;
                owned.retrySoon(overtaken.why());
            }
            case Result.Stopped stopped -> {
                String why = stopped.why() + "; " + stopped.remedy();
                Duration retry = stopped.fenced() ? FENCED_RETRY : STOPPED_RETRY;
                if (owned.stoppedSaid.isDue(why)) {
                    log.error("Partition {} of {} is STOPPED, no request of its sites is decided: {}. Remedy: {}."
                            + " Looked at again every {} s", owned.partition, Topics.EVENTS, stopped.why(),
                            stopped.remedy(), retry.toSeconds());
                }
                owned.stopped = true;
                owned.retry(why, Phase.STOPPED, retry);
            }
        }
    }

    private void notNow(Owned owned, String why, Exception e) {
        if (!owned.detail.equals(why)) {
            log.warn("Partition {} cannot be taken over yet, and is tried again: {}", owned.partition, why);
        }
        log.debug("Takeover of partition {}", owned.partition, e);
        owned.retrySoon(why);
    }

    /** Requests that the topic has lost, by age or by a broker's accident, are not waited for. */
    private static LogHead within(EventLogReader.Extent topic, LogHead head) {
        long next = Math.clamp(head.nextRequestOffset(), topic.beginning(), topic.end());
        if (next != head.nextRequestOffset()) {
            log.warn("Partition {} of {} has offsets {} to {}, the next request was to be at {}: going on at {}."
                    + " Requests in between are lost, their callers were told so", head.partition(), Topics.REQUESTS,
                    topic.beginning(), topic.end(), head.nextRequestOffset(), next);
        }
        return head.withNextRequest(next);
    }

    /** A send that failed, went to a strange offset or was never heard of: nothing in that producer may be sent any more. */
    private void takeBackBroken(ConnectionPublisher publisher) {
        publisher.abandonUnheard();
        boolean close = false;
        for (Owned owned : partitions.values()) {
            if (owned.ownership != null && owned.ownership.lane().broken().isPresent()) {
                String why = owned.ownership.lane().broken().get();
                log.warn("Partition {} is taken over again: {}", owned.partition, why);
                owned.retry(why, Phase.TO_TAKE, Duration.ZERO);
                close = true;
            }
        }
        if (close) {
            publisher.closeEventProducer();
        }
    }

    private final class Assignments implements ConsumerRebalanceListener {

        private final Consumer<byte[], byte[]> consumer;
        private final ConnectionPublisher publisher;

        Assignments(Consumer<byte[], byte[]> consumer, ConnectionPublisher publisher) {
            this.consumer = consumer;
            this.publisher = publisher;
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
            // Not read before the takeover has said from where.
            consumer.pause(assigned);
            assigned.forEach(one -> partitions.put(one.partition(), new Owned(one.partition())));
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
            // Given back in order: what is on its way arrives, and is answered by us.
            awaitAcknowledgements(publisher, LAST_ACKNOWLEDGEMENTS);
            drop(revoked);
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> lost) {
            if (drop(lost)) {
                publisher.closeEventProducer();
            }
        }

        /** Forgets partitions; says whether events of theirs are still on their way. */
        private boolean drop(Collection<TopicPartition> gone) {
            boolean onTheirWay = false;
            for (TopicPartition one : gone) {
                Owned owned = partitions.remove(one.partition());
                if (owned != null && owned.ownership != null) {
                    onTheirWay |= !owned.ownership.lane().idle();
                    owned.ownership.lane().abandon("the partition is not this worker's any more");
                }
            }
            return onTheirWay;
        }
    }

    private void awaitAcknowledgements(ConnectionPublisher publisher, Duration longest) {
        long until = System.nanoTime() + longest.toNanos();
        while (publisher.unacknowledged() > 0 && System.nanoTime() - until < 0) {
            pause(Duration.ofMillis(1));
        }
    }

    // ---- for show

    /** The group's offsets are for people and their tools: nobody here reads them. */
    private void showOffsets(Consumer<byte[], byte[]> consumer) {
        if (System.nanoTime() - offsetsShown < SHOW_OFFSETS.toNanos()) {
            return;
        }
        offsetsShown = System.nanoTime();
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (Owned owned : partitions.values()) {
            if (owned.ownership != null) {
                owned.shown = owned.ownership.head().nextRequestOffset();
                offsets.put(requests(owned.partition), new OffsetAndMetadata(owned.shown));
            }
        }
        if (!offsets.isEmpty()) {
            consumer.commitAsync(offsets, (committed, failure) -> log.debug("offsets shown: {}", committed, failure));
        }
    }

    private void showStatus() {
        Map<Integer, PartitionStatus> now = new TreeMap<>();
        for (Owned owned : partitions.values()) {
            now.put(owned.partition, new PartitionStatus(owned.partition, switch (owned.phase) {
                case TO_TAKE, TAKING ->
                        owned.stopped ? PartitionStatus.Kind.STOPPED : PartitionStatus.Kind.TAKING_OVER;
                case DECIDING -> PartitionStatus.Kind.OWNED;
                case STOPPED -> PartitionStatus.Kind.STOPPED;
            }, detail(owned)));
        }
        if (!now.equals(status)) {
            status = Map.copyOf(now);
        }
    }

    private static String detail(Owned owned) {
        Ownership ownership = owned.ownership;
        if (ownership == null) {
            return owned.detail;
        }
        long since = ownership.lane().foreign();
        return owned.detail + (owned.foreign.isEmpty() ? "" : "; " + owned.foreign)
                + (since == 0 ? "" : "; " + since + " foreign records passed over since");
    }

    private static TopicPartition requests(int partition) {
        return new TopicPartition(Topics.REQUESTS, partition);
    }

    private static Duration longer(Duration before) {
        Duration doubled = before.multipliedBy(2);
        return doubled.compareTo(LAST_RETRY) > 0 ? LAST_RETRY : doubled;
    }

    private void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        closed = true;
        Consumer<byte[], byte[]> consumer = waking;
        if (consumer != null) {
            consumer.wakeup();
        }
        try {
            if (thread.isAlive() && !thread.join(Duration.ofSeconds(15))) {
                log.warn("The request loop did not end in 15 s and is interrupted");
                thread.interrupt();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            thread.interrupt();
        }
    }
}
