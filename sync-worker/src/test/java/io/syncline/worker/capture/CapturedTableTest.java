package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.log.Topics;
import io.syncline.model.table.ColumnInfo;
import io.syncline.model.table.KeyColumn;
import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import io.syncline.worker.capture.encode.RowEncoder;
import io.syncline.worker.marks.MarksUnderTest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.apache.kafka.clients.producer.MockProducer;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.util.unit.DataSize;

class CapturedTableTest {

    private static final TableName NAME = new TableName("orders");
    private static final CaptureStore.Request REQUEST = new CaptureStore.Request(Topics.table(NAME), "no position",
            Instant.EPOCH);

    private final CapturedTable table = new CapturedTable(
            new SourceTable(1,
                    new TableSchema(NAME, List.of(new ColumnInfo("id", "integer", "NO", null, null, "integer")),
                            List.of(new KeyColumn("id", "integer", null)), List.of()),
                    "", false, "", 0, List.of(), new int[]{0},
                    new RowEncoder(List.of(), new int[0]), null, null),
            1,
            new Generations(1, 0, new CaptureStore(new PGSimpleDataSource()), MarksUnderTest.inMemory()),
            new CaptureProperties(true, "slot", "publication", 1, 1, Duration.ZERO, Duration.ZERO, 1, Duration.ZERO, 0,
                    DataSize.ofBytes(0), true),
            new ChangePublisher(new MockProducer<>()), new KeylessRows(0));

    @Test
    void request_thatIsStillReadAfterItWasTaken_asksForNoSecondGeneration() {
        table.request(REQUEST);
        assertThat(table.takeRequest()).isEqualTo(REQUEST);
        table.request(REQUEST);
        assertThat(table.takeRequest()).isNull();
    }

    @Test
    void request_thatIsMadeAnewMeanwhile_asksForAnother() {
        CaptureStore.Request anew = new CaptureStore.Request(REQUEST.topic(), REQUEST.reason(),
                REQUEST.askedAt().plusSeconds(1));
        table.request(REQUEST);
        assertThat(table.takeRequest()).isEqualTo(REQUEST);
        table.request(anew);
        assertThat(table.takeRequest()).isEqualTo(anew);
    }
}
