package io.syncline.model.credential;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The lower-case hex SHA-256 of an auth token's text. It IS the credential of every call but the registration, so it is
 * never stored, logged or produced to a topic: {@link #toString} hides it.
 */
public record TokenHash(String text) {

    public static TokenHash ofToken(String token) {
        return new TokenHash(HexFormat.of().formatHex(sha256(token.getBytes(StandardCharsets.UTF_8))));
    }

    /** A hash as a peer presents it, whatever its text: one that is no hex is unknown, not malformed. */
    public static TokenHash asSent(String text) {
        return new TokenHash(text);
    }

    static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    @Override
    public String toString() {
        return "TokenHash[hidden]";
    }
}
