package io.syncline.e2e.capture;

import io.syncline.model.log.TableChangeReader;
import io.syncline.model.log.Topics;
import io.syncline.model.table.Place;
import io.syncline.model.table.TableChange;
import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/** A replica in memory: what a table's topic says that the table is, by nothing but the topic's own rules. */
final class TopicFold implements AutoCloseable {

    private final KafkaConsumer<byte[], byte[]> consumer;
    private final TableChangeReader reader = new TableChangeReader();
    private final Map<String, Table> tables = new HashMap<>();

    TopicFold(String bootstrapServers) {
        consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrapServers, "auto.offset.reset", "earliest",
                "max.poll.records", 5000), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private record Row(Place place, @Nullable String json) {}

    /** One table, of a topic with one partition. */
    private static final class Table {
        private final Map<String, Row> rows = new TreeMap<>();
        private long epoch;
        private long generation;
        private int generations;
        private long complete;
        private @Nullable TableSchema schema;
        private @Nullable String halted;
        private boolean dropped;

        void apply(TableChange change) {
            if (change instanceof TableChange.EpochBegun begun) {
                epoch = Math.max(epoch, begun.epoch());
                return;
            }
            if (change.epoch() < epoch) {
                return;
            }
            switch (change) {
                case TableChange.EpochBegun _ -> {}
                case TableChange.SnapshotBegun begun -> {
                    if (begun.generation() <= generation) {
                        throw new IllegalStateException("generation " + begun.generation() + " of "
                                + begun.schema().table() + " begins behind generation " + generation);
                    }
                    generation = begun.generation();
                    generations++;
                    schema = begun.schema();
                    halted = null;
                    dropped = false;
                    rows.clear();
                }
                case TableChange.Upsert upsert ->
                        set(upsert.place(), upsert.key(), new String(upsert.row(), StandardCharsets.UTF_8));
                case TableChange.Delete delete -> set(delete.place(), delete.key(), null);
                case TableChange.Truncate truncate ->
                        rows.replaceAll((_, row) -> row.place().compareTo(truncate.place()) < 0
                                ? new Row(truncate.place(), null)
                                : row);
                case TableChange.SnapshotEnded ended ->
                        complete = ended.generation() == generation ? generation : complete;
                case TableChange.Halted stopped -> halted = stopped.cause();
                case TableChange.Dropped _ -> dropped = true;
            }
        }

        private void set(Place place, byte[] key, @Nullable String json) {
            if (place.generation() != generation) {
                return;
            }
            rows.merge(new String(key, StandardCharsets.UTF_8), new Row(place, json),
                    (old, now) -> now.place().compareTo(old.place()) > 0 ? now : old);
        }
    }

    /** Reads on to the present end of every table's topic. */
    private Table read(String table) {
        Set<TopicPartition> partitions = consumer.listTopics()
                .keySet()
                .stream()
                .filter(topic -> topic.startsWith(Topics.TABLE_PREFIX))
                .map(topic -> new TopicPartition(topic, 0))
                .collect(Collectors.toSet());
        if (!consumer.assignment().equals(partitions)) {
            consumer.assign(partitions);
        }
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                TreeMap<String, byte[]> headers = new TreeMap<>();
                record.headers().forEach(header -> headers.put(header.key(), header.value()));
                tables.computeIfAbsent(record.topic(), _ -> new Table())
                        .apply(reader.read(headers::get, record.key(), record.value()));
            }
        }
        return tables.computeIfAbsent(Topics.table(new TableName(table)), _ -> new Table());
    }

    /** The table's rows by their keys; empty until a generation is complete. */
    Map<String, String> rows(String table) {
        Table state = read(table);
        Map<String, String> rows = new TreeMap<>();
        if (state.complete == state.generation && state.generation > 0) {
            state.rows.forEach((key, row) -> {
                if (row.json() != null) {
                    rows.put(key, row.json());
                }
            });
        }
        return rows;
    }

    boolean isComplete(String table) {
        Table state = read(table);
        return state.generation > 0 && state.complete == state.generation && state.halted == null && !state.dropped;
    }

    long generation(String table) {
        return read(table).generation;
    }

    /** How many have begun. */
    int generations(String table) {
        return read(table).generations;
    }

    @Nullable
    TableSchema schema(String table) {
        return read(table).schema;
    }

    @Nullable
    String halted(String table) {
        return read(table).halted;
    }

    boolean isDropped(String table) {
        return read(table).dropped;
    }

    @Override
    public void close() {
        consumer.close();
    }
}
