package io.syncline.worker.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.cloudevents.CloudEvent;
import io.cloudevents.SpecVersion;
import io.cloudevents.core.message.Encoding;
import io.cloudevents.core.message.MessageReader;
import io.cloudevents.kafka.KafkaMessageFactory;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.ChainReader;
import io.syncline.model.log.Fence;
import io.syncline.model.log.LogRecord;
import io.syncline.model.log.LoggedEvent;
import java.net.URI;
import java.util.UUID;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

/** What lies in Kafka is a CloudEvent in binary mode to anybody's CloudEvents library. */
class EventRecordsTest {

    private static final CredentialKeys KEYS = Fixtures.newKeys();
    private static final UUID ID = UUID.fromString("01890000-0000-7000-8000-0000000000a1");
    private static final UUID REQUEST = UUID.fromString("01890000-0000-7000-8000-0000000000a2");

    @Test
    void event_isACloudEvent() {
        LoggedEvent logged = LoggedEvent.chain(2, 41, 7, ChainReader.Head.start().hash(), ID, REQUEST, 19, Fixtures.NOW,
                Fixtures.registered(), KEYS);
        CloudEvent event = asCloudEvent(logged.record());
        assertThat(event.getSpecVersion()).isEqualTo(SpecVersion.V1);
        assertThat(event.getId()).isEqualTo(ID.toString());
        assertThat(event.getSource()).isEqualTo(URI.create("/syncline/connection/events/2"));
        assertThat(event.getType()).isEqualTo("syncline.connection.registered.v1");
        assertThat(event.getTime().toInstant()).isEqualTo(Fixtures.NOW);
        assertThat(event.getDataContentType()).isEqualTo("application/json");
        assertThat(event.getData().toBytes()).isEqualTo(logged.payload());
        assertThat(event.getExtension("requestid")).isEqualTo(REQUEST.toString());
        assertThat(event.getExtension("requestoffset")).isEqualTo("19");
        assertThat(event.getExtension("fence")).isEqualTo("41");
        assertThat(event.getExtension("sequence")).isEqualTo("7");
        assertThat(event.getExtensionNames()).contains("previoushash", "hash", "mackey", "mac");
    }

    @Test
    void fence_isACloudEventToo() {
        LogRecord fence = new Fence(ID, Fixtures.NOW, "worker-1", 0, "00".repeat(32)).toRecord(2, KEYS);
        CloudEvent event = asCloudEvent(fence);
        assertThat(event.getType()).isEqualTo("syncline.log.fence.v1");
        assertThat(event.getExtensionNames()).contains("signature", "signingkey");
    }

    private static CloudEvent asCloudEvent(LogRecord record) {
        ProducerRecord<byte[], byte[]> sent = EventRecords.of(2, record);
        assertThat(sent.partition()).isEqualTo(2);
        assertThat(sent.timestamp()).isEqualTo(Fixtures.NOW.toEpochMilli());
        MessageReader reader = KafkaMessageFactory.createReader(sent.headers(), sent.value());
        assertThat(reader.getEncoding()).isEqualTo(Encoding.BINARY);
        return reader.toEvent();
    }
}
