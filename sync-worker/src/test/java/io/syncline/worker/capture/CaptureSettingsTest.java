package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.worker.capture.debezium.RefusedTables;
import java.time.Duration;
import java.util.Properties;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.springframework.util.unit.DataSize;

class CaptureSettingsTest {

    private static final CaptureProperties CAPTURE = new CaptureProperties(true, "shop_slot", "shop pub", 1, 2,
            Duration.ofSeconds(2), Duration.ofSeconds(10), 1 << 20, Duration.ofMinutes(1), 1000,
            DataSize.ofGigabytes(1), true);

    private static final RefusedTables REFUSED = new RefusedTables();

    @AfterAll
    static void close() {
        REFUSED.close();
    }

    @Test
    void theSourcesUrl_becomesDebeziumsSettings() throws SourceUnusableException {
        Properties engine = CaptureSettings.engine(
                new SourceDatabase("jdbc:postgresql://db.example:6432/shop?sslmode=require", "reader", "secret"),
                CAPTURE, 42, REFUSED);
        assertThat(engine).containsEntry("database.hostname", "db.example")
                .containsEntry("database.port", "6432")
                .containsEntry("database.dbname", "shop")
                .containsEntry("database.user", "reader")
                .containsEntry("database.password", "secret")
                .containsEntry("driver.sslmode", "require")
                .containsEntry("slot.name", "shop_slot")
                .containsEntry("publication.name", "shop pub")
                .containsEntry("syncline.start-lsn", "42");
    }

    @Test
    void whatAUrlSetsOfASession_doesNotUndoWhatWeSet() throws SourceUnusableException {
        Properties engine = CaptureSettings.engine(
                new SourceDatabase("jdbc:postgresql://localhost/shop?options=-c%20quote_all_identifiers=on", "reader",
                        null),
                CAPTURE, 0, REFUSED);
        assertThat(engine.getProperty("driver.options")).startsWith("-c quote_all_identifiers=on ")
                .contains(" -c quote_all_identifiers=off ", " -c DateStyle=ISO,\\ MDY ");
    }

    @Test
    void debeziumMakesAndDropsNothing_andDoesNotRetry() throws SourceUnusableException {
        Properties engine = CaptureSettings
                .engine(new SourceDatabase("jdbc:postgresql://localhost/shop", "reader", null), CAPTURE, 0, REFUSED);
        assertThat(engine).containsEntry("publication.autocreate.mode", "disabled")
                .containsEntry("slot.drop.on.stop", "false")
                .containsEntry("snapshot.mode", "no_data")
                .containsEntry("errors.max.retries", "0")
                .containsEntry("heartbeat.interval.ms", "10000")
                .doesNotContainKey("database.password");
    }

    @Test
    void propertiesThatCannotBe_areRefusedWithTheirValue() {
        assertThatThrownBy(() -> new CaptureProperties(true, "My-Slot", "p", 1, 2, Duration.ZERO, Duration.ZERO, 1,
                Duration.ZERO, 1,
                DataSize.ofGigabytes(1), true))
                .hasMessageContaining("syncline.capture.slot-name 'My-Slot'");
    }

    @Test
    void passwordsAreNotShown() {
        assertThat(new SourceProperties("jdbc:postgresql://localhost/shop", "reader", "secret")).hasToString(
                "SourceProperties[url=jdbc:postgresql://localhost/shop, username=reader]");
    }
}
