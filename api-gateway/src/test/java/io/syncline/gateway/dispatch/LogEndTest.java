package io.syncline.gateway.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.ChainReader;
import io.syncline.model.log.Fence;
import io.syncline.model.log.LogRecord;
import io.syncline.model.log.LoggedEvent;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the event log ends: the last event that counts, whatever else lies there. */
class LogEndTest {

    @TempDir static Path directory;

    private static CredentialKeys keys;
    private static CredentialKeys otherKeys;

    private static final UUID ID = UUID.fromString("018f2f3a-1b2c-7d3e-8f4a-5b6c7d8e9f00");
    private static final Instant TIME = Instant.parse("2026-01-02T03:04:05.678Z");

    private final List<LogRecord> log = new ArrayList<>();
    private final LogEnd end = new LogEnd(0, keys);
    private ChainReader.Head head = ChainReader.Head.start();
    /** Records that were read, in all looks. */
    private int read;

    @BeforeAll
    static void makeKeys() throws IOException {
        keys = made("keys");
        otherKeys = made("other-keys");
    }

    private static CredentialKeys made(String name) throws IOException {
        Path file = directory.resolve(name);
        CredentialKeys.writeNew(file, new SecureRandom());
        return CredentialKeys.read(file);
    }

    private void fence() {
        fence(keys);
    }

    private void fence(CredentialKeys with) {
        log.add(new Fence(ID, TIME, "w", head.sequence(), HexFormat.of().formatHex(head.hash())).toRecord(0, with));
        head = new ChainReader.Head(log.size() - 1L, head.sequence(), head.hash());
    }

    private void append(int events) {
        for (int i = 0; i < events; i++) {
            LoggedEvent event = event(head.fence(), head.sequence() + 1, head.hash());
            log.add(event.record());
            head = new ChainReader.Head(head.fence(), event.sequence(), event.hash());
        }
    }

    private static LoggedEvent event(long fence, long sequence, byte[] previous) {
        return LoggedEvent.chain(0, fence, sequence, previous, ID, ID, sequence, TIME,
                new SiteEvent.ConnectionExpired(SiteUrl.asSent("http://site.example"), ID, TIME), keys);
    }

    private void foreign(int records) {
        for (int i = 0; i < records; i++) {
            log.add(new LogRecord(null, new byte[]{1}, 0, new TreeMap<>()));
        }
    }

    /** As a consumer does it. */
    private void readFrom(long first, long until) {
        end.begin(first, log.size());
        long position = end.from();
        while (!end.settled(position)) {
            if (end.wider(position)) {
                position = end.from();
            } else if (position == until) {
                return;
            } else {
                end.take(position, log.get((int) position));
                read++;
                position++;
            }
        }
    }

    private long sequence() {
        readFrom(0, Long.MAX_VALUE);
        assertThat(end.known()).isTrue();
        return end.sequence();
    }

    @Test
    void anEmptyPartition_endsWithNothing() {
        assertThat(sequence()).isZero();
        assertThat(end.empty()).isTrue();
    }

    @Test
    void theLastEvent_howeverManyLieBefore() {
        fence();
        append(10_000);
        assertThat(sequence()).isEqualTo(10_000);
        assertThat(read).isLessThan(5_000);
    }

    @Test
    void aFenceSaysWhereTheChainStood_withoutAnyEvent() {
        fence();
        append(300);
        fence();
        foreign(60);
        assertThat(sequence()).isEqualTo(300);
        assertThat(read).isLessThanOrEqualTo(64);
    }

    /** Sent by a worker that had lost the partition: no database will ever have them. */
    @Test
    void eventsBehindANewerFence_areNoEnd() {
        fence();
        append(200);
        ChainReader.Head old = head;
        fence();
        byte[] previous = old.hash();
        for (int i = 1; i <= 100; i++) {
            LoggedEvent late = event(old.fence(), old.sequence() + i, previous);
            log.add(late.record());
            previous = late.hash();
        }
        assertThat(sequence()).as("the newer fence lies before the last records").isEqualTo(200);
        append(1);
        assertThat(sequence()).isEqualTo(201);
    }

    /** A takeover reads the log, then appends its fence: what the old owner's events in between say, it rolls forward. */
    @Test
    void eventsBeforeAFenceThatDoesNotNameThemYet_count() {
        fence();
        append(200);
        assertThat(sequence()).isEqualTo(200);
        LogRecord names200 = new Fence(ID, TIME, "w2", head.sequence(), HexFormat.of().formatHex(head.hash()))
                .toRecord(0, keys);
        append(2);
        log.add(names200);
        head = new ChainReader.Head(log.size() - 1L, head.sequence(), head.hash());
        assertThat(sequence()).isEqualTo(202);
        append(1);
        assertThat(sequence()).isEqualTo(203);
    }

    /** The one before it could not be sent: its worker takes the partition over again. */
    @Test
    void anEventThatDoesNotFollow_isNoEnd() {
        fence();
        append(100);
        LoggedEvent lost = event(head.fence(), 101, head.hash());
        log.add(event(head.fence(), 102, lost.hash()).record());
        assertThat(sequence()).isEqualTo(100);
    }

    @Test
    void strayRecords_arePassedOver() {
        fence();
        append(10);
        foreign(5_000);
        assertThat(sequence()).isEqualTo(10);
        assertThat(end.ours()).isTrue();
    }

    @Test
    void anotherClustersRecords_areNotOurs() {
        for (int i = 0; i < 10; i++) {
            fence(otherKeys);
        }
        readFrom(0, Long.MAX_VALUE);
        assertThat(end.ours()).isFalse();
    }

    @Test
    void whereNothingOfOursIsToBeSeen_andMoreLiesBefore_theEndIsNotKnown() {
        fence();
        append(1);
        foreign(LogEnd.LAST_LOOK + 1);
        readFrom(0, Long.MAX_VALUE);
        assertThat(end.known()).isFalse();
    }

    @Test
    void theNextReading_readsOnlyWhatCameSince() {
        fence();
        append(100);
        assertThat(sequence()).isEqualTo(100);
        read = 0;
        append(3);
        assertThat(sequence()).isEqualTo(103);
        assertThat(read).isEqualTo(3);
    }

    @Test
    void aReadingThatBrokeOff_isGoneOnWithWhereItWas() {
        fence();
        append(50);
        readFrom(0, 20);
        append(5);
        assertThat(sequence()).isEqualTo(55);
    }

    @Test
    void aTopicThatWasMadeAnew_isReadAnew() {
        fence();
        append(50);
        assertThat(sequence()).isEqualTo(50);
        log.clear();
        head = ChainReader.Head.start();
        fence();
        append(2);
        assertThat(sequence()).isEqualTo(2);
    }
}
