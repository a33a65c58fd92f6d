package io.syncline.worker.connection;

import static io.syncline.worker.connection.Fixtures.ADMIN;
import static io.syncline.worker.connection.Fixtures.NEW_RECORD;
import static io.syncline.worker.connection.Fixtures.NOW;
import static io.syncline.worker.connection.Fixtures.OPEN;
import static io.syncline.worker.connection.Fixtures.OTHER_TOKEN;
import static io.syncline.worker.connection.Fixtures.PASSWORD;
import static io.syncline.worker.connection.Fixtures.RECEIVER;
import static io.syncline.worker.connection.Fixtures.SENDER;
import static io.syncline.worker.connection.Fixtures.SITE;
import static io.syncline.worker.connection.Fixtures.TOKEN;
import static io.syncline.worker.connection.Fixtures.activeSender;
import static io.syncline.worker.connection.Fixtures.approved;
import static io.syncline.worker.connection.Fixtures.changeStatus;
import static io.syncline.worker.connection.Fixtures.confirm;
import static io.syncline.worker.connection.Fixtures.confirmed;
import static io.syncline.worker.connection.Fixtures.createSender;
import static io.syncline.worker.connection.Fixtures.delete;
import static io.syncline.worker.connection.Fixtures.deleted;
import static io.syncline.worker.connection.Fixtures.pendingSender;
import static io.syncline.worker.connection.Fixtures.reactivated;
import static io.syncline.worker.connection.Fixtures.register;
import static io.syncline.worker.connection.Fixtures.registerWithPassword;
import static io.syncline.worker.connection.Fixtures.registered;
import static io.syncline.worker.connection.Fixtures.reported;
import static io.syncline.worker.connection.Fixtures.revoked;
import static io.syncline.worker.connection.Fixtures.senderCreated;
import static io.syncline.worker.connection.Fixtures.settings;
import static io.syncline.worker.connection.Fixtures.suspended;
import static io.syncline.worker.connection.Fixtures.withPassword;
import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.connection.ApprovalMode;
import io.syncline.model.connection.Connection;
import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.connection.ConnectionStatus;
import io.syncline.model.connection.Direction;
import io.syncline.model.connection.Imposition;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.Operator;
import io.syncline.model.connection.OperatorRole;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.PeerWish;
import io.syncline.model.connection.PreviousToken;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.SettingsChangeRequested;
import io.syncline.model.connection.SettingsChanged;
import io.syncline.model.connection.SettingsEvent;
import io.syncline.model.connection.SettingsRequest;
import io.syncline.model.connection.Site;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.log.Version;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The rules, as given(events).when(request).then(what happens). */
class ConnectionDeciderTest {

    private static final UUID UNKNOWN_RECORD = UUID.fromString("01890000-0000-7000-8000-00000000ffff");

    @Nested
    class Registration {

        @Test
        void autoAccept_isActiveAtOnce() {
            given().when(register())
                    .then(accepted(NEW_RECORD, ConnectionStatus.ACTIVE), new SiteEvent.ConnectionRegistered(SITE,
                            NEW_RECORD, "From: New", TOKEN, Fixtures.SEALED, false, "api", "192.0.2.1", null));
        }

        @Test
        void requireApproval_waits() {
            given().with(settings(IncomingMode.REQUIRE_APPROVAL))
                    .when(register())
                    .then(accepted(NEW_RECORD, ConnectionStatus.PENDING), registration(true));
        }

        @Test
        void denyAll_isRefused() {
            given().with(settings(IncomingMode.DENY_ALL)).when(register()).refused(Refusal.INCOMING_DENIED);
        }

        @Test
        void disabledModule_isRefusedBeforeAllElse() {
            given(registered()).with(new ModuleSettings(false, IncomingMode.DENY_ALL, null, 0, NOW))
                    .when(register())
                    .refused(Refusal.MODULE_DISABLED);
        }

        @Test
        void requirePassword_withTheOneThatTheGatewayVerified() {
            given().with(withPassword(3))
                    .when(registerWithPassword(3))
                    .then(accepted(NEW_RECORD, ConnectionStatus.ACTIVE), registration(false));
        }

        @Test
        void requirePassword_changedSinceTheGatewayLooked() {
            given().with(withPassword(4)).when(registerWithPassword(3)).refused(Refusal.PASSWORD_INVALID);
        }

        @Test
        void requirePassword_withoutOne() {
            given().with(withPassword(4)).when(register()).refused(Refusal.PASSWORD_REQUIRED);
        }

        @Test
        void requirePassword_noneStored_letsNobodyIn() {
            given().with(settings(IncomingMode.REQUIRE_PASSWORD))
                    .when(registerWithPassword(0))
                    .refused(Refusal.PASSWORD_REQUIRED);
        }

        @Test
        void secondOfASite_isRefused() {
            given(registered()).when(register()).refused(Refusal.ALREADY_EXISTS);
        }

        @Test
        void besideASenderRecordOfTheSite_isAccepted() {
            given(activeSender()).when(register())
                    .then(accepted(NEW_RECORD, ConnectionStatus.ACTIVE), registration(false));
        }

        @Test
        void ofATokenThatASenderRecordHas_isAccepted() {
            given().whileTokenIsInUse()
                    .when(register())
                    .then(accepted(NEW_RECORD, ConnectionStatus.ACTIVE), registration(false));
        }
    }

    /** Promise 9: a peer can never lift what our operator imposed. */
    @Nested
    class ImpositionsOutliveTheRecord {

        @Test
        void suspended_deleted_registeredAgain_waits() {
            given(registered(), suspended(Direction.RECEIVER, "unpaid"), deleted("peer", Direction.RECEIVER))
                    .when(register())
                    .then(accepted(NEW_RECORD, ConnectionStatus.PENDING), registration(true));
        }

        @Test
        void revoked_deleted_registeredAgain_waits() {
            given(registered(), revoked(Direction.RECEIVER, null), deleted("peer", Direction.RECEIVER)).when(register())
                    .then(accepted(NEW_RECORD, ConnectionStatus.PENDING), registration(true));
        }

        @Test
        void notYetApproved_deleted_registeredAgain_waitsWhateverTheModeIsNow() {
            given(registered(true), deleted("peer", Direction.RECEIVER)).when(register())
                    .then(accepted(NEW_RECORD, ConnectionStatus.PENDING), registration(true));
        }

        @Test
        void goingRoundOnceMore_stillWaits() {
            given(registered(), suspended(Direction.RECEIVER, null), deleted("peer", Direction.RECEIVER),
                    registered(true), deleted("peer", Direction.RECEIVER)).when(register())
                    .then(accepted(NEW_RECORD, ConnectionStatus.PENDING), registration(true));
        }

        @Test
        void registeredAgain_stillTellsWhatWasImposed_byWhomAndWhy() {
            Imposition fraud = new Imposition(Imposition.Kind.AWAITING_APPROVAL, Imposition.Kind.REVOKED, "fraud",
                    ADMIN,
                    NOW.plusSeconds(1));
            Site again = replay(registered(), revoked(Direction.RECEIVER, "fraud"), deleted("peer", Direction.RECEIVER),
                    registered(true));
            assertThat(again.imposition(Direction.RECEIVER)).contains(fraud);
            Site onceMore = replay(registered(), revoked(Direction.RECEIVER, "fraud"),
                    deleted("peer", Direction.RECEIVER), registered(true), deleted("peer", Direction.RECEIVER),
                    registered(true));
            assertThat(onceMore.imposition(Direction.RECEIVER)).contains(fraud);
            Site approved = onceMore.evolve(approved(Direction.RECEIVER), NOW);
            assertThat(approved.imposition(Direction.RECEIVER)).isEmpty();
            assertThat(onceMore.evolve(suspended(Direction.RECEIVER, "later"), NOW).imposition(Direction.RECEIVER))
                    .contains(new Imposition(Imposition.Kind.SUSPENDED, "later", ADMIN, NOW));
        }

        @Test
        void createdAgainAsPending_stillTellsWhatWasImposed_byWhomAndWhy() {
            Site again = replay(activeSender(), suspended(Direction.SENDER, "unpaid"),
                    deleted(ADMIN, Direction.SENDER),
                    new SiteEvent.SenderCreated(SITE, NEW_RECORD, "New", TOKEN, Fixtures.SEALED, false, true, false,
                            ConnectionSettings.DEFAULTS, "colleague"));
            assertThat(again.imposition(Direction.SENDER)).contains(new Imposition(Imposition.Kind.AWAITING_APPROVAL,
                    Imposition.Kind.SUSPENDED, "unpaid", ADMIN, NOW.plusSeconds(1)));
        }

        @Test
        void neverSentAway_waitsAsANewcomer_sinceItCameLast() {
            assertThat(replay(registered(true), deleted("peer", Direction.RECEIVER), registered(true))
                    .imposition(Direction.RECEIVER)).contains(
                            new Imposition(Imposition.Kind.AWAITING_APPROVAL, null, "incoming_mode",
                                    NOW.plusSeconds(2)));
        }

        /** One fact a second. */
        private static Site replay(SiteEvent... events) {
            Site site = Site.unknown(SITE);
            for (int i = 0; i < events.length; i++) {
                site = site.evolve(events[i], NOW.plusSeconds(i));
            }
            return site;
        }

        @Test
        void liftedBeforeTheDeletion_registersFreely() {
            given(registered(), suspended(Direction.RECEIVER, null), reactivated(Direction.RECEIVER),
                    deleted("peer", Direction.RECEIVER)).when(register())
                    .then(accepted(NEW_RECORD, ConnectionStatus.ACTIVE), registration(false));
        }

        @Test
        void neverImposed_registersFreely() {
            given(registered(), deleted("peer", Direction.RECEIVER)).when(register())
                    .then(accepted(NEW_RECORD, ConnectionStatus.ACTIVE), registration(false));
        }

        @Test
        void onOneDirection_doesNotTouchTheOther() {
            given(activeSender(), suspended(Direction.SENDER, null)).when(register())
                    .then(accepted(NEW_RECORD, ConnectionStatus.ACTIVE), registration(false));
        }

        @Test
        void otherOrder_peerRevokesItself_thenOperatorSuspends_thenPeerWishesActive() {
            given(registered(), reported(PeerWish.REVOKED), suspended(Direction.RECEIVER, null))
                    .when(changeStatus(PeerWish.ACTIVE))
                    .then(accepted(RECEIVER, ConnectionStatus.SUSPENDED), reported(PeerWish.ACTIVE));
        }

        @ParameterizedTest
        @EnumSource(PeerWish.class)
        void peersWish_isRecordedAndTheStricterIsInForce(PeerWish wish) {
            for (var imposed : List.of(new Imposed(registered(true), null, ConnectionStatus.PENDING),
                    new Imposed(registered(), suspended(Direction.RECEIVER, null), ConnectionStatus.SUSPENDED),
                    new Imposed(registered(), revoked(Direction.RECEIVER, null), ConnectionStatus.REVOKED))) {
                PeerWish other = wish == PeerWish.SUSPENDED ? PeerWish.REVOKED : PeerWish.SUSPENDED;
                imposed.given(reported(other))
                        .when(changeStatus(wish))
                        .then(accepted(RECEIVER, imposed.status.stricterOf(wish.status())), reported(wish));
            }
        }

        private record Imposed(SiteEvent registration, @Nullable SiteEvent imposition, ConnectionStatus status) {

            Given given(SiteEvent then) {
                List<SiteEvent> events = new ArrayList<>(List.of(registration));
                if (imposition != null) {
                    events.add(imposition);
                }
                events.add(then);
                return ConnectionDeciderTest.given(events.toArray(SiteEvent[]::new));
            }
        }

        @Test
        void senderRecordSuspended_deletedByThePeer_createdPending_waitsEvenOnceConfirmed() {
            given(activeSender(), suspended(Direction.SENDER, null), deleted("peer", Direction.SENDER))
                    .when(createSender(false))
                    .then(accepted(NEW_RECORD, ConnectionStatus.PENDING), creation(false, true));
            given(activeSender(), suspended(Direction.SENDER, null), deleted("peer", Direction.SENDER),
                    senderCreated(false, true, ConnectionSettings.DEFAULTS)).when(confirm())
                    .then(accepted(SENDER, ConnectionStatus.PENDING), confirmed());
        }

        @Test
        void senderRecordRevoked_createdActiveByTheOperator_isActive_forThatIsOurOwnWord() {
            given(activeSender(), revoked(Direction.SENDER, null), deleted("peer", Direction.SENDER))
                    .when(createSender(true))
                    .then(accepted(NEW_RECORD, ConnectionStatus.ACTIVE), creation(true, false));
        }

        @Test
        void suspendedSender_isNotConfirmedByItsReceiver() {
            given(pendingSender(), suspended(Direction.SENDER, null)).when(confirm())
                    .then(accepted(SENDER, ConnectionStatus.SUSPENDED));
        }
    }

    @Nested
    class PeersStatusChange {

        @ParameterizedTest
        @EnumSource(PeerWish.class)
        void anotherWish_isRecorded(PeerWish wish) {
            PeerWish before = wish == PeerWish.ACTIVE ? PeerWish.REVOKED : PeerWish.ACTIVE;
            given(registered(), reported(before)).when(changeStatus(wish))
                    .then(accepted(RECEIVER, wish.status()), reported(wish));
        }

        @Test
        void sameWish_isAcceptedWithoutAFact() {
            given(registered()).when(changeStatus(PeerWish.ACTIVE)).then(accepted(RECEIVER, ConnectionStatus.ACTIVE));
        }

        @Test
        void ofAnotherToken_isNotFound() {
            given(registered()).when(new SiteRequest.StatusChangeRequested(SITE, OTHER_TOKEN, PeerWish.REVOKED))
                    .refused(Refusal.NOT_FOUND);
        }

        @Test
        void ofASenderRecord_isNotFound() {
            given(activeSender()).when(changeStatus(PeerWish.SUSPENDED)).refused(Refusal.NOT_FOUND);
        }

        @Test
        void disabledModule_isRefused() {
            given(registered()).with(ModuleSettings.INITIAL)
                    .when(changeStatus(PeerWish.REVOKED))
                    .refused(Refusal.MODULE_DISABLED);
        }
    }

    @Nested
    class Deletion {

        @Test
        void ofTheReceiverRecord() {
            given(registered()).when(delete())
                    .then(Outcome.Accepted.WITHOUT_RECORD, deleted("peer", Direction.RECEIVER));
        }

        @Test
        void ofTheSenderRecord() {
            given(activeSender()).when(delete())
                    .then(Outcome.Accepted.WITHOUT_RECORD, deleted("peer", Direction.SENDER));
        }

        @Test
        void ofBoth_whereBothMatch_isOneFact() {
            given(registered(), activeSender()).when(delete())
                    .then(Outcome.Accepted.WITHOUT_RECORD, deleted("peer", Direction.SENDER, Direction.RECEIVER));
        }

        @Test
        void ofAnotherToken_isNotFound() {
            given(registered(), activeSender()).when(new SiteRequest.DeletionRequested(SITE, OTHER_TOKEN))
                    .refused(Refusal.NOT_FOUND);
        }

        @Test
        void secondTime_isNotFound() {
            given(registered(), deleted("peer", Direction.RECEIVER)).when(delete()).refused(Refusal.NOT_FOUND);
        }

        @Test
        void disabledModule_isRefused() {
            given(registered()).with(ModuleSettings.INITIAL).when(delete()).refused(Refusal.MODULE_DISABLED);
        }
    }

    @Nested
    class Confirmation {

        @Test
        void pendingSender_becomesActive() {
            given(pendingSender()).when(confirm()).then(accepted(SENDER, ConnectionStatus.ACTIVE), confirmed());
        }

        @Test
        void activeSender_needsNoFact() {
            given(activeSender()).when(confirm()).then(accepted(SENDER, ConnectionStatus.ACTIVE));
            given(pendingSender(), confirmed()).when(confirm()).then(accepted(SENDER, ConnectionStatus.ACTIVE));
        }

        @Test
        void expiredSender_staysExpired() {
            given(senderCreated(false, false, expiringAt(NOW))).when(confirm())
                    .then(accepted(SENDER, ConnectionStatus.EXPIRED));
        }

        @Test
        void revokedSender_staysRevoked() {
            given(pendingSender(), revoked(Direction.SENDER, null)).when(confirm())
                    .then(accepted(SENDER, ConnectionStatus.REVOKED));
        }

        @Test
        void ofAReceiverRecordOrAnotherToken_isNotFound() {
            given(registered()).when(confirm()).refused(Refusal.NOT_FOUND);
            given(pendingSender()).when(new SiteRequest.ConfirmationRequested(SITE, OTHER_TOKEN))
                    .refused(Refusal.NOT_FOUND);
        }

        @Test
        void disabledModule_isRefused() {
            given(pendingSender()).with(ModuleSettings.INITIAL).when(confirm()).refused(Refusal.MODULE_DISABLED);
        }
    }

    @Nested
    class SenderCreation {

        @Test
        void pending_untilItsReceiverShowsTheToken() {
            given().when(createSender(false))
                    .then(accepted(NEW_RECORD, ConnectionStatus.PENDING), creation(false, false));
        }

        @Test
        void activeAtOnce_ifTheOperatorSaysSo() {
            given().when(createSender(true)).then(accepted(NEW_RECORD, ConnectionStatus.ACTIVE), creation(true, false));
        }

        @Test
        void alsoWhileTheModuleIsDisabled() {
            given().with(ModuleSettings.INITIAL)
                    .when(createSender(true))
                    .then(accepted(NEW_RECORD, ConnectionStatus.ACTIVE), creation(true, false));
        }

        @Test
        void secondOfASite_isRefused() {
            given(pendingSender()).when(createSender(true)).refused(Refusal.ALREADY_EXISTS);
        }

        @Test
        void ofATokenInUse_isRefused() {
            given().whileTokenIsInUse().when(createSender(true)).refused(Refusal.TOKEN_IN_USE);
        }

        @Test
        void expiredFromTheStart_ifTheOperatorSaysSo() {
            SiteRequest expired = new SiteRequest.SenderCreationRequested(SITE, NEW_RECORD, "New", TOKEN,
                    Fixtures.SEALED, true, false, expiringAt(NOW.minusSeconds(1)), ADMIN);
            given().when(expired)
                    .then(accepted(NEW_RECORD, ConnectionStatus.EXPIRED), new SiteEvent.SenderCreated(SITE, NEW_RECORD,
                            "New", TOKEN, Fixtures.SEALED, true, false, false, expiringAt(NOW.minusSeconds(1)), ADMIN));
        }
    }

    @Nested
    class Operators {

        @Test
        void unknownRecord_isNotFound() {
            for (SiteRequest request : List.of(approve(UNKNOWN_RECORD), suspend(UNKNOWN_RECORD, null),
                    reactivate(UNKNOWN_RECORD), revoke(UNKNOWN_RECORD, null),
                    new SiteRequest.RemovalRequested(SITE, UNKNOWN_RECORD, ADMIN))) {
                given(registered()).when(request).refused(Refusal.NOT_FOUND);
            }
        }

        @Test
        void workWhileTheModuleIsDisabled() {
            given(registered()).with(ModuleSettings.INITIAL)
                    .when(suspend(RECEIVER, null))
                    .then(accepted(RECEIVER, ConnectionStatus.SUSPENDED), suspended(Direction.RECEIVER, null));
        }

        @Test
        void suspend() {
            given(registered()).when(suspend(RECEIVER, "unpaid"))
                    .then(accepted(RECEIVER, ConnectionStatus.SUSPENDED), suspended(Direction.RECEIVER, "unpaid"));
            given(activeSender()).when(suspend(SENDER, null))
                    .then(accepted(SENDER, ConnectionStatus.SUSPENDED), suspended(Direction.SENDER, null));
        }

        @Test
        void suspend_again_isAFactOnlyWithAnotherReason() {
            given(registered(), suspended(Direction.RECEIVER, "unpaid")).when(suspend(RECEIVER, "unpaid"))
                    .then(accepted(RECEIVER, ConnectionStatus.SUSPENDED));
            given(registered(), suspended(Direction.RECEIVER, "unpaid")).when(suspend(RECEIVER, "abuse"))
                    .then(accepted(RECEIVER, ConnectionStatus.SUSPENDED), suspended(Direction.RECEIVER, "abuse"));
        }

        @Test
        void suspend_ofARevokedOne_leavesItRevoked() {
            given(registered(), revoked(Direction.RECEIVER, null)).when(suspend(RECEIVER, "unpaid"))
                    .then(accepted(RECEIVER, ConnectionStatus.REVOKED));
        }

        @Test
        void suspend_whatThePeerRevoked_saysTheStricter() {
            given(registered(), reported(PeerWish.REVOKED)).when(suspend(RECEIVER, null))
                    .then(accepted(RECEIVER, ConnectionStatus.REVOKED), suspended(Direction.RECEIVER, null));
        }

        @Test
        void revoke() {
            given(registered(), suspended(Direction.RECEIVER, "unpaid")).when(revoke(RECEIVER, "abuse"))
                    .then(accepted(RECEIVER, ConnectionStatus.REVOKED), revoked(Direction.RECEIVER, "abuse"));
            given(registered(), revoked(Direction.RECEIVER, "abuse")).when(revoke(RECEIVER, "abuse"))
                    .then(accepted(RECEIVER, ConnectionStatus.REVOKED));
        }

        @Test
        void reactivate_liftsSuspendedAndRevoked() {
            given(registered(), suspended(Direction.RECEIVER, null)).when(reactivate(RECEIVER))
                    .then(accepted(RECEIVER, ConnectionStatus.ACTIVE), reactivated(Direction.RECEIVER));
            given(activeSender(), revoked(Direction.SENDER, null)).when(reactivate(SENDER))
                    .then(accepted(SENDER, ConnectionStatus.ACTIVE), reactivated(Direction.SENDER));
        }

        @Test
        void reactivate_doesNotAnswerForThePeer() {
            given(registered(), reported(PeerWish.SUSPENDED), suspended(Direction.RECEIVER, null))
                    .when(reactivate(RECEIVER))
                    .then(accepted(RECEIVER, ConnectionStatus.SUSPENDED), reactivated(Direction.RECEIVER));
        }

        @Test
        void reactivate_isNoApproval() {
            given(registered(true)).when(reactivate(RECEIVER)).then(accepted(RECEIVER, ConnectionStatus.PENDING));
        }

        @Test
        void reactivate_nothingToLift() {
            given(registered()).when(reactivate(RECEIVER)).then(accepted(RECEIVER, ConnectionStatus.ACTIVE));
            given(pendingSender()).when(reactivate(SENDER)).then(accepted(SENDER, ConnectionStatus.PENDING));
        }

        @Test
        void approve_whatWaits() {
            given(registered(true)).when(approve(RECEIVER))
                    .then(accepted(RECEIVER, ConnectionStatus.ACTIVE), approved(Direction.RECEIVER));
        }

        @Test
        void approve_standsForTheProofThatAPendingSendersReceiverOwes() {
            given(pendingSender()).when(approve(SENDER))
                    .then(accepted(SENDER, ConnectionStatus.ACTIVE), approved(Direction.SENDER));
            given(senderCreated(false, true, ConnectionSettings.DEFAULTS)).when(approve(SENDER))
                    .then(accepted(SENDER, ConnectionStatus.ACTIVE), approved(Direction.SENDER));
        }

        @Test
        void approve_active_needsNoFact() {
            given(registered()).when(approve(RECEIVER)).then(accepted(RECEIVER, ConnectionStatus.ACTIVE));
        }

        @Test
        void approve_liftsNothingButTheWaiting() {
            given(registered(), suspended(Direction.RECEIVER, null)).when(approve(RECEIVER))
                    .refused(Refusal.NOT_AWAITING_APPROVAL);
            given(registered(), revoked(Direction.RECEIVER, null)).when(approve(RECEIVER))
                    .refused(Refusal.NOT_AWAITING_APPROVAL);
            given(pendingSender(), suspended(Direction.SENDER, null)).when(approve(SENDER))
                    .refused(Refusal.NOT_AWAITING_APPROVAL);
            given(registered(), reported(PeerWish.SUSPENDED)).when(approve(RECEIVER))
                    .refused(Refusal.NOT_AWAITING_APPROVAL);
            given(senderCreated(true, false, expiringAt(NOW))).when(approve(SENDER))
                    .refused(Refusal.NOT_AWAITING_APPROVAL);
        }

        @Test
        void approve_doesNotAnswerForThePeer() {
            given(registered(true), reported(PeerWish.REVOKED)).when(approve(RECEIVER))
                    .then(accepted(RECEIVER, ConnectionStatus.REVOKED), approved(Direction.RECEIVER));
        }

        @Test
        void remove_takesOneDirection() {
            given(registered(), activeSender()).when(new SiteRequest.RemovalRequested(SITE, SENDER, ADMIN))
                    .then(Outcome.Accepted.WITHOUT_RECORD, deleted(ADMIN, Direction.SENDER));
        }

        private SiteRequest approve(UUID uuid) {
            return new SiteRequest.ApprovalRequested(SITE, uuid, ADMIN);
        }

        private SiteRequest suspend(UUID uuid, @Nullable String reason) {
            return new SiteRequest.SuspensionRequested(SITE, uuid, reason, ADMIN);
        }

        private SiteRequest reactivate(UUID uuid) {
            return new SiteRequest.ReactivationRequested(SITE, uuid, ADMIN);
        }

        private SiteRequest revoke(UUID uuid, @Nullable String reason) {
            return new SiteRequest.RevocationRequested(SITE, uuid, reason, ADMIN);
        }
    }

    @Nested
    class Settings {

        @Test
        void whatIsNotNamed_stays() {
            thenSettings(withPassword(7), new SettingsChangeRequested(false, null, false, null, ADMIN),
                    new SettingsChanged(false, IncomingMode.REQUIRE_PASSWORD, PASSWORD, 7, ADMIN));
        }

        @Test
        void anotherPassword_hasAnotherRevision() {
            thenSettings(settings(IncomingMode.AUTO_ACCEPT),
                    new SettingsChangeRequested(null, IncomingMode.REQUIRE_PASSWORD, true, PASSWORD, ADMIN),
                    new SettingsChanged(true, IncomingMode.REQUIRE_PASSWORD, PASSWORD, 1, ADMIN));
        }

        @Test
        void passwordRemoved_hasAnotherRevisionToo() {
            thenSettings(withPassword(7), new SettingsChangeRequested(null, null, true, null, ADMIN),
                    new SettingsChanged(true, IncomingMode.REQUIRE_PASSWORD, null, 8, ADMIN));
        }

        @Test
        void nothingNew_isAcceptedWithoutAFact() {
            thenSettings(withPassword(7),
                    new SettingsChangeRequested(true, IncomingMode.REQUIRE_PASSWORD, true, PASSWORD, ADMIN));
            thenSettings(ModuleSettings.INITIAL, new SettingsChangeRequested(null, null, true, null, ADMIN));
        }

        @Test
        void changed_onlyOnConditionThatNobodyElseWasFaster() {
            SettingsChangeRequested request = new SettingsChangeRequested(false, null, false, null, ADMIN);
            String seen = Version.of(withPassword(7));
            assertThat(ConnectionDecider.decide(withPassword(7), request, seen).events()).hasSize(1);
            assertThat(ConnectionDecider.decide(withPassword(8), request, seen).outcome())
                    .isEqualTo(new Outcome.Refused(Refusal.CHANGED_SINCE));
        }

        private void thenSettings(ModuleSettings before, SettingsRequest request, SettingsEvent... events) {
            Decision<SettingsEvent> decision = ConnectionDecider.decide(before, request, null);
            assertThat(decision.outcome()).isEqualTo(Outcome.Accepted.WITHOUT_RECORD);
            assertThat(decision.events()).containsExactly(events);
        }
    }

    @Nested
    class OperatorTokens {

        private final SettingsRequest ann = new SettingsRequest.OperatorAdditionRequested("ann", OperatorRole.AUDITOR,
                TOKEN, ADMIN);
        private final SettingsEvent annAdded = new SettingsEvent.OperatorAdded("ann", OperatorRole.AUDITOR, TOKEN,
                ADMIN);

        @Test
        void added_andRemoved() {
            assertThat(decide(OPEN, ann).events()).containsExactly(annAdded);
            ModuleSettings with = OPEN.evolve(annAdded, NOW);
            assertThat(with.operator("ann")).contains(
                    new Operator("ann", OperatorRole.AUDITOR, TOKEN, ADMIN, NOW));
            assertThat(with.updatedAt()).as("of the settings alone").isEqualTo(OPEN.updatedAt());
            SettingsEvent removed = new SettingsEvent.OperatorRemoved("ann", ADMIN);
            assertThat(decide(with, new SettingsRequest.OperatorRemovalRequested("ann", ADMIN)).events())
                    .containsExactly(removed);
            assertThat(with.evolve(removed, NOW).operators()).isEmpty();
        }

        @Test
        void refused_twiceUnknownAndTooMany() {
            refused(OPEN.evolve(annAdded, NOW), ann, Refusal.OPERATOR_EXISTS);
            refused(OPEN, new SettingsRequest.OperatorRemovalRequested("ann", ADMIN), Refusal.OPERATOR_UNKNOWN);
            ModuleSettings full = OPEN;
            for (int i = 0; i < ModuleSettings.MAX_OPERATORS; i++) {
                full = full.evolve(new SettingsEvent.OperatorAdded("o" + i, OperatorRole.VIEWER, TOKEN, ADMIN), NOW);
            }
            refused(full, ann, Refusal.TOO_MANY_OPERATORS);
        }

        private static void refused(ModuleSettings settings, SettingsRequest request, Refusal refusal) {
            assertThat(decide(settings, request).outcome()).isEqualTo(new Outcome.Refused(refusal));
        }

        private static Decision<SettingsEvent> decide(ModuleSettings settings, SettingsRequest request) {
            return ConnectionDecider.decide(settings, request, null);
        }
    }

    @Nested
    class ChangesOfASender {

        private final SiteRequest change = new SiteRequest.SenderChangeRequested(SITE, SENDER, "Renamed", true,
                ConnectionSettings.DEFAULTS, ADMIN);

        @Test
        void changed_whole_andOnlyOnce() {
            SiteEvent changed = new SiteEvent.SenderChanged(SITE, SENDER, "Renamed", true, ConnectionSettings.DEFAULTS,
                    ADMIN);
            given(activeSender()).when(change).then(accepted(SENDER, ConnectionStatus.ACTIVE), changed);
            given(activeSender(), changed).when(change).then(accepted(SENDER, ConnectionStatus.ACTIVE));
        }

        @Test
        void receiver_hasNothingToChange() {
            given(registered()).when(new SiteRequest.SenderChangeRequested(SITE, RECEIVER, "n", true,
                    ConnectionSettings.DEFAULTS, ADMIN)).refused(Refusal.NO_SENDER);
            given(registered()).when(rotate(RECEIVER, 60)).refused(Refusal.NO_SENDER);
        }

        @Test
        void asExpected_comparesWhatTheOperatorSaw() {
            Site seen = Site.unknown(SITE).evolve(activeSender(), NOW);
            String version = Version.of(seen.sender(), null);
            assertThat(ConnectionDecider.asExpected(seen, change, version)).isTrue();
            assertThat(ConnectionDecider.asExpected(seen, change, null)).isTrue();
            Site suspended = seen.evolve(suspended(Direction.SENDER, "r"), NOW);
            assertThat(ConnectionDecider.asExpected(suspended, change, version)).isFalse();
            assertThat(ConnectionDecider.asExpected(Site.unknown(SITE), change, version))
                    .as("what is gone is not found")
                    .isTrue();
        }

        @Test
        void rotated_bothTokensAreTakenForAWhile() {
            SiteEvent rotated = new SiteEvent.TokenRotated(SITE, SENDER, OTHER_TOKEN, Fixtures.SEALED,
                    new PreviousToken(TOKEN, NOW.plusSeconds(60)), ADMIN);
            given(activeSender()).when(rotate(SENDER, 60)).then(accepted(SENDER, ConnectionStatus.ACTIVE), rotated);
            Connection.Sender sender = Site.replay(SITE,
                    List.of(new Site.Dated(activeSender(), NOW), new Site.Dated(rotated, NOW))).sender();
            assertThat(sender.takes(TOKEN, NOW.plusSeconds(59))).isTrue();
            assertThat(sender.takes(TOKEN, NOW.plusSeconds(60))).isFalse();
            assertThat(sender.takes(OTHER_TOKEN, NOW)).isTrue();
        }

        @Test
        void rotated_peersMayUseEither() {
            SiteEvent lasting = new SiteEvent.TokenRotated(SITE, SENDER, OTHER_TOKEN, Fixtures.SEALED,
                    new PreviousToken(TOKEN, NOW.plusSeconds(60)), ADMIN);
            SiteEvent past = new SiteEvent.TokenRotated(SITE, SENDER, OTHER_TOKEN, Fixtures.SEALED,
                    new PreviousToken(TOKEN, NOW),
                    ADMIN);
            given(activeSender(), lasting).when(delete())
                    .then(Outcome.Accepted.WITHOUT_RECORD,
                            deleted("peer", Direction.SENDER));
            given(activeSender(), past).when(delete()).refused(Refusal.NOT_FOUND);
            given(pendingSender(), lasting).when(confirm())
                    .then(accepted(SENDER, ConnectionStatus.ACTIVE),
                            confirmed());
            given(pendingSender(), past).when(confirm()).refused(Refusal.NOT_FOUND);
        }

        @Test
        void rotatedAgainWithinTheOverlap_eachTokenIsTakenUntilItsOwnEnd() {
            Instant first = NOW.plusSeconds(40);
            Instant second = NOW.plusSeconds(60);
            SiteEvent toB = rotatedTo(token(1), TOKEN, first);
            SiteEvent toC = rotatedTo(OTHER_TOKEN, token(1), second);
            given(activeSender(), toB).when(rotate(SENDER, 60)).then(accepted(SENDER, ConnectionStatus.ACTIVE), toC);
            Connection.Sender sender = Site.unknown(SITE)
                    .evolve(activeSender(), NOW)
                    .evolve(toB, NOW)
                    .evolve(toC, NOW)
                    .sender();
            for (CredentialFingerprint token : List.of(TOKEN, token(1), OTHER_TOKEN)) {
                assertThat(sender.takes(token, first.minusMillis(1))).isTrue();
            }
            assertThat(sender.takes(TOKEN, first)).isFalse();
            assertThat(sender.takes(token(1), second.minusMillis(1))).isTrue();
            assertThat(sender.takes(token(1), second)).isFalse();
            assertThat(sender.takes(OTHER_TOKEN, second)).isTrue();
        }

        @Test
        void rotatedEveryHalfOverlap_noTokenIsTakenForLongerThanTheOverlap() {
            Duration overlap = Duration.ofDays(1);
            Site site = Site.unknown(SITE).evolve(activeSender(), NOW);
            for (int i = 1; i <= 10; i++) {
                Instant at = NOW.plus(Duration.ofHours(12L * i));
                SiteRequest request = new SiteRequest.TokenRotationRequested(SITE, SENDER, token(i), Fixtures.SEALED,
                        overlap.toSeconds(), ADMIN);
                Decision<SiteEvent> decision = ConnectionDecider.decide(site, OPEN, request, at, false);
                site = site.evolve(decision.events().getFirst(), at);
                for (int given = 1; given <= i; given++) {
                    boolean replacedLessThanADayAgo = given + 2 >= i;
                    assertThat(site.sender().takes(token(given), at)).as("token %s after rotation %s", given, i)
                            .isEqualTo(replacedLessThanADayAgo);
                }
            }
            assertThat(site.sender().previousTokens()).as("those that have ended are forgotten").hasSize(2);
        }

        @Test
        void rotatedWithoutOverlap_endsAllTokensBefore() {
            SiteEvent toB = rotatedTo(token(1), TOKEN, NOW.plusSeconds(40));
            SiteEvent toC = rotatedTo(OTHER_TOKEN, token(1), NOW);
            given(activeSender(), toB).when(rotate(SENDER, 0)).then(accepted(SENDER, ConnectionStatus.ACTIVE), toC);
            Connection.Sender sender = Site.unknown(SITE)
                    .evolve(activeSender(), NOW)
                    .evolve(toB, NOW)
                    .evolve(toC, NOW)
                    .sender();
            assertThat(sender.takes(TOKEN, NOW)).isFalse();
            assertThat(sender.takes(token(1), NOW)).isFalse();
            assertThat(sender.takes(OTHER_TOKEN, NOW)).isTrue();
        }

        @Test
        void rotatedMoreOftenThanTokensAreKept_refusedUntilOneHasEnded_orWithoutOverlap() {
            List<SiteEvent> events = new ArrayList<>(List.of(activeSender()));
            CredentialFingerprint present = TOKEN;
            for (int i = 1; i <= Connection.Sender.MOST_PREVIOUS_TOKENS; i++) {
                events.add(rotatedTo(token(i), present, NOW.plusSeconds(i)));
                present = token(i);
            }
            given(events.toArray(SiteEvent[]::new)).when(rotate(SENDER, 60)).refused(Refusal.TOO_MANY_TOKENS);
            given(events.toArray(SiteEvent[]::new)).when(rotate(SENDER, 0))
                    .then(accepted(SENDER, ConnectionStatus.ACTIVE), rotatedTo(OTHER_TOKEN, present, NOW));
            events.set(1, rotatedTo(token(1), TOKEN, NOW));
            given(events.toArray(SiteEvent[]::new)).when(rotate(SENDER, 60))
                    .then(accepted(SENDER, ConnectionStatus.ACTIVE),
                            rotatedTo(OTHER_TOKEN, present, NOW.plusSeconds(60)));
        }

        @Test
        void rotationsOfOlderVersions_foldAsTheyWereMeant() {
            SiteEvent toB = rotatedTo(token(1), TOKEN, NOW.plusSeconds(40));
            SiteEvent toCKeepingA = rotatedTo(OTHER_TOKEN, TOKEN, NOW.plusSeconds(60));
            Connection.Sender sender = Site.unknown(SITE)
                    .evolve(activeSender(), NOW)
                    .evolve(toB, NOW)
                    .evolve(toCKeepingA, NOW)
                    .sender();
            assertThat(sender.previousTokens()).containsExactly(new PreviousToken(TOKEN, NOW.plusSeconds(60)));
            assertThat(sender.takes(token(1), NOW)).isFalse();
        }

        @Test
        void rotated_toNobodyElsesToken() {
            given(activeSender()).whileTokenIsInUse().when(rotate(SENDER, 60)).refused(Refusal.TOKEN_IN_USE);
        }

        private static CredentialFingerprint token(int number) {
            return new CredentialFingerprint("%064x".formatted(number));
        }

        private static SiteEvent rotatedTo(CredentialFingerprint token, CredentialFingerprint before, Instant until) {
            return new SiteEvent.TokenRotated(SITE, SENDER, token, Fixtures.SEALED, new PreviousToken(before, until),
                    ADMIN);
        }

        private static SiteRequest rotate(UUID record, long overlapSeconds) {
            return new SiteRequest.TokenRotationRequested(SITE, record, OTHER_TOKEN, Fixtures.SEALED, overlapSeconds,
                    ADMIN);
        }
    }

    // ---- given, when, then

    private static Given given(SiteEvent... events) {
        return new Given(List.of(events), OPEN, false);
    }

    private record Given(List<SiteEvent> events, ModuleSettings settings, boolean tokenInUse) {

        Given with(ModuleSettings others) {
            return new Given(events, others, tokenInUse);
        }

        Given whileTokenIsInUse() {
            return new Given(events, settings, true);
        }

        Then when(SiteRequest request) {
            Site site = Site.replay(SITE,
                    events.stream().map(event -> new Site.Dated(event, NOW.minusSeconds(60))).toList());
            Decision<SiteEvent> decision = ConnectionDecider.decide(site, settings, request, NOW, tokenInUse);
            // Whatever is decided can happen, and a takeover that has the event alone finds the same outcome.
            for (SiteEvent event : decision.events()) {
                assertThat(ConnectionDecider.outcomeOf(event, site.evolve(event, NOW), NOW))
                        .isEqualTo(decision.outcome());
            }
            return new Then(decision);
        }
    }

    private record Then(Decision<SiteEvent> decision) {

        void then(Outcome outcome, SiteEvent... events) {
            assertThat(decision.events()).containsExactly(events);
            assertThat(decision.outcome()).isEqualTo(outcome);
        }

        void refused(Refusal refusal) {
            then(new Outcome.Refused(refusal));
        }
    }

    private static Outcome accepted(UUID uuid, ConnectionStatus status) {
        return new Outcome.Accepted(uuid, status);
    }

    private static SiteEvent registration(boolean awaitingApproval) {
        SiteRequest.RegistrationRequested request = register();
        return new SiteEvent.ConnectionRegistered(SITE, NEW_RECORD, "From: New", TOKEN, request.sealedToken(),
                awaitingApproval, "api", request.remoteIp(), request.userAgent());
    }

    private static SiteEvent creation(boolean confirmed, boolean awaitingApproval) {
        return new SiteEvent.SenderCreated(SITE, NEW_RECORD, "New", TOKEN, Fixtures.SEALED, confirmed,
                awaitingApproval, false, ConnectionSettings.DEFAULTS, ADMIN);
    }

    private static ConnectionSettings expiringAt(Instant at) {
        return new ConnectionSettings(10, null, null, List.of(), List.of(), List.of(), null, null, null,
                ApprovalMode.AUTO_APPROVE, List.of(), 10, at);
    }
}
