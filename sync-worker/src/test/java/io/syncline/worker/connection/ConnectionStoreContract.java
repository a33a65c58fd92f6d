package io.syncline.worker.connection;

import static io.syncline.worker.connection.Fixtures.NOW;
import static io.syncline.worker.connection.Fixtures.OTHER_SITE;
import static io.syncline.worker.connection.Fixtures.OTHER_TOKEN;
import static io.syncline.worker.connection.Fixtures.PASSWORD;
import static io.syncline.worker.connection.Fixtures.SITE;
import static io.syncline.worker.connection.Fixtures.TOKEN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.syncline.model.connection.ApprovalMode;
import io.syncline.model.connection.Connection;
import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.connection.ConnectionStatus;
import io.syncline.model.connection.Direction;
import io.syncline.model.connection.Imposition;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.OperatorRole;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.PeerWish;
import io.syncline.model.connection.PreviousToken;
import io.syncline.model.connection.PullKind;
import io.syncline.model.connection.Pulls;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.SettingsEvent;
import io.syncline.model.connection.Site;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.ChainReader;
import io.syncline.model.log.LoggedEvent;
import io.syncline.worker.connection.ConnectionStore.Changes;
import io.syncline.worker.connection.ConnectionStore.Origin;
import io.syncline.worker.connection.ConnectionStore.Scope;
import io.syncline.worker.connection.ConnectionStore.SiteChange;
import io.syncline.worker.connection.ConnectionStore.State;
import io.syncline.worker.connection.ConnectionStore.StoredOutcome;
import io.syncline.worker.connection.ConnectionStore.Transaction;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What every {@link ConnectionStore} does, the one in PostgreSQL and its double in memory. */
abstract class ConnectionStoreContract {

    private static final CredentialKeys KEYS = Fixtures.newKeys();
    private static final UUID REQUEST = UUID.fromString("01890000-0000-7000-8000-0000000000a1");
    private static final UUID OTHER_REQUEST = UUID.fromString("01890000-0000-7000-8000-0000000000a2");

    private static final UUID GRANT = UUID.fromString("01890000-0000-7000-8000-0000000000b1");
    private static final UUID OTHER_GRANT = UUID.fromString("01890000-0000-7000-8000-0000000000b2");

    /** An empty store. */
    abstract ConnectionStore store();

    @Test
    void emptyStore_knowsNothing() {
        State state = load(Set.of(SITE), Set.of(REQUEST), Set.of(TOKEN));
        assertThat(state.heads()).isEmpty();
        assertThat(state.settings()).isEqualTo(ModuleSettings.INITIAL);
        assertThat(state.sites()).isEqualTo(Map.of(SITE, Site.unknown(SITE)));
        assertThat(state.outcomes()).isEmpty();
        assertThat(state.tokens()).isEmpty();
        assertThat(state.server()).isEqualTo(store().server());
        assertThat(store().head(0)).isEmpty();
        assertThat(store().eventsAfter(0, 0)).isEmpty();
    }

    @Test
    void raisedFence_isInForce_andAnOlderOneIsNot() {
        assertThat(store().raiseFence(0, 5)).hasValueSatisfying(head -> {
            assertThat(head.fence()).isEqualTo(5);
            assertThat(head.sequence()).isZero();
            assertThat(head.published().offset()).isZero();
        });
        assertThat(store().raiseFence(0, 5)).isEmpty();
        assertThat(store().raiseFence(0, 4)).isEmpty();
        assertThat(store().raiseFence(0, 9)).hasValueSatisfying(head -> assertThat(head.fence()).isEqualTo(9));
        assertThat(store().head(0)).hasValueSatisfying(head -> assertThat(head.fence()).isEqualTo(9));
        assertThat(store().head(1)).isEmpty();
    }

    @Test
    void everyKindOfRecord_comesBackAsItWasSaved() {
        LogHead head = owned(0);
        Site site = Site.replay(SITE, List.of(dated(Fixtures.registered(true)), dated(Fixtures.senderCreated(false,
                false, rich())), dated(Fixtures.reported(PeerWish.SUSPENDED)), dated(
                        Fixtures.suspended(
                                Direction.SENDER, "unpaid"))));
        save(head, change(Site.unknown(SITE), site));
        assertThat(load(Set.of(SITE, OTHER_SITE), Set.of(), Set.of()).sites())
                .isEqualTo(Map.of(SITE, site, OTHER_SITE, Site.unknown(OTHER_SITE)));
    }

    @Test
    void changedRecord_isReplaced_removedRecordIsGone_impositionStays() {
        LogHead head = owned(0);
        Site first = Site.replay(SITE,
                List.of(dated(Fixtures.registered()), dated(Fixtures.suspended(Direction.RECEIVER, "unpaid"))));
        head = save(head, change(Site.unknown(SITE), first));
        Site second = first.evolve(Fixtures.reported(PeerWish.REVOKED), NOW.plusMillis(7))
                .evolve(Fixtures.revoked(Direction.RECEIVER, null), NOW.plusMillis(8));
        head = save(head, change(first, second));
        assertThat(site(SITE)).isEqualTo(second);
        Site third = second.evolve(Fixtures.deleted("peer", Direction.RECEIVER), NOW.plusMillis(9));
        head = save(head, change(second, third));
        assertThat(site(SITE)).isEqualTo(third);
        assertThat(site(SITE).imposition(Direction.RECEIVER))
                .contains(new Imposition(Imposition.Kind.REVOKED, null, Fixtures.ADMIN, NOW.plusMillis(8)));
        Site fourth = third.evolve(Fixtures.registered(), NOW.plusMillis(10));
        save(head, change(third, fourth));
        assertThat(site(SITE)).isEqualTo(fourth);
        assertThat(site(SITE).impositions()).isEmpty();
    }

    @Test
    void whatWasImposedBeforeARecordWasMadeAnew_comesBackAsItWasSaved() {
        Site again = Site.replay(SITE,
                List.of(dated(Fixtures.registered()), dated(Fixtures.revoked(Direction.RECEIVER, "fraud")),
                        dated(Fixtures.deleted("peer", Direction.RECEIVER)), dated(Fixtures.registered(true))));
        LogHead head = save(owned(0), change(Site.unknown(SITE), again));
        assertThat(site(SITE)).isEqualTo(again);
        assertThat(again.imposition(Direction.RECEIVER))
                .contains(new Imposition(Imposition.Kind.AWAITING_APPROVAL, Imposition.Kind.REVOKED, "fraud",
                        Fixtures.ADMIN, NOW));
        Site suspended = again.evolve(Fixtures.suspended(Direction.RECEIVER, "later"), NOW.plusMillis(1));
        save(head, change(again, suspended));
        assertThat(site(SITE)).isEqualTo(suspended);
    }

    @Test
    void whatIsPulled_comesBackAsItWasSaved_andGoes() {
        LogHead head = owned(0);
        Site first = Site.replay(SITE,
                List.of(dated(Fixtures.activeSender()), dated(Fixtures.granted(GRANT, PullKind.DOWNLOAD, 17)),
                        dated(Fixtures.granted(OTHER_GRANT, PullKind.RECORDS, 1_000)),
                        dated(new SiteEvent.TransferRequested(SITE, Fixtures.SENDER, REQUEST, "Mixed Case", "::1",
                                NOW.plusSeconds(9)))));
        head = save(head, change(Site.unknown(SITE), first));
        assertThat(site(SITE)).isEqualTo(first);
        assertThat(first.pulls().use()).isEqualTo(new Pulls.Use(1, 1_017, null));

        Site second = first.evolve(Fixtures.pulled(GRANT, PullKind.DOWNLOAD, 5), NOW.plusMillis(3))
                .evolve(new SiteEvent.TransferDenied(SITE, Fixtures.SENDER, REQUEST, "Mixed Case", "no", NOW, "admin"),
                        NOW.plusMillis(4))
                .evolve(new SiteEvent.ConnectionExpired(SITE, Fixtures.SENDER, NOW), NOW.plusMillis(5));
        head = save(head, change(first, second));
        assertThat(site(SITE)).isEqualTo(second);
        assertThat(second.pulls().use()).isEqualTo(new Pulls.Use(1, 1_005, NOW));

        Site third = second.evolve(Fixtures.deleted("peer", Direction.SENDER), NOW.plusMillis(6));
        head = save(head, change(second, third));
        assertThat(site(SITE)).isEqualTo(third);
        assertThat(third.pulls().grants()).containsOnlyKeys(OTHER_GRANT);

        Site fourth = third.evolve(Fixtures.pulled(OTHER_GRANT, PullKind.RECORDS, 1), NOW.plusMillis(7));
        save(head, change(third, fourth));
        assertThat(site(SITE)).isEqualTo(Site.unknown(SITE));
    }

    @Test
    void settings_comeBackAsTheyWereSaved() {
        LogHead head = owned(0);
        ModuleSettings settings = new ModuleSettings(true, IncomingMode.REQUIRE_PASSWORD, PASSWORD, 3, NOW);
        head = commit(head, List.of(), List.of(), List.of(), settings);
        assertThat(load(Set.of(), Set.of(), Set.of()).settings()).isEqualTo(settings);
        ModuleSettings withAnn = settings
                .evolve(new SettingsEvent.OperatorAdded("ann", OperatorRole.AUDITOR, TOKEN, "admin"), NOW);
        head = commit(head, List.of(), List.of(), List.of(), withAnn);
        assertThat(load(Set.of(), Set.of(), Set.of()).settings()).isEqualTo(withAnn);
        ModuleSettings without = new ModuleSettings(false, IncomingMode.DENY_ALL, null, 4, NOW.plusMillis(1));
        commit(head, List.of(), List.of(), List.of(), without);
        assertThat(load(Set.of(), Set.of(), Set.of()).settings()).isEqualTo(without);
    }

    @Test
    void outcomes_areFoundByRequestAndByAge() {
        LogHead head = owned(0);
        Instant now = store().clock();
        StoredOutcome accepted = new StoredOutcome(REQUEST, 0, 8, 1,
                new Outcome.Accepted(Fixtures.RECEIVER, ConnectionStatus.ACTIVE), millis(now.minusSeconds(5)));
        StoredOutcome refused = new StoredOutcome(OTHER_REQUEST, 0, 9, 1, new Outcome.Refused(Refusal.NOT_FOUND),
                millis(now.minusSeconds(4)));
        commit(head, List.of(), List.of(accepted, refused), List.of(), null);
        assertThat(load(Set.of(), Set.of(REQUEST, OTHER_REQUEST, UUID.randomUUID()), Set.of()).outcomes())
                .isEqualTo(Map.of(REQUEST, accepted.outcome(), OTHER_REQUEST, refused.outcome()));
        assertThat(store().outcomesOfLast(0, Duration.ofHours(1), 10)).containsExactly(accepted, refused);
        assertThat(store().outcomesOfLast(0, Duration.ofHours(1), 1)).containsExactly(refused);
        assertThat(store().outcomesOfLast(0, Duration.ofSeconds(1), 10)).isEmpty();
        assertThat(store().outcomesOfLast(1, Duration.ofHours(1), 10)).isEmpty();
    }

    @Test
    void secondOutcomeOfARequest_fails_andNothingIsSaved() {
        LogHead head = owned(0);
        StoredOutcome outcome = new StoredOutcome(REQUEST, 0, 8, 1, new Outcome.Refused(Refusal.NOT_FOUND), NOW);
        LogHead next = commit(head, List.of(), List.of(outcome), List.of(), null);
        assertThatThrownBy(() -> commit(next, List.of(event(next, 1, Fixtures.registered())), List.of(outcome),
                List.of(change(Site.unknown(SITE), registeredSite())), null)).isInstanceOf(IllegalStateException.class);
        assertThat(store().eventsAfter(0, 0)).isEmpty();
        assertThat(site(SITE)).isEqualTo(Site.unknown(SITE));
        assertThat(store().head(0)).hasValueSatisfying(found -> assertThat(next.isStill(found)).isTrue());
    }

    @Test
    void tokenOfAnotherSitesSenderRecord_isFoundAndRefused() {
        LogHead head = save(owned(0), change(Site.unknown(SITE), senderSite(SITE, TOKEN)));
        assertThat(load(Set.of(), Set.of(), Set.of(TOKEN, OTHER_TOKEN)).tokens()).isEqualTo(Map.of(TOKEN, SITE));
        assertThatThrownBy(() -> save(head, change(Site.unknown(OTHER_SITE), senderSite(OTHER_SITE, TOKEN))))
                .isInstanceOf(TokenTakenException.class);
        save(head, change(Site.unknown(OTHER_SITE), senderSite(OTHER_SITE, OTHER_TOKEN)));
    }

    @Test
    void rotatedSender_comesBackWithAllItsTokens_untilTheyAreForgotten() {
        CredentialFingerprint third = new CredentialFingerprint("ef".repeat(32));
        Site first = senderSite(SITE, TOKEN);
        Site twice = first.evolve(rotated(first, OTHER_TOKEN, NOW.plusSeconds(60)), NOW);
        twice = twice.evolve(rotated(twice, third, NOW.plusSeconds(90)), NOW);
        assertThat(twice.sender().previousTokens()).hasSize(2);
        LogHead head = save(owned(0), change(Site.unknown(SITE), first));
        head = save(head, change(first, twice));
        assertThat(site(SITE)).isEqualTo(twice);
        assertThat(load(Set.of(), Set.of(), Set.of(TOKEN, OTHER_TOKEN, third)).tokens())
                .isEqualTo(Map.of(TOKEN, SITE, OTHER_TOKEN, SITE, third, SITE));

        CredentialFingerprint fourth = new CredentialFingerprint("0f".repeat(32));
        Site ended = twice.evolve(rotated(twice, fourth, NOW), NOW);
        save(head, change(twice, ended));
        assertThat(site(SITE)).isEqualTo(ended);
        assertThat(load(Set.of(), Set.of(), Set.of(TOKEN, OTHER_TOKEN, third, fourth)).tokens())
                .as("the one that was replaced last is nobody else's until it is replaced in its turn")
                .isEqualTo(Map.of(third, SITE, fourth, SITE));
    }

    private static SiteEvent rotated(Site site, CredentialFingerprint token, Instant previousUntil) {
        Connection.Sender sender = site.sender();
        return new SiteEvent.TokenRotated(site.url(), sender.uuid(), token, Fixtures.SEALED,
                new PreviousToken(sender.fingerprint(), previousUntil), "admin");
    }

    @Test
    void tokenThatIsGivenUp_mayBeTakenInTheSameTransaction() {
        LogHead head = save(owned(0), change(Site.unknown(SITE), senderSite(SITE, TOKEN)));
        save(head, change(Site.unknown(OTHER_SITE), senderSite(OTHER_SITE, TOKEN)),
                change(senderSite(SITE, TOKEN), Site.unknown(SITE)));
        assertThat(load(Set.of(), Set.of(), Set.of(TOKEN)).tokens()).isEqualTo(Map.of(TOKEN, OTHER_SITE));
    }

    @Test
    void receiverRecords_mayShareATokenWithASender() {
        save(owned(0), change(Site.unknown(SITE), senderSite(SITE, TOKEN)), change(Site.unknown(OTHER_SITE),
                Site.unknown(OTHER_SITE)
                        .evolve(new SiteEvent.ConnectionRegistered(OTHER_SITE, UUID.randomUUID(), "From: O", TOKEN,
                                Fixtures.SEALED, false, "api", "192.0.2.7", null), NOW)));
    }

    @Test
    void events_comeBackInTheirOrder_andChainAnew() {
        LogHead head = owned(0);
        LoggedEvent first = event(head, 1, Fixtures.registered());
        LoggedEvent second = LoggedEvent.chain(0, head.fence(), 2, first.hash(), UUID.randomUUID(), OTHER_REQUEST, 9,
                NOW, Fixtures.reported(PeerWish.REVOKED), KEYS);
        commit(head, List.of(first, second), List.of(), List.of(), null);
        assertThat(store().eventsAfter(0, 0)).satisfiesExactly(one -> assertThat(one.saysTheSameAs(first)).isTrue(),
                two -> assertThat(two.saysTheSameAs(second)).isTrue());
        assertThat(store().eventsAfter(0, 1)).hasSize(1)
                .first()
                .satisfies(event -> assertThat(LoggedEvent.chain(0,
                        head.fence(), event.sequence(), first.hash(), event.id(), event.requestId(),
                        event.requestOffset(),
                        event.time(), event.key(), event.type(), event.payload(), KEYS)).isEqualTo(second));
        assertThat(store().eventsAfter(0, 2)).isEmpty();
        assertThat(store().eventsAfter(1, 0)).isEmpty();
    }

    @Test
    void eventsFromTheLog_replaceWhatWasBehindThem() {
        LogHead head = owned(0);
        LoggedEvent first = event(head, 1, Fixtures.registered());
        LoggedEvent second = LoggedEvent.chain(0, head.fence(), 2, first.hash(), UUID.randomUUID(), OTHER_REQUEST, 9,
                NOW, Fixtures.reported(PeerWish.REVOKED), KEYS);
        LoggedEvent other = LoggedEvent.chain(0, head.fence(), 2, first.hash(), UUID.randomUUID(), REQUEST, 10, NOW,
                Fixtures.reported(PeerWish.SUSPENDED), KEYS);
        StoredOutcome before = new StoredOutcome(REQUEST, 0, 8, 1, new Outcome.Refused(Refusal.NOT_FOUND), NOW);
        StoredOutcome after = new StoredOutcome(REQUEST, 0, 8, 1, Outcome.Accepted.WITHOUT_RECORD, NOW);
        LogHead next = commit(head, List.of(first, second), List.of(before), List.of(), null);
        try (Transaction transaction = begin(Set.of(), Set.of(), Set.of())) {
            transaction.commit(new Changes(List.of(other), List.of(after), List.of(), null, List.of(next), Origin.LOG));
        }
        assertThat(store().eventsAfter(0, 0)).hasSize(2)
                .last()
                .satisfies(
                        event -> assertThat(event.saysTheSameAs(other)).isTrue());
        assertThat(load(Set.of(), Set.of(REQUEST), Set.of()).outcomes()).containsEntry(REQUEST, after.outcome());
    }

    @Test
    void commitUnderAFenceThatIsNotInForce_fails() {
        LogHead head = owned(0);
        LogHead stale = new LogHead(0, head.fence() - 1, 0, head.hash(), 0, NOW, head.published());
        assertThatThrownBy(() -> save(stale, change(Site.unknown(SITE), registeredSite())))
                .isInstanceOf(IllegalStateException.class);
        assertThat(site(SITE)).isEqualTo(Site.unknown(SITE));
    }

    @Test
    void closedTransaction_leavesNothingBehind() {
        owned(0);
        begin(Set.of(SITE), Set.of(), Set.of()).close();
        assertThat(site(SITE)).isEqualTo(Site.unknown(SITE));
    }

    @Test
    void head_comesBackAsItWasSaved() {
        LogHead head = owned(0);
        LogHead next = new LogHead(0, head.fence(), 4, new byte[]{9, 8}, 17, NOW,
                new LogHead.Published(33, new ChainReader.Head(head.fence(), 3, new byte[]{7})));
        try (Transaction transaction = begin(Set.of(), Set.of(), Set.of())) {
            transaction.commit(
                    new Changes(List.of(), List.of(), List.of(), null, List.of(next), Origin.DECISION));
        }
        assertThat(store().head(0)).hasValueSatisfying(found -> {
            assertThat(found.isStill(next)).isTrue();
            assertThat(found.nextRequestOffset()).isEqualTo(17);
            assertThat(found.time()).isEqualTo(NOW);
            assertThat(found.published().offset()).isEqualTo(33);
            assertThat(found.published().head().sequence()).isEqualTo(3);
            assertThat(found.published().head().hash()).containsExactly(7);
        });
    }

    @Test
    void forgottenPartition_isEmpty_andTheOthersAreNot() {
        LogHead head = owned(0);
        LogHead other = owned(1);
        LoggedEvent event = event(head, 1, Fixtures.registered());
        Site site = registeredSite();
        Site otherSite = Site.unknown(OTHER_SITE)
                .evolve(new SiteEvent.ConnectionRegistered(OTHER_SITE, UUID.randomUUID(), "From: O", TOKEN,
                        Fixtures.SEALED, false, "api", "192.0.2.7", null), NOW);
        commit(head, List.of(event),
                List.of(new StoredOutcome(REQUEST, 0, 8, 1, Outcome.Accepted.WITHOUT_RECORD, NOW),
                        new StoredOutcome(OTHER_REQUEST, 0, 9, 1, new Outcome.Refused(Refusal.NOT_FOUND), NOW)),
                List.of(change(Site.unknown(SITE), site)), null);
        save(other, change(Site.unknown(OTHER_SITE), otherSite));

        assertThat(store().forget(0, head.fence() - 1)).isFalse();
        assertThat(site(SITE)).isEqualTo(site);
        assertThat(store().forget(0, head.fence())).isTrue();
        assertThat(site(SITE)).isEqualTo(Site.unknown(SITE));
        assertThat(site(OTHER_SITE)).isEqualTo(otherSite);
        assertThat(store().eventsAfter(0, 0)).isEmpty();
        assertThat(load(Set.of(), Set.of(REQUEST, OTHER_REQUEST), Set.of()).outcomes()).containsOnlyKeys(OTHER_REQUEST);
        assertThat(store().head(0)).hasValueSatisfying(found -> {
            assertThat(found.fence()).isEqualTo(head.fence());
            assertThat(found.sequence()).isZero();
            assertThat(found.published().offset()).isZero();
        });
    }

    // ---- helpers

    private LogHead owned(int partition) {
        return store().raiseFence(partition, 100 + partition).orElseThrow();
    }

    private Transaction begin(Set<SiteUrl> sites, Set<UUID> requests, Set<CredentialFingerprint> tokens) {
        return store().begin(new Scope(new TreeSet<>(Set.of(0, 1)), sites, sites, Set.of(GRANT, OTHER_GRANT), requests,
                tokens));
    }

    private State load(Set<SiteUrl> sites, Set<UUID> requests, Set<CredentialFingerprint> tokens) {
        try (Transaction transaction = begin(sites, requests, tokens)) {
            return transaction.state();
        }
    }

    private Site site(SiteUrl url) {
        return load(Set.of(url), Set.of(), Set.of()).sites().get(url);
    }

    private LogHead save(LogHead head, SiteChange... changes) {
        return commit(head, List.of(), List.of(), List.of(changes), null);
    }

    private LogHead commit(LogHead head, List<LoggedEvent> events, List<StoredOutcome> outcomes,
            List<SiteChange> changes, @Nullable ModuleSettings settings) {
        try (Transaction transaction = begin(Set.of(), Set.of(), Set.of())) {
            LogHead next = events.isEmpty() ? head
                    : new LogHead(head.partition(), head.fence(), events.getLast().sequence(),
                            events.getLast().hash(), head.nextRequestOffset(), NOW, head.published());
            transaction.commit(new Changes(events, outcomes, new ArrayList<>(changes), settings, List.of(next),
                    Origin.DECISION));
            return next;
        }
    }

    private static LoggedEvent event(LogHead head, long sequence, SiteEvent event) {
        return LoggedEvent.chain(head.partition(), head.fence(), sequence, head.hash(), UUID.randomUUID(), REQUEST, 8,
                NOW, event, KEYS);
    }

    private static SiteChange change(Site before, Site after) {
        return new SiteChange(before, after);
    }

    private static Site.Dated dated(SiteEvent event) {
        return new Site.Dated(event, NOW);
    }

    private static Site registeredSite() {
        return Site.replay(SITE, List.of(dated(Fixtures.registered())));
    }

    private static Site senderSite(SiteUrl url, CredentialFingerprint token) {
        UUID uuid = UUID.nameUUIDFromBytes(url.text().getBytes(java.nio.charset.StandardCharsets.UTF_8));
        return new Site(url, new Connection.Sender(uuid, url, "S", token, Fixtures.SEALED, List.of(), true, false,
                ConnectionSettings.DEFAULTS, Fixtures.ADMIN, NOW, NOW), null, Map.of(), Pulls.NONE);
    }

    private static Instant millis(Instant instant) {
        return Instant.ofEpochMilli(instant.toEpochMilli());
    }

    /** A connection's settings with something in every field, and more digits of time than PostgreSQL keeps. */
    private static ConnectionSettings rich() {
        return new ConnectionSettings(7, 8L, 9L, List.of("orders", "sales \"x\""), List.of("secrets"),
                List.of("192.0.2.0/24"), 22, 4, PASSWORD, ApprovalMode.PER_TABLE, List.of("orders"), 11,
                Instant.parse("2027-01-02T03:04:05.123456789Z"));
    }
}
