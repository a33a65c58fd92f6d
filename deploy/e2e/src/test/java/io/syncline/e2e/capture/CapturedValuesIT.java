package io.syncline.e2e.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.testing.HostileSettings;
import io.syncline.worker.capture.Capture;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every type and every shape of table: what the topics show is what PostgreSQL itself shows, also where our role's sessions begin with
 * settings that would make other texts of it. (Other tests capture without these.)
 */
class CapturedValuesIT {

    @TempDir Path directory;

    @Test
    void valuesArriveAsTheyAre_bySnapshot_byStream_andByARestartInBetween() {
        try (CapturedSource source = new CapturedSource(directory)) {
            EveryType values = EveryType.madeIn(source);
            source.captureAs("hindered", HostileSettings.ofRole("hindered"));
            Capture capture = source.startCapture();
            values.awaitComplete();
            values.verify("snapshot");
            Map<String, Long> generations = values.generations();

            values.writeAgain();
            values.awaitStream();
            values.verify("stream");

            values.awaitRemembered();
            capture.stop();
            values.writeAgain();
            source.startCapture();
            values.awaitStream();
            values.verify("stream behind a restart");
            assertThat(values.generations()).as("nothing has been read anew").isEqualTo(generations);
        }
    }
}
