package io.syncline.worker.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.syncline.model.log.LogRecord;
import io.syncline.model.log.TableChangeCodec;
import io.syncline.model.log.Topics;
import io.syncline.model.table.Place;
import io.syncline.model.table.TableChange;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeTopicsResult;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.internals.KafkaFutureImpl;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Clients that will never do anything again are replaced, and a row that no memory does for stops nothing but its own table. */
class TableChangeListenerTest {

    private static final Duration LONG = Duration.ofMinutes(2);
    private static final int TABLES = 3;
    private static final int ROWS = 10;
    private static final String OUT_OF_MEMORY = "Java heap space";

    private final Map<TopicPartition, List<byte[]>> topics = new HashMap<>();
    private final Store store = new Store();
    private final AtomicInteger consumers = new AtomicInteger();
    private final AtomicInteger admins = new AtomicInteger();
    private final AtomicInteger closedAdmins = new AtomicInteger();
    /** What the next polls throw. */
    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final AtomicInteger deadAdmins = new AtomicInteger();
    /** Rows that do not fit into memory: where they are read, and where they are written. */
    private volatile Row unreadable = Row.NONE;
    private final TableChangeListener listener = new TableChangeListener(Feed::new, this::admin, store);

    private record Row(int table, int offset) {
        private static final Row NONE = new Row(-1, -1);
    }

    TableChangeListenerTest() {
        for (int table = 0; table < TABLES; table++) {
            topics.put(partition(table),
                    IntStream.range(0, ROWS)
                            .mapToObj(row -> ("{\"id\":" + row + "}").getBytes(StandardCharsets.UTF_8))
                            .toList());
        }
    }

    @AfterEach
    void close() throws Exception {
        listener.close();
    }

    @Test
    void allIsApplied() {
        listener.start();
        awaitEnds();
        assertThat(store.marks).isEmpty();
        assertThat(consumers).hasValue(1);
    }

    @Test
    void rowThatNeverFits_whereItIsWritten_marksItsTable_andAllGoesOn() {
        store.tooLarge.add(new Row(1, 4));
        listener.start();
        awaitEnds();
        assertThat(store.marks).containsOnlyKeys(topic(1));
        assertThat(store.marks.get(topic(1))).contains("does not fit", OUT_OF_MEMORY, "-Xmx", "4");
        assertThat(store.applied).containsEntry(topic(0), ROWS)
                .containsEntry(topic(1), ROWS - 1)
                .containsEntry(topic(2), ROWS);
    }

    @Test
    void rowThatNeverFits_whereItIsRead_marksItsTable_andAllGoesOn() {
        unreadable = new Row(2, 0);
        listener.start();
        awaitEnds();
        assertThat(store.marks).containsOnlyKeys(topic(2));
        assertThat(store.applied).containsEntry(topic(0), ROWS)
                .containsEntry(topic(1), ROWS)
                .containsEntry(topic(2), ROWS - 1);
    }

    @Test
    void rowsOfTwoTablesThatNeverFit_markBoth() {
        unreadable = new Row(0, 3);
        store.tooLarge.add(new Row(1, 9));
        listener.start();
        awaitEnds();
        assertThat(store.marks).containsOnlyKeys(topic(0), topic(1));
        assertThat(store.applied).containsEntry(topic(2), ROWS);
    }

    @Test
    void memoryThatRunsOutForOthersSake_marksNothing() {
        for (int i = 0; i < 4; i++) {
            failures.add(new OutOfMemoryError(OUT_OF_MEMORY));
        }
        listener.start();
        awaitEnds();
        assertThat(store.marks).isEmpty();
        assertThat(store.applied.values()).containsOnly(ROWS);
    }

    static List<Throwable> forGood() {
        return List.of(new GroupAuthorizationException("syncline.replica"), new IllegalStateException("closed"),
                new RuntimeException(new OutOfMemoryError(OUT_OF_MEMORY)), new NoClassDefFoundError("x"));
    }

    @ParameterizedTest
    @MethodSource("forGood")
    void consumerThatFailed_isReplaced(Throwable failure) {
        failures.add(failure);
        listener.start();
        awaitEnds();
        assertThat(consumers).hasValue(2);
    }

    /** What is asked of it fails for ever, although nothing is wrong with the broker. */
    @Test
    void adminClientWhoseThreadHasEnded_isReplaced() {
        deadAdmins.set(2);
        listener.start();
        awaitEnds();
        assertThat(admins).hasValueGreaterThanOrEqualTo(3);
        assertThat(closedAdmins).hasValue(admins.get());
        assertThat(consumers).hasValue(1);
    }

    private void awaitEnds() {
        await().atMost(LONG)
                .until(() -> IntStream.range(0, TABLES).allMatch(table -> store.position(table).nextOffset() == ROWS));
    }

    private static String topic(int table) {
        return Topics.TABLE_PREFIX + "t" + table;
    }

    private static TopicPartition partition(int table) {
        return new TopicPartition(topic(table), 0);
    }

    /** The state database, with as little memory as a test wants. */
    private static final class Store implements Replica {

        private final Map<String, Position> positions = new ConcurrentHashMap<>();
        private final Map<String, String> marks = new ConcurrentHashMap<>();
        /** How many rows of each table's topic were applied. */
        private final Map<String, Integer> applied = new ConcurrentHashMap<>();
        private final Queue<Row> tooLarge = new ConcurrentLinkedQueue<>();

        Store() {
            for (int table = 0; table < TABLES; table++) {
                positions.put(topic(table), Position.trustingNothing(topic(table), 0, Uuid.ZERO_UUID.toString(), 0));
            }
        }

        Position position(int table) {
            return positions.get(topic(table));
        }

        @Override
        public Position place(String topic, int partition, String topicId, long first, long end) {
            return positions.get(topic);
        }

        @Override
        public List<Position> apply(List<Batch> batches) {
            for (Batch batch : batches) {
                assertThat(batch.from()).isEqualTo(positions.get(batch.from().topic()));
                for (Batch.Entry entry : batch.entries()) {
                    if (entry.content() instanceof Batch.Content.Change && tooLarge.stream()
                            .anyMatch(row -> topic(row.table()).equals(batch.from().topic())
                                    && row.offset() == entry.offset())) {
                        throw new OutOfMemoryError(OUT_OF_MEMORY);
                    }
                }
            }
            List<Position> behind = new ArrayList<>();
            for (Batch batch : batches) {
                String topic = batch.from().topic();
                for (Batch.Entry entry : batch.entries()) {
                    switch (entry.content()) {
                        case Batch.Content.Change _ -> applied.merge(topic, 1, Integer::sum);
                        case Batch.Content.Unreadable(String why) -> marks.put(topic, entry.offset() + ": " + why);
                    }
                }
                Position position = batch.from().at(batch.nextOffset());
                positions.put(topic, position);
                behind.add(position);
            }
            return behind;
        }
    }

    /** Reads the topics; of one poll no more than it was made for. */
    private final class Feed extends MockConsumer<byte[], byte[]> {

        private final int mostPolled;
        private boolean assigned;

        Feed(int mostPolled) {
            super("none");
            this.mostPolled = mostPolled;
            consumers.incrementAndGet();
            Map<TopicPartition, Long> beginnings = new HashMap<>();
            Map<TopicPartition, Long> ends = new HashMap<>();
            topics.forEach((partition, records) -> {
                beginnings.put(partition, 0L);
                ends.put(partition, (long) records.size());
            });
            updateBeginningOffsets(beginnings);
            updateEndOffsets(ends);
        }

        @Override
        public synchronized ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
            if (!assigned) {
                assigned = true;
                rebalance(topics.keySet());
                return super.poll(timeout);
            }
            Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> polled = new HashMap<>();
            int count = 0;
            for (TopicPartition partition : assignment()) {
                List<byte[]> records = topics.get(partition);
                while (!paused().contains(partition) && count < mostPolled && position(partition) < records.size()) {
                    fail();
                    int offset = (int) position(partition);
                    if (partition.equals(partition(unreadable.table())) && offset == unreadable.offset()) {
                        throw new OutOfMemoryError(OUT_OF_MEMORY);
                    }
                    polled.computeIfAbsent(partition, _ -> new ArrayList<>())
                            .add(record(partition, offset, records.get(offset)));
                    seek(partition, offset + 1L);
                    count++;
                }
            }
            return polled.isEmpty() ? super.poll(timeout) : new ConsumerRecords<>(polled, Map.of());
        }

        private void fail() {
            switch (failures.poll()) {
                case null -> {}
                case Error error -> throw error;
                case RuntimeException exception -> throw exception;
                case Throwable other -> throw new IllegalArgumentException(other);
            }
        }
    }

    private static ConsumerRecord<byte[], byte[]> record(TopicPartition partition, int offset, byte[] row) {
        LogRecord record = TableChangeCodec.write(
                new TableChange.Upsert(1, new Place(1, 1, 1, offset),
                        ("[" + offset + "]").getBytes(StandardCharsets.UTF_8), row),
                0);
        RecordHeaders headers = new RecordHeaders();
        record.headers().forEach(headers::add);
        return new ConsumerRecord<>(partition.topic(), partition.partition(), offset, 0, TimestampType.CREATE_TIME, 1,
                row.length, record.key(), record.value(), headers, java.util.Optional.empty());
    }

    private static final class Described extends DescribeTopicsResult {
        Described(Map<String, KafkaFuture<TopicDescription>> topics) {
            super(null, topics);
        }
    }

    private Admin admin() {
        admins.incrementAndGet();
        boolean dead = deadAdmins.getAndDecrement() > 0;
        return (Admin) Proxy.newProxyInstance(Admin.class.getClassLoader(), new Class<?>[]{Admin.class},
                (self, method, arguments) -> switch (method.getName()) {
                    case "describeTopics" -> described((Collection<?>) arguments[0], dead);
                    case "close" -> closedAdmins.incrementAndGet();
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }

    private static DescribeTopicsResult described(Collection<?> topics, boolean dead) {
        Map<String, KafkaFuture<TopicDescription>> all = new HashMap<>();
        for (Object topic : topics) {
            KafkaFutureImpl<TopicDescription> future = new KafkaFutureImpl<>();
            if (dead) {
                future.completeExceptionally(new TimeoutException("The AdminClient thread has exited."));
            } else {
                Node node = new Node(1, "k1", 9092);
                future.complete(new TopicDescription((String) topic, false,
                        List.of(new TopicPartitionInfo(0, node, List.of(node), List.of(node)))));
            }
            all.put((String) topic, future);
        }
        return new Described(all);
    }
}
