package io.syncline.gateway.connection;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.syncline.gateway.dispatch.Submission;
import io.syncline.gateway.http.PeerAnswer;
import io.syncline.gateway.http.PeerRefusal;
import io.syncline.model.connection.ConnectionStatus;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.SealedSecret;
import java.time.Duration;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Calls into requests, outcomes into answers. */
final class ConnectionTranslator {

    /** The header is anybody's to fill; more of it than this says nothing about a peer. */
    private static final int MAX_USER_AGENT = 255;
    private static final Duration SOON = Duration.ofSeconds(1);

    private ConnectionTranslator() {}

    private record Status(boolean enabled, IncomingMode incomingMode, boolean passwordRequired) {}

    private record Registered(
            boolean success,
            String message,
            ConnectionStatus connectionStatus,
            UUID connectionUuid) {}

    private record Exists(boolean success, boolean exists) {}

    private record Message(boolean success, String message) {}

    @JsonInclude(JsonInclude.Include.ALWAYS)
    private record StatusOf(boolean success, ConnectionStatus status, String name) {}

    static PeerAnswer status(ModuleSettings settings) {
        return PeerAnswer.ok(new Status(settings.enabled(), settings.incomingMode(),
                settings.incomingMode() == IncomingMode.REQUIRE_PASSWORD));
    }

    static PeerAnswer exists() {
        return PeerAnswer.ok(new Exists(true, true));
    }

    static PeerAnswer statusOf(ConnectionStatus status, String name) {
        return PeerAnswer.ok(new StatusOf(true, status, name));
    }

    /**
     * @param passwordRevision the revision of the password that the call's was found equal to, or null
     */
    static SiteRequest.RegistrationRequested registration(Admission.Registration call, UUID connectionUuid,
            CredentialFingerprint fingerprint, SealedSecret sealedToken, @Nullable Long passwordRevision,
            String remoteAddress, @Nullable String userAgent) {
        return new SiteRequest.RegistrationRequested(call.sender(), connectionUuid, call.connectionName(), fingerprint,
                sealedToken, passwordRevision, remoteAddress, userAgent == null ? null : shortened(userAgent));
    }

    static SiteRequest.StatusChangeRequested statusChange(Admission.StatusUpdate call,
            CredentialFingerprint fingerprint) {
        return new SiteRequest.StatusChangeRequested(call.sender(), fingerprint, call.wish());
    }

    static PeerAnswer registered(Submission submission) {
        return decided(submission, accepted -> {
            UUID uuid = accepted.connectionUuid();
            ConnectionStatus status = accepted.status();
            if (uuid == null || status == null) {
                throw new IllegalStateException("a registration was accepted without a record");
            }
            String message = status == ConnectionStatus.ACTIVE ? "Connection registered and activated"
                    : "Connection registered and awaiting approval";
            return PeerAnswer.ok(new Registered(true, message, status, uuid));
        });
    }

    static PeerAnswer statusUpdated(Submission submission) {
        return decided(submission, accepted -> {
            ConnectionStatus status = accepted.status();
            if (status == null) {
                throw new IllegalStateException("a change of status was accepted without a record");
            }
            return PeerAnswer.ok(new Message(true, "Status updated to " + status.word()));
        });
    }

    static PeerAnswer deleted(Submission submission) {
        return decided(submission, accepted -> PeerAnswer.ok(new Message(true, "Connection deleted")));
    }

    static PeerAnswer confirmed(Submission submission, String name) {
        return decided(submission, accepted -> {
            ConnectionStatus status = accepted.status();
            if (status == null) {
                throw new IllegalStateException("a confirmation was accepted without a record");
            }
            return statusOf(status, name);
        });
    }

    private static PeerAnswer decided(Submission submission, Function<Outcome.Accepted, PeerAnswer> answer) {
        return switch (submission) {
            case Submission.Decided(Outcome.Accepted accepted) -> answer.apply(accepted);
            case Submission.Decided(Outcome.Granted granted) -> throw notAsked(granted);
            case Submission.Decided(Outcome.AwaitingApproval awaiting) -> throw notAsked(awaiting);
            case Submission.Decided(Outcome.Refused(var refusal)) ->
                    PeerAnswer.refused(new PeerRefusal.Refused(refusal));
            case Submission.NotApplied notApplied -> unavailable(
                    "The request was not applied: " + notApplied.why() + "; try again later");
            case Submission.NotKnown notKnown -> unavailable("It is not known whether the request was applied:"
                    + " ask verify-connection before you try again");
            case Submission.Busy busy -> unavailable(
                    "The request was not applied: too many requests are waiting for an answer; try again later");
        };
    }

    private static IllegalStateException notAsked(Outcome outcome) {
        return new IllegalStateException("nobody asked for " + outcome);
    }

    static PeerAnswer unavailable(String sentence) {
        return PeerAnswer.refused(new PeerRefusal.Unavailable(sentence, SOON));
    }

    /** Header bytes come as Latin-1, so there is neither a NUL nor half of a pair in them; only the length is bounded. */
    private static String shortened(String userAgent) {
        return userAgent.length() <= MAX_USER_AGENT ? userAgent : userAgent.substring(0, MAX_USER_AGENT);
    }
}
