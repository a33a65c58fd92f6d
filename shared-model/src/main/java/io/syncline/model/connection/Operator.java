package io.syncline.model.connection;

import io.syncline.model.credential.CredentialFingerprint;
import java.time.Instant;
import java.util.Set;

/**
 * Somebody who has a token of their own for the operators' API.
 *
 * @param name        what the event log says of whatever they do
 * @param fingerprint of the token's hash; the token itself is known to nobody but them
 */
public record Operator(
        String name,
        OperatorRole role,
        CredentialFingerprint fingerprint,
        String addedBy,
        Instant addedAt) {

    /** Whoever presents the configured token; and who else acts in the log without being an operator. */
    public static final String ROOT = "admin";

    private static final Set<String> RESERVED = Set.of(ROOT, "peer", "incoming_mode");

    /** Whether somebody may be called so: lower-case letters, digits and {@code . _ @ -}, and no name that says another thing. */
    public static boolean mayBeCalled(String name) {
        return name.matches("[a-z0-9][a-z0-9._@-]{0,62}") && !RESERVED.contains(name);
    }
}
