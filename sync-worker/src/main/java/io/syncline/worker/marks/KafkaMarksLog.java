package io.syncline.worker.marks;

import io.syncline.model.log.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** With clients that live for one call: it is read and written some times an hour, and no client of it can be a dead one. */
final class KafkaMarksLog implements MarksLog {

    private static final TopicPartition PARTITION = new TopicPartition(Topics.STATE_MARKS, 0);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final int PATIENCE_MS = 15_000;
    private static final String REMEDY = "; a worker that starts makes and verifies that topic";

    private final Map<String, Object> kafka;

    KafkaMarksLog(Map<String, Object> kafka) {
        this.kafka = Map.copyOf(kafka);
    }

    @Override
    public Marks read(long before) {
        Map<String, Object> settings = new HashMap<>(kafka);
        settings.put(ConsumerConfig.CLIENT_ID_CONFIG, "syncline-marks");
        settings.remove(ConsumerConfig.GROUP_ID_CONFIG);
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, PATIENCE_MS);
        Consumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
        try {
            return read(consumer, before);
        } catch (InterruptException e) {
            throw e;
        } catch (KafkaException e) {
            throw new KafkaException("Kafka: " + PARTITION + " cannot be read: " + e.getMessage() + REMEDY, e);
        } finally {
            consumer.close(CloseOptions.timeout(Duration.ZERO));
        }
    }

    private static Marks read(Consumer<byte[], byte[]> consumer, long before) {
        consumer.assign(List.of(PARTITION));
        long heard = System.nanoTime();
        long end = end(consumer);
        while (before != END && end < before) {
            // A record that is acknowledged is seen a moment later by a leader that has just been elected.
            patientSince(heard, end);
            end = end(consumer);
        }
        Marks marks = new Marks();
        consumer.seekToBeginning(List.of(PARTITION));
        while (consumer.position(PARTITION) < Math.min(end, before)) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                heard = System.nanoTime();
                if (record.offset() < before && record.key() != null) {
                    marks.apply(text(record.key()), record.value() == null ? null : text(record.value()));
                }
            }
            patientSince(heard, consumer.position(PARTITION));
        }
        return marks;
    }

    private static long end(Consumer<byte[], byte[]> consumer) {
        return consumer.endOffsets(List.of(PARTITION)).getOrDefault(PARTITION, 0L);
    }

    private static void patientSince(long heard, long at) {
        if (System.nanoTime() - heard > Duration.ofMillis(PATIENCE_MS).toNanos()) {
            throw new TimeoutException("nothing behind offset " + at + " for " + PATIENCE_MS / 1000 + " s");
        }
    }

    @Override
    public long append(List<Entry> entries) {
        Map<String, Object> settings = new HashMap<>(kafka);
        settings.put(ProducerConfig.CLIENT_ID_CONFIG, "syncline-marks");
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, PATIENCE_MS);
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, PATIENCE_MS / 3);
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, PATIENCE_MS);
        Producer<byte[], byte[]> producer = new KafkaProducer<>(settings, new ByteArraySerializer(),
                new ByteArraySerializer());
        try {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (Entry entry : entries) {
                sent.add(producer.send(new ProducerRecord<>(Topics.STATE_MARKS, 0, bytes(entry.mark().key()),
                        bytes(entry.value()))));
            }
            long first = -1;
            for (Future<RecordMetadata> one : sent.reversed()) {
                RecordMetadata at = one.get(2L * PATIENCE_MS, TimeUnit.MILLISECONDS);
                first = at.hasOffset() ? at.offset() : -1;
            }
            return first;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptException(e);
        } catch (java.util.concurrent.TimeoutException e) {
            // The client itself says so sooner, unless its thread has ended.
            throw notTaken(new TimeoutException("nothing has been heard of a record for " + 2 * PATIENCE_MS / 1000
                    + " s"));
        } catch (ExecutionException e) {
            throw notTaken(e.getCause() == null ? e : e.getCause());
        } catch (InterruptException e) {
            throw e;
        } catch (KafkaException e) {
            throw notTaken(e);
        } finally {
            producer.close(Duration.ZERO);
        }
    }

    private static KafkaException notTaken(Throwable failure) {
        return new KafkaException("Kafka: " + PARTITION + " cannot be written: " + failure.getMessage() + REMEDY,
                failure);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static byte @Nullable [] bytes(@Nullable String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }
}
