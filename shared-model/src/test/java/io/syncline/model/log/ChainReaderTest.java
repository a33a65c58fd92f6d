package io.syncline.model.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.connection.Event;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.credential.TestKeys;
import io.syncline.model.log.ChainReader.Verdict;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The log cannot be altered unseen: what counts, what is void, and what no worker of ours wrote. */
class ChainReaderTest {

    private static final CredentialKeys KEYS = TestKeys.FIRST;
    private static final UUID ID = UUID.fromString("018f2f3a-1b2c-7d3e-8f4a-5b6c7d8e9f00");
    private static final Instant TIME = Instant.parse("2026-01-02T03:04:05.678Z");

    private final List<LogRecord> log = new ArrayList<>();
    private ChainReader.Head head = ChainReader.Head.start();

    @Test
    void eventsUnderTheirFence_count() {
        fence();
        append();
        append();
        assertThat(kinds(log)).containsExactly("Raises", "Counts", "Counts");
    }

    @Test
    void eventBeforeAnyFence_isVoid() {
        append();
        assertThat(kinds(log)).containsExactly("Voided");
    }

    @Test
    void eventOfAFrozenWorker_isVoidBehindTheNextFence() {
        fence();
        LogRecord late = chained(head.fence(), 1, head.hash()).record();
        fence();
        log.add(late);
        append();
        assertThat(kinds(log)).containsExactly("Raises", "Raises", "Voided", "Counts");
    }

    @Test
    void removedEvent_isFoundByTheNextOne() {
        fence();
        append();
        append();
        append();
        log.remove(2);
        assertThat(kinds(log)).containsExactly("Raises", "Counts", "Detached");
        assertThat(read(log).open()).singleElement().satisfies(hole -> {
            assertThat(hole.what()).isEqualTo("event 2");
            assertThat(hole.fromOffset()).isEqualTo(2);
            assertThat(hole.toOffset()).isEqualTo(2);
        });
    }

    @Test
    void reorderedEvents_areFound() {
        fence();
        append();
        append();
        append();
        LogRecord second = log.remove(2);
        log.add(second);
        assertThat(kinds(log)).containsExactly("Raises", "Counts", "Detached", "Voided");
        assertThat(read(log).open()).hasSize(1);
    }

    @Test
    void changedPayloadKeyTimeOrHeader_isForeign() {
        fence();
        append();
        LogRecord good = log.get(1);
        SortedMap<String, byte[]> otherType = new TreeMap<>(good.headers());
        LoggedEvent.put(otherType, LogHeaders.TYPE, "syncline.connection.revoked.v1");
        byte[] otherPayload = good.value().clone();
        otherPayload[3] ^= 1;
        assertThat(List.of(new LogRecord(good.key(), otherPayload, good.timestamp(), good.headers()),
                new LogRecord(new byte[]{65}, good.value(), good.timestamp(), good.headers()),
                new LogRecord(good.key(), good.value(), good.timestamp() + 1, good.headers()),
                new LogRecord(good.key(), good.value(), good.timestamp(), otherType))).allSatisfy(
                        changed -> assertThat(kinds(List.of(log.get(0), changed))).containsExactly("Raises",
                                "Foreign"));
    }

    @Test
    void insertedEventOfSomebodyWithoutTheKey_isForeign() {
        fence();
        LoggedEvent forged = LoggedEvent.chain(0, head.fence(), 1, head.hash(), ID, ID, 7, TIME, event(),
                TestKeys.SECOND);
        log.add(forged.record());
        append();
        assertThat(kinds(log)).containsExactly("Raises", "Foreign", "Counts");
    }

    @Test
    void fenceOfSomebodyWithoutTheKey_raisesNothing() {
        fence();
        log.add(new Fence(ID, TIME, "stranger", 0, "").toRecord(0, TestKeys.SECOND));
        append();
        assertThat(kinds(log)).containsExactly("Raises", "Foreign", "Counts");
    }

    @Test
    void eventsRemovedBeforeAFence_areFoundByIt() {
        fence();
        append();
        append();
        fence();
        log.remove(2);
        assertThat(kinds(log)).containsExactly("Raises", "Counts", "Proves");
        assertThat(proven(log)).singleElement().satisfies(hole -> {
            assertThat(hole.what()).isEqualTo("event 2");
            assertThat(hole.beforeSequence()).isEqualTo(1);
            assertThat(hole.afterHash()).isEqualTo(head.hashHex());
        });
    }

    @Test
    void alteredEvent_isOneHole_andWhatFollowsIsReadOn() {
        fence();
        append();
        append();
        append();
        fence();
        append();
        log.set(2, altered(log.get(2)));
        assertThat(kinds(log)).containsExactly("Raises", "Counts", "Foreign", "Detached", "Proves", "Counts");
        assertThat(proven(log)).hasSize(1);
        assertThat(read(log).head().hash()).isEqualTo(head.hash());
    }

    @Test
    void twoAlteredEventsUnderOneFence_areTwoHoles() {
        fence();
        append(7);
        log.set(3, altered(log.get(3)));
        log.set(6, altered(log.get(6)));
        assertThat(read(log).open()).extracting(Hole::what).containsExactly("event 3", "event 6");
        fence();
        assertThat(proven(log)).extracting(Hole::what).containsExactly("event 3", "event 6");
    }

    @Test
    void foreignRecordsAnywhere_changeNothing() {
        fence();
        append();
        append();
        fence();
        append();
        List<LogRecord> strays = List.of(new LogRecord(null, null, 0, new TreeMap<>()), altered(log.get(1)),
                new Fence(ID, TIME, "other", 0, "00".repeat(32)).toRecord(0, TestKeys.SECOND),
                LoggedEvent.chain(0, 0, 2, head.hash(), ID, ID, 7, TIME, event(), TestKeys.SECOND).record(),
                LogRecord.unreadable("its checksum is wrong"));
        // A fence's offset is its number, so that strays can be put in behind the last fence only.
        for (int at = 4; at <= log.size(); at++) {
            List<LogRecord> with = new ArrayList<>(log);
            with.addAll(at, strays);
            assertThat(kinds(with)).filteredOn("Foreign"::equals).hasSize(strays.size());
            assertThat(read(with).head().hash()).isEqualTo(head.hash());
            assertThat(read(with).open()).isEmpty();
        }
    }

    @Test
    void alteredOrRemovedFence_isAHole() {
        fence();
        append();
        fence();
        append();
        log.set(2, altered(log.get(2)));
        assertThat(kinds(log)).containsExactly("Raises", "Counts", "Foreign", "Detached");
        assertThat(read(log).open()).extracting(Hole::what).containsExactly("the fence at offset 2");
    }

    @Test
    void alteredFence_behindWhichAFrozenWorkerWrote_isAHole() {
        fence();
        append();
        LogRecord late = chained(0, 2, head.hash()).record();
        fence();
        log.add(late);
        append();
        log.set(2, altered(log.get(2)));
        assertThat(kinds(log)).containsExactly("Raises", "Counts", "Foreign", "Counts", "Detached");
        assertThat(read(log).open()).extracting(Hole::what).containsExactly("the fence at offset 2");
    }

    @Test
    void eventThatWasLostOnItsWay_isNoHole_whereTheNextOwnerDidNotFindItEither() {
        fence();
        append();
        LogRecord behindTheLost = chained(0, 3, new byte[32]).record();
        log.add(behindTheLost);
        fence();
        append();
        assertThat(kinds(log)).containsExactly("Raises", "Counts", "Detached", "Raises", "Counts");
        assertThat(read(log).open()).isEmpty();
        assertThat(proven(log)).isEmpty();
    }

    @Test
    void eventWithAKeyThatIsNotOurs_claimsToFollow() {
        fence();
        log.add(LoggedEvent.chain(0, 0, 1, head.hash(), ID, ID, 7, TIME, event(), TestKeys.FIXED).record());
        ChainReader reader = new ChainReader(0, ChainReader.Head.start(), KEYS);
        reader.read(0, log.get(0));
        assertThat(reader.read(1, log.get(1))).isInstanceOfSatisfying(Verdict.Foreign.class, foreign -> {
            assertThat(foreign.kind()).isEqualTo(MalformedRecordException.Kind.UNKNOWN_KEY);
            assertThat(foreign.claims()).isNotNull();
        });
    }

    @Test
    void acknowledgedHole_isPassed_andWhatWasRestoredComesBeforeWhatFollows() {
        fence();
        append();
        append();
        append();
        LogRecord lost = log.get(2);
        log.set(2, altered(lost));
        Acknowledgements acknowledged = acknowledge(lost);
        ChainReader reader = new ChainReader(0, ChainReader.Head.start(), 0, KEYS, acknowledged);
        List<String> kinds = new ArrayList<>();
        for (int offset = 0; offset < log.size(); offset++) {
            Verdict verdict = reader.read(offset, log.get(offset));
            kinds.add(verdict.getClass().getSimpleName());
            if (verdict instanceof Verdict.Resumes(Acknowledgements.Bridge bridge, LoggedEvent event)) {
                assertThat(bridge.restored()).extracting(LoggedEvent::sequence).containsExactly(2L);
                assertThat(bridge.lost()).isZero();
                assertThat(event.sequence()).isEqualTo(3);
            }
        }
        assertThat(kinds).containsExactly("Raises", "Counts", "Foreign", "Resumes", "Voided", "Raises", "Counts");
        assertThat(reader.head().hash()).isEqualTo(head.hash());
        assertThat(reader.open()).isEmpty();
    }

    @Test
    void acknowledgedHole_restoresOnlyWhatItsNeighboursProve() {
        fence();
        append();
        append();
        append();
        LogRecord other = chained(0, 2, new byte[32]).record();
        log.set(2, altered(log.get(2)));
        Acknowledgements acknowledged = acknowledge(other, 0);
        assertThat(acknowledged.bridges()).singleElement().satisfies(bridge -> {
            assertThat(bridge.restored()).isEmpty();
            assertThat(bridge.lost()).isEqualTo(1);
        });
    }

    @Test
    void acknowledgedHole_ofWhichLessIsFoundThanWasRestored_isNotPassed() {
        fence();
        append();
        append();
        append();
        LogRecord lost = log.get(2);
        log.set(2, altered(lost));
        assertThat(acknowledge(lost).bridges()).hasSize(1);
        Fence said = Fence.read(0, log.get(5), KEYS);
        Acknowledgements acknowledged = new Acknowledgements();
        acknowledged.add(said, List.of());
        assertThat(acknowledged.isEmpty()).isTrue();
        ChainReader reader = new ChainReader(0, ChainReader.Head.start(), 0, KEYS, acknowledged);
        List<Hole> holes = new ArrayList<>();
        for (int offset = 0; offset < log.size(); offset++) {
            if (reader.read(offset, log.get(offset)) instanceof Verdict.Proves proves) {
                holes.addAll(proves.holes());
            }
        }
        assertThat(holes).extracting(Hole::what).containsExactly("event 2");
    }

    @Test
    void holeBesideTheAcknowledgedOne_isNotPassed() {
        fence();
        append(6);
        LogRecord lost = log.get(2);
        log.set(2, altered(lost));
        Acknowledgements acknowledged = acknowledge(lost);
        log.set(4, altered(log.get(4)));
        ChainReader reader = new ChainReader(0, ChainReader.Head.start(), 0, KEYS, acknowledged);
        List<Hole> holes = new ArrayList<>();
        for (int offset = 0; offset < log.size(); offset++) {
            if (reader.read(offset, log.get(offset)) instanceof Verdict.Proves proves) {
                holes.addAll(proves.holes());
            }
        }
        assertThat(holes).extracting(Hole::what).containsExactly("event 4");
    }

    /** Puts a restored record, the acknowledgement of the open holes and one more event behind them. */
    private Acknowledgements acknowledge(LogRecord restored) {
        return acknowledge(restored, 1);
    }

    private Acknowledgements acknowledge(LogRecord restored, long count) {
        ChainReader reader = read(log);
        long from = log.size();
        log.add(restored);
        head = reader.headBehindHoles().under(log.size());
        Fence fence = new Fence(ID, TIME, "repair-log", head.sequence(), head.hashHex(),
                new Acknowledgement("erin", "a disk was exchanged", reader.open(), List.of(count), from));
        log.add(fence.toRecord(0, KEYS));
        append();
        Acknowledgements acknowledged = new Acknowledgements();
        acknowledged.add(Fence.read(0, log.get((int) from + 1), KEYS), List.of(LoggedEvent.read(0, restored, KEYS)));
        return acknowledged;
    }

    @Test
    void recordOfAnotherPartition_isForeign() {
        fence();
        append();
        ChainReader other = new ChainReader(1, ChainReader.Head.start(), KEYS);
        assertThat(other.read(0, log.get(0))).isInstanceOf(Verdict.Foreign.class);
        assertThat(other.read(1, log.get(1))).isInstanceOf(Verdict.Foreign.class);
    }

    @Test
    void recordSentTwice_isVoidTheSecondTime() {
        fence();
        append();
        log.add(log.get(1));
        assertThat(kinds(log)).containsExactly("Raises", "Counts", "Voided");
    }

    @Test
    void garbage_isForeign() {
        log.add(new LogRecord(null, null, 0, new TreeMap<>()));
        log.add(new LogRecord(new byte[]{1}, new byte[]{2}, -1, new TreeMap<>()));
        assertThat(kinds(log)).containsExactly("Foreign", "Foreign");
    }

    private void fence() {
        head = new ChainReader.Head(log.size(), head.sequence(), head.hash());
        log.add(new Fence(ID, TIME, "worker-1", head.sequence(), HexFormat.of().formatHex(head.hash())).toRecord(0,
                KEYS));
    }

    private void append(int count) {
        for (int i = 0; i < count; i++) {
            append();
        }
    }

    private static LogRecord altered(LogRecord record) {
        byte[] value = record.value().clone();
        value[3] ^= 1;
        return new LogRecord(record.key(), value, record.timestamp(), record.headers());
    }

    private static ChainReader read(List<LogRecord> records) {
        ChainReader reader = new ChainReader(0, ChainReader.Head.start(), KEYS);
        for (int offset = 0; offset < records.size(); offset++) {
            reader.read(offset, records.get(offset));
        }
        return reader;
    }

    private static List<Hole> proven(List<LogRecord> records) {
        ChainReader reader = new ChainReader(0, ChainReader.Head.start(), KEYS);
        List<Hole> holes = new ArrayList<>();
        for (int offset = 0; offset < records.size(); offset++) {
            if (reader.read(offset, records.get(offset)) instanceof Verdict.Proves proves) {
                holes.addAll(proves.holes());
            }
        }
        return holes;
    }

    private void append() {
        LoggedEvent event = chained(head.fence(), head.sequence() + 1, head.hash());
        log.add(event.record());
        head = new ChainReader.Head(head.fence(), event.sequence(), event.hash());
    }

    private static LoggedEvent chained(long fence, long sequence, byte[] previous) {
        return LoggedEvent.chain(0, fence, sequence, previous, ID, ID, 7, TIME, event(), KEYS);
    }

    private static Event event() {
        return new SiteEvent.SenderConfirmed(SiteUrl.asSent("http://one.example"), ID);
    }

    private static List<String> kinds(List<LogRecord> records) {
        ChainReader reader = new ChainReader(0, ChainReader.Head.start(), KEYS);
        List<String> kinds = new ArrayList<>();
        for (int offset = 0; offset < records.size(); offset++) {
            kinds.add(reader.read(offset, records.get(offset)).getClass().getSimpleName());
        }
        return kinds;
    }
}
