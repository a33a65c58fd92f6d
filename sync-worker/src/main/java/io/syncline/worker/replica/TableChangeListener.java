package io.syncline.worker.replica;

import io.syncline.model.log.MalformedRecordException;
import io.syncline.model.log.TableChangeReader;
import io.syncline.model.log.Topics;
import io.syncline.worker.marks.StateMarks;
import io.syncline.worker.replica.Batch.Content;
import io.syncline.worker.replica.Batch.Entry;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the table topics and has them applied. Where it reads on is said by PostgreSQL alone: the group only shares the
 * partitions out, and its offsets are for show.
 */
public final class TableChangeListener implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(TableChangeListener.class);

    private static final String GROUP = "syncline.replica";
    private static final Duration POLL = Duration.ofMillis(500);
    private static final Duration ADMIN_TIMEOUT = Duration.ofSeconds(10);
    private static final long SHOW_OFFSETS_EVERY_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** What is applied at once: as many records as make a transaction worth while, and no more memory than is there. */
    private static final int MOST_RECORDS = 10_000;
    private static final long MOST_BYTES = 16 << 20;
    /** How long one partition is listened to while they take turns. */
    private static final Duration TURN = Duration.ofMillis(100);

    private final IntFunction<Consumer<byte[], byte[]>> newConsumer;
    private final Supplier<Admin> newAdmin;
    private final Replica replica;
    private final Thread thread = Thread.ofPlatform().name("replica").unstarted(this::run);

    private final TableChangeReader reader = new TableChangeReader();
    private final Map<TopicPartition, Position> positions = new HashMap<>();
    private final Map<String, Integer> partitionCounts = new HashMap<>();
    /** Assigned to this worker, paused, and waiting to hear where they stand. */
    private final Set<TopicPartition> unplaced = new HashSet<>();

    private volatile boolean closed;
    private volatile @Nullable Consumer<byte[], byte[]> current;
    private long offsetsShown = System.nanoTime();
    private boolean troubled;
    private final MemoryShortage shortage = new MemoryShortage();
    private @Nullable TopicPartition lastTurn;

    /**
     * @param kafka  the client properties: servers, security
     * @param worker how an operator knows this worker
     */
    public TableChangeListener(Map<String, Object> kafka, Duration sessionTimeout, DataSource database, String worker) {
        this(mostPolled -> new KafkaConsumer<>(properties(kafka, sessionTimeout, mostPolled),
                new ByteArrayDeserializer(), new ByteArrayDeserializer()), () -> Admin.create(kafka),
                replica(new StateMarks(kafka, worker), database));
    }

    /**
     * @param newConsumer makes one that gives at most so many records at once
     * @param newAdmin    for each look at the topics another: one whose thread has ended never answers again
     */
    TableChangeListener(IntFunction<Consumer<byte[], byte[]>> newConsumer, Supplier<Admin> newAdmin, Replica replica) {
        this.newConsumer = newConsumer;
        this.newAdmin = newAdmin;
        this.replica = replica;
    }

    private static Replica replica(StateMarks marks, DataSource database) {
        return new ReplicaMaterialiser(database, new ChangeNumbers(() -> marks.read().changes(), marks::changes));
    }

    public void start() {
        thread.start();
    }

    @Override
    public void close() throws InterruptedException {
        closed = true;
        Consumer<byte[], byte[]> consumer = current;
        if (consumer != null) {
            consumer.wakeup();
        }
        thread.join(TimeUnit.SECONDS.toMillis(30));
    }

    private void run() {
        while (!closed) {
            try (Consumer<byte[], byte[]> consumer = newConsumer.apply(shortage.records())) {
                current = consumer;
                consumer.subscribe(Pattern.compile(Pattern.quote(Topics.TABLE_PREFIX) + ".*"),
                        new Assignment(consumer));
                while (!closed && !shortage.isOver(System.nanoTime())) {
                    step(consumer);
                }
            } catch (WakeupException e) {
                // Only close() wakes it up.
            } catch (InterruptException e) {
                return;
            } catch (OutOfMemoryError e) {
                // The consumer has let go of what it had read by now.
                shortage.struck(System.nanoTime());
                LOG.error(
                        "memory does not do for the rows of the table topics ({}); they are read anew, {} at a time for some minutes:"
                                + " give the worker more",
                        e.getMessage(), shortage.records());
                pauseAfterFailure();
            } catch (RuntimeException | Error e) {
                // A thread that ended here would leave the replica as it is, and nobody would know.
                LOG.error("reading the table topics failed; it starts anew", e);
                pauseAfterFailure();
            } finally {
                current = null;
                positions.clear();
                unplaced.clear();
            }
        }
    }

    private void step(Consumer<byte[], byte[]> consumer) {
        TopicPartition alone = shortage.isOneByOne() ? takeTurn(consumer) : null;
        try {
            readAndApply(consumer);
        } catch (OutOfMemoryError e) {
            Position at = alone == null ? null : positions.get(alone);
            if (alone == null || at == null || !shortage.isProvenAt(alone, at.nextOffset())) {
                throw e;
            }
            pass(consumer, alone, at, e);
        }
        place(consumer);
        showOffsets(consumer);
    }

    /** Lets one partition be read and none of the others, each in its turn; gives that one. */
    private @Nullable TopicPartition takeTurn(Consumer<byte[], byte[]> consumer) {
        List<TopicPartition> all = positions.keySet()
                .stream()
                .sorted(Comparator.comparing(TopicPartition::topic).thenComparing(TopicPartition::partition))
                .toList();
        if (all.isEmpty()) {
            return null;
        }
        TopicPartition turn = all.get((all.indexOf(lastTurn) + 1) % all.size());
        lastTurn = turn;
        consumer.pause(all);
        consumer.resume(List.of(turn));
        return turn;
    }

    /** Marks the table of a record that does not fit into memory even alone, and goes on behind it. */
    private void pass(Consumer<byte[], byte[]> consumer, TopicPartition alone, Position at, OutOfMemoryError error) {
        // Where it could be read, and not be written, the consumer stands behind it.
        long behind = Math.max(at.nextOffset() + 1, consumer.position(alone));
        applyAll(consumer, List.of(alone), List.of(new Batch(at, partitionCounts.getOrDefault(at.topic(), 1),
                List.of(new Entry(behind - 1, new Content.Unreadable("a row does not fit into the memory of a worker ("
                        + error.getMessage() + "): give the workers more (-Xmx), or make the value in the source"
                        + " smaller; it is read again by itself, after a pause"))),
                behind)));
        if (positions.containsKey(alone)) {
            consumer.seek(alone, behind);
        }
    }

    private void readAndApply(Consumer<byte[], byte[]> consumer) {
        Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> records = new LinkedHashMap<>();
        try {
            collect(consumer, records);
        } catch (OffsetOutOfRangeException e) {
            unplace(consumer, e.offsetOutOfRangePartitions().keySet());
        } catch (WakeupException | InterruptException e) {
            throw e;
        } catch (KafkaException e) {
            // Else a partition that cannot be read would keep the others from going on, again and again.
            apply(consumer, records);
            throw e;
        }
        apply(consumer, records);
    }

    /** What is there by now, and in any case what a poll gives; no more than that while memory is short. */
    private void collect(Consumer<byte[], byte[]> consumer,
            Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> records) {
        int count = 0;
        long bytes = 0;
        ConsumerRecords<byte[], byte[]> polled = consumer.poll(shortage.isOneByOne() ? TURN : POLL);
        while (!polled.isEmpty()) {
            for (ConsumerRecord<byte[], byte[]> record : polled) {
                records.computeIfAbsent(new TopicPartition(record.topic(), record.partition()), _ -> new ArrayList<>())
                        .add(record);
                bytes += Math.max(0, record.serializedKeySize()) + Math.max(0, record.serializedValueSize());
            }
            count += polled.count();
            if (shortage.isThere() || count > MOST_RECORDS - MemoryShortage.MOST || bytes >= MOST_BYTES) {
                return;
            }
            polled = consumer.poll(Duration.ZERO);
        }
    }

    private void apply(Consumer<byte[], byte[]> consumer,
            Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> records) {
        List<TopicPartition> partitions = new ArrayList<>();
        List<Batch> batches = new ArrayList<>();
        records.forEach((partition, ofPartition) -> {
            Position position = positions.get(partition);
            if (position != null) {
                partitions.add(partition);
                batches.add(batch(position, ofPartition));
            }
        });
        if (!batches.isEmpty()) {
            applyAll(consumer, partitions, batches);
        }
    }

    private void applyAll(Consumer<byte[], byte[]> consumer, List<TopicPartition> partitions, List<Batch> batches) {
        try {
            List<Position> behind = replica.apply(batches);
            for (int i = 0; i < partitions.size(); i++) {
                positions.put(partitions.get(i), behind.get(i));
            }
            wellAgain();
        } catch (PositionLostException e) {
            LOG.warn("{}; positions are read again", e.getMessage());
            unplace(consumer, partitions);
        } catch (SQLException e) {
            trouble("applying table changes", e);
            unplace(consumer, partitions);
        } catch (InterruptException e) {
            throw e;
        } catch (KafkaException e) {
            // Not the consumer's: numbers of changes cannot be reserved.
            trouble("applying table changes", e);
            unplace(consumer, partitions);
        }
    }

    private Batch batch(Position from, List<ConsumerRecord<byte[], byte[]>> records) {
        List<Entry> entries = new ArrayList<>(records.size());
        for (ConsumerRecord<byte[], byte[]> record : records) {
            entries.add(new Entry(record.offset(), content(record)));
        }
        return new Batch(from, partitionCounts.getOrDefault(from.topic(), 1), entries,
                records.getLast().offset() + 1);
    }

    private Content content(ConsumerRecord<byte[], byte[]> record) {
        try {
            return new Content.Change(reader.read(name -> header(record, name), record.key(), record.value()));
        } catch (MalformedRecordException | IllegalArgumentException e) {
            return new Content.Unreadable("a record is not as capture writes it: " + e.getMessage());
        }
    }

    private static byte @Nullable [] header(ConsumerRecord<byte[], byte[]> record, String name) {
        Header header = record.headers().lastHeader(name);
        return header == null ? null : header.value();
    }

    /** Seeks to where PostgreSQL says that the new partitions stand; until that is known they wait. */
    private void place(Consumer<byte[], byte[]> consumer) {
        if (unplaced.isEmpty()) {
            return;
        }
        try {
            Set<TopicPartition> waiting = new HashSet<>(unplaced);
            Map<String, TopicDescription> topics = describe(
                    waiting.stream().map(TopicPartition::topic).distinct().toList());
            Map<TopicPartition, Long> first = consumer.beginningOffsets(waiting, ADMIN_TIMEOUT);
            Map<TopicPartition, Long> end = consumer.endOffsets(waiting, ADMIN_TIMEOUT);
            for (TopicPartition partition : waiting) {
                TopicDescription topic = topics.get(partition.topic());
                Long firstOffset = first.get(partition);
                Long endOffset = end.get(partition);
                if (topic == null || firstOffset == null || endOffset == null) {
                    continue;
                }
                partitionCounts.put(partition.topic(), topic.partitions().size());
                Position position = replica.place(partition.topic(), partition.partition(),
                        topic.topicId().toString(), firstOffset, endOffset);
                positions.put(partition, position);
                unplaced.remove(partition);
                consumer.seek(partition, position.nextOffset());
                consumer.resume(List.of(partition));
            }
            wellAgain();
        } catch (SQLException e) {
            trouble("reading the positions of the replica", e);
        } catch (ExecutionException | TimeoutException | KafkaException e) {
            if (e instanceof WakeupException || e instanceof InterruptException) {
                throw (KafkaException) e;
            }
            // A topic may be gone since; then the group takes it away.
            LOG.warn("the table topics could not be looked at, trying again: {}", e.toString());
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    private Map<String, TopicDescription> describe(List<String> topics)
            throws ExecutionException, TimeoutException, InterruptedException {
        Admin admin = newAdmin.get();
        try {
            return admin.describeTopics(topics)
                    .allTopicNames()
                    .get(ADMIN_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } finally {
            admin.close(Duration.ZERO);
        }
    }

    private void unplace(Consumer<byte[], byte[]> consumer, Collection<TopicPartition> partitions) {
        for (TopicPartition partition : partitions) {
            positions.remove(partition);
            if (consumer.assignment().contains(partition)) {
                consumer.pause(List.of(partition));
                unplaced.add(partition);
            }
        }
    }

    private void showOffsets(Consumer<byte[], byte[]> consumer) {
        if (System.nanoTime() - offsetsShown < SHOW_OFFSETS_EVERY_NANOS || positions.isEmpty()) {
            return;
        }
        offsetsShown = System.nanoTime();
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        positions
                .forEach((partition, position) -> offsets.put(partition, new OffsetAndMetadata(position.nextOffset())));
        consumer.commitAsync(offsets, (committed, e) -> {
            if (e != null) {
                LOG.debug("the group's offsets, which are for show, were not committed", e);
            }
        });
    }

    private void trouble(String what, Exception e) {
        // Once for each outage: it is tried again twice a second.
        if (!troubled) {
            LOG.error("{} failed and is tried again until it succeeds{}: {}", what,
                    e instanceof SQLException sql ? " (SQLSTATE " + sql.getSQLState() + ")" : "", e.getMessage());
        }
        troubled = true;
    }

    private void wellAgain() {
        if (troubled) {
            LOG.info("the replica goes on");
        }
        troubled = false;
    }

    private void pauseAfterFailure() {
        try {
            TimeUnit.SECONDS.sleep(1);
        } catch (InterruptedException e) {
            closed = true;
        }
    }

    private static Map<String, Object> properties(Map<String, Object> kafka, Duration sessionTimeout, int mostPolled) {
        Map<String, Object> properties = new HashMap<>(kafka);
        properties.put(ConsumerConfig.GROUP_ID_CONFIG, GROUP);
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        // No position is ever guessed: see place().
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        properties.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        // How soon a new table's topic is found.
        properties.put(ConsumerConfig.METADATA_MAX_AGE_CONFIG, 1_000);
        properties.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, mostPolled);
        // One record at a time: the broker gives one batch all the same.
        properties.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, mostPolled == 1 ? 1 : 32 << 20);
        properties.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, mostPolled == 1 ? 1 : 8 << 20);
        // A new table must not stop the others for as long as the group takes to share it out.
        properties.put(ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG, CooperativeStickyAssignor.class.getName());
        properties.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, (int) sessionTimeout.toMillis());
        properties.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, (int) Math.max(1, sessionTimeout.toMillis() / 4));
        // Longer than any statement but those that work on a whole table, which go on when another worker is given the
        // partition: see ReplicaTransaction. A worker that hangs gives way.
        properties.put(ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG, (int) TimeUnit.MINUTES.toMillis(10));
        return properties;
    }

    /** Called from within poll. */
    private final class Assignment implements ConsumerRebalanceListener {

        private final Consumer<byte[], byte[]> consumer;

        Assignment(Consumer<byte[], byte[]> consumer) {
            this.consumer = consumer;
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            for (TopicPartition partition : partitions) {
                // Any position, so that poll does not look for the group's.
                consumer.seek(partition, 0);
            }
            consumer.pause(partitions);
            unplaced.addAll(partitions);
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            partitions.forEach(positions::remove);
            unplaced.removeAll(partitions);
        }
    }
}
