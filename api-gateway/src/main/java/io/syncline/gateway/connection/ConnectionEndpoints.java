package io.syncline.gateway.connection;

import io.syncline.gateway.dispatch.RequestDispatcher;
import io.syncline.gateway.dispatch.Submission;
import io.syncline.gateway.http.PeerAnswer;
import io.syncline.gateway.http.PeerCall;
import io.syncline.gateway.http.PeerRefusal;
import io.syncline.model.connection.ConnectionStatus;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.credential.PasswordHash;
import io.syncline.model.credential.TokenHash;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.util.UUID;
import java.util.function.Supplier;

/** The calls by which peers ask for, look at and end connections. */
public final class ConnectionEndpoints {

    private static final PeerAnswer DISABLED = PeerAnswer.refused(
            new PeerRefusal.Refused(Refusal.MODULE_DISABLED));

    private final ConnectionReads reads;
    private final RequestDispatcher ring;
    private final CredentialKeys keys;
    private final Passwords passwords;
    private final SecureRandom random;
    private final Supplier<UUID> ids;

    public ConnectionEndpoints(ConnectionReads reads, RequestDispatcher ring, CredentialKeys keys, Passwords passwords,
            SecureRandom random, Supplier<UUID> ids) {
        this.reads = reads;
        this.ring = ring;
        this.keys = keys;
        this.passwords = passwords;
        this.random = random;
        this.ids = ids;
    }

    public PeerAnswer status(PeerCall call) throws SQLException {
        return ConnectionTranslator.status(reads.settings());
    }

    public PeerAnswer register(PeerCall call) throws SQLException {
        ModuleSettings settings = reads.settings();
        return switch (Admission.registration(settings, call.body())) {
            case Admission.Verdict.Refused(PeerRefusal refusal) -> PeerAnswer.refused(refusal);
            case Admission.Verdict.Admitted(Admission.Registration registration) ->
                    register(call, settings, registration);
        };
    }

    private PeerAnswer register(PeerCall call, ModuleSettings settings, Admission.Registration registration) {
        PasswordHash stored = registration.passwordToCompare();
        if (stored == null) {
            return send(call, registration, null);
        }
        return switch (passwords.compare(registration.password(), stored)) {
            case SAME -> send(call, registration, settings.passwordRevision());
            case DIFFERENT -> PeerAnswer.refused(new PeerRefusal.Refused(Refusal.PASSWORD_INVALID));
            case BUSY -> ConnectionTranslator.unavailable(
                    "The request was not applied: too many passwords are being checked; try again later");
        };
    }

    private PeerAnswer send(PeerCall call, Admission.Registration registration,
            @org.jspecify.annotations.Nullable Long passwordRevision) {
        String token = registration.token().text();
        return ConnectionTranslator.registered(ring.submit(call.id(),
                ConnectionTranslator.registration(registration, ids.get(), fingerprint(registration.token().hash()),
                        keys.seal(token, random), passwordRevision, call.remoteAddress(),
                        call.userAgent().orElse(null))));
    }

    /** Settings and record in one round trip: this and {@link #connectionStatus} are what peers ask all the time. */
    public PeerAnswer verify(PeerCall call) throws SQLException {
        return switch (Admission.reference(call.body())) {
            case Admission.Verdict.Refused(PeerRefusal refusal) -> disabledOr(refusal);
            case Admission.Verdict.Admitted(Admission.Reference reference) -> {
                ConnectionReads.Existence found = reads.existence(reference.site(), fingerprint(reference.hash()));
                if (!found.enabled()) {
                    yield DISABLED;
                }
                yield found.exists() ? ConnectionTranslator.exists()
                        : PeerAnswer.refused(PeerRefusal.Known.NOTHING_EXISTS);
            }
        };
    }

    public PeerAnswer updateStatus(PeerCall call) throws SQLException {
        if (!reads.enabled()) {
            return DISABLED;
        }
        return switch (Admission.statusUpdate(call.body())) {
            case Admission.Verdict.Refused(PeerRefusal refusal) -> PeerAnswer.refused(refusal);
            case Admission.Verdict.Admitted(Admission.StatusUpdate update) -> ConnectionTranslator.statusUpdated(
                    ring.submit(call.id(), ConnectionTranslator.statusChange(update, fingerprint(update.hash()))));
        };
    }

    public PeerAnswer delete(PeerCall call) throws SQLException {
        if (!reads.enabled()) {
            return DISABLED;
        }
        return switch (Admission.reference(call.body())) {
            case Admission.Verdict.Refused(PeerRefusal refusal) -> PeerAnswer.refused(refusal);
            case Admission.Verdict.Admitted(Admission.Reference reference) -> ConnectionTranslator.deleted(
                    ring.submit(call.id(),
                            new SiteRequest.DeletionRequested(reference.site(), fingerprint(reference.hash()))));
        };
    }

    public PeerAnswer connectionStatus(PeerCall call) throws SQLException {
        return switch (Admission.receiver(call.body())) {
            case Admission.Verdict.Refused(PeerRefusal refusal) -> disabledOr(refusal);
            case Admission.Verdict.Admitted(TokenHash hash) -> {
                CredentialFingerprint fingerprint = fingerprint(hash);
                ConnectionReads.EnabledAndStanding found = reads.enabledAndStanding(fingerprint);
                if (!found.enabled()) {
                    yield DISABLED;
                }
                yield found.standing()
                        .map(standing -> connectionStatus(call, fingerprint, standing))
                        .orElseGet(() -> PeerAnswer.refused(new PeerRefusal.Refused(Refusal.NOT_FOUND)));
            }
        };
    }

    private PeerAnswer connectionStatus(PeerCall call, CredentialFingerprint fingerprint,
            ConnectionReads.Standing standing) {
        boolean confirms = !standing.confirmed() && standing.status() == ConnectionStatus.PENDING;
        if (!confirms) {
            return ConnectionTranslator.statusOf(standing.status(), standing.name());
        }
        Submission submission = ring.submit(call.id(),
                new SiteRequest.ConfirmationRequested(standing.site(), fingerprint));
        return ConnectionTranslator.confirmed(submission, standing.name());
    }

    /** Disabled comes before anything that is wrong with the fields; only who gets those wrong pays for asking. */
    private PeerAnswer disabledOr(PeerRefusal refusal) throws SQLException {
        return reads.enabled() ? PeerAnswer.refused(refusal) : DISABLED;
    }

    private CredentialFingerprint fingerprint(TokenHash hash) {
        return keys.fingerprint(hash);
    }
}
