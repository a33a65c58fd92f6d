package io.syncline.worker.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.model.table.ColumnInfo;
import io.syncline.model.table.KeyColumn;
import io.syncline.model.table.Place;
import io.syncline.model.table.RowChecksum;
import io.syncline.model.table.TableChange;
import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import io.syncline.worker.replica.Batch.Content;
import io.syncline.worker.replica.Batch.Entry;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Changes go in, the replica comes out: no Kafka, a real PostgreSQL. */
class ReplicaMaterialiserIT {

    private static final String TOPIC = "syncline.table.public.goods";
    private static final Instant AS_OF = Instant.parse("2026-01-02T03:04:05Z");
    private static final TableSchema BIGINT_KEY = schema("goods", "bigint");

    private static ReplicaDatabase database;

    /** What is known of numbers outside of the state database. */
    private final AtomicLong bound = new AtomicLong();
    private final ReplicaMaterialiser materialiser = materialiser();
    private Position position = start(TOPIC, 0);

    @BeforeAll
    static void startDatabase() {
        database = new ReplicaDatabase();
    }

    @AfterAll
    static void stopDatabase() throws Exception {
        database.close();
    }

    @BeforeEach
    void empty() throws Exception {
        database.reset();
        store(position);
    }

    @Test
    void firstSnapshot_isServedOnceComplete() throws Exception {
        apply(begin(1), row(1, "[1]", "{\"id\":1}"), row(1, "[2]", "{\"id\":22}"));

        assertThat(table()).isEqualTo("waiting 0 0");
        assertThat(database.value("SELECT next_row_count || ' ' || next_size_bytes FROM syncline.replica_table"))
                .isEqualTo("2 17");

        apply(end(1, 2));

        assertThat(table()).isEqualTo("live 2 17");
        assertThat(rows()).containsExactly("1 {\"id\":1}", "2 {\"id\":22}");
        assertThat(database.value("SELECT as_of = '" + AS_OF + "' FROM syncline.replica_table")).isEqualTo("t");
    }

    /** How new a change is says nothing of what another partition, or the rest of its transaction, still has to bring. */
    @Test
    void asOf_isThatOfTheReading_andNeverGoesBack() throws Exception {
        live(1);
        apply(upsert(at(1, 10, 11), "[2]", "{}"));
        assertThat(asOf()).isEqualTo(AS_OF);

        apply(begin(2), row(2, "[1]", "{}"), new TableChange.SnapshotEnded(1, 2, 1, AS_OF.minusSeconds(60)));
        assertThat(table()).startsWith("live 1 ");
        assertThat(asOf()).as("the source's clock was set back").isEqualTo(AS_OF);

        apply(begin(3), row(3, "[1]", "{}"), new TableChange.SnapshotEnded(1, 3, 1, AS_OF.plusSeconds(60)));
        assertThat(asOf()).isEqualTo(AS_OF.plusSeconds(60));
    }

    private static Instant asOf() throws Exception {
        return Instant.parse(database.value("SELECT to_json(as_of) #>> '{}' FROM syncline.replica_table"));
    }

    @Test
    void insertUpdateDelete_countedExactly() throws Exception {
        live(3);

        apply(upsert(at(1, 10, 11), "[2]", "{\"v\":\"é\"}"), upsert(at(1, 10, 12), "[4]", "{}"),
                delete(at(1, 10, 13), "[1]"), delete(at(1, 20, 21), "[77]"));

        assertThat(rows()).containsExactly("2 {\"v\":\"é\"}", "3 {\"id\":3}", "4 {}");
        assertThat(table()).isEqualTo("live 3 " + ("{\"v\":\"é\"}".getBytes(StandardCharsets.UTF_8).length + 8 + 2));
        countsAreExact();
    }

    @Test
    void aValueOf32Megabytes_whateverItIs() throws Exception {
        String quotes = "{\"v\":\"" + "\\\"".repeat(32 << 20) + "\"}";
        apply(begin(1), row(1, "[1]", quotes), end(1, 1));
        assertThat(table()).isEqualTo("live 1 " + quotes.length());
        apply(upsert(at(1, 10, 11), "[2]", quotes));
        assertThat(table()).isEqualTo("live 2 " + 2L * quotes.length());
        String name = database.value("SELECT replica_name FROM syncline.replica_table");
        assertThat(database
                .value("SELECT count(DISTINCT md5(wire)) || ' ' || (max(wire)::jsonb ->> 'v' = repeat('\"', 33554432))"
                        + " FROM syncline_replica.\"" + name + "\""))
                .isEqualTo("1 true");
    }

    @Test
    void changes_areNumberedAndDeletedKeysAreKept() throws Exception {
        TableSchema schema = schema("goods", "bigint", "text");
        apply(begin(1, 1, schema), row(1, "[1,\"a\"]", "{\"c0\":1,\"c1\":\"a\"}"),
                row(1, "[2, \"b\\\"\"]", "{\"c0\":2,\"c1\":\"b\\\"\"}"), row(1, "[3,\"c\"]", "{\"c0\":3,\"c1\":\"c\"}"),
                end(1, 3));
        long first = lastChange();
        assertThat(database.value("SELECT known_since FROM syncline.replica_table")).isEqualTo(Long.toString(first));
        assertThat(first).isBetween(System.currentTimeMillis() * 1000 - 3_600_000_000L,
                System.currentTimeMillis() * 1000 + 3_600_000_000L);

        apply(delete(at(1, 10, 11), "[2, \"b\\\"\" ]"), upsert(at(1, 10, 12), "[4,\"d\"]", "{\"c0\":4,\"c1\":\"d\"}"));
        assertThat(changedSince(first)).containsExactly("2 {\"c0\":2,\"c1\":\"b\\\"\"}", "4 -");

        long second = lastChange();
        apply(new TableChange.Truncate(1, at(1, 20, 21)));
        assertThat(changedSince(second)).containsExactly("1 {\"c0\":1,\"c1\":\"a\"}", "3 {\"c0\":3,\"c1\":\"c\"}",
                "4 {\"c0\":4,\"c1\":\"d\"}");

        // The next generation's rows are all newer than what could be pulled before it; deletions of before are known still.
        apply(upsert(at(1, 30, 31), "[5,\"e\"]", "{\"c0\":5,\"c1\":\"e\"}"));
        long third = lastChange();
        apply(begin(1, 2, schema), row(2, "[1,\"a\"]", "{\"c0\":1,\"c1\":\"a\"}"), end(2, 1));
        assertThat(changedSince(third)).containsExactly("1 -", "5 {\"c0\":5,\"c1\":\"e\"}");
        assertThat(changedSince(second)).hasSize(4);
        assertThat(database.value("SELECT known_since FROM syncline.replica_table")).isEqualTo(Long.toString(first));
        assertThat(database.value("SELECT began < " + third + " FROM syncline.replica_table")).isEqualTo("t");
        countsAreExact();

        // With another key nothing of before can be told.
        apply(begin(1, 3, schema("goods", "bigint")), end(3, 0));
        assertThat(database.value("SELECT known_since FROM syncline.replica_table"))
                .isEqualTo(Long.toString(lastChange()));
    }

    private static long lastChange() {
        return Long.parseLong(database.value("SELECT last_change FROM syncline.replica_table"));
    }

    private static List<String> changedSince(long change) {
        String name = database.value("SELECT replica_name FROM syncline.replica_table");
        return database.column("SELECT k1 || ' ' || coalesce(removed_key, '-') FROM syncline_replica.\"" + name
                + "\" WHERE changed > " + change + " ORDER BY k1");
    }

    @Test
    void oneKeyManyTimesInOneBatch_newestWins() throws Exception {
        live(1);

        apply(upsert(at(1, 10, 11), "[1]", "{\"v\":1}"), delete(at(1, 10, 12), "[1]"),
                upsert(at(1, 10, 13), "[1]", "{\"v\":3}"), upsert(at(1, 10, 12), "[1]", "{\"v\":2}"));

        assertThat(rows()).containsExactly("1 {\"v\":3}");
        countsAreExact();
    }

    @Test
    void deliveredAgain_changesNothing() throws Exception {
        live(3);
        TableChange[] changes = {upsert(at(1, 10, 11), "[1]", "{\"v\":1}"), delete(at(1, 10, 12), "[2]"),
            upsert(at(1, 20, 21), "[1]", "{\"v\":2}")};
        apply(changes);
        List<String> rows = rows();
        String table = table();

        // The capturer sends again what it is not sure of, at later offsets.
        apply(changes);
        apply(changes[0]);

        assertThat(rows()).isEqualTo(rows).containsExactly("1 {\"v\":2}", "3 {\"id\":3}");
        assertThat(table()).isEqualTo(table);
        countsAreExact();
    }

    @Test
    void snapshotRowsDeliveredAgain_doNotOverwriteChanges() throws Exception {
        apply(begin(1), row(1, "[1]", "{\"id\":1}"), upsert(at(1, 5, 6), "[1]", "{\"v\":1}"),
                row(1, "[1]", "{\"id\":1}"), row(1, "[2]", "{\"id\":2}"), end(1, 2));
        apply(row(1, "[1]", "{\"id\":1}"), row(1, "[2]", "{\"id\":2}"));

        assertThat(rows()).containsExactly("1 {\"v\":1}", "2 {\"id\":2}");
        countsAreExact();
    }

    @Test
    void anotherOwner_appliesNothing() throws Exception {
        live(1);
        Position stale = position;
        apply(upsert(at(1, 10, 11), "[1]", "{\"v\":\"new\"}"));

        assertThatThrownBy(() -> materialiser
                .apply(List.of(batch(stale, upsert(at(1, 30, 31), "[1]", "{\"v\":\"zombie\"}")))))
                .isInstanceOf(PositionLostException.class)
                .hasMessageContaining("another worker has gone on from there");

        assertThat(rows()).containsExactly("1 {\"v\":\"new\"}");
    }

    @Test
    void newGeneration_oldOneServedUntilTheEndAndNoGhostAfterIt() throws Exception {
        live(3);
        apply(upsert(at(1, 10, 11), "[3]", "{\"v\":\"old\"}"));

        apply(begin(2), row(2, "[3]", "{\"v\":\"new\"}"), row(2, "[5]", "{}"));

        assertThat(table()).startsWith("refreshing 3 ");
        assertThat(rows()).containsExactly("1 {\"id\":1}", "2 {\"id\":2}", "3 {\"v\":\"old\"}");

        apply(end(2, 2));

        assertThat(table()).isEqualTo("live 2 13");
        assertThat(rows()).containsExactly("3 {\"v\":\"new\"}", "5 {}");
        assertThat(database.column("SELECT k1 FROM syncline_replica.\"goods.2\" WHERE wire IS NULL"
                + " AND removed_at IS NOT NULL ORDER BY k1")).containsExactly("1", "2");
        assertThat(database.column("SELECT replica_name FROM syncline.replica_garbage")).containsExactly("goods.1");

        apply(upsert(at(2, 30, 31), "[1]", "{\"v\":\"back\"}"));

        assertThat(rows()).containsExactly("1 {\"v\":\"back\"}", "3 {\"v\":\"new\"}", "5 {}");
        countsAreExact();
    }

    @Test
    void streamBesideTheSnapshot_losesNothingAndBringsNothingBack() throws Exception {
        apply(begin(1), delete(at(1, 5, 6), "[1]"), upsert(at(1, 5, 7), "[2]", "{\"v\":\"changed\"}"));
        apply(row(1, "[1]", "{\"id\":1}"), row(1, "[2]", "{\"id\":2}"), row(1, "[3]", "{\"id\":3}"));
        apply(upsert(at(1, 5, 8), "[4]", "{}"), row(1, "[5]", "{}"), delete(at(1, 5, 9), "[3]"), end(1, 4));

        assertThat(rows()).containsExactly("2 {\"v\":\"changed\"}", "4 {}", "5 {}");
        assertThat(table()).isEqualTo("live 3 " + (15 + 2 + 2));
        countsAreExact();
    }

    @Test
    void interruptedSnapshot_leavesNothingBehind() throws Exception {
        apply(begin(1), row(1, "[1]", "{\"id\":1}"), row(1, "[2]", "{\"id\":2}"));
        apply(new TableChange.EpochBegun(2));
        // The frozen capturer of epoch 1 wakes up.
        apply(row(1, "[3]", "{\"id\":3}"), end(1, 3));

        assertThat(table()).isEqualTo("waiting 0 0");

        apply(begin(2, 2, BIGINT_KEY), upsert(2, Place.ofSnapshot(2), "[2]", "{\"id\":2}"),
                new TableChange.SnapshotEnded(2, 2, 1, AS_OF));

        assertThat(table()).isEqualTo("live 1 8");
        assertThat(rows()).containsExactly("2 {\"id\":2}");
        assertThat(database.column("SELECT replica_name FROM syncline.replica_garbage")).containsExactly("goods.1");
    }

    @Test
    void olderEpoch_isVoidBehindANewerMark() throws Exception {
        live(1);
        apply(new TableChange.EpochBegun(7));
        apply(upsert(6, at(1, 50, 51), "[1]", "{\"v\":\"frozen\"}"), upsert(7, at(1, 40, 41), "[1]", "{\"v\":\"now\"}"),
                new TableChange.EpochBegun(5), upsert(6, at(1, 60, 61), "[9]", "{}"));

        assertThat(rows()).containsExactly("1 {\"v\":\"now\"}");
        assertThat(requests()).isEmpty();
    }

    /** As after a state database that gave the number a second time. */
    @ParameterizedTest
    @ValueSource(longs = {3, 4})
    void aGenerationThatIsNotNewer_isNeverIgnoredNorMerged(long number) throws Exception {
        apply(begin(1, 4, BIGINT_KEY), row(4, "[1]", "{}"), row(4, "[2]", "{}"), end(4, 2));
        long before = lastChange();
        apply(new TableChange.EpochBegun(6), begin(6, number, BIGINT_KEY),
                upsert(6, Place.ofSnapshot(number), "[3]", "{}"), upsert(6, at(number, 10, 11), "[1]", "{\"v\":1}"),
                new TableChange.SnapshotEnded(6, number, 1, AS_OF), upsert(6, at(number, 10, 12), "[5]", "{}"));

        assertThat(table()).isEqualTo("refreshing 2 4");
        assertThat(rows()).containsExactly("1 {}", "2 {}");
        assertThat(requests()).containsExactly("generation " + number
                + " began behind generation 4, which is not older: numbers of capture have gone back");
        assertThat(knownSince()).as("what peers have may be more than what is here").isGreaterThan(before);

        apply(begin(6, 6_000_001, BIGINT_KEY), upsert(6, Place.ofSnapshot(6_000_001), "[7]", "{}"),
                new TableChange.SnapshotEnded(6, 6_000_001, 1, AS_OF));
        assertThat(table()).isEqualTo("live 1 2");
        assertThat(rows()).containsExactly("7 {}");
        countsAreExact();
    }

    static Stream<Arguments> marksOfAnOlderGeneration() {
        return Stream.of(
                Arguments.of(upsert(at(1, 20, 21), "[2]", "{\"v\":\"late\"}"),
                        "a change of generation 1 came behind the begin of generation 2"),
                Arguments.of(delete(at(1, 20, 21), "[2]"), "a change of generation 1 came behind"),
                Arguments.of(new TableChange.Truncate(1, at(1, 20, 21)), "a truncation of generation 1 came behind"),
                Arguments.of(end(1, 3), "the end of generation 1 came behind"),
                Arguments.of(new TableChange.Halted(1, 1, "too large"), "the halt of generation 1 came behind"),
                Arguments.of(new TableChange.Dropped(1, 1), "the drop of generation 1 came behind"));
    }

    @ParameterizedTest
    @MethodSource("marksOfAnOlderGeneration")
    void whatIsOfAnOlderGenerationInTheSameEpoch_isNeverIgnored(TableChange older, String reason) throws Exception {
        live(3);
        apply(begin(2), row(2, "[3]", "{\"v\":\"new\"}"), older, row(2, "[4]", "{}"), end(2, 2));

        assertThat(table()).startsWith("refreshing 3 ");
        assertThat(rows()).containsExactly("1 {\"id\":1}", "2 {\"id\":2}", "3 {\"id\":3}");
        assertThat(requests()).singleElement().asString().startsWith(reason);

        apply(begin(3), row(3, "[3]", "{}"), end(3, 1));
        assertThat(table()).isEqualTo("live 1 2");
    }

    /** Only where Kafka has lost what it knew of epochs: whoever captures must take a newer one. */
    @Test
    void theEpochOfWhoCaptures_behindANewerMark_isNeverIgnored() throws Exception {
        live(1);
        database.execute("UPDATE syncline.capture_epoch SET epoch = 5");
        try {
            apply(new TableChange.EpochBegun(7), new TableChange.EpochBegun(4), upsert(4, at(1, 9, 9), "[9]", "{}"));
            assertThat(requests()).isEmpty();
            apply(upsert(5, at(1, 50, 51), "[1]", "{\"v\":\"new\"}"), new TableChange.EpochBegun(5));
        } finally {
            database.execute("UPDATE syncline.capture_epoch SET epoch = 0");
        }
        assertThat(table()).isEqualTo("refreshing 1 8");
        assertThat(requests())
                .containsExactly("a record of capture epoch 5, the newest that there is, came behind the mark"
                        + " of epoch 7: numbers of capture have gone back");
    }

    @Test
    void aGenerationOfOtherPartitionsThatHaveForgottenIt_isNotTakenForBegun() throws Exception {
        Position second = start(TOPIC, 1);
        store(second);
        second = apply(second, 2, begin(3), row(3, "[2]", "{}"));
        position = apply(position, 2, begin(3), row(3, "[1]", "{}"));
        assertThat(requests()).isEmpty();
        database.execute("UPDATE syncline.replica_position SET generation = 0, snapshot_rows = 0");
        position = apply(position.trustingNothing(), 2, begin(2));
        assertThat(requests()).singleElement().asString().startsWith("generation 2 began behind generation 3");
    }

    @Test
    void bothPartitionsOfOneTransaction_beginOnce() throws Exception {
        Position second = start(TOPIC, 1);
        store(second);
        materialiser.apply(List.of(batch(position, begin(3), row(3, "[1]", "{}")), batch(second, begin(3))));
        assertThat(requests()).isEmpty();
        assertThat(table()).isEqualTo("waiting 0 0");
    }

    @Test
    void numbersOfChanges_areAboveAllThatWereEverGiven_whateverTheClockSays() throws Exception {
        live(1);
        assertThat(bound.get()).as("reserved before it was used").isGreaterThanOrEqualTo(lastChange());
        // The state database fails over to a server whose clock is two hours behind: what was given there was far ahead.
        long given = lastChange() + TimeUnit.HOURS.toMicros(2);
        bound.set(given);
        ReplicaMaterialiser another = materialiser();
        position = another.apply(List.of(batch(position, upsert(at(1, 10, 11), "[1]", "{\"v\":1}")))).getFirst();
        assertThat(lastChange()).isGreaterThan(given);
        assertThat(bound.get()).isGreaterThanOrEqualTo(lastChange());
        long last = lastChange();
        apply(upsert(at(1, 10, 12), "[1]", "{\"v\":2}"));
        assertThat(lastChange()).as("also by one that did not see the other server").isGreaterThan(last);
    }

    @Test
    void aDatabaseThatIsRestoredWhileItIsUsed_givesNoNumberTwice() throws Exception {
        live(1);
        Position kept = position;
        database.execute("CREATE TABLE kept AS SELECT last_change FROM syncline.replica_table");
        apply(upsert(at(1, 10, 11), "[1]", "{\"v\":1}"), delete(at(1, 10, 12), "[1]"));
        // Its numbers had been ahead of the clock.
        bound.addAndGet(TimeUnit.DAYS.toMicros(1));
        long given = bound.get();
        store(kept);
        database.execute("UPDATE syncline.replica_table SET last_change = (SELECT last_change FROM kept)");
        database.execute("DROP TABLE kept");

        Position lost = position;
        assertThatThrownBy(() -> materialiser.apply(List.of(batch(lost, upsert(at(1, 10, 13), "[2]", "{}")))))
                .isInstanceOf(PositionLostException.class)
                .hasMessageContaining("the state database has been restored to an earlier moment");
        position = materialiser.place(TOPIC, 0, "topic-id", 0, 100);
        apply(upsert(at(1, 10, 11), "[1]", "{\"v\":1}"));
        assertThat(lastChange()).isGreaterThan(given);
        assertThat(requests()).as("what is read again contradicts nothing").isEmpty();
    }

    @Test
    void aPartitionThatIsNotTrusted_endsWhatWasKnownOfChanges() throws Exception {
        live(1);
        long before = lastChange();
        position = materialiser.place(TOPIC, 0, "another-topic-id", 0, 100);
        assertThat(table()).isEqualTo("refreshing 1 8");
        assertThat(requests()).containsExactly(TOPIC + " was deleted and made again");
        assertThat(knownSince()).isGreaterThan(before).isEqualTo(lastChange());
        apply(begin(2), row(2, "[7]", "{}"), end(2, 1));
        assertThat(table()).isEqualTo("live 1 2");
        assertThat(knownSince()).isGreaterThan(before);
    }

    private static long knownSince() {
        return Long.parseLong(database.value("SELECT known_since FROM syncline.replica_table"));
    }

    private static List<String> requests() {
        return database.column("SELECT reason FROM syncline.capture_request WHERE topic = '" + TOPIC + "'");
    }

    private ReplicaMaterialiser materialiser() {
        return new ReplicaMaterialiser(database.dataSource(),
                new ChangeNumbers(bound::get, wanted -> bound.accumulateAndGet(wanted, Math::max)));
    }

    @Test
    void truncate_leavesTombstonesOfAllOlderPlaces() throws Exception {
        live(3);
        apply(upsert(at(1, 10, 11), "[4]", "{}"), new TableChange.Truncate(1, at(1, 20, 21)),
                upsert(at(1, 20, 22), "[2]", "{\"v\":2}"));

        assertThat(table()).isEqualTo("live 1 7");
        assertThat(rows()).containsExactly("2 {\"v\":2}");
        countsAreExact();

        apply(new TableChange.Truncate(1, at(1, 20, 21)), upsert(at(1, 10, 11), "[4]", "{}"));

        assertThat(rows()).containsExactly("2 {\"v\":2}");
        countsAreExact();
    }

    @Test
    void changedKey_isANewTable() throws Exception {
        live(2);
        TableSchema byText = schema("goods", "character varying(20)", "integer");
        apply(begin(1, 2, byText), upsert(Place.ofSnapshot(2), "[\"b\",1]", "{\"b\":1}"),
                upsert(Place.ofSnapshot(2), "[\"a\",2]", "{\"a\":2}"), end(2, 2));

        assertThat(database.column("SELECT k1 || k2 FROM syncline_replica.\"goods.2\" ORDER BY k1, k2"))
                .containsExactly("a2", "b1");
        countsAreExact();
    }

    static Stream<Arguments> keys() {
        return Stream.of(keys("smallint", "[-5]", "[7]"), keys("integer", "[-2147483648]", "[2147483647]"),
                keys("bigint", "[-9223372036854775808]", "[0]", "[9223372036854775807]"),
                keys("text", "[\"\"]", "[\"a \\\"q\\\" \\\\ é\\n\"]", "[\"b\"]"),
                keys("character varying(20)", "[\"a\"]", "[\"b\"]"), keys("character(5)", "[\"a    \"]", "[\"b    \"]"),
                keys("uuid", "[\"018f2f3a-1b2c-7d3e-8f4a-5b6c7d8e9f00\"]",
                        "[\"018f2f3a-1b2c-7d3e-8f4a-5b6c7d8e9f01\"]"),
                keys("numeric(12,2)", "[\"1.10\"]", "[\"12.00\"]"), keys("boolean", "[false]", "[true]"),
                keys("date", "[\"2025-12-15\"]", "[\"infinity\"]"),
                keys("timestamp(0) without time zone", "[\"2025-12-15T18:56:59\"]"),
                keys("timestamp with time zone", "[\"2025-12-15T18:56:59.387453Z\"]"),
                keys("double precision", "[1.5]", "[1e300]", "[\"NaN\"]"), keys("bytea", "[\"\\\\x00ff\"]"),
                keys("inet", "[\"192.168.1.1/24\"]"), keys("interval day to second(3)", "[\"3 days 04:05:06.789\"]"),
                keys("integer[]", "[[1,2]]", "[[]]"), keys("text[]", "[[[\"a\\\"\",null],[\"{\",\"\"]]]"),
                keys("\"char\"", "[\"x\"]"), keys("bit(3)", "[\"101\"]"), keys("citext", "[\"Abc\"]"),
                keys("jsonb", "[{\"a\": [1, \"]\"]}]"),
                keys("int4range", "[\"[1,5)\"]"));
    }

    private static Arguments keys(String type, String... keys) {
        return Arguments.of(type, List.of(keys));
    }

    @ParameterizedTest
    @MethodSource
    void keys(String type, List<String> keys) throws Exception {
        List<TableChange> changes = new ArrayList<>(List.of(begin(1, 1, schema("goods", type))));
        keys.forEach(key -> changes.add(upsert(Place.ofSnapshot(1), key, "{}")));
        changes.add(end(1, keys.size()));
        apply(changes.toArray(TableChange[]::new));
        assertThat(table()).isEqualTo("live " + keys.size() + " " + 2 * keys.size());
        assertThat(database.value("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attname = 'k1'"
                + " AND attrelid = 'syncline_replica.\"goods.1\"'::regclass")).isEqualTo(type);

        for (String key : keys) {
            apply(upsert(at(1, 10, 11), key, "{\"v\":1}"), delete(at(1, 10, 12), key));
        }
        assertThat(table()).isEqualTo("live 0 0");
    }

    @Test
    void enumKeys_areInTheOrderOfTheirLabels() throws Exception {
        TableSchema moods = new TableSchema(new TableName("goods"),
                List.of(new ColumnInfo("m", "USER-DEFINED", "NO", null, null, "mood")),
                List.of(new KeyColumn("m", "mood", null, List.of("sad", "it's ok", "happy"))));
        apply(begin(1, 1, moods), row(1, "[\"happy\"]", "{\"m\":3}"), row(1, "[\"sad\"]", "{\"m\":1}"),
                row(1, "[\"it's ok\"]", "{\"m\":2}"), end(1, 3), delete(at(1, 10, 11), "[\"sad\"]"));

        assertThat(rows()).containsExactly("it's ok {\"m\":2}", "happy {\"m\":3}");
        countsAreExact();

        // The same labels again, then another one.
        apply(begin(1, 2, moods), row(2, "[\"sad\"]", "{\"m\":1}"), end(2, 1));
        apply(upsert(at(2, 10, 11), "[\"new\"]", "{}"));
        assertThat(table()).startsWith("marked");
        assertThat(database.value("SELECT cause FROM syncline.replica_table")).contains("invalid input value for enum");
    }

    @Test
    void keysThatDifferOnlyInText_areOne() throws Exception {
        apply(begin(1, 1, schema("goods", "numeric")), end(1, 0));
        apply(upsert(at(1, 10, 11), "[\"1.0\"]", "{\"v\":1}"), delete(at(1, 10, 12), "[\"1.0\"]"),
                upsert(at(1, 10, 13), "[\"1.00\"]", "{\"v\":2}"));

        assertThat(rows()).containsExactly("1.00 {\"v\":2}");
        countsAreExact();
    }

    @Test
    void unknownKeyType_marksTheTableAndStopsNoOther() throws Exception {
        Position other = start("syncline.table.public.other", 0);
        store(other);
        List<Position> behind = materialiser.apply(List.of(
                batch(position, begin(1, 1, schema("goods", "mood")), upsert(Place.ofSnapshot(1), "[\"happy\"]", "{}"),
                        end(1, 1), upsert(at(1, 10, 11), "[\"sad\"]", "{}")),
                batch(other, begin(1, 1, schema("other", "bigint")), row(1, "[1]", "{}"), end(1, 1))));

        assertThat(table()).isEqualTo("marked 0 0");
        assertThat(database.value("SELECT cause FROM syncline.replica_table WHERE table_name = 'goods'"))
                .contains("type \"mood\" does not exist");
        assertThat(database.value("SELECT state FROM syncline.replica_table WHERE table_name = 'other'"))
                .isEqualTo("live");
        assertThat(behind).extracting(Position::nextOffset).containsExactly(4L, 3L);
    }

    @Test
    void typeThatIsNoType_neverReachesSql() throws Exception {
        apply(begin(1, 1, schema("goods", "integer); DROP TABLE syncline.replica_position; --")));

        assertThat(table()).isEqualTo("marked 0 0");
        assertThat(database.value("SELECT cause FROM syncline.replica_table")).contains("which only the source knows");
    }

    @Test
    void recordThatCannotBeApplied_marksAndTheNextGenerationHeals() throws Exception {
        live(2);
        apply(upsert(at(1, 10, 11), "[1]", "{\"v\":1}"), upsert(at(1, 10, 12), "[\"x\"]", "{}"),
                upsert(at(1, 10, 13), "[2]", "{\"v\":2}"));

        assertThat(table()).startsWith("marked 2 ");
        // What came before it is applied, what came behind it is not.
        assertThat(rows()).containsExactly("1 {\"v\":1}", "2 {\"id\":2}");

        apply(begin(2), row(2, "[1]", "{}"), end(2, 1));

        assertThat(table()).isEqualTo("live 1 2");
        assertThat(rows()).containsExactly("1 {}");
        assertThat(database.value("SELECT cause IS NULL FROM syncline.replica_table")).isEqualTo("t");
    }

    @Test
    void unreadableRecord_marks() throws Exception {
        live(1);
        position = materialiser.apply(List.of(new Batch(position, 1,
                List.of(new Entry(position.nextOffset(), new Content.Unreadable("header op is missing"))),
                position.nextOffset() + 1))).getFirst();

        assertThat(table()).startsWith("marked 1 ");
        assertThat(database.value("SELECT cause FROM syncline.replica_table")).isEqualTo("header op is missing");
    }

    @Test
    void snapshotThatLostRows_isAskedForAgain() throws Exception {
        apply(begin(1), row(1, "[1]", "{}"), end(1, 2));

        assertThat(table()).isEqualTo("marked 0 0");
        assertThat(database.value("SELECT reason FROM syncline.capture_request WHERE topic = '" + TOPIC + "'"))
                .contains("had 2 rows, 1 of them arrived");
    }

    @Test
    void generationWithoutItsBeginMark_isNotTrusted() throws Exception {
        live(1);
        apply(upsert(at(2, 10, 11), "[1]", "{\"v\":2}"));

        assertThat(rows()).containsExactly("1 {\"id\":1}");
        assertThat(table()).startsWith("marked");
        assertThat(database.column("SELECT topic FROM syncline.capture_request")).containsExactly(TOPIC);
    }

    @Test
    void halted_isMarkedUntilTheNextGeneration() throws Exception {
        live(1);
        apply(new TableChange.Halted(1, 1, "column v: its type has no wire form"),
                upsert(at(1, 10, 11), "[1]", "{\"v\":2}"));

        assertThat(table()).isEqualTo("marked 1 8");
        assertThat(rows()).containsExactly("1 {\"id\":1}");

        // What was there when it was marked is not served as if it were only old.
        apply(begin(2), row(2, "[7]", "{}"));
        assertThat(table()).isEqualTo("marked 1 8");
        assertThat(database.value("SELECT next_row_count FROM syncline.replica_table")).isEqualTo("1");

        apply(end(2, 1));
        assertThat(table()).isEqualTo("live 1 2");
    }

    @Test
    void dropped_isGoneAndMayComeAgain() throws Exception {
        live(2);
        apply(new TableChange.Dropped(1, 1));

        assertThat(database.column("SELECT table_name FROM syncline.replica_table")).isEmpty();
        assertThat(database.column("SELECT replica_name FROM syncline.replica_garbage")).containsExactly("goods.1");

        apply(upsert(at(1, 10, 11), "[1]", "{\"v\":2}"), begin(2), row(2, "[1]", "{}"), end(2, 1));

        assertThat(table()).isEqualTo("live 1 2");
    }

    @Test
    void twoPartitions_completeTogetherAndCountTogether() throws Exception {
        Position second = start(TOPIC, 1);
        store(second);
        second = apply(second, 2, begin(1), row(1, "[2]", "{}"), end(1, 2));
        assertThat(table()).isEqualTo("waiting 0 0");

        position = apply(position, 2, begin(1), row(1, "[1]", "{}"), end(1, 2));
        assertThat(table()).isEqualTo("live 2 4");

        second = apply(second, 2, upsert(at(1, 10, 11), "[2]", "{\"v\":1}"),
                new TableChange.Truncate(1, at(1, 20, 21)));
        position = apply(position, 2, upsert(at(1, 30, 31), "[3]", "{}"), new TableChange.Truncate(1, at(1, 20, 21)));

        assertThat(rows()).containsExactly("3 {}");
        countsAreExact();
    }

    @Test
    void partitionThatIsAhead_changesRowsBeforeTheOtherHasEnded() throws Exception {
        Position second = start(TOPIC, 1);
        store(second);
        second = apply(second, 2, begin(1), row(1, "[2]", "{}"), row(1, "[4]", "{}"), end(1, 3),
                upsert(at(1, 10, 11), "[6]", "{}"), delete(at(1, 10, 12), "[2]"), upsert(at(1, 10, 13), "[8]", "{}"));
        position = apply(position, 2, begin(1), row(1, "[1]", "{}"), end(1, 3));

        assertThat(table()).isEqualTo("live 4 8");
        assertThat(rows()).containsExactly("1 {}", "4 {}", "6 {}", "8 {}");
        countsAreExact();
    }

    @Test
    void manyRows_areWrittenInBatches() throws Exception {
        List<TableChange> changes = new ArrayList<>(List.of(begin(1)));
        LongStream.rangeClosed(1, 12_345).forEach(i -> changes.add(row(1, "[" + i + "]", "{\"id\":" + i + "}")));
        changes.add(end(1, 12_345));
        LongStream.rangeClosed(1, 12_345).forEach(i -> changes.add(upsert(at(1, 10, i), "[" + i % 6_000 + "]", "{}")));
        apply(changes.toArray(TableChange[]::new));

        assertThat(table()).startsWith("live 12346 ");
        countsAreExact();
    }

    /** Rows 1 to {@code count}, served. */
    private void live(long count) throws Exception {
        List<TableChange> changes = new ArrayList<>(List.of(begin(1)));
        LongStream.rangeClosed(1, count).forEach(i -> changes.add(row(1, "[" + i + "]", "{\"id\":" + i + "}")));
        changes.add(end(1, count));
        apply(changes.toArray(TableChange[]::new));
    }

    private void apply(TableChange... changes) throws Exception {
        position = apply(position, 1, changes);
    }

    private Position apply(Position from, int partitions, TableChange... changes) throws Exception {
        Batch batch = batch(from, changes);
        return materialiser.apply(List.of(new Batch(from, partitions, batch.entries(), batch.nextOffset())))
                .getFirst();
    }

    private static Batch batch(Position from, TableChange... changes) {
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < changes.length; i++) {
            entries.add(new Entry(from.nextOffset() + i, new Content.Change(changes[i])));
        }
        return new Batch(from, 1, entries, from.nextOffset() + changes.length);
    }

    private static Position start(String topic, int partition) {
        return Position.trustingNothing(topic, partition, "topic-id", 0);
    }

    private static void store(Position position) throws Exception {
        try (var connection = database.dataSource().getConnection()) {
            ReplicaPositions.save(connection, List.of(position));
        }
    }

    private static String table() {
        return database.value("SELECT state || ' ' || row_count || ' ' || size_bytes FROM syncline.replica_table"
                + " WHERE table_name = 'goods'");
    }

    private static List<String> rows() {
        String name = database.value("SELECT replica_name FROM syncline.replica_table WHERE table_name = 'goods'");
        return database.column("SELECT k1 || ' ' || wire FROM syncline_replica.\"" + name
                + "\" WHERE wire IS NOT NULL ORDER BY k1");
    }

    private static void countsAreExact() {
        String name = database.value("SELECT replica_name FROM syncline.replica_table WHERE table_name = 'goods'");
        assertThat(table()).isEqualTo(database.value("SELECT 'live ' || count(wire) || ' ' ||"
                + " coalesce(sum(octet_length(wire)), 0) FROM syncline_replica.\"" + name + "\""));
        long checksum = database.column("SELECT wire FROM syncline_replica.\"" + name + "\" WHERE wire IS NOT NULL")
                .stream()
                .mapToLong(wire -> RowChecksum.of(wire.getBytes(StandardCharsets.UTF_8)))
                .sum();
        assertThat(database.value("SELECT checksum FROM syncline.replica_table WHERE table_name = 'goods'"))
                .isEqualTo(Long.toString(checksum));
        assertThat(database.value("SELECT count(*) FROM syncline_replica.\"" + name + "\""
                + " WHERE (wire IS NULL) <> (removed_key IS NOT NULL) OR (wire IS NULL) <> (row_hash IS NULL)"
                + " OR (wire IS NULL) <> (removed_at IS NOT NULL)")).isEqualTo("0");
    }

    private static TableSchema schema(String table, String... keyTypes) {
        List<ColumnInfo> columns = new ArrayList<>();
        List<KeyColumn> key = new ArrayList<>();
        Arrays.stream(keyTypes).forEach(type -> {
            String name = "c" + columns.size();
            columns.add(new ColumnInfo(name, type, "NO", null, null, type));
            key.add(new KeyColumn(name, type, null));
        });
        return new TableSchema(new TableName(table), columns, key);
    }

    private static TableChange begin(long generation) {
        return begin(1, generation, BIGINT_KEY);
    }

    private static TableChange begin(long epoch, long generation, TableSchema schema) {
        return new TableChange.SnapshotBegun(epoch, generation, schema);
    }

    private static TableChange end(long generation, long rows) {
        return new TableChange.SnapshotEnded(1, generation, rows, AS_OF);
    }

    private static TableChange row(long generation, String key, String wire) {
        return upsert(Place.ofSnapshot(generation), key, wire);
    }

    private static Place at(long generation, long commitLsn, long lsn) {
        return new Place(generation, commitLsn, lsn, 0);
    }

    private static TableChange upsert(Place place, String key, String wire) {
        return upsert(1, place, key, wire);
    }

    private static TableChange upsert(long epoch, Place place, String key, String wire) {
        return new TableChange.Upsert(epoch, place, key.getBytes(StandardCharsets.UTF_8),
                wire.getBytes(StandardCharsets.UTF_8));
    }

    private static TableChange delete(Place place, String key) {
        return new TableChange.Delete(1, place, key.getBytes(StandardCharsets.UTF_8));
    }
}
