package io.syncline.model.credential;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/**
 * The stored form of a token hash: its HMAC-SHA-256 under the fingerprint key, lower-case hex. Presenting it opens
 * nothing, since what is presented is hashed again.
 */
public record CredentialFingerprint(@JsonValue String hex) {

    @JsonCreator
    public CredentialFingerprint {
        if (!hex.matches("[0-9a-f]{64}")) {
            throw new IllegalArgumentException("a fingerprint is 64 lower-case hex digits");
        }
    }
}
