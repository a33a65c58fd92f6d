package io.syncline.worker.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.syncline.model.log.Topics;
import io.syncline.model.table.ColumnInfo;
import io.syncline.model.table.KeyColumn;
import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import io.syncline.worker.capture.encode.RowEncoder;
import io.syncline.worker.start.StateDatabase;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the state database keeps for capture, and how capture sees that it keeps something else. */
class CaptureStoreIT {

    private static final TableName ORDERS = new TableName("orders");
    private static final String TOPIC = Topics.table(ORDERS);
    private static final PgSnapshot SNAPSHOT = PgSnapshot.parse("10:10:");

    private static SourceServer server;
    private static HikariDataSource pool;

    private final CaptureStore store = new CaptureStore(pool);

    @BeforeAll
    static void start() {
        server = new SourceServer(Map.of());
        StateDatabase state = new StateDatabase(server.url("postgres"), "postgres", "postgres");
        state.migrate();
        pool = state.pool("test", 4, Duration.ofMinutes(2));
    }

    @AfterAll
    static void stop() {
        pool.close();
        server.close();
    }

    @BeforeEach
    void empty() {
        server.execute("TRUNCATE syncline.capture_table, syncline.replica_position, syncline.replica_table",
                "UPDATE syncline.capture_epoch SET epoch = 4, beat = 0");
    }

    @Test
    void anEpochThatIsNotGreater_isNotTaken() throws Exception {
        assertThat(store.takeEpoch(7, "here")).contains(new CaptureStore.Taken(4, true));
        assertThat(new CaptureStore(pool).takeEpoch(7, "there")).isEmpty();
        assertThat(new CaptureStore(pool).takeEpoch(6, "there")).isEmpty();
        store.begin(7, 7_000_001, TOPIC, table(), SNAPSHOT, 1);
        new CaptureStore(pool).takeEpoch(8, "there");
        assertThatThrownBy(() -> store.complete(7, ORDERS, 7_000_001)).isInstanceOf(SupersededException.class);
        assertThatThrownBy(() -> store.verifyNewest(7)).isInstanceOf(SupersededException.class);
    }

    @Test
    void theNewestEpoch_isThatOfWhateverIsThere() {
        assertThat(store.newestEpoch()).isEqualTo(4);
        server.execute(
                "INSERT INTO syncline.capture_table VALUES ('t', 't', 9000003, true, '10:10:', 1, '', false, now())");
        assertThat(store.newestEpoch()).isEqualTo(9);
        server.execute("INSERT INTO syncline.replica_position VALUES ('t', 0, 'x', 5, 12, 9000003, 0, true)");
        assertThat(store.newestEpoch()).isEqualTo(12);
        assertThat(store.epochInTopics()).isEqualTo(12);
        server.execute("UPDATE syncline.replica_position SET generation = 15000001");
        assertThat(store.newestEpoch()).isEqualTo(15);
    }

    @Test
    void generations_growOnly() throws Exception {
        store.takeEpoch(5, "here");
        server.execute("INSERT INTO syncline.capture_table VALUES ('orders', '" + TOPIC
                + "', 62, true, '10:10:', 1, '', false, now())");
        store.begin(5, 5_000_001, TOPIC, table(), SNAPSHOT, 1);
        assertThat(generation()).isEqualTo("5000001 false");
        store.complete(5, ORDERS, 5_000_001);
        assertThat(generation()).isEqualTo("5000001 true");
        assertThatThrownBy(() -> store.begin(5, 5_000_001, TOPIC, table(), SNAPSHOT, 1))
                .isInstanceOf(StateWentBackException.class);
        server.execute("UPDATE syncline.capture_table SET generation = 7000000001");
        assertThatThrownBy(() -> store.begin(5, 5_000_002, TOPIC, table(), SNAPSHOT, 1))
                .isInstanceOf(StateWentBackException.class)
                .hasMessageContaining("table orders has a generation there that is not older than 5000002");
    }

    @Test
    void aGenerationThatWasGivenUpBeforeItsEnd_isNotComplete() throws Exception {
        store.takeEpoch(5, "here");
        store.begin(5, 5_000_001, TOPIC, table(), SNAPSHOT, 1);
        store.giveUp(5, ORDERS, 5_000_001);
        store.complete(5, ORDERS, 5_000_001);
        assertThat(generation()).isEqualTo("5000001 false");
    }

    @Test
    void aWriteThatIsGone_isNoticedByTheNextWrite_inTheSameEpoch() throws Exception {
        store.takeEpoch(5, "here");
        store.begin(5, 5_000_001, TOPIC, table(), SNAPSHOT, 1);
        String beat = server.ask("SELECT beat FROM syncline.capture_epoch").getFirst();
        store.complete(5, ORDERS, 5_000_001);
        // Restored to before that.
        server.execute("UPDATE syncline.capture_epoch SET beat = " + beat,
                "UPDATE syncline.capture_table SET complete = false");
        assertThatThrownBy(() -> store.savePublished(5, 1)).isInstanceOf(StateWentBackException.class)
                .hasMessageContaining("of the writes of epoch 5, which were 2, it does not have the last");
        assertThat(store.takeEpoch(6, "here")).contains(new CaptureStore.Taken(5, false));
        store.savePublished(6, 1);
    }

    @Test
    void anOlderEpoch_isAStateDatabaseThatWentBack_andNoOtherCapturer() {
        store.takeEpoch(5, "here");
        server.execute("UPDATE syncline.capture_epoch SET epoch = 4");
        assertThatThrownBy(() -> store.savePublished(5, 1)).isInstanceOf(StateWentBackException.class)
                .hasMessageContaining("its capture epoch is 4, and was 5");
        assertThatThrownBy(() -> store.verifyNewest(5)).isInstanceOf(StateWentBackException.class);
        assertThat(store.takeEpoch(6, "here")).contains(new CaptureStore.Taken(4, false));
    }

    @Test
    void aGenerationThatIsNotThere_isNeitherCompletedNorGivenUp_silently() throws Exception {
        store.takeEpoch(5, "here");
        assertThatThrownBy(() -> store.complete(5, ORDERS, 5_000_001)).isInstanceOf(StateWentBackException.class)
                .hasMessageContaining("generation 5000001 of table orders is not there any more");
        assertThatThrownBy(() -> store.giveUp(5, ORDERS, 5_000_001)).isInstanceOf(StateWentBackException.class);
        store.begin(5, 5_000_002, TOPIC, table(), SNAPSHOT, 1);
        // A newer one that has begun meanwhile stays.
        store.giveUp(5, ORDERS, 5_000_001);
        store.complete(5, ORDERS, 5_000_002);
        store.giveUp(5, ORDERS, 5_000_002);
        assertThat(generation()).isEqualTo("5000002 false");
    }

    @Test
    void aWriteThatFails_isNoSignOfARestore() throws Exception {
        store.takeEpoch(5, "here");
        server.execute("ALTER TABLE syncline.capture_table ADD CONSTRAINT fails CHECK (table_name <> 'orders')");
        assertThatThrownBy(() -> store.begin(5, 5_000_001, TOPIC, table(), SNAPSHOT, 1))
                .isNotInstanceOf(StateWentBackException.class);
        server.execute("ALTER TABLE syncline.capture_table DROP CONSTRAINT fails");
        store.savePublished(5, 1);
        // One that has been committed, though its answer was lost.
        server.execute("ALTER TABLE syncline.capture_table ADD CONSTRAINT fails CHECK (table_name <> 'orders')");
        assertThatThrownBy(() -> store.begin(5, 5_000_001, TOPIC, table(), SNAPSHOT, 1))
                .isNotInstanceOf(StateWentBackException.class);
        server.execute("UPDATE syncline.capture_epoch SET beat = beat + 1",
                "ALTER TABLE syncline.capture_table DROP CONSTRAINT fails");
        store.savePublished(5, 1);
        store.savePublished(5, 2);
    }

    @Test
    void writesOfSeveralThreads_areCounted() throws Exception {
        store.takeEpoch(5, "here");
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            for (Future<?> one : threads.invokeAll(IntStream.range(0, 40).<Callable<Void>>mapToObj(i -> () -> {
                store.savePublished(5, i);
                return null;
            }).toList())) {
                one.get();
            }
        }
        assertThat(server.ask("SELECT beat FROM syncline.capture_epoch")).isEqualTo(List.of("40"));
    }

    private static String generation() {
        return server.ask("SELECT generation || ' ' || complete FROM syncline.capture_table").getFirst();
    }

    private static SourceTable table() {
        return new SourceTable(1,
                new TableSchema(ORDERS, List.of(new ColumnInfo("id", "integer", "NO", null, null, "integer")),
                        List.of(new KeyColumn("id", "integer", null)), List.of()),
                "as it is", false, "", 0, List.of(), new int[]{0}, new RowEncoder(List.of(), new int[0]), null, null);
    }
}
