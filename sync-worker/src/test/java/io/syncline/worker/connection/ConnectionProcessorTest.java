package io.syncline.worker.connection;

import static io.syncline.worker.connection.Fixtures.NOW;
import static io.syncline.worker.connection.Fixtures.OTHER_SITE;
import static io.syncline.worker.connection.Fixtures.SITE;
import static io.syncline.worker.connection.Fixtures.TOKEN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.model.connection.ConnectionStatus;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.PeerWish;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.Request;
import io.syncline.model.connection.SettingsChangeRequested;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.ReplyRecord;
import io.syncline.model.log.RequestRecord;
import io.syncline.worker.connection.ConnectionProcessor.Batch;
import io.syncline.worker.connection.ConnectionProcessor.Result;
import io.syncline.worker.connection.ConnectionStore.Changes;
import io.syncline.worker.connection.ConnectionStore.Origin;
import io.syncline.worker.connection.ConnectionStore.Scope;
import io.syncline.worker.connection.ConnectionStore.SiteChange;
import io.syncline.worker.connection.ConnectionStore.Transaction;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A batch is one transaction; a request has one outcome; what fails alone is parked alone. */
class ConnectionProcessorTest {

    private static final CredentialKeys KEYS = Fixtures.newKeys();
    private static final Instant IN_TIME = NOW.plusSeconds(5);

    private final InMemoryConnectionStore store = new InMemoryConnectionStore();
    private final ConnectionProcessor processor = new ConnectionProcessor(store, KEYS, UUID::randomUUID, 10_000);
    private LogHead head;
    private LogHead other;

    @BeforeEach
    void own() {
        head = store.raiseFence(0, 3).orElseThrow();
        other = store.raiseFence(1, 4).orElseThrow();
        head = process(head, new SettingsChangeRequested(true, IncomingMode.AUTO_ACCEPT, false, null, "test")).head();
    }

    @Test
    void twoRegistrationsAtOnce_giveOneYesAndOneNo() {
        Result.Committed committed = process(head, Fixtures.register(), Fixtures.register());
        assertThat(committed.replies()).extracting(ReplyRecord::outcome)
                .containsExactly(new Outcome.Accepted(Fixtures.NEW_RECORD, ConnectionStatus.ACTIVE),
                        new Outcome.Refused(Refusal.ALREADY_EXISTS));
        assertThat(committed.events()).hasSize(1);
        assertThat(committed.head().nextRequestOffset()).isEqualTo(head.nextRequestOffset() + 2);
    }

    @Test
    void eventsAreChainedAndCarryTheDatabasesTime_toTheMillisecond() {
        store.clock = NOW.plusNanos(123_456);
        Result.Committed committed = process(head, Fixtures.register(), Fixtures.changeStatus(PeerWish.REVOKED));
        LoggedEvent first = committed.events().getFirst();
        assertThat(first.time()).isEqualTo(NOW);
        assertThat(first.fence()).isEqualTo(3);
        assertThat(first.sequence()).isEqualTo(head.sequence() + 1);
        assertThat(first.previousHash()).isEqualTo(head.hash());
        assertThat(committed.events().getLast().previousHash()).isEqualTo(first.hash());
        assertThat(committed.head().hash()).isEqualTo(committed.events().getLast().hash());
        assertThat(store.site(SITE).receiver().updatedAt()).isEqualTo(NOW);
    }

    @Test
    void timeNeverRunsBackwards() {
        LogHead later = process(head, Fixtures.register()).head();
        store.clock = NOW.minusSeconds(30);
        Result.Committed committed = process(later, Fixtures.changeStatus(PeerWish.REVOKED));
        assertThat(committed.events().getFirst().time()).isEqualTo(NOW);
    }

    @Test
    void pastItsDeadline_isRefused_toTheMicrosecond() {
        store.clock = NOW.plusNanos(500_000);
        assertThat(outcome(NOW.plusNanos(500_000))).isEqualTo(new Outcome.Refused(Refusal.DEADLINE_PASSED));
        assertThat(outcome(NOW.plusNanos(400_000))).isEqualTo(new Outcome.Refused(Refusal.DEADLINE_PASSED));
        assertThat(outcome(NOW.plusNanos(501_000))).isInstanceOf(Outcome.Accepted.class);
    }

    private Outcome outcome(Instant deadline) {
        Result.Committed committed = committed(processor.process(List.of(batch(head,
                new RequestRecord(UUID.randomUUID(), deadline, Fixtures.register())))), 0);
        head = committed.head();
        return committed.replies().getFirst().outcome();
    }

    @Test
    void requestThatWasDecided_getsItsOutcomeAgain_andNothingElse() {
        RequestRecord request = new RequestRecord(UUID.randomUUID(), IN_TIME, Fixtures.register());
        Result.Committed first = committed(processor.process(List.of(batch(head, request, request))), 0);
        Result.Committed again = committed(processor.process(List.of(batch(first.head(), request))), 0);
        assertThat(first.events()).hasSize(1);
        assertThat(again.events()).isEmpty();
        assertThat(List.of(first.replies().get(0), first.replies().get(1), again.replies().getFirst()))
                .extracting(ReplyRecord::outcome)
                .containsOnly(new Outcome.Accepted(Fixtures.NEW_RECORD, ConnectionStatus.ACTIVE));
    }

    @Test
    void requestThatWasDecided_getsItsOutcomeEvenPastItsDeadline() {
        RequestRecord request = new RequestRecord(UUID.randomUUID(), IN_TIME, Fixtures.register());
        LogHead next = committed(processor.process(List.of(batch(head, request))), 0).head();
        store.clock = NOW.plusSeconds(60);
        assertThat(committed(processor.process(List.of(batch(next, request))), 0).replies().getFirst().outcome())
                .isInstanceOf(Outcome.Accepted.class);
    }

    @Test
    void recordsThatAreNoRequests_moveTheOffset() {
        Result.Committed committed = committed(
                processor.process(List.of(new Batch(head, store.server, List.of(), head.nextRequestOffset() + 3))), 0);
        assertThat(committed.head().nextRequestOffset()).isEqualTo(head.nextRequestOffset() + 3);
        assertThat(store.head(0).orElseThrow().nextRequestOffset()).isEqualTo(head.nextRequestOffset() + 3);
    }

    @Test
    void partitionThatSomebodyElseWrote_isLeftAlone_andTheOthersAreDecided() {
        store.raiseFence(0, 9);
        Map<Integer, Result> results = processor.process(List.of(batch(head, request(Fixtures.register())),
                batch(other, request(Fixtures.register(OTHER_SITE)))));
        assertThat(results.get(0)).isInstanceOf(Result.HeadMoved.class);
        assertThat(results.get(1)).isInstanceOf(Result.Committed.class);
        assertThat(store.site(SITE).receiver()).isNull();
        assertThat(store.site(OTHER_SITE).receiver()).isNotNull();
    }

    @Test
    void lookWithoutRequests_writesNothing_andFindsWhatChanged() {
        Batch look = new Batch(head, store.server, List.of(), head.nextRequestOffset());
        store.failBeforeCommit = new IllegalStateException("a look commits nothing");
        assertThat(committed(processor.process(List.of(look)), 0).head()).isSameAs(head);
        store.raiseFence(0, 9);
        assertThat(processor.process(List.of(look)).get(0)).isInstanceOf(Result.HeadMoved.class);
    }

    @Test
    void anotherDatabaseServer_isNotDecidedOn() {
        store.server = "standby";
        assertThat(processor.process(List.of(new Batch(head, "one", List.of(), 9))).get(0))
                .isInstanceOfSatisfying(Result.HeadMoved.class,
                        moved -> assertThat(moved.why()).contains("another database server"));
    }

    @Test
    void tokenOfASenderRecord_isRefused_alsoWithinOneBatch() {
        Result.Committed committed = process(head, Fixtures.createSender(SITE, UUID.randomUUID(), TOKEN, true),
                Fixtures.createSender(OTHER_SITE, UUID.randomUUID(), TOKEN, true));
        assertThat(committed.replies().getLast().outcome()).isEqualTo(new Outcome.Refused(Refusal.TOKEN_IN_USE));
        assertThat(process(committed.head(), Fixtures.createSender(OTHER_SITE, UUID.randomUUID(), TOKEN, true))
                .replies()
                .getFirst()
                .outcome()).isEqualTo(new Outcome.Refused(Refusal.TOKEN_IN_USE));
    }

    @Test
    void tokenThatWasGivenUpEarlierInTheBatch_isFree() {
        Result.Committed committed = process(head, Fixtures.createSender(SITE, UUID.randomUUID(), TOKEN, true),
                Fixtures.delete(), Fixtures.createSender(OTHER_SITE, UUID.randomUUID(), TOKEN, true));
        assertThat(committed.replies()).extracting(ReplyRecord::outcome)
                .allSatisfy(outcome -> assertThat(outcome).isInstanceOf(Outcome.Accepted.class));
    }

    @Test
    void tokenThatAnotherWorkerTookMeanwhile_isRefused_andTheRestIsDecided() {
        Runnable otherWorker = () -> {
            store.afterLoad = () -> {
            };
            takeTokenElsewhere();
        };
        store.afterLoad = otherWorker;
        Result.Committed committed = process(head, Fixtures.register(),
                Fixtures.createSender(SITE, UUID.randomUUID(), TOKEN, true),
                Fixtures.changeStatus(PeerWish.REVOKED));
        assertThat(committed.replies()).extracting(ReplyRecord::outcome)
                .containsExactly(new Outcome.Accepted(Fixtures.NEW_RECORD, ConnectionStatus.ACTIVE),
                        new Outcome.Refused(Refusal.TOKEN_IN_USE),
                        new Outcome.Accepted(Fixtures.NEW_RECORD, ConnectionStatus.REVOKED));
    }

    private void takeTokenElsewhere() {
        SiteUrl third = SiteUrl.asSent("https://third.example");
        var created = new io.syncline.model.connection.SiteEvent.SenderCreated(third, UUID.randomUUID(), "T", TOKEN,
                Fixtures.SEALED, true, false, false, io.syncline.model.connection.ConnectionSettings.DEFAULTS, "test");
        var before = io.syncline.model.connection.Site.unknown(third);
        try (Transaction transaction = store
                .begin(new Scope(new TreeSet<>(Set.of(1)), Set.of(third), Set.of(third), Set.of(),
                        Set.of(), Set.of()))) {
            transaction.commit(new Changes(List.of(), List.of(),
                    List.of(new SiteChange(before, before.evolve(created, NOW))), null, List.of(other),
                    Origin.DECISION));
        }
    }

    @Test
    void requestThatCannotBeDecided_isParked_andTheOthersAreDecided() {
        // Two records with one UUID: nothing that a gateway makes, and nothing that the rules look for.
        store.failBeforeCommit = new IllegalStateException("the batch as a whole");
        RequestRecord poison = request(Fixtures.changeStatus(PeerWish.SUSPENDED));
        int[] transactions = new int[1];
        store.afterLoad = () -> {
            // 1: the batch; 2: the first alone; 3: the second alone; 4: it is parked; 5: the third alone.
            if (++transactions[0] == 3) {
                store.failBeforeCommit = new IllegalStateException("this one alone");
            }
        };
        Result.Committed committed = committed(processor.process(List.of(batch(head, request(Fixtures.register()),
                poison, request(Fixtures.changeStatus(PeerWish.REVOKED))))), 0);
        assertThat(committed.replies()).extracting(ReplyRecord::outcome)
                .containsExactly(new Outcome.Accepted(Fixtures.NEW_RECORD, ConnectionStatus.ACTIVE),
                        new Outcome.Refused(Refusal.NOT_DECIDABLE),
                        new Outcome.Accepted(Fixtures.NEW_RECORD, ConnectionStatus.REVOKED));
        assertThat(store.outcome(poison.requestId())).contains(new Outcome.Refused(Refusal.NOT_DECIDABLE));
        assertThat(committed.head().nextRequestOffset()).isEqualTo(head.nextRequestOffset() + 3);
        assertThat(committed.events()).hasSize(2);
    }

    @Test
    void databaseThatIsAway_isNoReasonToPark() {
        store.failBeforeCommit = new StoreUnavailableException("away", new IllegalStateException());
        assertThatThrownBy(() -> process(head, Fixtures.register())).isInstanceOf(StoreUnavailableException.class);
        assertThat(process(head, Fixtures.register()).replies().getFirst().outcome())
                .isInstanceOf(Outcome.Accepted.class);
    }

    @Test
    void databaseThatGoesAwayHalfWay_leavesTheRestForLater() {
        store.failBeforeCommit = new IllegalStateException("the batch as a whole");
        int[] transactions = new int[1];
        store.afterLoad = () -> {
            if (++transactions[0] == 3) {
                store.failBeforeCommit = new StoreUnavailableException("away", new IllegalStateException());
            }
        };
        Result.Committed committed = process(head, Fixtures.register(), Fixtures.changeStatus(PeerWish.REVOKED));
        assertThat(committed.replies()).hasSize(1);
        assertThat(committed.head().nextRequestOffset()).isEqualTo(head.nextRequestOffset() + 1);
    }

    @Test
    void commitThatNobodyHeardOf_isFoundOutByTheHead() {
        store.failAfterCommit = new StoreUnavailableException("lost", new IllegalStateException());
        assertThatThrownBy(() -> process(head, Fixtures.register())).isInstanceOf(StoreUnavailableException.class);
        assertThat(processor.process(List.of(batch(head, request(Fixtures.register())))).get(0))
                .isInstanceOf(Result.HeadMoved.class);
    }

    @Test
    void eventThatIsTooLargeForTheTopic_isRefusedBeforeTheCommit() {
        SiteRequest long_ = new SiteRequest.RegistrationRequested(SITE, Fixtures.NEW_RECORD, "n".repeat(10_000), TOKEN,
                Fixtures.SEALED, null, "ip", null);
        Result.Committed committed = process(head, long_, Fixtures.register());
        assertThat(committed.replies()).extracting(ReplyRecord::outcome)
                .containsExactly(new Outcome.Refused(Refusal.TOO_LARGE),
                        new Outcome.Accepted(Fixtures.NEW_RECORD, ConnectionStatus.ACTIVE));
        assertThat(committed.events()).hasSize(1);
    }

    @Test
    void repliesCarryTheSequenceThatTheyHoldFor() {
        Result.Committed committed = process(head, Fixtures.register(), Fixtures.register());
        assertThat(committed.replies()).extracting(ReplyRecord::sequence)
                .containsExactly(head.sequence() + 1, head.sequence() + 1);
    }

    // ---- helpers

    private static RequestRecord request(Request request) {
        return new RequestRecord(UUID.randomUUID(), IN_TIME, request);
    }

    private Result.Committed process(LogHead at, Request... requests) {
        List<RequestRecord> records = new ArrayList<>();
        for (Request request : requests) {
            records.add(request(request));
        }
        return committed(processor.process(List.of(batch(at, records.toArray(RequestRecord[]::new)))), at.partition());
    }

    private Batch batch(LogHead at, RequestRecord... requests) {
        List<Incoming> incoming = new ArrayList<>();
        long offset = at.nextRequestOffset();
        for (RequestRecord request : requests) {
            incoming.add(new Incoming(offset++, request));
        }
        return new Batch(at, store.server, incoming, offset);
    }

    private static Result.Committed committed(Map<Integer, Result> results, int partition) {
        assertThat(results.get(partition)).isInstanceOf(Result.Committed.class);
        return (Result.Committed) results.get(partition);
    }
}
