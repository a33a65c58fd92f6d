package io.syncline.model.connection;

import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.SealedSecret;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A request about one site's connections. Credentials are in their protected form before a request is made. */
public sealed interface SiteRequest extends Request {

    SiteUrl siteUrl();

    @Override
    default String key() {
        return siteUrl().text();
    }

    /** What a peer asks for: nothing of it is done while the module is disabled. */
    sealed interface OfPeer extends SiteRequest permits RegistrationRequested, StatusChangeRequested, DeletionRequested,
            ConfirmationRequested {}

    /** What an operator asks for. */
    sealed interface OfOperator extends SiteRequest permits SenderCreationRequested, SenderChangeRequested,
            TokenRotationRequested, ApprovalRequested, SuspensionRequested, ReactivationRequested, RevocationRequested,
            RemovalRequested {

        /** The record that it is about; a new one, where it asks for one. */
        UUID connectionUuid();

        /** Who asks. */
        String by();
    }

    /**
     * A sender's site registers with us ({@code register-connection}).
     *
     * @param connectionUuid   the UUID v7 that the record gets, if one is made
     * @param passwordRevision the revision of the incoming password that the peer gave and the gateway verified, or null
     */
    record RegistrationRequested(
            SiteUrl siteUrl,
            UUID connectionUuid,
            String name,
            CredentialFingerprint fingerprint,
            SealedSecret sealedToken,
            @Nullable Long passwordRevision,
            String remoteIp,
            @Nullable String userAgent)
            implements
            OfPeer {}

    /** A sender's site tells us what it decided ({@code update-status}); receiver records only. */
    record StatusChangeRequested(SiteUrl siteUrl, CredentialFingerprint fingerprint, PeerWish status)
            implements
            OfPeer {}

    /** A peer takes its connection back ({@code delete-connection}); either direction, or both. */
    record DeletionRequested(SiteUrl siteUrl, CredentialFingerprint fingerprint) implements OfPeer {}

    /** A receiver has shown that it holds the token of a pending sender record ({@code get-connection-status}). */
    record ConfirmationRequested(SiteUrl siteUrl, CredentialFingerprint fingerprint) implements OfPeer {}

    /**
     * An operator opens our tables to a site.
     *
     * @param active whether the record begins as {@code active} instead of {@code pending}
     */
    record SenderCreationRequested(
            SiteUrl siteUrl,
            UUID connectionUuid,
            String name,
            CredentialFingerprint fingerprint,
            SealedSecret sealedToken,
            boolean active,
            boolean notifyPeer,
            ConnectionSettings settings,
            String by)
            implements
            OfOperator {}

    /** An operator changes what a sender connection allows; given whole. */
    record SenderChangeRequested(
            SiteUrl siteUrl,
            UUID connectionUuid,
            String name,
            boolean notifyPeer,
            ConnectionSettings settings,
            String by)
            implements
            OfOperator {}

    /**
     * An operator gives a sender connection another token.
     *
     * @param overlapSeconds how long the token before is taken too; 0 ends all tokens before
     */
    record TokenRotationRequested(
            SiteUrl siteUrl,
            UUID connectionUuid,
            CredentialFingerprint fingerprint,
            SealedSecret sealedToken,
            long overlapSeconds,
            String by)
            implements
            OfOperator {}

    record ApprovalRequested(SiteUrl siteUrl, UUID connectionUuid, String by) implements OfOperator {}

    record SuspensionRequested(SiteUrl siteUrl, UUID connectionUuid, @Nullable String reason, String by)
            implements
            OfOperator {}

    record ReactivationRequested(SiteUrl siteUrl, UUID connectionUuid, String by) implements OfOperator {}

    record RevocationRequested(SiteUrl siteUrl, UUID connectionUuid, @Nullable String reason, String by)
            implements
            OfOperator {}

    /** An operator takes a record away; what was imposed on its site stays. */
    record RemovalRequested(SiteUrl siteUrl, UUID connectionUuid, String by) implements OfOperator {}

    /** What is about pulls over our sender connection. */
    sealed interface OfPulls extends SiteRequest {}

    /**
     * A receiver pulls; the gateway asks how many rows it may give away.
     *
     * @param grant   the id that the grant gets
     * @param records as many as there are and the gateway would give
     * @param atLeast what this call alone needs: where few are left, a grant is not much larger
     * @param seconds how long the gateway needs it at most
     * @param begun   nothing that is counted limits this connection, so the gateway did not wait: rows are on their way
     *                whatever is decided
     * @param address the caller's
     */
    record PullRequested(
            SiteUrl siteUrl,
            UUID connectionUuid,
            UUID grant,
            PullKind kind,
            String table,
            long records,
            long atLeast,
            long seconds,
            boolean begun,
            String address) implements OfPulls {}

    /** A gateway says what became of a grant. */
    record PullReported(
            SiteUrl siteUrl,
            UUID grant,
            long rows,
            long bytes,
            @Nullable Instant asOf,
            long durationMs,
            PullOutcome outcome) implements OfPulls {}

    /** The clock says that a grant's report does not come any more. */
    record GrantOverdue(SiteUrl siteUrl, UUID grant) implements OfPulls {}

    /** The clock says that a sender connection has reached its {@code expires_at}. */
    record ExpiryReached(SiteUrl siteUrl, UUID connectionUuid) implements OfPulls {}

    /**
     * An operator says yes or no to a transfer that waits.
     *
     * @param seconds how long that holds
     */
    record TransferDecisionRequested(
            SiteUrl siteUrl,
            UUID connectionUuid,
            UUID transfer,
            boolean approved,
            @Nullable String reason,
            long seconds,
            String by) implements OfPulls {}
}
