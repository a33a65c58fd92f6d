package io.syncline.model.connection;

import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.SealedSecret;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A fact about one site's connections. When it happened is said by its {@link io.syncline.model.log.LoggedEvent}. */
public sealed interface SiteEvent extends Event {

    SiteUrl siteUrl();

    @Override
    default String key() {
        return siteUrl().text();
    }

    /** A sender's site registered with us: we have a receiver record now. */
    record ConnectionRegistered(
            SiteUrl siteUrl,
            UUID connectionUuid,
            String name,
            CredentialFingerprint fingerprint,
            SealedSecret sealedToken,
            boolean awaitingApproval,
            String registeredVia,
            String remoteIp,
            @Nullable String userAgent) implements SiteEvent {}

    /** An operator opened our tables to a site: we have a sender record now. */
    record SenderCreated(
            SiteUrl siteUrl,
            UUID connectionUuid,
            String name,
            CredentialFingerprint fingerprint,
            SealedSecret sealedToken,
            boolean confirmed,
            boolean awaitingApproval,
            boolean notifyPeer,
            ConnectionSettings settings,
            String by) implements SiteEvent {}

    /** An operator changed what a sender connection allows; given whole. */
    record SenderChanged(
            SiteUrl siteUrl,
            UUID connectionUuid,
            String name,
            boolean notifyPeer,
            ConnectionSettings settings,
            String by) implements SiteEvent {}

    /**
     * A sender connection has another token.
     *
     * @param previous the token that was replaced, and how long it is taken too; those before it keep their ends, unless this one
     *                 ends at once, which ends them all
     */
    record TokenRotated(
            SiteUrl siteUrl,
            UUID connectionUuid,
            CredentialFingerprint fingerprint,
            SealedSecret sealedToken,
            PreviousToken previous,
            String by) implements SiteEvent {}

    /** The receiver of a pending sender connection has shown that it holds the token. */
    record SenderConfirmed(SiteUrl siteUrl, UUID connectionUuid) implements SiteEvent {}

    /** The sender's site told us what it decided. */
    record PeerStatusReported(SiteUrl siteUrl, UUID connectionUuid, PeerWish status) implements SiteEvent {}

    record ConnectionApproved(SiteUrl siteUrl, Direction direction, UUID connectionUuid, String by)
            implements SiteEvent {}

    record ConnectionSuspended(
            SiteUrl siteUrl,
            Direction direction,
            UUID connectionUuid,
            @Nullable String reason,
            String by) implements SiteEvent {}

    record ConnectionReactivated(SiteUrl siteUrl, Direction direction, UUID connectionUuid, String by)
            implements
            SiteEvent {}

    record ConnectionRevoked(
            SiteUrl siteUrl,
            Direction direction,
            UUID connectionUuid,
            @Nullable String reason,
            String by)
            implements
            SiteEvent {}

    /**
     * One or both of a site's records went.
     *
     * @param by the operator, or {@code peer}
     */
    record ConnectionDeleted(SiteUrl siteUrl, List<Deleted> records, String by) implements SiteEvent {

        public ConnectionDeleted {
            records = List.copyOf(records);
            if (records.isEmpty()) {
                throw new IllegalArgumentException("a deletion names the records that went");
            }
        }
    }

    /** A record that a deletion took away. */
    record Deleted(Direction direction, UUID connectionUuid) {}

    /** A fact about pulls over our sender connection: folded by {@link Pulls}, and no change of the record. */
    sealed interface OfPulls extends SiteEvent {}

    /**
     * A gateway may give rows of a table away. Everything granted counts until {@link TablePulled} closes it.
     *
     * @param records how many at most
     * @param address the caller's
     * @param until   nothing is given away after it
     */
    record PullGranted(
            SiteUrl siteUrl,
            UUID connectionUuid,
            UUID grant,
            PullKind kind,
            String table,
            long records,
            String address,
            Instant until) implements OfPulls {}

    /**
     * A grant is closed: so much was given away.
     *
     * @param rows       all that was granted, where nobody reported
     * @param bytes      of the answers' bodies
     * @param asOf       of which time the rows were, null where nobody reported
     * @param durationMs from the grant to the last row
     */
    record TablePulled(
            SiteUrl siteUrl,
            UUID connectionUuid,
            UUID grant,
            PullKind kind,
            String table,
            String address,
            long rows,
            long bytes,
            @Nullable Instant asOf,
            long durationMs,
            PullOutcome outcome) implements OfPulls {}

    /** The time came at which a sender connection ends. */
    record ConnectionExpired(SiteUrl siteUrl, UUID connectionUuid, Instant expiresAt) implements OfPulls {}

    /**
     * Somebody wants to pull a table that an operator has to say yes to.
     *
     * @param until how long it waits
     */
    record TransferRequested(
            SiteUrl siteUrl,
            UUID connectionUuid,
            UUID transfer,
            String table,
            String address,
            Instant until) implements OfPulls {}

    /** @param until the table may be pulled till then */
    record TransferApproved(
            SiteUrl siteUrl,
            UUID connectionUuid,
            UUID transfer,
            String table,
            Instant until,
            String by) implements OfPulls {}

    /** @param until nobody is asked again before then */
    record TransferDenied(
            SiteUrl siteUrl,
            UUID connectionUuid,
            UUID transfer,
            String table,
            @Nullable String reason,
            Instant until,
            String by) implements OfPulls {}
}
