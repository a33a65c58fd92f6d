package io.syncline.model.credential;

import java.security.SecureRandom;
import java.util.Base64;

/** A new auth token: 32 random bytes, base64url without padding, shown once to the operator who asked for it. */
public record AuthToken(String text) {

    public static AuthToken random(SecureRandom random) {
        byte[] bytes = new byte[32];
        random.nextBytes(bytes);
        return new AuthToken(Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
    }

    public TokenHash hash() {
        return TokenHash.ofToken(text);
    }

    @Override
    public String toString() {
        return "AuthToken[hidden]";
    }
}
