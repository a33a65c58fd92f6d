package io.syncline.worker.connection;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.connection.PeerWish;
import io.syncline.model.connection.Request;
import io.syncline.model.connection.SettingsChangeRequested;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.ChainReader;
import io.syncline.model.log.LogRecord;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.RequestRecord;
import io.syncline.worker.audit.ChainReading;
import io.syncline.worker.connection.LogRepair.Damage;
import io.syncline.worker.connection.PartitionTakeover.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A hole stops a partition until an operator acknowledges it; what the database still has is in the log again then. */
class LogRepairTest {

    private static final CredentialKeys KEYS = Fixtures.newKeys();

    private final InMemoryConnectionStore store = new InMemoryConnectionStore();
    private final InMemoryLog log = new InMemoryLog(0, null);
    private final PartitionTakeover takeover = new PartitionTakeover(store, KEYS, "worker-1", UUID::randomUUID);
    private final ConnectionProcessor processor = new ConnectionProcessor(store, KEYS, UUID::randomUUID, 100_000);
    /** What the state database has of the events. */
    private final List<LoggedEvent> stored = new ArrayList<>();
    private final LogRepair repair = new LogRepair(store, (partition, after, upTo) -> stored.stream()
            .filter(event -> event.sequence() > after && event.sequence() <= upTo)
            .toList(), KEYS, UUID::randomUUID);

    /** Offsets 0 and 5 are fences, the settings' event is at 1, those of a site are at 2 to 4, 6 and 7. */
    @BeforeEach
    void write() {
        LogHead head = decide(take().head(), new SettingsChangeRequested(true,
                io.syncline.model.connection.IncomingMode.AUTO_ACCEPT, false, null, "test"));
        decide(head, Fixtures.register(), Fixtures.changeStatus(PeerWish.SUSPENDED),
                Fixtures.changeStatus(PeerWish.ACTIVE));
        decide(take().head(), Fixtures.changeStatus(PeerWish.SUSPENDED), Fixtures.changeStatus(PeerWish.ACTIVE));
        assertThat(log.records).hasSize(8);
    }

    @Test
    void wholeLog_hasNoDamage() {
        assertThat(repair.look(log)).satisfies(damage -> {
            assertThat(damage.missing()).isEmpty();
            assertThat(damage.refused()).isNull();
        });
    }

    @Test
    void alteredRecordAnywhere_isRestored_andTheLogFoldsToWhatItDid() {
        List<LogRecord> whole = List.copyOf(log.records);
        // Behind the last event, there is nothing that proves a hole.
        for (int victim = 0; victim < whole.size() - 1; victim++) {
            log.records.clear();
            log.records.addAll(whole);
            log.records.set(victim, new LogRecord(null, null, 0, new TreeMap<>()));
            InMemoryConnectionStore fresh = new InMemoryConnectionStore();
            PartitionTakeover fromNothing = new PartitionTakeover(fresh, KEYS, "worker-2", UUID::randomUUID);
            assertThat(fromNothing.take(log)).as("offset " + victim).isInstanceOf(Result.Stopped.class);
            assertThat(log.records).as("nothing is written before").hasSize(whole.size());

            Damage damage = repair.look(log);
            assertThat(damage.missing()).as("offset " + victim).hasSize(1);
            assertThat(damage.missing().getFirst().lost()).isZero();
            repair.acknowledge(log, damage, "erin", "a disk was exchanged");
            assertThat(repair.look(log).missing()).as("acknowledged").isEmpty();
            assertThat(fromNothing.take(log)).as("offset " + victim).isInstanceOf(Result.Taken.class);
            assertThat(fresh.sites()).isEqualTo(store.sites());
            assertThat(fresh.settings()).isEqualTo(store.settings());
            assertThat(counted()).extracting(LoggedEvent::sequence).containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
        }
    }

    @Test
    void whatTheDatabaseDoesNotHave_isLost_andTheLogGoesOn() {
        stored.removeIf(event -> event.sequence() == 3);
        log.records.set(3, new LogRecord(null, null, 0, new TreeMap<>()));
        Damage damage = repair.look(log);
        assertThat(damage.missing()).singleElement().satisfies(missing -> {
            assertThat(missing.hole().what()).isEqualTo("event 3");
            assertThat(missing.lost()).isEqualTo(1);
        });
        repair.acknowledge(log, damage, "erin", "nobody has it");
        assertThat(take().head().sequence()).isEqualTo(6);
        assertThat(counted()).extracting(LoggedEvent::sequence).containsExactly(1L, 2L, 4L, 5L, 6L);
        InMemoryConnectionStore fresh = new InMemoryConnectionStore();
        assertThat(new PartitionTakeover(fresh, KEYS, "worker-2", UUID::randomUUID).take(log))
                .isInstanceOf(Result.Taken.class);
    }

    @Test
    void deletedBeginning_isRestored() {
        log.beginning = 4;
        log.records.subList(0, 4).replaceAll(record -> new LogRecord(null, null, 0, new TreeMap<>()));
        Damage damage = repair.look(log);
        assertThat(damage.missing().stream().mapToLong(LogRepair.Missing::lost).sum()).isZero();
        repair.acknowledge(log, damage, "erin", "kafka-delete-records");
        assertThat(repair.look(log).missing()).isEmpty();
        InMemoryConnectionStore fresh = new InMemoryConnectionStore();
        assertThat(new PartitionTakeover(fresh, KEYS, "worker-2", UUID::randomUUID).take(log))
                .isInstanceOf(Result.Taken.class);
        assertThat(fresh.sites()).isEqualTo(store.sites());
    }

    @Test
    void holeBesideTheAcknowledgedOne_stopsAgain() {
        log.records.set(3, new LogRecord(null, null, 0, new TreeMap<>()));
        repair.acknowledge(log, repair.look(log), "erin", "one");
        log.records.set(6, new LogRecord(null, null, 0, new TreeMap<>()));
        assertThat(repair.look(log).missing()).extracting(missing -> missing.hole().what()).containsExactly("event 5");
    }

    @Test
    void restoredEventThatIsAlteredLater_stopsAgain_andIsRestoredAgain() {
        log.records.set(3, new LogRecord(null, null, 0, new TreeMap<>()));
        repair.acknowledge(log, repair.look(log), "erin", "one");
        assertThat(repair.look(log).missing()).isEmpty();
        log.records.set(8, new LogRecord(null, null, 0, new TreeMap<>()));
        Damage damage = repair.look(log);
        assertThat(damage.missing()).extracting(missing -> missing.hole().what()).containsExactly("event 3");
        PartitionTakeover fromNothing = new PartitionTakeover(new InMemoryConnectionStore(), KEYS, "worker-2",
                UUID::randomUUID);
        assertThat(fromNothing.take(log)).isInstanceOf(Result.Stopped.class);
        repair.acknowledge(log, damage, "erin", "again");
        assertThat(repair.look(log).missing()).isEmpty();
        assertThat(counted()).extracting(LoggedEvent::sequence).containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
    }

    @Test
    void anotherKeyFile_isRefused() {
        LogRepair wrong = new LogRepair(store, (partition, after, upTo) -> List.of(), Fixtures.newKeys(),
                UUID::randomUUID);
        assertThat(wrong.look(log).refused()).contains("keys that are not in this key file");
    }

    private Result.Taken take() {
        return (Result.Taken) takeover.take(log);
    }

    private LogHead decide(LogHead head, Request... requests) {
        List<Incoming> incoming = new ArrayList<>();
        long next = head.nextRequestOffset();
        for (Request request : requests) {
            incoming.add(new Incoming(next++,
                    new RequestRecord(UUID.randomUUID(), store.clock.plus(Duration.ofSeconds(5)), request)));
        }
        var committed = (ConnectionProcessor.Result.Committed) processor
                .process(List.of(new ConnectionProcessor.Batch(head, store.server, incoming, next)))
                .get(0);
        stored.addAll(committed.events());
        log.append(committed.events().stream().map(LoggedEvent::record).toList());
        return committed.head();
    }

    private List<LoggedEvent> counted() {
        List<LoggedEvent> counted = new ArrayList<>();
        ChainReading.<ChainReading.Visitor>read(log, ChainReader.Head.start(), log.beginning(), log.end(), KEYS, () -> {
            counted.clear();
            return (offset, verdict, reader) -> {
                switch (verdict) {
                    case ChainReader.Verdict.Counts(LoggedEvent event) -> counted.add(event);
                    case ChainReader.Verdict.Resumes resumes -> {
                        counted.addAll(resumes.bridge().restored());
                        counted.add(resumes.event());
                    }
                    case ChainReader.Verdict.RaisesBehind raises -> counted.addAll(raises.bridge().restored());
                    default -> {}
                }
            };
        });
        return counted;
    }
}
