package io.syncline.gateway.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.gateway.dispatch.Submission;
import io.syncline.gateway.http.PeerAnswer;
import io.syncline.gateway.http.PeerRefusal;
import io.syncline.gateway.http.UnavailableException;
import io.syncline.model.connection.ApprovalMode;
import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.connection.ConnectionStatus;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.PullKind;
import io.syncline.model.connection.PullOutcome;
import io.syncline.model.connection.Pulls;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** No row without a grant, no grant without a report. */
class PullLedgerTest {

    private static final Instant AS_OF = Instant.parse("2026-03-01T12:00:00Z");
    private static final UUID CONNECTION = UUID.randomUUID();
    private static final PullLedger.Caller CALLER = new PullLedger.Caller("192.0.2.1", "/x/sync/api/pull-data");
    private static final ServedTable TABLE = new ServedTable(
            new TableSchema(new TableName("orders"), List.of(), List.of()), "orders_1", 500, "live", AS_OF,
            Duration.ZERO, new ServedTable.Changes(1, 0, 2, 1));

    private static final ServedTable OTHER = new ServedTable(
            new TableSchema(new TableName("parcels"), List.of(), List.of()), "parcels_1", 500, "live", AS_OF,
            Duration.ZERO, new ServedTable.Changes(1, 0, 2, 1));

    private final FakeRing ring = new FakeRing();
    private long now = 1_000;
    private boolean approved = true;
    private final PullLedger ledger = new PullLedger(ring, (site, table) -> approved, UUID::randomUUID,
            Duration.ofMinutes(10), () -> now);

    // ---- pull-data

    @Test
    void nothingCounted_isAnnouncedAndBeginsAtOnce() throws Exception {
        Pull pull = yes(ledger.download(CALLER, sender(null, null), TABLE, 500));
        assertThat(pull.counted()).isFalse();
        assertThat(ring.asked).isEmpty();
        assertThat(ring.announced).isEmpty();
        assertThat(give(pull, 17)).isEqualTo("17 rows");
        assertThat(ring.announced).as("reports go together").hasSize(1);
        ledger.tick();
        assertThat(ring.announced).hasSize(2);
        SiteRequest.PullRequested announced = (SiteRequest.PullRequested) ring.announced.getFirst();
        assertThat(announced.begun()).isTrue();
        assertThat(announced.records()).isEqualTo(500);
        assertThat(announced.address()).isEqualTo("192.0.2.1");
        assertThat(announced.seconds()).as("longer than any stream").isGreaterThan(600);
        SiteRequest.PullReported report = ring.reports().getFirst();
        assertThat(report.grant()).isEqualTo(announced.grant());
        assertThat(report.rows()).isEqualTo(17);
        assertThat(report.bytes()).isEqualTo("17 rows".length());
        assertThat(report.asOf()).isEqualTo(AS_OF);
        assertThat(report.outcome()).isEqualTo(PullOutcome.COMPLETED);
    }

    @Test
    void announcementNotTaken_notAByteLeaves() {
        CompletableFuture<Void> lost = new CompletableFuture<>();
        ring.broker = request -> request instanceof SiteRequest.PullRequested ? lost
                : CompletableFuture.completedFuture(null);
        Pull pull = yes(ledger.download(CALLER, sender(null, null), TABLE, 500));
        pull.begin();
        lost.completeExceptionally(new IllegalStateException("no broker"));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertThatThrownBy(() -> pull.give(stream -> stream.write(1), new Tally(), out))
                .isInstanceOf(UnavailableException.class);
        assertThat(out.size()).isZero();
        ledger.tick();
        assertThat(ring.reports().getFirst().rows()).isZero();
        assertThat(ring.reports().getFirst().outcome()).isEqualTo(PullOutcome.BROKEN_OFF);
    }

    @Test
    void noBroker_nothingBegins() {
        ring.broker = request -> CompletableFuture.failedFuture(new IllegalStateException("no broker"));
        Pull pull = yes(ledger.download(CALLER, sender(null, null), TABLE, 500));
        assertThatThrownBy(pull::begin).isInstanceOf(UnavailableException.class)
                .hasMessageContaining("was not begun");
    }

    @Test
    void noBroker_whatDidNotBegin_isNeverReported() throws Exception {
        ring.broker = request -> CompletableFuture.failedFuture(new IllegalStateException("no broker"));
        for (Pull pull : List.of(yes(ledger.download(CALLER, sender(null, null), TABLE, 500)),
                yes(ledger.records(CALLER, sender(null, null), TABLE, 10)))) {
            assertThatThrownBy(pull::begin).isInstanceOf(UnavailableException.class);
            pull.unused();
        }
        ring.announced.clear();
        now += Duration.ofMinutes(2).toNanos();
        ledger.tick();
        ledger.tick();
        assertThat(ring.announced).isEmpty();
    }

    @Test
    void nothingCounted_andNotBegun_leavesNoTrace() throws Exception {
        yes(ledger.download(CALLER, sender(null, null), TABLE, 500)).unused();
        yes(ledger.records(CALLER, sender(null, null), TABLE, 10)).unused();
        now += Duration.ofMinutes(2).toNanos();
        ledger.tick();
        ledger.tick();
        assertThat(ring.announced).isEmpty();
        assertThat(ring.asked).isEmpty();
    }

    @Test
    void counted_isDecidedFirst_andReported() throws Exception {
        ring.worker = request -> new Submission.Decided(new Outcome.Granted(request.grant(), 40));
        Pull pull = yes(ledger.download(CALLER, sender(9L, null), TABLE, 500));
        assertThat(pull.counted()).isTrue();
        assertThat(pull.records()).isEqualTo(40);
        give(pull, 40);
        assertThat(ring.announced).hasSize(1);
        assertThat(ring.reports().getFirst().grant()).isEqualTo(((SiteRequest.PullRequested) ring.asked.getFirst())
                .grant());
    }

    @Test
    void decidedFirst_isKeptToWhereRecordsAreCounted_orFewerWereGranted() {
        assertThat(yes(ledger.download(CALLER, sender(9L, 1_000L), TABLE, 500)).counted()).isTrue();
        assertThat(yes(ledger.download(CALLER, sender(9L, null), TABLE, 500)).counted()).isFalse();
        assertThat(yes(ledger.download(CALLER, approvedSender(), TABLE, 500)).counted()).isFalse();
        ring.worker = request -> new Submission.Decided(new Outcome.Granted(request.grant(), 499));
        assertThat(yes(ledger.download(CALLER, sender(9L, null), TABLE, 500)).counted())
                .as("records are counted by now")
                .isTrue();
    }

    @Test
    void counted_refusedAsDecided_orByWhatIsCommittedAlready() {
        ring.worker = request -> new Submission.Decided(new Outcome.Refused(Refusal.RECORD_LIMIT_REACHED));
        assertThat(no(ledger.download(CALLER, sender(null, 5L), TABLE, 500)))
                .isEqualTo(new PeerRefusal.Refused(Refusal.RECORD_LIMIT_REACHED));
        assertThat(no(ledger.download(CALLER, used(sender(2L, null), 2, 0), TABLE, 500)))
                .isEqualTo(new PeerRefusal.Refused(Refusal.DOWNLOAD_LIMIT_REACHED));
        assertThat(ring.asked).as("nobody is asked what is settled").hasSize(1);
        assertThat(ring.announced).isEmpty();
    }

    @Test
    void approvalNeeded_saysWhereToAskAgain() {
        UUID transfer = UUID.randomUUID();
        ring.worker = request -> new Submission.Decided(new Outcome.AwaitingApproval(transfer));
        assertThat(ledger.download(CALLER, approvedSender(), TABLE, 500)).isEqualTo(new PullLedger.Answer.No(
                PeerAnswer.waiting(transfer, "/x/sync/api/pull-data", Duration.ofSeconds(30))));
    }

    @Test
    void nobodyDecidedInTime_whatMayBeGrantedYetIsGivenBack() {
        ring.worker = request -> new Submission.NotKnown();
        assertThat(no(ledger.download(CALLER, sender(9L, null), TABLE, 500)))
                .isInstanceOf(PeerRefusal.Unavailable.class);
        assertThat(ring.reports()).singleElement().satisfies(report -> assertThat(report.rows()).isZero());
    }

    @Test
    void notApplied_isSaidWithoutItsCause() {
        ring.worker = request -> new Submission.NotApplied("it rains", "java.net.ConnectException: broker:9092");
        assertThat(no(ledger.download(CALLER, sender(9L, null), TABLE, 500)))
                .asInstanceOf(InstanceOfAssertFactories.type(PeerRefusal.Unavailable.class))
                .extracting(PeerRefusal.Unavailable::sentence)
                .isEqualTo("The pull was not begun: it rains; try again later");
    }

    @Test
    void brokenOff_countsWhatHasLeft() {
        Pull pull = yes(ledger.download(CALLER, sender(null, null), TABLE, 500));
        pull.begin();
        Tally tally = new Tally();
        assertThatThrownBy(() -> pull.give(stream -> {
            tally.rows(1);
            stream.write(new byte[100]);
            throw new IOException("the receiver went away");
        }, tally, new ByteArrayOutputStream())).isInstanceOf(IOException.class);
        ledger.tick();
        assertThat(ring.reports().getFirst()).satisfies(report -> {
            assertThat(report.outcome()).isEqualTo(PullOutcome.BROKEN_OFF);
            assertThat(report.rows()).isEqualTo(1);
            assertThat(report.bytes()).isEqualTo(100);
        });
    }

    @Test
    void brokenOffInTheMidstOfItsFirstBytes_countsThem() {
        ring.worker = request -> new Submission.Decided(new Outcome.Granted(request.grant(), 40));
        Pull pull = yes(ledger.download(CALLER, sender(1L, 100L), TABLE, 500));
        Tally tally = new Tally();
        OutputStream halfTaken = new OutputStream() {

            @Override
            public void write(int single) throws IOException {
                throw new IOException("the receiver took what it wanted and went away");
            }
        };
        assertThatThrownBy(() -> pull.give(stream -> {
            tally.rows(1);
            stream.write(new byte[64 * 1024]);
        }, tally, halfTaken)).isInstanceOf(IOException.class);
        assertThat(ring.reports()).singleElement().satisfies(report -> {
            assertThat(report.rows()).as("nobody knows how many of them arrived").isEqualTo(1);
            assertThat(report.bytes()).as("or the download would be given back").isPositive();
        });
    }

    @Test
    void reportNotTaken_isSentAgain() throws Exception {
        ring.broker = request -> CompletableFuture.failedFuture(new IllegalStateException("no broker"));
        give(yes(ledger.download(CALLER, sender(9L, null), TABLE, 500)), 2);
        assertThat(ring.reports()).hasSize(1);
        ledger.tick();
        assertThat(ring.reports()).hasSize(2);
        ring.broker = request -> CompletableFuture.completedFuture(null);
        ledger.tick();
        ledger.tick();
        assertThat(ring.reports()).hasSize(3).containsOnly(ring.reports().getFirst());
    }

    // ---- table-records

    @Test
    void records_areDrawnFromOneGrant_reportedAfterAMinute() throws Exception {
        TableAccess.Sender sender = sender(null, 100_000L);
        for (int i = 0; i < 10; i++) {
            Pull pull = yes(ledger.records(CALLER, sender, TABLE, 100));
            assertThat(pull.records()).isEqualTo(100);
            give(pull, 90);
        }
        assertThat(ring.asked).hasSize(1);
        assertThat(((SiteRequest.PullRequested) ring.asked.getFirst()).kind()).isEqualTo(PullKind.RECORDS);
        assertThat(ring.reports()).isEmpty();
        now += Duration.ofSeconds(61).toNanos();
        ledger.tick();
        assertThat(ring.reports()).singleElement().satisfies(report -> {
            assertThat(report.rows()).isEqualTo(900);
            assertThat(report.bytes()).isEqualTo(10 * "90 rows".length());
        });
        give(yes(ledger.records(CALLER, sender, TABLE, 100)), 1);
        assertThat(ring.asked).hasSize(2);
    }

    @Test
    void records_eachAddressDrawsFromAGrantOfItsOwn() throws Exception {
        PullLedger.Caller elsewhere = new PullLedger.Caller("203.0.113.9", CALLER.path());
        TableAccess.Sender sender = sender(null, 100_000L);
        give(yes(ledger.records(CALLER, sender, TABLE, 100)), 100);
        give(yes(ledger.records(elsewhere, sender, TABLE, 100)), 7);
        give(yes(ledger.records(CALLER, sender, TABLE, 100)), 50);
        now += Duration.ofSeconds(61).toNanos();
        ledger.tick();
        assertThat(ring.reports()
                .stream()
                .collect(Collectors.toMap(report -> addressOf(report.grant()),
                        SiteRequest.PullReported::rows)))
                .isEqualTo(Map.of("192.0.2.1", 150L, "203.0.113.9", 7L));
    }

    private String addressOf(UUID grant) {
        return ring.asked.stream()
                .map(SiteRequest.PullRequested.class::cast)
                .filter(request -> request.grant().equals(grant))
                .findFirst()
                .orElseThrow()
                .address();
    }

    @Test
    void records_ofMoreAddressesThanAreKept_theOldestIsReported() throws Exception {
        TableAccess.Sender sender = sender(null, null);
        give(yes(ledger.records(CALLER, sender, TABLE, 100)), 7);
        for (int i = 1; i < PullLedger.MOST_DRAWN; i++) {
            yes(ledger.records(new PullLedger.Caller("2001:db8::" + i, CALLER.path()), sender, TABLE, 100)).unused();
        }
        ledger.tick();
        assertThat(ring.reports()).isEmpty();
        yes(ledger.records(new PullLedger.Caller("203.0.113.9", CALLER.path()), sender, TABLE, 100)).unused();
        ledger.tick();
        assertThat(ring.reports()).singleElement().satisfies(report -> assertThat(report.rows()).isEqualTo(7));
    }

    @Test
    void records_grantUsedUp_isReportedBeforeAnotherIsAskedFor() throws Exception {
        ring.worker = request -> new Submission.Decided(
                new Outcome.Granted(request.grant(), ring.asked.size() == 1 ? 150 : 30));
        TableAccess.Sender sender = sender(null, 180L);
        give(yes(ledger.records(CALLER, sender, TABLE, 100)), 100);
        Pull second = yes(ledger.records(CALLER, sender, TABLE, 100));
        assertThat(ring.reports()).as("what is left of it is to be had again").hasSize(1);
        assertThat(second.records()).isEqualTo(30);
        assertThat(ring.reports().getFirst().rows()).isEqualTo(100);
    }

    @Test
    void records_whatIsGivenBack_isNotMissing() throws Exception {
        TableAccess.Sender sender = sender(null, 10L);
        ring.worker = request -> new Submission.Decided(
                new Outcome.Granted(request.grant(), ring.asked.size() == 1 ? 10 : 8));
        give(yes(ledger.records(CALLER, sender, TABLE, 10)), 2);
        // All ten count still where the call looks: that two were given is on its way.
        Pull second = yes(ledger.records(CALLER, used(sender, 0, 10), TABLE, 10));
        assertThat(second.records()).isEqualTo(8);
    }

    @Test
    void whatOtherTablesHoldUnused_isGivenBackBeforeLessIsGrantedThanIsLeft() throws Exception {
        TableAccess.Sender sender = sender(null, 1_000L);
        ring.worker = request -> new Submission.Decided(new Outcome.Granted(request.grant(), 250));
        give(yes(ledger.records(CALLER, sender, TABLE, 10)), 10);
        give(yes(ledger.records(CALLER, used(sender, 0, 250), OTHER, 10)), 10);
        assertThat(ring.reports()).as("there is enough for both").isEmpty();
        yes(ledger.download(CALLER, used(sender, 0, 500), TABLE, 900));
        assertThat(ring.reports()).extracting(SiteRequest.PullReported::rows).containsExactly(10L, 10L);
        assertThat(ring.asked).hasSize(3);
    }

    @Test
    void downloadGivenBack_mayBeTriedAgainAtOnce() {
        TableAccess.Sender sender = sender(1L, null);
        ring.worker = request -> new Submission.Decided(new Outcome.Granted(request.grant(), 5));
        yes(ledger.download(CALLER, sender, TABLE, 5)).unused();
        yes(ledger.download(CALLER, used(sender, 1, 0), TABLE, 5)).unused();
        now += Duration.ofMinutes(1).toNanos();
        ledger.tick();
        assertThat(no(ledger.download(CALLER, used(sender, 1, 0), TABLE, 5)))
                .isEqualTo(new PeerRefusal.Refused(Refusal.DOWNLOAD_LIMIT_REACHED));
    }

    @Test
    void records_announcementLost_theNextCallMakesAnother() throws Exception {
        CompletableFuture<Void> lost = new CompletableFuture<>();
        ring.broker = request -> request instanceof SiteRequest.PullRequested ? lost
                : CompletableFuture.completedFuture(null);
        Pull first = yes(ledger.records(CALLER, sender(null, null), TABLE, 10));
        lost.completeExceptionally(new IllegalStateException("no broker"));
        assertThatThrownBy(() -> give(first, 1)).isInstanceOf(UnavailableException.class);
        ring.broker = request -> CompletableFuture.completedFuture(null);
        assertThat(give(yes(ledger.records(CALLER, sender(null, null), TABLE, 10)), 3)).isEqualTo("3 rows");
    }

    @Test
    void records_whoStillDraws_reportsLast() throws Exception {
        TableAccess.Sender sender = sender(null, null);
        Pull slow = yes(ledger.records(CALLER, sender, TABLE, 100));
        give(yes(ledger.records(CALLER, sender, TABLE, 100)), 100);
        now += Duration.ofMinutes(2).toNanos();
        ledger.tick();
        assertThat(ring.reports()).isEmpty();
        give(slow, 50);
        ledger.tick();
        assertThat(ring.reports()).singleElement().satisfies(report -> assertThat(report.rows()).isEqualTo(150));
    }

    @Test
    void records_approvalNoLongerHolds_nothingMoreIsDrawn() throws Exception {
        give(yes(ledger.records(CALLER, approvedSender(), TABLE, 10)), 10);
        give(yes(ledger.records(CALLER, approvedSender(), TABLE, 10)), 10);
        assertThat(ring.asked).hasSize(1);
        approved = false;
        ring.worker = request -> new Submission.Decided(new Outcome.Refused(Refusal.TRANSFER_DENIED));
        assertThat(no(ledger.records(CALLER, approvedSender(), TABLE, 10)))
                .isEqualTo(new PeerRefusal.Refused(Refusal.TRANSFER_DENIED));
        assertThat(ring.reports()).as("what was drawn is told at once")
                .singleElement()
                .satisfies(report -> assertThat(report.rows()).isEqualTo(20));
    }

    @Test
    void records_limitSetMeanwhile_isNotDrawnPast() throws Exception {
        give(yes(ledger.records(CALLER, sender(null, null), TABLE, 10)), 10);
        assertThat(ring.asked).isEmpty();
        give(yes(ledger.records(CALLER, sender(null, 50L), TABLE, 10)), 10);
        assertThat(ring.asked).hasSize(1);
    }

    @Test
    void stopping_reportsAll() throws Exception {
        give(yes(ledger.download(CALLER, sender(null, null), TABLE, 500)), 500);
        give(yes(ledger.records(CALLER, sender(null, null), TABLE, 100)), 7);
        ledger.close();
        assertThat(ring.reports()).extracting(SiteRequest.PullReported::rows).containsExactlyInAnyOrder(500L, 7L);
    }

    @Test
    void stopping_whatStillRuns_isReportedOnce_withWhatMayHaveLeft() throws Exception {
        ring.worker = request -> new Submission.Decided(new Outcome.Granted(request.grant(), 40));
        Pull pull = yes(ledger.download(CALLER, sender(9L, null), TABLE, 500));
        CountDownLatch leaving = new CountDownLatch(1);
        CountDownLatch taken = new CountDownLatch(1);
        Tally tally = new Tally();
        Thread stream = Thread.ofVirtual().start(() -> {
            try {
                pull.give(out -> {
                    tally.rows(3);
                    out.write(new byte[100]);
                    leaving.countDown();
                    // It has been counted, and the receiver does not take it.
                    awaitUninterruptibly(taken);
                    throw new IOException("closed");
                }, tally, new ByteArrayOutputStream());
            } catch (IOException | SQLException e) {
                assertThat(e).hasMessage("closed");
            }
        });
        awaitUninterruptibly(leaving);
        assertThat(ledger.awaitEnded(Duration.ofMillis(1))).isFalse();
        ledger.breakOff();
        assertThat(ledger.awaitEnded(Duration.ZERO)).isTrue();
        assertThat(ledger.report(Duration.ZERO)).isTrue();
        taken.countDown();
        stream.join();
        assertThat(ring.reports()).singleElement().satisfies(report -> {
            assertThat(report.rows()).isEqualTo(3);
            assertThat(report.bytes()).isEqualTo(100);
            assertThat(report.outcome()).isEqualTo(PullOutcome.BROKEN_OFF);
        });
    }

    @Test
    void stopping_whatWaitsForItsGrant_isWaitedFor() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch decided = new CountDownLatch(1);
        ring.worker = request -> {
            asked.countDown();
            awaitUninterruptibly(decided);
            return new Submission.Decided(new Outcome.Granted(request.grant(), 40));
        };
        Thread call = Thread.ofVirtual()
                .start(() -> yes(ledger.download(CALLER, sender(9L, null), TABLE, 500)).unused());
        awaitUninterruptibly(asked);
        assertThat(ledger.awaitEnded(Duration.ofMillis(1))).isFalse();
        decided.countDown();
        assertThat(ledger.awaitEnded(Duration.ofMinutes(1))).isTrue();
        call.join();
        assertThat(ring.reports()).hasSize(1);
    }

    @Test
    void stopped_whatEndsAfterwards_isReportedAtOnce() throws Exception {
        Pull late = yes(ledger.download(CALLER, sender(null, null), TABLE, 500));
        assertThat(ledger.report(Duration.ZERO)).isTrue();
        give(late, 3);
        assertThat(ring.reports()).singleElement().satisfies(report -> assertThat(report.rows()).isEqualTo(3));
    }

    @Test
    void stopping_whatTheBrokerDoesNotTake_isSentAgain_andSaidInTheEnd() throws Exception {
        give(yes(ledger.download(CALLER, sender(null, null), TABLE, 500)), 500);
        AtomicInteger refused = new AtomicInteger();
        ring.broker = request -> refused.incrementAndGet() < 3
                ? CompletableFuture.failedFuture(new IllegalStateException("no broker"))
                : CompletableFuture.completedFuture(null);
        assertThat(ledger.report(Duration.ofMinutes(1))).isTrue();
        assertThat(refused).hasValue(3);
        PullLedger.Answer other = ledger.download(CALLER, sender(null, null), TABLE, 500);
        ring.broker = request -> request instanceof SiteRequest.PullReported ? new CompletableFuture<>()
                : CompletableFuture.completedFuture(null);
        give(yes(other), 500);
        assertThat(ledger.report(Duration.ofMillis(1))).isFalse();
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            assertThat(latch.await(1, TimeUnit.MINUTES)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    // ---- helpers

    private static Pull yes(PullLedger.Answer answer) {
        assertThat(answer).isInstanceOf(PullLedger.Answer.Yes.class);
        return ((PullLedger.Answer.Yes) answer).pull();
    }

    private static PeerRefusal no(PullLedger.Answer answer) {
        assertThat(answer).isInstanceOf(PullLedger.Answer.No.class);
        return ((PeerAnswer.No) ((PullLedger.Answer.No) answer).answer()).refusal();
    }

    private static String give(Pull pull, int rows) throws IOException, SQLException {
        Tally tally = new Tally();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        pull.begin();
        pull.give(stream -> {
            for (int i = 0; i < rows; i++) {
                tally.rows(1);
            }
            stream.write((rows + " rows").getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }, tally, out);
        return out.toString(java.nio.charset.StandardCharsets.UTF_8);
    }

    private static TableAccess.Sender sender(@Nullable Long downloads, @Nullable Long records) {
        return sender(new ConnectionSettings(10_000, downloads, records, List.of(), List.of(), List.of(), null, null,
                null, ApprovalMode.AUTO_APPROVE, List.of(), 60, null));
    }

    private static TableAccess.Sender approvedSender() {
        return sender(new ConnectionSettings(10, null, null, List.of(), List.of(), List.of(), null, null, null,
                ApprovalMode.REQUIRE_APPROVAL, List.of(), 60, null));
    }

    private static TableAccess.Sender sender(ConnectionSettings settings) {
        return new TableAccess.Sender(CONNECTION, SiteUrl.asSent("http://one.example"), ConnectionStatus.ACTIVE,
                settings, Pulls.Use.NONE, AS_OF);
    }

    private static TableAccess.Sender used(TableAccess.Sender sender, long downloads, long records) {
        return new TableAccess.Sender(sender.uuid(), sender.site(), sender.status(), sender.settings(),
                new Pulls.Use(downloads, records, null), sender.at());
    }
}
