package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.model.table.Place;
import io.syncline.model.table.TableChange;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

/** A producer whose thread has ended with an Error never says what became of a record: nobody waits for it for ever. */
class ChangePublisherTest {

    private static final TableChange.Upsert ROW = new TableChange.Upsert(1, Place.ofSnapshot(1), new byte[]{1},
            new byte[]{2});

    private final MockProducer<byte[], byte[]> producer = new MockProducer<>(false, null, new ByteArraySerializer(),
            new ByteArraySerializer());
    /** It has waited for long enough at once: what a test waits for here never comes. */
    private final ChangePublisher publisher = new ChangePublisher(producer, Duration.ofSeconds(-10));
    private final List<Exception> failures = new ArrayList<>();

    @Test
    void recordThatIsNeverHeardOf_isAFailureOfKafka() {
        Future<RecordMetadata> sent = publisher.send("t", 1, ROW, 0);
        assertThatThrownBy(() -> publisher.await(sent)).isInstanceOf(KafkaException.class)
                .hasMessageContaining("Kafka did not take a change: its client has not said for 0 s");
    }

    @Test
    void recordThatIsHeardOf_isGiven() throws Exception {
        Future<RecordMetadata> sent = publisher.send("t", 1, ROW, 0);
        producer.completeNext();
        assertThat(publisher.await(sent).offset()).isZero();
    }

    @Test
    void rowsOfASnapshot_areSettled_whenTheNewestOfEachPartitionIs() throws Exception {
        ChangePublisher.Rows rows = publisher.rows("t", 1, ROW, 0);
        send(rows, 1);
        send(rows, 2);
        producer.errorNext(new TimeoutException("no leader"));
        assertThatThrownBy(rows::settle).isInstanceOf(KafkaException.class);
        producer.completeNext();
        rows.settle();
        assertThat(failures).hasSize(1);
    }

    @Test
    void rowsThatFailed_areSettledToo() throws Exception {
        ChangePublisher.Rows rows = publisher.rows("t", 4, ROW, 0);
        for (int key = 0; key < 20; key++) {
            send(rows, key);
        }
        while (producer.errorNext(new TimeoutException("no leader"))) {
            // all of them
        }
        rows.settle();
        assertThat(failures).hasSize(20);
    }

    private void send(ChangePublisher.Rows rows, int key) {
        rows.send(new byte[]{(byte) key}, new byte[]{2}, (_, failure) -> {
            if (failure != null) {
                failures.add(failure);
            }
        });
    }
}
