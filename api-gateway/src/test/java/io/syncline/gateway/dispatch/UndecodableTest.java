package io.syncline.gateway.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.junit.jupiter.api.Test;

/** What lies behind a record that cannot be decoded is read all the same; any other failure is none of its kind. */
class UndecodableTest {

    private static final TopicPartition FIRST = new TopicPartition("syncline.connection.events", 1);
    private static final TopicPartition OTHER = new TopicPartition("syncline.connection.events", 11);

    private final MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("none");

    UndecodableTest() {
        consumer.assign(List.of(FIRST, OTHER));
        consumer.seek(FIRST, 5);
        consumer.seek(OTHER, 7);
    }

    @Test
    void recordThatCannotBeDecoded_isPassed_inItsOwnPartitionOnly() {
        assertThat(Undecodable.passed(consumer,
                new KafkaException("Received exception when fetching the next record from "
                        + OTHER + ". If needed, please seek past the record to continue consumption.")))
                .hasValueSatisfying(passed -> {
                    assertThat(passed.partition()).isEqualTo(OTHER);
                    assertThat(passed.offset()).isEqualTo(7);
                });
        assertThat(Undecodable.passed(consumer,
                new KafkaException("Record batch for partition " + FIRST + " at offset 5 is invalid, cause: its size")))
                .hasValueSatisfying(passed -> assertThat(passed.partition()).isEqualTo(FIRST));
        assertThat(consumer.position(FIRST)).isEqualTo(6);
        assertThat(consumer.position(OTHER)).isEqualTo(8);
    }

    @Test
    void otherFailures_passNothing() {
        for (KafkaException other : List.of(new WakeupException(), new TimeoutException("of " + FIRST),
                new KafkaException("Failed to construct the client for " + FIRST),
                new KafkaException("Record batch for partition other-1 at offset 5 is invalid, cause: its size"))) {
            assertThat(Undecodable.passed(consumer, other)).isEmpty();
        }
        assertThat(consumer.position(FIRST)).isEqualTo(5);
    }
}
