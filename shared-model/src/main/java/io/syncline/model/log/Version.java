package io.syncline.model.log;

import io.syncline.model.connection.Approval;
import io.syncline.model.connection.Connection;
import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.connection.Imposition;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.PeerWish;
import io.syncline.model.credential.CredentialFingerprint;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HexFormat;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Names what an operator saw, so that a change can be asked for on condition that nobody else was faster. Made of the content
 * alone: what a pull counts, or when something happened, is no reason to say no.
 */
public final class Version {

    private static final int BYTES = 12;

    private record OfSender(
            UUID uuid,
            String name,
            CredentialFingerprint token,
            boolean confirmed,
            boolean notifyPeer,
            ConnectionSettings settings,
            @Nullable Imposition imposed) {}

    private record OfReceiver(UUID uuid, String name, PeerWish wish, @Nullable Imposition imposed) {}

    private record OfApproval(
            UUID id,
            Approval.State state,
            Instant until,
            @Nullable String by,
            @Nullable String reason) {}

    private record OfSettings(boolean enabled, IncomingMode mode, long passwordRevision) {}

    private Version() {}

    public static String of(Connection connection, @Nullable Imposition imposed) {
        return switch (connection) {
            case Connection.Sender s -> of(new OfSender(s.uuid(), s.name(), s.fingerprint(), s.confirmed(),
                    s.notifyPeer(), s.settings(), imposed));
            case Connection.Receiver r -> of(new OfReceiver(r.uuid(), r.name(), r.wish(), imposed));
        };
    }

    public static String of(Approval approval) {
        return of(new OfApproval(approval.id(), approval.state(), approval.until(), approval.by(), approval.reason()));
    }

    /** Without the operators: who is one does not change what the settings say. */
    public static String of(ModuleSettings settings) {
        return of(new OfSettings(settings.enabled(), settings.incomingMode(), settings.passwordRevision()));
    }

    private static String of(Object content) {
        return HexFormat.of()
                .formatHex(HashChain.sha256((content.getClass().getSimpleName()
                        + new String(Json.write(content), StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8)),
                        0, BYTES);
    }
}
