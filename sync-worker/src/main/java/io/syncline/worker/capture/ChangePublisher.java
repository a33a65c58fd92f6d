package io.syncline.worker.capture;

import io.syncline.model.log.LogRecord;
import io.syncline.model.log.TableChangeCodec;
import io.syncline.model.table.TableChange;
import io.syncline.worker.capture.encode.UnencodableValueException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sends what happened to the tables' topics. Sent is not yet kept: the caller waits for what it is given. */
final class ChangePublisher implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ChangePublisher.class);

    /** So long beyond the time after which it should have, a producer that has said nothing never will: its thread has ended. */
    private static final Duration MARGIN = Duration.ofSeconds(10);

    private final Producer<byte[], byte[]> producer;
    private final Duration heard;

    /** @param deliveryTimeout after which the producer says of a record that it could not be sent */
    ChangePublisher(Producer<byte[], byte[]> producer, Duration deliveryTimeout) {
        this.producer = producer;
        this.heard = deliveryTimeout.plus(MARGIN);
    }

    /**
     * Waits until Kafka has said what became of a record.
     *
     * @throws KafkaException if that is not to be heard any more: the next session has another producer
     */
    <T> T await(Future<T> sent) throws ExecutionException, InterruptedException {
        try {
            return sent.get(heard.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw notTaken(new TimeoutException("its client has not said for " + heard.toSeconds()
                    + " s what became of it, and is replaced"));
        }
    }

    /**
     * Sends a row's change to the partition of its key.
     *
     * @throws KafkaException if Kafka is away, or takes nothing
     */
    Future<RecordMetadata> send(String topic, int partitions, TableChange change, long timestamp) {
        LogRecord record = TableChangeCodec.write(change, timestamp);
        return send(new ProducerRecord<>(topic, partition(record.key(), partitions), timestamp, record.key(),
                record.value(),
                headers(record)));
    }

    /**
     * Sends a mark, or a truncate, to every partition.
     *
     * @throws KafkaException if Kafka is away, or takes nothing
     */
    List<Future<RecordMetadata>> sendToAll(String topic, int partitions, TableChange change, long timestamp) {
        LogRecord record = TableChangeCodec.write(change, timestamp);
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int partition = 0; partition < partitions; partition++) {
            sent.add(send(new ProducerRecord<>(topic, partition, timestamp, null, record.value(), headers(record))));
        }
        return sent;
    }

    /** A producer that does not know where to send, or has no room, waits a minute for it, with each record anew: here, with one. */
    private Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record) {
        Future<RecordMetadata> sent = producer.send(record);
        if (sent.isDone()) {
            switch (sent.state()) {
                case FAILED -> {
                    Throwable problem = sent.exceptionNow();
                    if (!(problem instanceof RecordTooLargeException)) {
                        throw notTaken(problem);
                    }
                }
                case RUNNING, SUCCESS, CANCELLED -> {}
            }
        }
        return sent;
    }

    /** Sends the rows of one snapshot: their headers are all the same, and made once. */
    Rows rows(String topic, int partitions, TableChange.Upsert first, long timestamp) {
        return new Rows(topic, partitions, headers(TableChangeCodec.write(first, timestamp)), timestamp);
    }

    final class Rows {
        private final String topic;
        private final int partitions;
        private final RecordHeaders headers;
        private final long timestamp;
        /** The newest record of each partition: those before it have been settled when it is. */
        private final Map<Integer, Future<RecordMetadata>> newest = new HashMap<>();

        private Rows(String topic, int partitions, RecordHeaders headers, long timestamp) {
            this.topic = topic;
            this.partitions = partitions;
            this.headers = headers;
            this.timestamp = timestamp;
        }

        void send(byte[] key, byte[] row, Callback callback) {
            int to = partition(key, partitions);
            newest.put(to, producer.send(new ProducerRecord<>(topic, to, timestamp, key, row, headers), callback));
        }

        /** Waits until all of them have been acknowledged or have failed, as the callbacks were told. */
        void settle() throws InterruptedException {
            for (Future<RecordMetadata> one : newest.values()) {
                try {
                    await(one);
                } catch (ExecutionException e) {
                    LOG.debug("a row was not taken, as its callback was told", e);
                }
            }
        }
    }

    /** What it means for a table that a row of it came back with this. */
    static UnencodableValueException tooLarge(RecordTooLargeException failure) {
        return new UnencodableValueException("a row is larger than Kafka takes (" + failure.getMessage()
                + "): max.message.bytes of the topic and the broker bound it",
                "raise them to syncline.capture.max-row-bytes and 1 MB, or make the value in the source smaller");
    }

    /** What it means for capture that a record came back with this. */
    static KafkaException notTaken(Throwable failure) {
        return new KafkaException("Kafka did not take a change: " + failure.getMessage(), failure);
    }

    /** What Kafka's clients say does not name Kafka. */
    static String sentence(KafkaException failure) {
        StringBuilder message = new StringBuilder(String.valueOf(failure.getMessage()));
        // "Failed to construct kafka producer", for one, does not say why.
        for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
            String why = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
            if (message.indexOf(why) < 0) {
                message.append(": ").append(why);
            }
        }
        return message.indexOf("Kafka ") == 0 ? message.toString() : "Kafka does not answer as it should: " + message;
    }

    private static int partition(byte @Nullable [] key, int partitions) {
        // As Kafka's own default does it.
        return key == null || partitions == 1 ? 0 : Utils.toPositive(Utils.murmur2(key)) % partitions;
    }

    /** Of the one class that a record copies at once, and not one by one. */
    private static RecordHeaders headers(LogRecord record) {
        RecordHeaders headers = new RecordHeaders();
        record.headers().forEach((name, value) -> headers.add(new RecordHeader(name, value)));
        return headers;
    }

    @Override
    public void close() {
        // What is still under way is void or comes again: nobody waits for it.
        producer.close(Duration.ZERO);
    }
}
