package io.syncline.model.connection;

import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.SealedSecret;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Our record of one direction of a connection. The two directions know different things: a sender limits what is pulled,
 * a receiver mirrors what its sender decided.
 */
public sealed interface Connection {

    UUID uuid();

    SiteUrl siteUrl();

    String name();

    CredentialFingerprint fingerprint();

    SealedSecret sealedToken();

    Instant createdAt();

    Instant updatedAt();

    Direction direction();

    /** Whether a token with this fingerprint is this connection's. */
    default boolean takes(CredentialFingerprint presented, Instant now) {
        return fingerprint().equals(presented);
    }

    /** The status as the record itself has it, before what our operator imposed. */
    ConnectionStatus ownStatus(Instant now);

    /**
     * Our tables may be pulled over this connection.
     *
     * @param confirmed the receiver has shown that it holds the token, or an operator said so: until then the status is
     *                  {@code pending}
     * @param previousToken what was replaced, null where nothing was
     * @param notifyPeer    whether the peer is told of this connection and of its changes
     */
    record Sender(
            UUID uuid,
            SiteUrl siteUrl,
            String name,
            CredentialFingerprint fingerprint,
            SealedSecret sealedToken,
            @Nullable PreviousToken previousToken,
            boolean confirmed,
            boolean notifyPeer,
            ConnectionSettings settings,
            String createdBy,
            Instant createdAt,
            Instant updatedAt) implements Connection {

        @Override
        public Direction direction() {
            return Direction.SENDER;
        }

        @Override
        public ConnectionStatus ownStatus(Instant now) {
            return status(settings.expired(now), confirmed);
        }

        /** The same, for whoever has read no more of the record than this. */
        public static ConnectionStatus status(boolean expired, boolean confirmed) {
            if (expired) {
                return ConnectionStatus.EXPIRED;
            }
            return confirmed ? ConnectionStatus.ACTIVE : ConnectionStatus.PENDING;
        }

        @Override
        public boolean takes(CredentialFingerprint presented, Instant now) {
            return fingerprint.equals(presented) || (previousToken != null
                    && previousToken.fingerprint().equals(presented) && now.isBefore(previousToken.until()));
        }

        Sender confirmed(Instant at) {
            return new Sender(uuid, siteUrl, name, fingerprint, sealedToken, previousToken, true, notifyPeer, settings,
                    createdBy, createdAt, at);
        }

        Sender touched(Instant at) {
            return new Sender(uuid, siteUrl, name, fingerprint, sealedToken, previousToken, confirmed, notifyPeer,
                    settings, createdBy, createdAt, at);
        }

        Sender changed(String newName, boolean nowNotifies, ConnectionSettings newSettings, Instant at) {
            return new Sender(uuid, siteUrl, newName, fingerprint, sealedToken, previousToken, confirmed, nowNotifies,
                    newSettings, createdBy, createdAt, at);
        }

        Sender rotated(CredentialFingerprint newToken, SealedSecret newSealed, PreviousToken previous, Instant at) {
            return new Sender(uuid, siteUrl, name, newToken, newSealed, previous, confirmed, notifyPeer, settings,
                    createdBy, createdAt, at);
        }
    }

    /**
     * We may pull the other site's tables over this connection.
     *
     * @param wish      what the sender's site last told us
     * @param remoteIp  the address that registered it
     * @param userAgent what the registering peer called itself
     */
    record Receiver(
            UUID uuid,
            SiteUrl siteUrl,
            String name,
            CredentialFingerprint fingerprint,
            SealedSecret sealedToken,
            PeerWish wish,
            String registeredVia,
            String remoteIp,
            @Nullable String userAgent,
            Instant createdAt,
            Instant updatedAt) implements Connection {

        @Override
        public Direction direction() {
            return Direction.RECEIVER;
        }

        @Override
        public ConnectionStatus ownStatus(Instant now) {
            return wish.status();
        }

        Receiver wishing(PeerWish told, Instant at) {
            return new Receiver(uuid, siteUrl, name, fingerprint, sealedToken, told, registeredVia, remoteIp, userAgent,
                    createdAt, at);
        }

        Receiver touched(Instant at) {
            return wishing(wish, at);
        }
    }
}
