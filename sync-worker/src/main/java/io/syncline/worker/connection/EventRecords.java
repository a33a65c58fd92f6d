package io.syncline.worker.connection;

import io.syncline.model.log.LogRecord;
import io.syncline.model.log.Topics;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** Log records as Kafka's producer takes them: to their partition explicitly, with our own timestamp. */
final class EventRecords {

    private EventRecords() {}

    static ProducerRecord<byte[], byte[]> of(int partition, LogRecord record) {
        RecordHeaders headers = new RecordHeaders();
        record.headers().forEach(headers::add);
        return new ProducerRecord<>(Topics.EVENTS, partition, record.timestamp(), record.key(), record.value(),
                headers);
    }
}
