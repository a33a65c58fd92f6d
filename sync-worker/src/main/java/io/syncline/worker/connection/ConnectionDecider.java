package io.syncline.worker.connection;

import io.syncline.model.connection.Connection;
import io.syncline.model.connection.ConnectionStatus;
import io.syncline.model.connection.Direction;
import io.syncline.model.connection.Imposition;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.PreviousToken;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.SettingsChangeRequested;
import io.syncline.model.connection.SettingsChanged;
import io.syncline.model.connection.SettingsEvent;
import io.syncline.model.connection.SettingsRequest;
import io.syncline.model.connection.Site;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteEvent.Deleted;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.PasswordHash;
import io.syncline.model.log.Version;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** May this happen? Pure: the state and the time are arguments, the answer is an outcome and the fact that made it true. */
final class ConnectionDecider {

    /** Who takes a connection back by {@code delete-connection}. */
    static final String PEER = "peer";
    private static final String REGISTERED_VIA_API = "api";
    private static final String NAME_PREFIX = "From: ";

    private ConnectionDecider() {}

    /**
     * @param tokenInUse whether a sender record of any site has the fingerprint that this request brings
     */
    static Decision<SiteEvent> decide(Site site, ModuleSettings settings, SiteRequest request, Instant now,
            boolean tokenInUse) {
        if (fromPeer(request) && !settings.enabled()) {
            return Decision.refused(Refusal.MODULE_DISABLED);
        }
        return switch (request) {
            case SiteRequest.OfPulls r -> PullDecider.decide(site, r, now);
            case SiteRequest.RegistrationRequested r -> register(site, settings, r, now);
            case SiteRequest.StatusChangeRequested r -> changeStatus(site, r, now);
            case SiteRequest.DeletionRequested r -> delete(site, r, now);
            case SiteRequest.ConfirmationRequested r -> confirm(site, r, now);
            case SiteRequest.SenderCreationRequested r -> createSender(site, r, now, tokenInUse);
            case SiteRequest.SenderChangeRequested r -> withSender(site, r.connectionUuid(),
                    sender -> change(site, sender, r, now));
            case SiteRequest.TokenRotationRequested r -> withSender(site, r.connectionUuid(),
                    sender -> tokenInUse ? Decision.refused(Refusal.TOKEN_IN_USE) : rotate(site, sender, r, now));
            case SiteRequest.ApprovalRequested r -> withRecord(site, r.connectionUuid(),
                    record -> approve(site, record, r, now));
            case SiteRequest.SuspensionRequested r -> withRecord(site, r.connectionUuid(),
                    record -> suspend(site, record, r, now));
            case SiteRequest.ReactivationRequested r -> withRecord(site, r.connectionUuid(),
                    record -> reactivate(site, record, r, now));
            case SiteRequest.RevocationRequested r -> withRecord(site, r.connectionUuid(),
                    record -> revoke(site, record, r, now));
            case SiteRequest.RemovalRequested r -> withRecord(site, r.connectionUuid(),
                    record -> happened(site,
                            new SiteEvent.ConnectionDeleted(site.url(),
                                    List.of(new Deleted(record.direction(), record.uuid())), r.by()),
                            now));
        };
    }

    /** Whether what a request is about still is what its sender saw. */
    static boolean asExpected(Site site, SiteRequest request, @Nullable String expected) {
        if (expected == null) {
            return true;
        }
        Optional<String> version = switch (request) {
            case SiteRequest.OfOperator change -> site.connection(change.connectionUuid())
                    .map(record -> Version.of(record, site.imposition(record.direction()).orElse(null)));
            case SiteRequest.TransferDecisionRequested word ->
                    site.pulls().approval(word.transfer()).map(Version::of);
            case SiteRequest other -> Optional.empty();
        };
        return version.map(expected::equals).orElse(true);
    }

    static Decision<SettingsEvent> decide(ModuleSettings settings, SettingsRequest request, @Nullable String expected) {
        return switch (request) {
            case SettingsChangeRequested r -> expected == null || Version.of(settings).equals(expected)
                    ? change(settings, r)
                    : Decision.refused(Refusal.CHANGED_SINCE);
            case SettingsRequest.OperatorAdditionRequested r -> addOperator(settings, r);
            case SettingsRequest.OperatorRemovalRequested r -> settings.operator(r.name()).isEmpty()
                    ? Decision.refused(Refusal.OPERATOR_UNKNOWN)
                    : happened(new SettingsEvent.OperatorRemoved(r.name(), r.by()));
        };
    }

    private static Decision<SettingsEvent> addOperator(ModuleSettings settings,
            SettingsRequest.OperatorAdditionRequested request) {
        if (settings.operator(request.name()).isPresent()) {
            return Decision.refused(Refusal.OPERATOR_EXISTS);
        }
        if (settings.operators().size() >= ModuleSettings.MAX_OPERATORS) {
            return Decision.refused(Refusal.TOO_MANY_OPERATORS);
        }
        return happened(new SettingsEvent.OperatorAdded(request.name(), request.role(), request.fingerprint(),
                request.by()));
    }

    private static Decision<SettingsEvent> happened(SettingsEvent event) {
        return new Decision<>(Outcome.Accepted.WITHOUT_RECORD, List.of(event));
    }

    private static Decision<SettingsEvent> change(ModuleSettings settings, SettingsChangeRequested request) {
        boolean enabled = Objects.requireNonNullElse(request.enabled(), settings.enabled());
        IncomingMode mode = Objects.requireNonNullElse(request.incomingMode(), settings.incomingMode());
        PasswordHash password = request.changePassword() ? request.incomingPassword() : settings.incomingPassword();
        boolean passwordChanged = !Objects.equals(password, settings.incomingPassword());
        if (enabled == settings.enabled() && mode == settings.incomingMode() && !passwordChanged) {
            return Decision.nothingNew(Outcome.Accepted.WITHOUT_RECORD);
        }
        long revision = settings.passwordRevision() + (passwordChanged ? 1 : 0);
        return happened(new SettingsChanged(enabled, mode, password, revision, request.by()));
    }

    /**
     * The outcome that an event was decided with, found from the event alone: a takeover that rolls the database forward
     * has nothing else.
     *
     * @param after the site after the event
     */
    static Outcome outcomeOf(SiteEvent event, Site after, Instant at) {
        return switch (event) {
            case SiteEvent.OfPulls e -> PullDecider.outcomeOf(e);
            case SiteEvent.ConnectionRegistered e -> accepted(after, e.connectionUuid(), at);
            case SiteEvent.SenderCreated e -> accepted(after, e.connectionUuid(), at);
            case SiteEvent.SenderChanged e -> accepted(after, e.connectionUuid(), at);
            case SiteEvent.TokenRotated e -> accepted(after, e.connectionUuid(), at);
            case SiteEvent.SenderConfirmed e -> accepted(after, e.connectionUuid(), at);
            case SiteEvent.PeerStatusReported e -> accepted(after, e.connectionUuid(), at);
            case SiteEvent.ConnectionApproved e -> accepted(after, e.connectionUuid(), at);
            case SiteEvent.ConnectionSuspended e -> accepted(after, e.connectionUuid(), at);
            case SiteEvent.ConnectionReactivated e -> accepted(after, e.connectionUuid(), at);
            case SiteEvent.ConnectionRevoked e -> accepted(after, e.connectionUuid(), at);
            case SiteEvent.ConnectionDeleted _ -> Outcome.Accepted.WITHOUT_RECORD;
        };
    }

    /** The fingerprint that a request wants for a sender record: no other sender record may have it. */
    static Optional<CredentialFingerprint> claimedToken(SiteRequest request) {
        return switch (request) {
            case SiteRequest.SenderCreationRequested creation -> Optional.of(creation.fingerprint());
            case SiteRequest.TokenRotationRequested rotation -> Optional.of(rotation.fingerprint());
            case SiteRequest other -> Optional.empty();
        };
    }

    private static boolean fromPeer(SiteRequest request) {
        return switch (request) {
            case SiteRequest.OfPeer r -> true;
            case SiteRequest.OfOperator r -> false;
            case SiteRequest.OfPulls r -> PullDecider.asks(r);
        };
    }

    private static Decision<SiteEvent> register(Site site, ModuleSettings settings,
            SiteRequest.RegistrationRequested request, Instant now) {
        Optional<Refusal> notAdmitted = notAdmitted(settings, request.passwordRevision());
        if (notAdmitted.isPresent()) {
            return Decision.refused(notAdmitted.get());
        }
        if (site.receiver() != null) {
            return Decision.refused(Refusal.ALREADY_EXISTS);
        }
        // Whatever our operator imposed on this site outlived the record that it was imposed on: a peer that deletes its
        // record and registers again comes back waiting, in every mode.
        boolean waits = settings.incomingMode() == IncomingMode.REQUIRE_APPROVAL
                || site.imposition(Direction.RECEIVER).isPresent();
        return happened(site, new SiteEvent.ConnectionRegistered(site.url(), request.connectionUuid(),
                NAME_PREFIX + request.name(), request.fingerprint(), request.sealedToken(), waits, REGISTERED_VIA_API,
                request.remoteIp(), request.userAgent()), now);
    }

    /** The gateway compared the password; it is compared with the one stored <em>now</em> only if the revision is still this. */
    private static Optional<Refusal> notAdmitted(ModuleSettings settings, @Nullable Long passwordRevision) {
        return switch (settings.incomingMode()) {
            case DENY_ALL -> Optional.of(Refusal.INCOMING_DENIED);
            case REQUIRE_PASSWORD -> {
                if (settings.incomingPassword() == null || passwordRevision == null) {
                    yield Optional.of(Refusal.PASSWORD_REQUIRED);
                }
                yield passwordRevision == settings.passwordRevision() ? Optional.empty()
                        : Optional.of(Refusal.PASSWORD_INVALID);
            }
            case AUTO_ACCEPT, REQUIRE_APPROVAL -> Optional.empty();
        };
    }

    private static Decision<SiteEvent> changeStatus(Site site, SiteRequest.StatusChangeRequested request,
            Instant now) {
        Connection.Receiver receiver = site.receiver();
        if (receiver == null || !receiver.fingerprint().equals(request.fingerprint())) {
            return Decision.refused(Refusal.NOT_FOUND);
        }
        if (receiver.wish() == request.status()) {
            return Decision.nothingNew(accepted(site, receiver.uuid(), now));
        }
        return happened(site, new SiteEvent.PeerStatusReported(site.url(), receiver.uuid(), request.status()), now);
    }

    private static Decision<SiteEvent> delete(Site site, SiteRequest.DeletionRequested request, Instant now) {
        List<Deleted> matching = site.records()
                .stream()
                .filter(record -> record.takes(request.fingerprint(), now))
                .map(record -> new Deleted(record.direction(), record.uuid()))
                .toList();
        return matching.isEmpty() ? Decision.refused(Refusal.NOT_FOUND)
                : happened(site, new SiteEvent.ConnectionDeleted(site.url(), matching, PEER), now);
    }

    private static Decision<SiteEvent> confirm(Site site, SiteRequest.ConfirmationRequested request, Instant now) {
        Connection.Sender sender = site.sender();
        if (sender == null || !sender.takes(request.fingerprint(), now)) {
            return Decision.refused(Refusal.NOT_FOUND);
        }
        // Only what is pending is confirmed: one that is expired, suspended or revoked says so, and is asked again when
        // that has ended.
        if (sender.confirmed() || site.status(sender, now) != ConnectionStatus.PENDING) {
            return Decision.nothingNew(accepted(site, sender.uuid(), now));
        }
        return happened(site, new SiteEvent.SenderConfirmed(site.url(), sender.uuid()), now);
    }

    private static Decision<SiteEvent> createSender(Site site, SiteRequest.SenderCreationRequested request,
            Instant now, boolean tokenInUse) {
        if (site.sender() != null) {
            return Decision.refused(Refusal.ALREADY_EXISTS);
        }
        if (tokenInUse) {
            return Decision.refused(Refusal.TOKEN_IN_USE);
        }
        // "Active" is our operator's own word, later than what was imposed before: it lifts that.
        boolean waits = !request.active() && site.imposition(Direction.SENDER).isPresent();
        return happened(site, new SiteEvent.SenderCreated(site.url(), request.connectionUuid(), request.name(),
                request.fingerprint(), request.sealedToken(), request.active(), waits, request.notifyPeer(),
                request.settings(), request.by()), now);
    }

    private static Decision<SiteEvent> change(Site site, Connection.Sender sender,
            SiteRequest.SenderChangeRequested request, Instant now) {
        boolean same = sender.name().equals(request.name()) && sender.notifyPeer() == request.notifyPeer()
                && sender.settings().equals(request.settings());
        return same ? Decision.nothingNew(accepted(site, sender.uuid(), now))
                : happened(site, new SiteEvent.SenderChanged(site.url(), sender.uuid(), request.name(),
                        request.notifyPeer(), request.settings(), request.by()), now);
    }

    /**
     * The answer with a new token may get lost, so the ones before are taken as long as was said when they were replaced,
     * whatever is rotated meanwhile.
     */
    private static Decision<SiteEvent> rotate(Site site, Connection.Sender sender,
            SiteRequest.TokenRotationRequested request, Instant now) {
        if (request.overlapSeconds() > 0
                && sender.previousTokensTaken(now).count() >= Connection.Sender.MOST_PREVIOUS_TOKENS) {
            return Decision.refused(Refusal.TOO_MANY_TOKENS);
        }
        PreviousToken replaced = new PreviousToken(sender.fingerprint(), now.plusSeconds(request.overlapSeconds()));
        return happened(site, new SiteEvent.TokenRotated(site.url(), sender.uuid(), request.fingerprint(),
                request.sealedToken(), replaced, request.by()), now);
    }

    private static Decision<SiteEvent> approve(Site site, Connection record, SiteRequest.ApprovalRequested request,
            Instant now) {
        Optional<Imposition.Kind> imposed = site.imposition(record.direction()).map(Imposition::kind);
        boolean unconfirmed = record instanceof Connection.Sender sender && !sender.confirmed();
        boolean waits = imposed.map(kind -> kind == Imposition.Kind.AWAITING_APPROVAL).orElse(unconfirmed);
        if (waits) {
            return happened(site, new SiteEvent.ConnectionApproved(site.url(), record.direction(), record.uuid(),
                    request.by()), now);
        }
        return site.status(record, now) == ConnectionStatus.ACTIVE
                ? Decision.nothingNew(accepted(site, record.uuid(), now))
                : Decision.refused(Refusal.NOT_AWAITING_APPROVAL);
    }

    private static Decision<SiteEvent> suspend(Site site, Connection record, SiteRequest.SuspensionRequested request,
            Instant now) {
        Optional<Imposition> imposed = site.imposition(record.direction());
        // Revoked is stricter: who asks that a connection be of no use finds that it is, and is told the status in force.
        // To weaken it takes the word for that: reactivate, then suspend.
        if (is(imposed, Imposition.Kind.REVOKED)
                || (is(imposed, Imposition.Kind.SUSPENDED) && sameReason(imposed, request.reason()))) {
            return Decision.nothingNew(accepted(site, record.uuid(), now));
        }
        return happened(site, new SiteEvent.ConnectionSuspended(site.url(), record.direction(), record.uuid(),
                request.reason(), request.by()), now);
    }

    private static Decision<SiteEvent> revoke(Site site, Connection record, SiteRequest.RevocationRequested request,
            Instant now) {
        Optional<Imposition> imposed = site.imposition(record.direction());
        if (is(imposed, Imposition.Kind.REVOKED) && sameReason(imposed, request.reason())) {
            return Decision.nothingNew(accepted(site, record.uuid(), now));
        }
        return happened(site, new SiteEvent.ConnectionRevoked(site.url(), record.direction(), record.uuid(),
                request.reason(), request.by()), now);
    }

    private static Decision<SiteEvent> reactivate(Site site, Connection record,
            SiteRequest.ReactivationRequested request, Instant now) {
        Optional<Imposition> imposed = site.imposition(record.direction());
        if (is(imposed, Imposition.Kind.SUSPENDED) || is(imposed, Imposition.Kind.REVOKED)) {
            return happened(site, new SiteEvent.ConnectionReactivated(site.url(), record.direction(), record.uuid(),
                    request.by()), now);
        }
        return Decision.nothingNew(accepted(site, record.uuid(), now));
    }

    private static boolean is(Optional<Imposition> imposed, Imposition.Kind kind) {
        return imposed.filter(imposition -> imposition.kind() == kind).isPresent();
    }

    private static boolean sameReason(Optional<Imposition> imposed, @Nullable String reason) {
        return imposed.filter(imposition -> Objects.equals(imposition.reason(), reason)).isPresent();
    }

    private static Decision<SiteEvent> withRecord(Site site, UUID uuid,
            Function<Connection, Decision<SiteEvent>> decide) {
        return site.connection(uuid).map(decide).orElseGet(() -> Decision.refused(Refusal.NOT_FOUND));
    }

    private static Decision<SiteEvent> withSender(Site site, UUID uuid,
            Function<Connection.Sender, Decision<SiteEvent>> decide) {
        return withRecord(site, uuid, record -> switch (record) {
            case Connection.Sender sender -> decide.apply(sender);
            case Connection.Receiver receiver -> Decision.refused(Refusal.NO_SENDER);
        });
    }

    private static Decision<SiteEvent> happened(Site site, SiteEvent event, Instant now) {
        return new Decision<>(outcomeOf(event, site.evolve(event, now), now), List.of(event));
    }

    private static Outcome accepted(Site site, UUID uuid, Instant at) {
        return site.connection(uuid)
                .<Outcome>map(record -> new Outcome.Accepted(uuid, site.status(record, at)))
                .orElse(Outcome.Accepted.WITHOUT_RECORD);
    }
}
