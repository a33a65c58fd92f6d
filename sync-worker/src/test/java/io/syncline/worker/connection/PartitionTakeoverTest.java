package io.syncline.worker.connection;

import static io.syncline.worker.connection.Fixtures.NOW;
import static io.syncline.worker.connection.Fixtures.SITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.PeerWish;
import io.syncline.model.connection.Request;
import io.syncline.model.connection.SettingsChangeRequested;
import io.syncline.model.connection.Site;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.ChainReader;
import io.syncline.model.log.LogRecord;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.ReplyRecord;
import io.syncline.model.log.RequestRecord;
import io.syncline.worker.connection.ConnectionProcessor.Batch;
import io.syncline.worker.connection.ConnectionStore.Changes;
import io.syncline.worker.connection.ConnectionStore.Origin;
import io.syncline.worker.connection.ConnectionStore.Scope;
import io.syncline.worker.connection.ConnectionStore.Transaction;
import io.syncline.worker.connection.PartitionTakeover.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever the last owner left behind, database and log tell the same story afterwards; and what is not ours stops. */
class PartitionTakeoverTest {

    private static final CredentialKeys KEYS = Fixtures.newKeys();
    private static final int SETTINGS = 0;
    private static final int PARTITION = 1;

    @TempDir Path directory;

    private final InMemoryConnectionStore store = new InMemoryConnectionStore();
    private final InMemoryLog settingsLog = new InMemoryLog(SETTINGS, null);
    private final InMemoryLog log = new InMemoryLog(PARTITION, settingsLog);
    private final PartitionTakeover takeover = new PartitionTakeover(store, KEYS, "worker-1", UUID::randomUUID);
    private final ConnectionProcessor processor = new ConnectionProcessor(store, KEYS, UUID::randomUUID, 100_000);
    private long nextRequest;

    @BeforeEach
    void open() {
        Result.Taken ofSettings = taken(settingsLog);
        List<LoggedEvent> events = decide(ofSettings,
                new SettingsChangeRequested(true, IncomingMode.AUTO_ACCEPT, false, null, "test")).events();
        settingsLog.append(records(events));
        nextRequest = 0;
    }

    @Test
    void emptyPartition_beginsWithAFence() {
        Result.Taken taken = taken(log);
        assertThat(taken.head().fence()).isZero();
        assertThat(taken.head().sequence()).isZero();
        assertThat(taken.head().nextRequestOffset()).isZero();
        assertThat(kinds()).containsExactly("Raises");
    }

    @Test
    void nothingToDo_isOneMoreFence_thatProvesTheHead() {
        publish(decide(taken(log), registration()));
        Result.Taken again = taken(log);
        assertThat(again.rolledForward()).isZero();
        assertThat(again.sent()).isZero();
        assertThat(again.head().fence()).isEqualTo(2);
        assertThat(again.head().sequence()).isEqualTo(1);
        assertThat(again.head().published().offset()).isEqualTo(3);
        assertThat(kinds()).containsExactly("Raises", "Counts", "Raises");
    }

    @Test
    void committedButNotSent_isSentUnderTheNewFence() {
        decide(taken(log), registration(), Fixtures.changeStatus(PeerWish.SUSPENDED));
        Result.Taken taken = taken(log);
        assertThat(taken.sent()).isEqualTo(2);
        assertThat(kinds()).containsExactly("Raises", "Raises", "Counts", "Counts");
        assertStoreIsTheLog();
        assertThat(taken.head().published().offset()).isEqualTo(4);
    }

    @Test
    void sentInPart_theRestIsSent() {
        var committed = decide(taken(log), registration(), Fixtures.changeStatus(PeerWish.SUSPENDED),
                Fixtures.changeStatus(PeerWish.REVOKED));
        log.append(records(committed.events().subList(0, 1)));
        Result.Taken taken = taken(log);
        assertThat(taken.sent()).isEqualTo(2);
        assertThat(kinds()).containsExactly("Raises", "Counts", "Raises", "Counts", "Counts");
        assertStoreIsTheLog();
    }

    @Test
    void oldOwnersEventsThatArriveBehindTheFence_areVoid_andAnswerNothingTwice() {
        var committed = decide(taken(log), registration());
        Result.Taken taken = taken(log);
        assertThat(taken.sent()).isEqualTo(1);
        log.append(records(committed.events()));
        assertThat(kinds()).containsExactly("Raises", "Raises", "Counts", "Voided");
        assertThat(taken(log).sent()).isZero();
        assertStoreIsTheLog();
    }

    @Test
    void oldOwnerWritesBetweenFenceAndEvents_isTakenOverAgain() {
        var committed = decide(taken(log), registration());
        log.afterAppend = () -> {
            log.afterAppend = () -> {
            };
            log.records.add(committed.events().getFirst().record());
        };
        assertThat(takeover.take(log)).isInstanceOf(Result.Overtaken.class);
        assertThat(takeover.take(log)).isInstanceOf(Result.Taken.class);
        assertStoreIsTheLog();
    }

    @Test
    void repliesOfTheLastSeconds_areSentAgain_olderOnesAreNot() {
        Result.Taken first = taken(log);
        ConnectionProcessor.Result.Committed old = decide(first, registration());
        publish(old);
        store.clock = NOW.plusSeconds(60);
        ConnectionProcessor.Result.Committed recent = decideMore(old, Fixtures.changeStatus(PeerWish.REVOKED));
        publish(recent);
        store.clock = NOW.plusSeconds(70);
        assertThat(taken(log).replies()).extracting(ReplyRecord::requestId, ReplyRecord::outcome)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(recent.replies().getFirst().requestId(),
                        recent.replies().getFirst().outcome()));
    }

    @Test
    void databaseFellBack_isRolledForward_outcomesAndNextRequestToo() {
        Result.Taken first = taken(log);
        var one = decide(first, registration());
        publish(one);
        InMemoryConnectionStore standby = store.copy("standby");
        var two = decideMore(one, Fixtures.changeStatus(PeerWish.SUSPENDED), Fixtures.changeStatus(PeerWish.SUSPENDED),
                Fixtures.changeStatus(PeerWish.REVOKED));
        publish(two);
        Site before = store.site(SITE);
        store.failOverTo(standby);
        assertThat(store.site(SITE)).isNotEqualTo(before);

        Result.Taken taken = taken(log);
        assertThat(taken.rolledForward()).isEqualTo(2);
        assertThat(taken.folded()).isFalse();
        assertThat(taken.server()).isEqualTo("standby");
        assertThat(store.site(SITE)).isEqualTo(before);
        assertThat(taken.head().nextRequestOffset()).isEqualTo(two.head().nextRequestOffset());
        assertThat(store.outcome(two.replies().getLast().requestId())).contains(two.replies().getLast().outcome());
        assertStoreIsTheLog();
    }

    @Test
    void databaseFellBackToBeforeItsEventsWereChainedAnew_takesTheLogsHashes_andKeepsWhatTheLogLacks() {
        Result.Taken first = taken(log);
        decide(first, registration(), Fixtures.changeStatus(PeerWish.SUSPENDED));
        InMemoryConnectionStore standby = store.copy("standby");
        // A second owner chains both anew, and dies when the first is sent.
        InMemoryLog secondOwners = new InMemoryLog(PARTITION, settingsLog);
        secondOwners.records.addAll(log.records);
        assertThat(takeover.take(secondOwners)).isInstanceOf(Result.Taken.class);
        log.records.addAll(secondOwners.records.subList(log.records.size(), secondOwners.records.size() - 1));
        store.failOverTo(standby);

        Result.Taken taken = taken(log);
        assertThat(taken.folded()).isFalse();
        assertThat(taken.sent()).isEqualTo(1);
        assertThat(store.site(SITE).receiver().wish()).isEqualTo(PeerWish.SUSPENDED);
        assertStoreIsTheLog();
    }

    @Test
    void databaseHasAnotherStory_theLogWins_andTheRowsAreFoldedAnew() {
        Result.Taken first = taken(log);
        var one = decide(first, registration());
        publish(one);
        InMemoryConnectionStore standby = store.copy("standby");
        publish(decideMore(one, Fixtures.changeStatus(PeerWish.SUSPENDED)));
        Site logged = store.site(SITE);
        store.failOverTo(standby);
        // A worker that slept through all of it goes on with the copy that fell back, as if nothing had been.
        var other = decideMore(one, Fixtures.delete());
        assertThat(store.site(SITE).receiver()).isNull();

        Result.Taken taken = taken(log);
        assertThat(taken.folded()).isTrue();
        assertThat(taken.rolledForward()).isEqualTo(2);
        assertThat(store.site(SITE)).isEqualTo(logged);
        assertThat(store.outcome(other.replies().getFirst().requestId())).as("it was never answered").isEmpty();
        assertStoreIsTheLog();
    }

    @Test
    void rowsThatSomebodyChangedByHand_areFoldedAnew() {
        Result.Taken first = taken(log);
        var one = decide(first, registration());
        publish(one);
        InMemoryConnectionStore standby = store.copy("standby");
        publish(decideMore(one, Fixtures.changeStatus(PeerWish.SUSPENDED)));
        Site logged = store.site(SITE);
        store.failOverTo(standby);
        try (Transaction byHand = store
                .begin(new Scope(new TreeSet<>(Set.of(PARTITION)), Set.of(SITE), Set.of(SITE), Set.of(),
                        Set.of(), Set.of()))) {
            byHand.commit(new Changes(List.of(), List.of(),
                    List.of(new ConnectionStore.SiteChange(store.site(SITE), Site.unknown(SITE))), null,
                    List.of(store.head(PARTITION).orElseThrow()), Origin.DECISION));
        }
        assertThat(taken(log).folded()).isTrue();
        assertThat(store.site(SITE)).isEqualTo(logged);
    }

    @Test
    void settingsThatAreBehindTheirLog_areWaitedFor() {
        taken(log);
        InMemoryConnectionStore standby = store.copy("standby");
        Result.Taken ofSettings = taken(settingsLog);
        nextRequest = 1;
        settingsLog.append(records(decide(ofSettings,
                new SettingsChangeRequested(null, IncomingMode.DENY_ALL, false, null, "test")).events()));
        nextRequest = 0;
        store.failOverTo(standby);
        int records = log.records.size();
        assertThatThrownBy(() -> takeover.take(log)).isInstanceOf(StoreUnavailableException.class)
                .hasMessageContaining("settings");
        assertThat(log.records).as("no fence for each try").hasSize(records);
        taken(settingsLog);
        assertThat(store.settings().incomingMode()).isEqualTo(IncomingMode.DENY_ALL);
        assertThat(takeover.take(log)).isInstanceOf(Result.Taken.class);
    }

    @Test
    void newerFence_isNotTakenFrom() {
        taken(log);
        log.afterAppend = () -> {
            log.afterAppend = () -> {
            };
            assertThat(takeover.take(log)).isInstanceOf(Result.Taken.class);
        };
        assertThat(takeover.take(log)).isInstanceOf(Result.Overtaken.class);
    }

    @Test
    void databaseServerThatChangesMeanwhile_isNotTrusted() {
        taken(log);
        InMemoryConnectionStore standby = store.copy("standby");
        log.afterAppend = () -> store.failOverTo(standby);
        assertThatThrownBy(() -> takeover.take(log)).isInstanceOf(StoreUnavailableException.class);
        log.afterAppend = () -> {
        };
        assertThat(takeover.take(log)).isInstanceOf(Result.Taken.class);
    }

    @Test
    void foreignRecords_arePassedOver_whereverTheyLie() {
        publish(decide(taken(log), registration()));
        stray();
        Result.Taken afterLast = taken(log);
        assertThat(afterLast.foreign().toString()).contains("1 foreign record", "offset 2",
                "ce_specversion is missing");
        stray();
        publish(decide(afterLast, Fixtures.changeStatus(PeerWish.SUSPENDED)));
        stray();
        stray();
        InMemoryConnectionStore upToDate = store.copy("two");
        assertThat(taken(log).foreign().count()).isEqualTo(2 + 1);
        assertStoreIsTheLog();
        store.failOverTo(new InMemoryConnectionStore());
        taken(settingsLog);
        Result.Taken fromNothing = taken(log);
        assertThat(fromNothing.rolledForward()).isEqualTo(2);
        assertThat(store.site(SITE)).isEqualTo(upToDate.site(SITE));
        assertStoreIsTheLog();
    }

    @Test
    void foreignRecordBetweenFenceAndEvents_isPassedOver() {
        decide(taken(log), registration(), Fixtures.changeStatus(PeerWish.SUSPENDED));
        log.afterAppend = () -> {
            log.afterAppend = () -> {
            };
            stray();
        };
        Result.Taken taken = taken(log);
        assertThat(taken.sent()).isEqualTo(2);
        assertThat(taken.head().published().offset()).isEqualTo(5);
        assertStoreIsTheLog();
    }

    @Test
    void alteredCopyBehindTheLog_isForeign() {
        publish(decide(taken(log), registration()));
        log.records.add(altered(log.records.getLast()));
        assertThat(taken(log).foreign().toString()).contains("the hash is not that of the record");
    }

    @Test
    void alteredEvent_thatTheDatabaseDoesNotKnowToBeInTheLog_isSentAgain() {
        publish(decide(taken(log), registration()));
        log.records.set(1, altered(log.records.get(1)));
        Result.Taken taken = taken(log);
        assertThat(taken.sent()).isEqualTo(1);
        assertThat(taken.foreign().count()).isEqualTo(1);
        assertStoreIsTheLog();
    }

    @Test
    void alteredEvent_behindWhichTheChainGoesOn_stops_andNothingIsWritten() {
        Result.Taken first = taken(log);
        publish(decide(first, registration(), Fixtures.changeStatus(PeerWish.SUSPENDED),
                Fixtures.changeStatus(PeerWish.REVOKED)));
        for (int victim = 1; victim <= 2; victim++) {
            LogRecord good = log.records.get(victim);
            for (LogRecord bad : List.of(altered(good), LogRecord.unreadable("its checksum is wrong"),
                    new LogRecord(null, null, 0, new java.util.TreeMap<>()))) {
                log.records.set(victim, bad);
                List<LogRecord> before = List.copyOf(log.records);
                assertStopped("event " + victim + " of the log");
                assertThat(log.records).isEqualTo(before);
            }
            log.records.set(victim, good);
        }
        assertThat(takeover.take(log)).isInstanceOf(Result.Taken.class);
    }

    @Test
    void alteredEventBeforeAFence_stopsADatabaseThatHasToReadIt() {
        publish(decide(taken(log), registration()));
        taken(log);
        LogRecord good = log.records.get(1);
        log.records.set(1, altered(good));
        assertThat(takeover.take(log)).as("the database has read it before").isInstanceOf(Result.Taken.class);
        store.failOverTo(new InMemoryConnectionStore());
        assertStopped("event 1 of the log, between offsets 1 and 2, was altered, removed or replaced");
    }

    @Test
    void databaseHasAnotherStory_andTheLogHasAHole_nothingIsForgotten() {
        var one = decide(taken(log), registration());
        publish(one);
        InMemoryConnectionStore standby = store.copy("standby");
        publish(decideMore(one, Fixtures.changeStatus(PeerWish.SUSPENDED)));
        store.failOverTo(standby);
        decideMore(one, Fixtures.delete());
        log.records.set(1, altered(log.records.get(1)));
        Site before = store.site(SITE);
        assertStopped("event 1 of the log");
        assertThat(store.site(SITE)).isEqualTo(before);
        assertThat(store.eventsAfter(PARTITION, 0)).isNotEmpty();
    }

    /** It lies before what is read for the fence, and is found only since the database has to be folded anew. */
    @Test
    void holeThatShowsOnlyBehindTheFence_stops_andSaysSo() {
        publish(decide(taken(log), registration()));
        var one = decide(taken(log), Fixtures.changeStatus(PeerWish.SUSPENDED));
        publish(one);
        InMemoryConnectionStore standby = store.copy("standby");
        publish(decideMore(one, Fixtures.changeStatus(PeerWish.ACTIVE)));
        store.failOverTo(standby);
        decideMore(one, Fixtures.delete());
        log.records.set(1, altered(log.records.get(1)));
        assertStopped("event 1 of the log", true);
    }

    @Test
    void eventOfAnotherClustersKey_thatClaimsToFollow_isPassedOver_whereTheDatabaseKnowsTheEnd() {
        var committed = decide(taken(log), registration());
        publish(committed);
        log.records.add(claimingToFollow(committed.head(), Fixtures.newKeys()));
        assertThat(takeover.take(log)).isInstanceOf(Result.Taken.class);
        assertStoreIsTheLog();
    }

    @Test
    void eventOfAnUnknownKey_thatTheDatabaseHas_showsThatOurKeysAreOld() throws IOException {
        Path file = directory.resolve("keys");
        CredentialKeys.writeNew(file, new SecureRandom());
        Path older = Files.copy(file, directory.resolve("older"));
        InMemoryLog theirs = new InMemoryLog(SETTINGS, null);
        store.failOverTo(new InMemoryConnectionStore());
        CredentialKeys rotating = CredentialKeys.read(file);
        Result.Taken taken = (Result.Taken) withKeys(rotating).take(theirs);
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        CredentialKeys.rotate(file, new SecureRandom(), now, now);
        ConnectionProcessor withNewKeys = new ConnectionProcessor(store, CredentialKeys.read(file), UUID::randomUUID,
                100_000);
        var result = (ConnectionProcessor.Result.Committed) withNewKeys
                .process(List.of(new Batch(taken.head(), store.server, List.of(new Incoming(0,
                        new RequestRecord(UUID.randomUUID(), store.clock.plus(Duration.ofSeconds(5)),
                                new SettingsChangeRequested(true, IncomingMode.DENY_ALL, false, null, "test")))),
                        1)))
                .get(SETTINGS);
        theirs.append(records(result.events()));
        List<LogRecord> before = List.copyOf(theirs.records);
        assertThat(withKeys(CredentialKeys.read(older)).take(theirs)).isInstanceOfSatisfying(Result.Stopped.class,
                stopped -> assertThat(stopped.why()).contains("or an older one", "event 1"));
        // A database that is restored from nothing is no witness, and the log's end is not to be cut off.
        store.failOverTo(new InMemoryConnectionStore());
        assertThat(withKeys(CredentialKeys.read(older)).take(theirs)).isInstanceOfSatisfying(Result.Stopped.class,
                stopped -> assertThat(stopped.why()).contains("or an older one", "event 1"));
        assertThat(theirs.records).isEqualTo(before);
        assertThat(withKeys(CredentialKeys.read(file)).take(theirs)).isInstanceOf(Result.Taken.class);
    }

    @Test
    void workerWithAnotherKeyFile_stops_andWritesNothing_thoughThereIsNothingToRead() {
        publish(decide(taken(log), registration()));
        taken(log);
        List<LogRecord> before = List.copyOf(log.records);
        assertThat(withKeys(Fixtures.newKeys()).take(log)).isInstanceOfSatisfying(Result.Stopped.class, stopped -> {
            assertThat(stopped.why()).contains("this is not the cluster's key file, or an older one", "offset 2");
            assertThat(stopped.remedy()).contains("syncline.credentials.key-file");
        });
        assertThat(log.records).isEqualTo(before);
        assertThat(takeover.take(log)).as("with the cluster's").isInstanceOf(Result.Taken.class);
    }

    @Test
    void workerWithAnotherKeyFile_stops_thoughItsDatabaseKnowsOfNoFence() {
        publish(decide(taken(log), registration()));
        store.failOverTo(new InMemoryConnectionStore());
        List<LogRecord> before = List.copyOf(settingsLog.records);
        assertThat(withKeys(Fixtures.newKeys()).take(settingsLog)).isInstanceOfSatisfying(Result.Stopped.class,
                stopped -> assertThat(stopped.why()).contains("this is not the cluster's key file"));
        assertThat(settingsLog.records).isEqualTo(before);
    }

    @Test
    void workerWithAnotherKeyFile_stopsOnAnEmptyPartition_byWhatTheSettingsWereWrittenWith() {
        assertThat(withKeys(Fixtures.newKeys()).take(log)).isInstanceOfSatisfying(Result.Stopped.class,
                stopped -> assertThat(stopped.why()).contains("this is not the cluster's key file", "partition 0"));
        assertThat(log.records).isEmpty();
    }

    @Test
    void keyFileThatWasRotated_takesOver_andTheFileFromBeforeStops() throws IOException {
        Path file = directory.resolve("keys");
        CredentialKeys.writeNew(file, new SecureRandom());
        Path older = Files.copy(file, directory.resolve("older"));
        InMemoryLog theirs = new InMemoryLog(SETTINGS, null);
        store.failOverTo(new InMemoryConnectionStore());
        assertThat(withKeys(CredentialKeys.read(file)).take(theirs)).isInstanceOf(Result.Taken.class);
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        CredentialKeys.rotate(file, new SecureRandom(), now, now);
        assertThat(withKeys(CredentialKeys.read(file)).take(theirs)).isInstanceOf(Result.Taken.class);
        assertThat(withKeys(CredentialKeys.read(older)).take(theirs)).isInstanceOfSatisfying(Result.Stopped.class,
                stopped -> assertThat(stopped.why()).contains("or an older one"));
        assertThat(withKeys(CredentialKeys.read(file)).take(theirs)).isInstanceOf(Result.Taken.class);
    }

    @Test
    void newestFenceThatWasAltered_stops() {
        taken(log);
        LogRecord fence = log.records.getFirst();
        log.records.set(0, new LogRecord(fence.key(), new byte[]{2}, fence.timestamp(), fence.headers()));
        assertStopped("the fence at offset 0, the newest that the database knows, was altered: the hash is not that");
    }

    @Test
    void newestFenceThatWasDeleted_stops() {
        taken(log);
        log.beginning = 1;
        assertStopped("the log begins at offset 1, and is needed from 0");
    }

    @Test
    void logThatIsShorterThanWhatWasAcknowledged_stops() {
        publish(decide(taken(log), registration()));
        taken(log);
        log.records.removeLast();
        log.records.removeLast();
        assertStopped("the log ends at offset 1");
    }

    @Test
    void logOfAnotherCluster_stops() {
        publish(decide(taken(log), registration()));
        taken(log);
        log.records.clear();
        assertStopped("the log ends at offset 0");
    }

    @Test
    void logWhoseBeginningWasDeleted_stopsOnlyWhereItIsNeeded() {
        publish(decide(taken(log), registration()));
        taken(log);
        log.beginning = 2;
        assertThat(takeover.take(log)).isInstanceOf(Result.Taken.class);
        log.beginning = log.records.size();
        store.failOverTo(new InMemoryConnectionStore());
        assertStopped("the log begins at offset");
    }

    // ---- helpers

    private ConnectionProcessor.Result.Committed lastCommitted;
    private Result.Taken lastTaken;

    private Result.Taken taken(InMemoryLog of) {
        Result result = takeover.take(of);
        assertThat(result).isInstanceOf(Result.Taken.class);
        lastTaken = (Result.Taken) result;
        return lastTaken;
    }

    private PartitionTakeover withKeys(CredentialKeys keys) {
        return new PartitionTakeover(store, keys, "worker-2", UUID::randomUUID);
    }

    private void assertStopped(String why) {
        assertStopped(why, false);
    }

    private void assertStopped(String why, boolean fenced) {
        assertThat(takeover.take(log)).isInstanceOfSatisfying(Result.Stopped.class, stopped -> {
            assertThat(stopped.why()).contains(why);
            assertThat(stopped.remedy()).isNotBlank();
            assertThat(stopped.fenced()).as("a fence was appended").isEqualTo(fenced);
        });
    }

    private void stray() {
        log.records.add(new LogRecord(new byte[]{1}, new byte[]{2}, 3, new java.util.TreeMap<>()));
    }

    private static LogRecord altered(LogRecord good) {
        byte[] value = good.value().clone();
        value[5] ^= 1;
        return new LogRecord(good.key(), value, good.timestamp(), good.headers());
    }

    private static LogRecord claimingToFollow(LogHead head, CredentialKeys keys) {
        return LoggedEvent.chain(PARTITION, head.fence(), head.sequence() + 1, head.hash(), UUID.randomUUID(),
                UUID.randomUUID(), 99, NOW, Fixtures.reported(PeerWish.REVOKED), keys).record();
    }

    private static Request registration() {
        return Fixtures.register();
    }

    private ConnectionProcessor.Result.Committed decide(Result.Taken taken, Request... requests) {
        return decide(taken.head(), requests);
    }

    private ConnectionProcessor.Result.Committed decideMore(ConnectionProcessor.Result.Committed after,
            Request... requests) {
        return decide(after.head(), requests);
    }

    private ConnectionProcessor.Result.Committed decide(LogHead head, Request... requests) {
        nextRequest = head.nextRequestOffset();
        List<Incoming> incoming = new ArrayList<>();
        for (Request request : requests) {
            incoming.add(new Incoming(nextRequest++,
                    new RequestRecord(UUID.randomUUID(), store.clock.plus(Duration.ofSeconds(5)), request)));
        }
        var result = processor.process(List.of(new Batch(head, store.server, incoming, nextRequest)))
                .get(head.partition());
        assertThat(result).isInstanceOf(ConnectionProcessor.Result.Committed.class);
        lastCommitted = (ConnectionProcessor.Result.Committed) result;
        return lastCommitted;
    }

    private void publish(ConnectionProcessor.Result.Committed committed) {
        log.append(records(committed.events()));
    }

    private static List<LogRecord> records(List<LoggedEvent> events) {
        return events.stream().map(LoggedEvent::record).toList();
    }

    private List<String> kinds() {
        ChainReader reader = new ChainReader(PARTITION, ChainReader.Head.start(), KEYS);
        List<String> kinds = new ArrayList<>();
        log.read(0, log.end(),
                (offset, record) -> kinds.add(reader.read(offset, record).getClass().getSimpleName()));
        return kinds;
    }

    private void assertStoreIsTheLog() {
        ChainReader reader = new ChainReader(PARTITION, ChainReader.Head.start(), KEYS);
        List<LoggedEvent> counted = new ArrayList<>();
        log.read(0, log.end(), (offset, record) -> {
            if (reader.read(offset, record) instanceof ChainReader.Verdict.Counts(LoggedEvent event)) {
                counted.add(event);
            }
        });
        List<ConnectionStore.StoredEvent> stored = store.eventsAfter(PARTITION, 0);
        assertThat(stored).hasSameSizeAs(counted);
        for (int i = 0; i < stored.size(); i++) {
            assertThat(stored.get(i).hash()).isEqualTo(counted.get(i).hash());
            assertThat(stored.get(i).saysTheSameAs(counted.get(i))).isTrue();
        }
        assertThat(store.head(PARTITION).orElseThrow().hash()).isEqualTo(reader.head().hash());
        Site folded = Site.replay(SITE, counted.stream()
                .map(event -> new Site.Dated((io.syncline.model.connection.SiteEvent) event.event(), event.time()))
                .toList());
        assertThat(store.site(SITE)).isEqualTo(folded);
    }
}
