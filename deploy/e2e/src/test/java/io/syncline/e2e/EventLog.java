package io.syncline.e2e;

import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.ChainReader;
import io.syncline.model.log.LogRecord;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * The whole event log as an auditor reads it.
 *
 * @param counted  the events that count, partition by partition in their order
 * @param voided   records that no reader counts, with the reason
 * @param foreign  records that no worker wrote
 * @param fences   how many times a partition was taken over
 */
public record EventLog(
        List<LoggedEvent> counted,
        List<String> voided,
        List<String> foreign,
        int fences,
        Map<Integer, ChainReader.Head> heads) {

    public static EventLog read(String bootstrapServers, CredentialKeys keys) {
        List<LoggedEvent> counted = new ArrayList<>();
        List<String> voided = new ArrayList<>();
        List<String> foreign = new ArrayList<>();
        Map<Integer, ChainReader.Head> heads = new TreeMap<>();
        int fences = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers), new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(Topics.EVENTS)
                    .stream()
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            for (TopicPartition partition : partitions) {
                consumer.assign(List.of(partition));
                consumer.seekToBeginning(List.of(partition));
                ChainReader reader = new ChainReader(partition.partition(), ChainReader.Head.start(), keys);
                while (consumer.position(partition) < ends.get(partition)) {
                    for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                        switch (reader.read(record.offset(), logRecord(record))) {
                            case ChainReader.Verdict.Counts counts -> counted.add(counts.event());
                            case ChainReader.Verdict.Raises _ -> fences++;
                            case ChainReader.Verdict.Voided one -> voided.add(one.event() + ": " + one.why());
                            case ChainReader.Verdict.Foreign one ->
                                    foreign.add(partition + "@" + record.offset() + ": " + one.why());
                        }
                    }
                }
                heads.put(partition.partition(), reader.head());
            }
        }
        return new EventLog(counted, voided, foreign, fences, heads);
    }

    private static LogRecord logRecord(ConsumerRecord<byte[], byte[]> record) {
        SortedMap<String, byte[]> headers = new TreeMap<>();
        record.headers().forEach(header -> headers.put(header.key(), header.value()));
        return new LogRecord(record.key(), record.value(), record.timestamp(), headers);
    }
}
