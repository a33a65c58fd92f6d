package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.model.log.Topics;
import io.syncline.model.table.ColumnInfo;
import io.syncline.model.table.KeyColumn;
import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import io.syncline.worker.capture.encode.RowEncoder;
import io.syncline.worker.capture.encode.UnencodableValueException;
import io.syncline.worker.marks.MarksUnderTest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.core.NestedRuntimeException;
import org.springframework.util.unit.DataSize;

class CapturedTableTest {

    private static final TableName NAME = new TableName("orders");
    private static final UnencodableValueException TOO_LARGE = RowBound
            .beyondMemory(new OutOfMemoryError("Java heap space"));
    private static final CaptureStore.Request REQUEST = new CaptureStore.Request(Topics.table(NAME), "no position",
            Instant.EPOCH);

    private final MockProducer<byte[], byte[]> producer = new MockProducer<>(false, null, new ByteArraySerializer(),
            new ByteArraySerializer());
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
            new ChangePublisher(producer, Duration.ofMinutes(2)), new KeylessRows(0));

    @Test
    void request_thatIsStillReadAfterItWasTaken_asksForNoSecondGeneration() {
        table.request(REQUEST);
        assertThat(table.takeRequest()).isEqualTo(REQUEST);
        table.request(REQUEST);
        assertThat(table.takeRequest()).isNull();
    }

    @Test
    void halt_isSaidOnce_inEveryPartition_andAgainAfterNoOther() throws Exception {
        table.halt(TOO_LARGE);
        table.halt(TOO_LARGE);
        assertThat(producer.history()).as("before it is remembered").isEmpty();
        Thread remembering = Thread.ofVirtual().start(this::remember);
        Awaitility.await().atMost(Duration.ofMinutes(1)).until(producer::completeNext);
        remembering.join();
        remember();
        assertThat(producer.history()).hasSize(1);
        assertThat(table.status().state()).isEqualTo("marked");
    }

    /** Its session ends then, and the next one reads the table anew: a halt that only one partition has heard of does no harm. */
    @Test
    void halt_thatKafkaDoesNotTake_endsTheSession() {
        table.halt(TOO_LARGE);
        CompletableFuture<Void> remembering = CompletableFuture.runAsync(this::remember);
        Awaitility.await()
                .atMost(Duration.ofMinutes(1))
                .until(() -> producer.errorNext(new TimeoutException("no leader")));
        assertThat(remembering).failsWithin(Duration.ofMinutes(1))
                .withThrowableOfType(ExecutionException.class)
                .havingCause()
                .isInstanceOf(KafkaException.class)
                .withMessageContaining("no leader");
    }

    /** Else the replica would wait for another generation, and the next session would go on with this one. */
    @Test
    void halt_isNotSaid_whereItsGenerationCannotBeGivenUp() {
        table.follows(
                new CaptureStore.Remembered(NAME, Topics.table(NAME), 1_000_001, true, PgSnapshot.parse("1:1:"), 1, "",
                        false, Duration.ZERO));
        table.halt(TOO_LARGE);
        for (int attempt = 0; attempt < 2; attempt++) {
            // No database is there.
            assertThatThrownBy(table::rememberGivenUp).isInstanceOf(NestedRuntimeException.class);
        }
        assertThat(producer.history()).isEmpty();
    }

    private void remember() {
        try {
            table.rememberGivenUp();
        } catch (SupersededException | InterruptedException e) {
            throw new AssertionError(e);
        }
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
