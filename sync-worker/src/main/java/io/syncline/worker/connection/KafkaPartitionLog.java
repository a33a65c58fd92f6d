package io.syncline.worker.connection;

import io.syncline.model.log.LogRecord;
import io.syncline.model.log.Topics;
import io.syncline.worker.audit.EventLogReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;

/** A partition of the events topic, for the time of one takeover. */
record KafkaPartitionLog(
        int partition,
        int settingsPartition,
        EventLogReader reader,
        Producer<byte[], byte[]> producer) implements PartitionTakeover.PartitionLog {

    /** A producer whose thread has ended says nothing any more; the next takeover has another. */
    private static final Duration HEARD = KafkaClients.EVENT_DELIVERY.plus(KafkaClients.DELIVERY_MARGIN);

    @Override
    public PartitionTakeover.PartitionLog ofSettings() {
        return new KafkaPartitionLog(settingsPartition, settingsPartition, reader, producer);
    }

    @Override
    public long beginning() {
        return reader.extent(Topics.EVENTS, partition).beginning();
    }

    @Override
    public long end() {
        return reader.extent(Topics.EVENTS, partition).end();
    }

    @Override
    public void read(long from, long to, EventLogReader.Each each) {
        reader.read(partition, from, to, each);
    }

    @Override
    public List<Long> append(List<LogRecord> records) {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (LogRecord record : records) {
            sent.add(producer.send(EventRecords.of(partition, record), (metadata, failure) -> {
                if (failure != null) {
                    // Before the next one is sent: the log would have a hole where this one is missing.
                    producer.close(Duration.ZERO);
                }
            }));
        }
        List<Long> offsets = new ArrayList<>();
        for (Future<RecordMetadata> one : sent) {
            try {
                offsets.add(one.get(HEARD.toMillis(), TimeUnit.MILLISECONDS).offset());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptException(e);
            } catch (TimeoutException e) {
                throw new KafkaException("records could not be appended to partition " + partition
                        + ": nothing has been heard of them for " + HEARD.toSeconds() + " s", e);
            } catch (ExecutionException e) {
                throw new KafkaException("records could not be appended to partition " + partition, e.getCause());
            }
        }
        return offsets;
    }
}
