package io.syncline.worker.connection;

import static io.syncline.worker.connection.Fixtures.ADMIN;
import static io.syncline.worker.connection.Fixtures.NOW;
import static io.syncline.worker.connection.Fixtures.OPEN;
import static io.syncline.worker.connection.Fixtures.SENDER;
import static io.syncline.worker.connection.Fixtures.SITE;
import static io.syncline.worker.connection.Fixtures.granted;
import static io.syncline.worker.connection.Fixtures.pulled;
import static io.syncline.worker.connection.Fixtures.senderCreated;
import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.connection.ApprovalMode;
import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.connection.Direction;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.PullKind;
import io.syncline.model.connection.PullOutcome;
import io.syncline.model.connection.Pulls;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.Site;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.log.Version;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What may be pulled, as given(events).when(request).then(what happens). */
class PullDeciderTest {

    private static final UUID GRANT = UUID.fromString("01890000-0000-7000-8000-0000000000b1");
    private static final UUID OTHER = UUID.fromString("01890000-0000-7000-8000-0000000000b2");
    private static final Instant EARLIER = NOW.minusSeconds(60);
    private static final Outcome DONE = Outcome.Accepted.WITHOUT_RECORD;

    // ---- grants

    @Test
    void nothingLimits_asManyAsAskedFor() {
        when(List.of(sender(settings(null, null))), pull(PullKind.DOWNLOAD, 300)).granted(300);
    }

    @Test
    void downloads_leftAreGranted_thenRefused() {
        when(List.of(sender(settings(1L, null))), pull(PullKind.DOWNLOAD, 300)).granted(300);
        when(List.of(sender(settings(1L, null)), granted(OTHER, PullKind.DOWNLOAD, 5)), pull(PullKind.DOWNLOAD, 300))
                .refused(Refusal.DOWNLOAD_LIMIT_REACHED);
        when(List.of(sender(settings(1L, null)), granted(OTHER, PullKind.DOWNLOAD, 5)), pull(PullKind.RECORDS, 300))
                .granted(300);
        when(List.of(sender(settings(1L, null)), granted(OTHER, PullKind.RECORDS, 5)), pull(PullKind.DOWNLOAD, 300))
                .granted(300);
    }

    @Test
    void records_whatIsLeft_openGrantsCountInFull_closedOnesWhatWasGiven() {
        SiteEvent sender = sender(settings(null, 1_000L));
        when(List.of(sender), pull(PullKind.DOWNLOAD, 5_000)).granted(1_000);
        when(List.of(sender, granted(OTHER, PullKind.DOWNLOAD, 700)), pull(PullKind.DOWNLOAD, 5_000)).granted(300);
        when(List.of(sender, granted(OTHER, PullKind.DOWNLOAD, 700), pulled(OTHER, PullKind.DOWNLOAD, 100)),
                pull(PullKind.DOWNLOAD, 5_000)).granted(900);
        when(List.of(sender, granted(OTHER, PullKind.DOWNLOAD, 1_000)), pull(PullKind.DOWNLOAD, 0))
                .refused(Refusal.RECORD_LIMIT_REACHED);
        when(List.of(sender), pull(PullKind.DOWNLOAD, 0)).granted(0);
    }

    @Test
    void perRequest_isTheGatewaysMatter_whichKnowsWhatItBinds() {
        ConnectionSettings few = new ConnectionSettings(10, null, 700L, List.of(), List.of(), List.of(), null, null,
                null, ApprovalMode.AUTO_APPROVE, List.of(), 10, null);
        when(List.of(sender(few)), pull(PullKind.DOWNLOAD, 300)).granted(300);
        when(List.of(sender(few)), pull(PullKind.DOWNLOAD, 1_000)).granted(700);
    }

    @Test
    void recordsGrant_leavesSomethingForTheOtherTables() {
        when(List.of(sender(settings(null, 800L))), pull(PullKind.RECORDS, 1_000)).granted(200);
        when(List.of(sender(settings(null, 8L))), pull(PullKind.RECORDS, 1_000)).granted(8);
        when(List.of(sender(settings(null, 60L))), pull(PullKind.RECORDS, 1_000)).granted(20);
        when(List.of(sender(settings(null, 100_000L))), pull(PullKind.RECORDS, 1_000)).granted(1_000);
    }

    @Test
    void unusableConnection_gone_orTableNotAllowed() {
        SiteEvent sender = sender(settings(5L, null));
        when(List.of(), pull(PullKind.DOWNLOAD, 1)).refused(Refusal.NOT_FOUND);
        when(List.of(sender, Fixtures.revoked(Direction.SENDER, null)), pull(PullKind.DOWNLOAD, 1))
                .refused(Refusal.NOT_ACTIVE);
        when(List.of(sender, Fixtures.suspended(Direction.SENDER, null)), pull(PullKind.DOWNLOAD, 1))
                .refused(Refusal.NOT_ACTIVE);
        when(List.of(sender(expiring(NOW))), pull(PullKind.DOWNLOAD, 1)).refused(Refusal.CONNECTION_EXPIRED);
        when(List.of(sender(expiring(NOW.plusMillis(1)))), pull(PullKind.DOWNLOAD, 1)).granted(1);
        ConnectionSettings others = new ConnectionSettings(10, null, null, List.of("customers"), List.of(), List.of(),
                null, null, null, ApprovalMode.AUTO_APPROVE, List.of(), 10, null);
        when(List.of(sender(others)), pull(PullKind.DOWNLOAD, 1)).refused(Refusal.TABLE_NOT_FOUND);
    }

    @Test
    void whatHasBegun_isGrantedWhateverHappenedMeanwhile_andWhileDisabled() {
        SiteRequest begun = new SiteRequest.PullRequested(SITE, SENDER, GRANT, PullKind.DOWNLOAD, "orders", 300, 1,
                600, true, "192.0.2.7");
        when(List.of(sender(settings(0L, 0L)), Fixtures.revoked(Direction.SENDER, null)), begun).granted(300);
        when(List.of(), begun).granted(300);
        assertThat(ConnectionDecider.decide(Site.unknown(SITE), ModuleSettings.INITIAL, begun, NOW, false).events())
                .hasSize(1);
        assertThat(ConnectionDecider
                .decide(Site.unknown(SITE), ModuleSettings.INITIAL, pull(PullKind.DOWNLOAD, 1), NOW, false)
                .outcome()).isEqualTo(new Outcome.Refused(Refusal.MODULE_DISABLED));
    }

    @Test
    void fiftyPullsAtOnce_areGivenExactlyWhatThereIs() {
        Site site = Site.unknown(SITE).evolve(sender(settings(null, 1_000L)), EARLIER);
        long given = 0;
        int refused = 0;
        for (int i = 0; i < 50; i++) {
            Decision<SiteEvent> decision = ConnectionDecider.decide(site, OPEN,
                    new SiteRequest.PullRequested(SITE, SENDER, UUID.randomUUID(), PullKind.DOWNLOAD, "orders", 30, 1,
                            600, false, "192.0.2.7"),
                    NOW, false);
            switch (decision.outcome()) {
                case Outcome.Granted granted -> given += granted.records();
                case Outcome.Refused _ -> refused++;
                case Outcome.Accepted _,Outcome.AwaitingApproval _ -> throw new AssertionError(decision.outcome());
            }
            for (SiteEvent event : decision.events()) {
                site = site.evolve(event, NOW);
            }
        }
        assertThat(given).isEqualTo(1_000);
        assertThat(refused).isEqualTo(50 - 34);
        assertThat(site.pulls().use()).isEqualTo(new Pulls.Use(34, 1_000, null));
    }

    // ---- reports

    @Test
    void report_closesTheGrant_andGivesBackWhatIsLeft() {
        SiteEvent.PullGranted grant = granted(GRANT, PullKind.DOWNLOAD, 300);
        Site after = when(List.of(sender(settings(null, null)), grant), report(17)).then(DONE,
                new SiteEvent.TablePulled(SITE, SENDER, GRANT, PullKind.DOWNLOAD, "orders", "192.0.2.7", 17, 4_711,
                        NOW, 12, PullOutcome.BROKEN_OFF));
        assertThat(after.pulls()).isEqualTo(new Pulls(new Pulls.Use(1, 17, null), java.util.Map.of(),
                java.util.Map.of()));
    }

    @Test
    void report_ofAClosedGrant_changesNothing() {
        when(List.of(sender(settings(null, null)), granted(GRANT, PullKind.DOWNLOAD, 300),
                pulled(GRANT, PullKind.DOWNLOAD, 300)), report(17)).refused(Refusal.GRANT_CLOSED);
    }

    @Test
    void report_afterTheRecordWent_isAFactAllTheSame_andCountsForNobodyElse() {
        SiteEvent again = new SiteEvent.SenderCreated(SITE, OTHER, "Two", Fixtures.OTHER_TOKEN, Fixtures.SEALED, true,
                false, false, settings(null, null), ADMIN);
        Site after = when(List.of(sender(settings(null, null)), granted(GRANT, PullKind.DOWNLOAD, 300),
                Fixtures.deleted("peer", Direction.SENDER), again), report(17)).then(DONE,
                        new SiteEvent.TablePulled(SITE, SENDER, GRANT, PullKind.DOWNLOAD, "orders", "192.0.2.7", 17,
                                4_711, NOW, 12, PullOutcome.BROKEN_OFF));
        assertThat(after.pulls()).isEqualTo(Pulls.NONE);
    }

    @Test
    void noReport_unknown_andCountsInFull() {
        SiteRequest overdue = new SiteRequest.GrantOverdue(SITE, GRANT);
        SiteEvent sender = sender(settings(null, null));
        when(List.of(sender, granted(GRANT, PullKind.DOWNLOAD, 300)), overdue).then(DONE);
        SiteEvent old = new SiteEvent.PullGranted(SITE, SENDER, GRANT, PullKind.DOWNLOAD, "orders", 300, "192.0.2.7",
                NOW.minusSeconds(60));
        Site after = when(List.of(sender, old), overdue).then(DONE,
                new SiteEvent.TablePulled(SITE, SENDER, GRANT, PullKind.DOWNLOAD, "orders", "192.0.2.7", 300, 0, null,
                        60_000, PullOutcome.UNKNOWN));
        assertThat(after.pulls().use()).isEqualTo(new Pulls.Use(1, 300, null));
        when(List.of(sender), overdue).then(DONE);
    }

    // ---- the clock

    @Test
    void expiry_isAFactOnce_andAgainWithAnotherTime() {
        SiteRequest reached = new SiteRequest.ExpiryReached(SITE, SENDER);
        SiteEvent fact = new SiteEvent.ConnectionExpired(SITE, SENDER, NOW);
        when(List.of(sender(expiring(NOW.plusMillis(1)))), reached).then(DONE);
        when(List.of(sender(expiring(NOW))), reached).then(DONE, fact);
        when(List.of(sender(expiring(NOW)), fact), reached).then(DONE);
        when(List.of(sender(settings(null, null))), reached).then(DONE);
        when(List.of(), reached).then(DONE);
        Site reopened = Site.unknown(SITE)
                .evolve(sender(expiring(NOW)), EARLIER)
                .evolve(
                        new SiteEvent.ConnectionExpired(SITE, SENDER, NOW.minusSeconds(5)), EARLIER);
        assertThat(ConnectionDecider.decide(reopened, OPEN, reached, NOW, false).events()).containsExactly(fact);
    }

    // ---- approval

    @Test
    void approvalNeeded_firstAsks_thenWaits() {
        SiteEvent sender = sender(approving(ApprovalMode.REQUIRE_APPROVAL));
        SiteEvent.TransferRequested asked = asked(GRANT, NOW.plus(Duration.ofDays(7)));
        when(List.of(sender), pull(PullKind.DOWNLOAD, 9)).then(new Outcome.AwaitingApproval(GRANT), asked);
        when(List.of(sender, asked(OTHER, NOW.plusSeconds(1))), pull(PullKind.RECORDS, 9))
                .then(new Outcome.AwaitingApproval(OTHER));
        when(List.of(sender, asked(OTHER, NOW)), pull(PullKind.DOWNLOAD, 9)).then(new Outcome.AwaitingApproval(GRANT),
                asked);
    }

    @Test
    void perTable_onlyThoseThatAreNotNamed() {
        when(List.of(sender(approving(ApprovalMode.PER_TABLE, "orders"))), pull(PullKind.DOWNLOAD, 9)).granted(9);
        when(List.of(sender(approving(ApprovalMode.PER_TABLE, "customers"))), pull(PullKind.DOWNLOAD, 9))
                .then(new Outcome.AwaitingApproval(GRANT), asked(GRANT, NOW.plus(Duration.ofDays(7))));
    }

    @Test
    void approved_opensTheTableUntilItExpires() {
        SiteEvent sender = sender(approving(ApprovalMode.REQUIRE_APPROVAL));
        SiteEvent asked = asked(OTHER, NOW.plusSeconds(1));
        when(List.of(sender, asked), decide(true)).then(DONE,
                new SiteEvent.TransferApproved(SITE, SENDER, OTHER, "orders", NOW.plusSeconds(900), ADMIN));
        SiteEvent approved = new SiteEvent.TransferApproved(SITE, SENDER, OTHER, "orders", NOW.plusSeconds(1), ADMIN);
        when(List.of(sender, asked, approved), pull(PullKind.DOWNLOAD, 9)).granted(9);
        SiteEvent past = new SiteEvent.TransferApproved(SITE, SENDER, OTHER, "orders", NOW, ADMIN);
        when(List.of(sender, asked, past), pull(PullKind.DOWNLOAD, 9)).then(new Outcome.AwaitingApproval(GRANT),
                asked(GRANT, NOW.plus(Duration.ofDays(7))));
    }

    @Test
    void denied_isRefused_untilThatExpires_orIsChanged() {
        SiteEvent sender = sender(approving(ApprovalMode.REQUIRE_APPROVAL));
        SiteEvent asked = asked(OTHER, NOW.plusSeconds(1));
        SiteEvent denied = new SiteEvent.TransferDenied(SITE, SENDER, OTHER, "orders", "no", NOW.plusSeconds(900),
                ADMIN);
        when(List.of(sender, asked), decide(false)).then(DONE, denied);
        when(List.of(sender, asked, denied), pull(PullKind.DOWNLOAD, 9)).refused(Refusal.TRANSFER_DENIED);
        when(List.of(sender, asked, denied), decide(true)).then(DONE,
                new SiteEvent.TransferApproved(SITE, SENDER, OTHER, "orders", NOW.plusSeconds(900), ADMIN));
    }

    @Test
    void sameWordAgain_isNoNewFact_anotherLengthOrReasonIs() {
        SiteEvent sender = sender(approving(ApprovalMode.REQUIRE_APPROVAL));
        SiteEvent asked = asked(OTHER, NOW.plusSeconds(1));
        SiteEvent approved = new SiteEvent.TransferApproved(SITE, SENDER, OTHER, "orders", EARLIER.plusSeconds(900),
                ADMIN);
        when(List.of(sender, asked, approved), decide(true)).then(DONE);
        SiteEvent shorter = new SiteEvent.TransferApproved(SITE, SENDER, OTHER, "orders", NOW.plusSeconds(60), ADMIN);
        Site shortened = when(List.of(sender, asked, approved), decide(true, null, 60)).then(DONE, shorter);
        assertThat(shortened.evolve(shorter, NOW).pulls().approval("orders", NOW.plusSeconds(60))).isNull();

        SiteEvent denied = new SiteEvent.TransferDenied(SITE, SENDER, OTHER, "orders", "no", EARLIER.plusSeconds(900),
                ADMIN);
        when(List.of(sender, asked, denied), decide(false, "no", 900)).then(DONE);
        when(List.of(sender, asked, denied), decide(false, "never", 900)).then(DONE,
                new SiteEvent.TransferDenied(SITE, SENDER, OTHER, "orders", "never", NOW.plusSeconds(900), ADMIN));
        when(List.of(sender, asked, denied), decide(false, "no", 60)).then(DONE,
                new SiteEvent.TransferDenied(SITE, SENDER, OTHER, "orders", "no", NOW.plusSeconds(60), ADMIN));
    }

    @Test
    void asExpected_comparesTheWordThatTheOperatorSaw() {
        SiteEvent asked = asked(OTHER, NOW.plusSeconds(1));
        Site waiting = Site.unknown(SITE)
                .evolve(sender(approving(ApprovalMode.REQUIRE_APPROVAL)), NOW)
                .evolve(asked, NOW);
        String seen = Version.of(waiting.pulls().approvals().get("orders"));
        assertThat(ConnectionDecider.asExpected(waiting, decide(true), seen)).isTrue();
        assertThat(ConnectionDecider.asExpected(waiting, decide(true), null)).isTrue();
        Site denied = waiting.evolve(
                new SiteEvent.TransferDenied(SITE, SENDER, OTHER, "orders", "no", NOW.plusSeconds(900), ADMIN), NOW);
        assertThat(ConnectionDecider.asExpected(denied, decide(true), seen)).isFalse();
        assertThat(ConnectionDecider.asExpected(Site.unknown(SITE), decide(true), seen))
                .as("what is gone is not found")
                .isTrue();
    }

    @Test
    void decision_ofATransferThatIsNotThere_orHasExpired() {
        SiteEvent sender = sender(approving(ApprovalMode.REQUIRE_APPROVAL));
        when(List.of(sender), decide(true)).refused(Refusal.TRANSFER_UNKNOWN);
        when(List.of(sender, asked(OTHER, NOW)), decide(true)).refused(Refusal.TRANSFER_UNKNOWN);
        when(List.of(sender, asked(OTHER, NOW.plusSeconds(5)), Fixtures.deleted(ADMIN, Direction.SENDER)), decide(true))
                .refused(Refusal.TRANSFER_UNKNOWN);
    }

    // ---- given, when, then

    private static SiteEvent sender(ConnectionSettings settings) {
        return senderCreated(true, false, settings);
    }

    private static ConnectionSettings settings(@Nullable Long downloads, @Nullable Long records) {
        return new ConnectionSettings(10_000, downloads, records, List.of(), List.of(), List.of(), null, null, null,
                ApprovalMode.AUTO_APPROVE, List.of(), 10, null);
    }

    private static ConnectionSettings expiring(Instant at) {
        return new ConnectionSettings(10_000, null, null, List.of(), List.of(), List.of(), null, null, null,
                ApprovalMode.AUTO_APPROVE, List.of(), 10, at);
    }

    private static ConnectionSettings approving(ApprovalMode mode, String... tables) {
        return new ConnectionSettings(10_000, null, null, List.of(), List.of(), List.of(), null, null, null, mode,
                List.of(tables), 10, null);
    }

    private static SiteRequest pull(PullKind kind, long records) {
        return new SiteRequest.PullRequested(SITE, SENDER, GRANT, kind, "orders", records, 20, 600, false,
                "192.0.2.7");
    }

    private static SiteRequest report(long rows) {
        return new SiteRequest.PullReported(SITE, GRANT, rows, 4_711, NOW, 12, PullOutcome.BROKEN_OFF);
    }

    private static SiteRequest decide(boolean approved) {
        return decide(approved, approved ? null : "no", 900);
    }

    private static SiteRequest decide(boolean approved, @Nullable String reason, long seconds) {
        return new SiteRequest.TransferDecisionRequested(SITE, SENDER, OTHER, approved, reason, seconds, ADMIN);
    }

    private static SiteEvent.TransferRequested asked(UUID transfer, Instant until) {
        return new SiteEvent.TransferRequested(SITE, SENDER, transfer, "orders", "192.0.2.7", until);
    }

    private static Then when(List<SiteEvent> events, SiteRequest request) {
        Site site = Site.replay(SITE, events.stream().map(event -> new Site.Dated(event, dateOf(event))).toList());
        return new Then(site, ConnectionDecider.decide(site, OPEN, request, NOW, false));
    }

    /** A grant that is overdue was made a minute before it ended. */
    private static Instant dateOf(SiteEvent event) {
        return event instanceof SiteEvent.PullGranted ? NOW.minusSeconds(60) : EARLIER;
    }

    private record Then(Site site, Decision<SiteEvent> decision) {

        Site then(Outcome outcome, SiteEvent... events) {
            assertThat(decision.outcome()).isEqualTo(outcome);
            assertThat(decision.events()).isEqualTo(new ArrayList<>(List.of(events)));
            Site after = site;
            for (SiteEvent event : events) {
                after = after.evolve(event, NOW);
                assertThat(ConnectionDecider.outcomeOf(event, after, NOW)).isEqualTo(outcome);
            }
            return after;
        }

        void granted(long records) {
            assertThat(decision.outcome()).isEqualTo(new Outcome.Granted(GRANT, records));
            then(decision.outcome(), new SiteEvent.PullGranted(SITE, SENDER, GRANT,
                    ((SiteEvent.PullGranted) decision.events().getFirst()).kind(), "orders", records, "192.0.2.7",
                    NOW.plusSeconds(600)));
        }

        void refused(Refusal refusal) {
            then(new Outcome.Refused(refusal));
        }
    }
}
