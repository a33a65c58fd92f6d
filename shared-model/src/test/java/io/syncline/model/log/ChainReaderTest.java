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
        assertThat(kinds(log)).containsExactly("Raises", "Counts", "Voided");
    }

    @Test
    void reorderedEvents_areFound() {
        fence();
        append();
        append();
        append();
        LogRecord second = log.remove(2);
        log.add(second);
        assertThat(kinds(log)).containsExactly("Raises", "Counts", "Voided", "Counts");
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
        assertThat(kinds(log)).containsExactly("Raises", "Counts", "Foreign");
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
