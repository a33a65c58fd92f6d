package io.syncline.model.credential;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;

/**
 * The stored form of a token hash: its HMAC-SHA-256 under the fingerprint key, lower-case hex. Presenting it opens
 * nothing, since what is presented is hashed again.
 */
public record CredentialFingerprint(@JsonValue String hex) {

    private static final Pattern FORM = Pattern.compile("[0-9a-f]{64}");

    @JsonCreator
    public CredentialFingerprint {
        if (!FORM.matcher(hex).matches()) {
            throw new IllegalArgumentException("a fingerprint is 64 lower-case hex digits");
        }
    }
}
