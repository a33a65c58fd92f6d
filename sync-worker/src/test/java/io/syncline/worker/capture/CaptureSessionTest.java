package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.NoSuchFileException;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.connect.errors.ConnectException;
import org.junit.jupiter.api.Test;

class CaptureSessionTest {

    @Test
    void whatTheSourceSays_isNotTakenForKafkas() {
        assertThat(CaptureSession.innermostMessage(new ConnectException(
                "An exception occurred in the change event producer. This connector will be stopped.",
                new IllegalStateException("FATAL: terminating connection due to administrator command"))))
                .isEqualTo("FATAL: terminating connection due to administrator command");
    }

    @Test
    void kafka_isNamed() {
        TimeoutException kafkas = new TimeoutException("Topic t not present in metadata after 60000 ms.");
        assertThat(CaptureSession.innermostMessage(new ExecutionException(ChangePublisher.notTaken(kafkas))))
                .isEqualTo("Kafka did not take a change: Topic t not present in metadata after 60000 ms.");
        assertThat(CaptureSession.innermostMessage(new ExecutionException(kafkas)))
                .isEqualTo("Kafka does not answer as it should: Topic t not present in metadata after 60000 ms.");
    }

    /** The client's own sentence says that it could not be made, and not why. */
    @Test
    void kafkasCause_isNamed() {
        assertThat(ChangePublisher.sentence(new KafkaException("Failed to construct kafka producer",
                new KafkaException("Failed to load SSL keystore /etc/k.p12", new NoSuchFileException("/etc/k.p12")))))
                .isEqualTo("Kafka does not answer as it should: Failed to construct kafka producer: Failed to load SSL"
                        + " keystore /etc/k.p12");
        assertThat(ChangePublisher.sentence(
                new KafkaException("Failed to construct kafka producer", new OutOfMemoryError("Java heap space"))))
                .isEqualTo("Kafka does not answer as it should: Failed to construct kafka producer: Java heap space");
        assertThat(ChangePublisher.sentence(new KafkaException("x", new IllegalStateException())))
                .isEqualTo("Kafka does not answer as it should: x: IllegalStateException");
    }
}
