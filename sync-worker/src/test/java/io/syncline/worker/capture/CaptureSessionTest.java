package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.ExecutionException;
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
}
