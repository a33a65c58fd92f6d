package io.syncline.worker.connection;

import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.connection.Direction;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.PeerWish;
import io.syncline.model.connection.PullKind;
import io.syncline.model.connection.PullOutcome;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.credential.PasswordHash;
import io.syncline.model.credential.SealedSecret;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Names for what the tests of the connection room talk about. */
final class Fixtures {

    static final Instant NOW = Instant.parse("2026-03-01T12:00:00.250Z");
    static final SiteUrl SITE = SiteUrl.asSent("https://one.example");
    static final SiteUrl OTHER_SITE = SiteUrl.asSent("https://other.example");
    static final CredentialFingerprint TOKEN = new CredentialFingerprint("ab".repeat(32));
    static final CredentialFingerprint OTHER_TOKEN = new CredentialFingerprint("cd".repeat(32));
    static final SealedSecret SEALED = new SealedSecret("k1", new byte[]{1, 2, 3});
    static final PasswordHash PASSWORD = new PasswordHash("$argon2id$v=19$m=16384,t=2,p=1$c2FsdA$aGFzaA");
    static final UUID RECEIVER = UUID.fromString("01890000-0000-7000-8000-000000000001");
    static final UUID SENDER = UUID.fromString("01890000-0000-7000-8000-000000000002");
    static final UUID NEW_RECORD = UUID.fromString("01890000-0000-7000-8000-000000000003");
    static final String ADMIN = "admin";

    static final ModuleSettings OPEN = settings(IncomingMode.AUTO_ACCEPT);

    private Fixtures() {}

    static CredentialKeys newKeys() {
        try {
            Path directory = Files.createTempDirectory("syncline-keys");
            Path file = directory.resolve("keys");
            CredentialKeys.writeNew(file, new SecureRandom());
            CredentialKeys keys = CredentialKeys.read(file);
            Files.delete(file);
            Files.delete(directory);
            return keys;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static ModuleSettings settings(IncomingMode mode) {
        return new ModuleSettings(true, mode, null, 0, Instant.EPOCH);
    }

    static ModuleSettings withPassword(long revision) {
        return new ModuleSettings(true, IncomingMode.REQUIRE_PASSWORD, PASSWORD, revision, Instant.EPOCH);
    }

    // ---- facts

    static SiteEvent registered(boolean awaitingApproval) {
        return new SiteEvent.ConnectionRegistered(SITE, RECEIVER, "From: One", TOKEN, SEALED, awaitingApproval, "api",
                "192.0.2.1", "PhoenixKit-Sync/1.0");
    }

    static SiteEvent registered() {
        return registered(false);
    }

    static SiteEvent senderCreated(boolean confirmed, boolean awaitingApproval, ConnectionSettings settings) {
        return new SiteEvent.SenderCreated(SITE, SENDER, "One", TOKEN, SEALED, confirmed, awaitingApproval, false,
                settings, ADMIN);
    }

    static SiteEvent pendingSender() {
        return senderCreated(false, false, ConnectionSettings.DEFAULTS);
    }

    static SiteEvent activeSender() {
        return senderCreated(true, false, ConnectionSettings.DEFAULTS);
    }

    static SiteEvent confirmed() {
        return new SiteEvent.SenderConfirmed(SITE, SENDER);
    }

    static SiteEvent reported(PeerWish wish) {
        return new SiteEvent.PeerStatusReported(SITE, RECEIVER, wish);
    }

    static SiteEvent suspended(Direction direction, @Nullable String reason) {
        return new SiteEvent.ConnectionSuspended(SITE, direction, recordOf(direction), reason, ADMIN);
    }

    static SiteEvent revoked(Direction direction, @Nullable String reason) {
        return new SiteEvent.ConnectionRevoked(SITE, direction, recordOf(direction), reason, ADMIN);
    }

    static SiteEvent reactivated(Direction direction) {
        return new SiteEvent.ConnectionReactivated(SITE, direction, recordOf(direction), ADMIN);
    }

    static SiteEvent approved(Direction direction) {
        return new SiteEvent.ConnectionApproved(SITE, direction, recordOf(direction), ADMIN);
    }

    static SiteEvent deleted(String by, Direction... directions) {
        return new SiteEvent.ConnectionDeleted(SITE,
                List.of(directions)
                        .stream()
                        .map(direction -> new SiteEvent.Deleted(direction, recordOf(direction)))
                        .toList(),
                by);
    }

    static SiteEvent.PullGranted granted(UUID grant, PullKind kind, long records) {
        return new SiteEvent.PullGranted(SITE, SENDER, grant, kind, "orders", records, "192.0.2.7",
                NOW.plusSeconds(600));
    }

    static SiteEvent.TablePulled pulled(UUID grant, PullKind kind, long rows) {
        return new SiteEvent.TablePulled(SITE, SENDER, grant, kind, "orders", "192.0.2.7", rows, rows * 10, NOW, 3,
                PullOutcome.COMPLETED);
    }

    static UUID recordOf(Direction direction) {
        return direction == Direction.SENDER ? SENDER : RECEIVER;
    }

    // ---- requests

    static SiteRequest.RegistrationRequested register(SiteUrl site) {
        return new SiteRequest.RegistrationRequested(site, NEW_RECORD, "New", TOKEN, SEALED, null, "192.0.2.1", null);
    }

    static SiteRequest.RegistrationRequested register() {
        return register(SITE);
    }

    static SiteRequest.RegistrationRequested registerWithPassword(long revision) {
        return new SiteRequest.RegistrationRequested(SITE, NEW_RECORD, "New", TOKEN, SEALED, revision, "192.0.2.1",
                null);
    }

    static SiteRequest.SenderCreationRequested createSender(SiteUrl site, UUID uuid, CredentialFingerprint token,
            boolean active) {
        return new SiteRequest.SenderCreationRequested(site, uuid, "New", token, SEALED, active, false,
                ConnectionSettings.DEFAULTS, ADMIN);
    }

    static SiteRequest.SenderCreationRequested createSender(boolean active) {
        return createSender(SITE, NEW_RECORD, TOKEN, active);
    }

    static SiteRequest changeStatus(PeerWish wish) {
        return new SiteRequest.StatusChangeRequested(SITE, TOKEN, wish);
    }

    static SiteRequest delete() {
        return new SiteRequest.DeletionRequested(SITE, TOKEN);
    }

    static SiteRequest confirm() {
        return new SiteRequest.ConfirmationRequested(SITE, TOKEN);
    }
}
