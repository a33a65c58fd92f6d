package io.syncline.model.connection;

import io.syncline.model.credential.CredentialFingerprint;
import java.time.Instant;

/** The token that a sender connection had before, which is taken for some time more. */
public record PreviousToken(CredentialFingerprint fingerprint, Instant until) {}
