package io.syncline.gateway.admin;

import io.syncline.gateway.http.OperatorRefusal;
import io.syncline.gateway.http.OperatorRoutes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Lets in who presents the operators' token (RFC 6750). Only its hash is kept, and compared in constant time. */
public final class AdminAuthentication implements OperatorRoutes.Gate {

    private static final String SCHEME = "bearer ";

    private final byte @Nullable [] expected;

    private AdminAuthentication(byte @Nullable [] expected) {
        this.expected = expected;
    }

    /**
     * Takes the token from either property; {@link IllegalArgumentException} says what is wrong with them, never the token
     * itself.
     */
    public static AdminAuthentication of(@Nullable String token, @Nullable Path file) {
        if (token != null && file != null) {
            throw new IllegalArgumentException(
                    "syncline.admin.token and syncline.admin.token-file are both set: keep one of them");
        }
        if (file != null) {
            return new AdminAuthentication(hash(read(file)));
        }
        return new AdminAuthentication(token == null || token.isBlank() ? null : hash(token.strip()));
    }

    private static String read(Path file) {
        try {
            String token = Files.readString(file).strip();
            if (token.isEmpty() || token.contains("\n")) {
                throw new IllegalArgumentException(
                        "syncline.admin.token-file: '" + file + "' must hold the token and nothing else, on one line");
            }
            return token;
        } catch (IOException e) {
            throw new IllegalArgumentException("syncline.admin.token-file: '" + file
                    + "' does not exist or cannot be read; write a token into it, readable by this program only");
        }
    }

    @Override
    public Optional<OperatorRefusal> refusal(Optional<String> authorization) {
        if (expected == null) {
            return Optional.of(new OperatorRefusal.NotConfigured("The operators' API is closed, because no token is"
                    + " configured: set syncline.admin.token or syncline.admin.token-file"));
        }
        if (authorization.isEmpty()
                || !authorization.get().regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
            return Optional
                    .of(new OperatorRefusal.Unauthorized("Present the operators' token: Authorization: Bearer …"));
        }
        byte[] presented = hash(authorization.get().substring(SCHEME.length()).strip());
        return MessageDigest.isEqual(expected, presented) ? Optional.empty()
                : Optional.of(new OperatorRefusal.Unauthorized("This is not the operators' token"));
    }

    private static byte[] hash(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
