package io.syncline.model.connection;

import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.SealedSecret;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
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
     * @param previousTokens what was replaced, the newest first, each with an end of its own
     * @param notifyPeer    whether the peer is told of this connection and of its changes
     */
    record Sender(
            UUID uuid,
            SiteUrl siteUrl,
            String name,
            CredentialFingerprint fingerprint,
            SealedSecret sealedToken,
            List<PreviousToken> previousTokens,
            boolean confirmed,
            boolean notifyPeer,
            ConnectionSettings settings,
            String createdBy,
            Instant createdAt,
            Instant updatedAt) implements Connection {

        /** So many that were replaced may be taken at once: each is one more that may have leaked. */
        public static final int MOST_PREVIOUS_TOKENS = 4;

        public Sender {
            previousTokens = List.copyOf(previousTokens);
        }

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
            return fingerprint.equals(presented) || previousTokensTaken(now)
                    .anyMatch(previous -> previous.fingerprint().equals(presented));
        }

        /** The replaced tokens that have not ended. */
        public Stream<PreviousToken> previousTokensTaken(Instant now) {
            return previousTokens.stream().filter(previous -> previous.taken(now));
        }

        /** Those that nobody else may have: the one that was replaced last is kept until it is replaced in its turn. */
        public Stream<CredentialFingerprint> fingerprints() {
            return Stream.concat(Stream.of(fingerprint), previousTokens.stream().map(PreviousToken::fingerprint));
        }

        Sender confirmed(Instant at) {
            return new Sender(uuid, siteUrl, name, fingerprint, sealedToken, previousTokens, true, notifyPeer, settings,
                    createdBy, createdAt, at);
        }

        Sender touched(Instant at) {
            return new Sender(uuid, siteUrl, name, fingerprint, sealedToken, previousTokens, confirmed, notifyPeer,
                    settings, createdBy, createdAt, at);
        }

        Sender changed(String newName, boolean nowNotifies, ConnectionSettings newSettings, Instant at) {
            return new Sender(uuid, siteUrl, newName, fingerprint, sealedToken, previousTokens, confirmed, nowNotifies,
                    newSettings, createdBy, createdAt, at);
        }

        /**
         * A replaced token without a time of its own ends those before it, too. Earlier versions named a token anew to prolong
         * it, in the place of the one that was replaced.
         */
        Sender rotated(CredentialFingerprint newToken, SealedSecret newSealed, PreviousToken replaced, Instant at) {
            Stream<PreviousToken> older = replaced.taken(at)
                    ? previousTokensTaken(at)
                            .filter(previous -> !previous.fingerprint().equals(replaced.fingerprint()))
                    : Stream.empty();
            return new Sender(uuid, siteUrl, name, newToken, newSealed,
                    Stream.concat(Stream.of(replaced), older).toList(), confirmed, notifyPeer, settings, createdBy,
                    createdAt, at);
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
