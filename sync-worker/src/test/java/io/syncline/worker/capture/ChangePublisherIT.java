package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.model.table.Place;
import io.syncline.model.table.TableChange;
import io.syncline.model.testing.HeldPort;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

class ChangePublisherIT {

    private static final TableChange.Upsert ROW = new TableChange.Upsert(1, Place.ofSnapshot(1), new byte[]{1},
            new byte[]{2});

    /** Its producer would go on to wait a minute for Kafka with each of a transaction's rows. */
    @Test
    void kafkaIsAway_isSaidAtTheFirstChange() throws IOException {
        try (HeldPort nobodyListens = new HeldPort();
                ChangePublisher publisher = new ChangePublisher(new KafkaProducer<>(
                        Map.of("bootstrap.servers", "127.0.0.1:" + nobodyListens.number(), "max.block.ms", 300),
                        new ByteArraySerializer(), new ByteArraySerializer()), Duration.ofMinutes(2))) {
            assertThatThrownBy(() -> publisher.send("t", 1, ROW, 0)).isInstanceOf(KafkaException.class)
                    .hasMessageContaining("Kafka did not take a change: Topic t not present in metadata");
            assertThatThrownBy(() -> publisher.sendToAll("t", 4, new TableChange.EpochBegun(1), 0))
                    .isInstanceOf(KafkaException.class);
        }
    }
}
