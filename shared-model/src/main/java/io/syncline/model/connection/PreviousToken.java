package io.syncline.model.connection;

import io.syncline.model.credential.CredentialFingerprint;
import java.time.Instant;

/** A token that a sender connection had before, which is taken for some time more. */
public record PreviousToken(CredentialFingerprint fingerprint, Instant until) {

    public boolean taken(Instant now) {
        return now.isBefore(until);
    }
}
