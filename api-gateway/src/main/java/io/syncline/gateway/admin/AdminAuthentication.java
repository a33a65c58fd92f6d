package io.syncline.gateway.admin;

import io.syncline.gateway.http.Caller;
import io.syncline.gateway.http.Caller.Permission;
import io.syncline.gateway.http.OperatorRefusal;
import io.syncline.gateway.http.OperatorRoutes;
import io.syncline.model.connection.Operator;
import io.syncline.model.connection.OperatorRole;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.credential.TokenHash;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Lets in who presents the configured token, one of their own, or one of the OIDC issuer's (RFC 6750). Of the configured one
 * only its hash is kept, of their own there is only the fingerprint; each is compared in constant time, all of them each time.
 */
public final class AdminAuthentication implements OperatorRoutes.Gate {

    private static final String SCHEME = "bearer ";

    private static final OperatorRefusal NOT_CONFIGURED = new OperatorRefusal.NotConfigured(
            "The operators' API is closed, because no token is configured: set syncline.admin.token or"
                    + " syncline.admin.token-file, or syncline.admin.oidc.issuer");
    private static final Caller ROOT = new Caller(Operator.ROOT, "the holder of the configured token",
            EnumSet.allOf(Permission.class));

    private final byte @Nullable [] expected;
    private final CredentialKeys keys;
    private final NamedOperators named;
    private final @Nullable OidcTokens issued;

    /** Who has a token of their own. */
    @FunctionalInterface
    public interface NamedOperators {
        List<Operator> all() throws SQLException;
    }

    private AdminAuthentication(byte @Nullable [] expected, CredentialKeys keys, NamedOperators named,
            @Nullable OidcTokens issued) {
        this.expected = expected;
        this.keys = keys;
        this.named = named;
        this.issued = issued;
    }

    /**
     * Takes the token from either property; {@link IllegalArgumentException} says what is wrong with them, never the token
     * itself.
     *
     * @param issued null where there is no issuer
     */
    public static AdminAuthentication of(@Nullable String token, @Nullable Path file, CredentialKeys keys,
            NamedOperators named, @Nullable OidcTokens issued) {
        if (token != null && file != null) {
            throw new IllegalArgumentException(
                    "syncline.admin.token and syncline.admin.token-file are both set: keep one of them");
        }
        if (file != null) {
            return new AdminAuthentication(hash(read(file)), keys, named, issued);
        }
        return new AdminAuthentication(token == null || token.isBlank() ? null : hash(token.strip()), keys, named,
                issued);
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
    public OperatorRoutes.Entry enter(Optional<String> authorization) throws SQLException {
        if (authorization.isEmpty()
                || !authorization.get().regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
            return out("Present an operator's token: Authorization: Bearer …");
        }
        String presented = authorization.get().substring(SCHEME.length()).strip();
        if (expected != null && MessageDigest.isEqual(expected, hash(presented))) {
            return new OperatorRoutes.Entry.In(ROOT);
        }
        Optional<Operator> operator = operator(presented);
        if (operator.isPresent()) {
            return new OperatorRoutes.Entry.In(caller(operator.get().name(), operator.get().role()));
        }
        // Last: whoever has a token of ours does not wait for somebody else's keys.
        return (issued == null ? Optional.<OperatorRoutes.Entry>empty() : issued.enter(presented))
                .orElseGet(() -> out("This is no operator's token"));
    }

    private Optional<Operator> operator(String presented) throws SQLException {
        byte[] fingerprint = bytes(keys.fingerprint(TokenHash.ofToken(presented)));
        Optional<Operator> found = Optional.empty();
        for (Operator operator : named.all()) {
            if (MessageDigest.isEqual(fingerprint, bytes(operator.fingerprint()))) {
                found = Optional.of(operator);
            }
        }
        return found;
    }

    /** Nobody who has only a role says who is an operator. */
    static Caller caller(String name, OperatorRole role) {
        return new Caller(name, role.word(), switch (role) {
            case VIEWER -> EnumSet.of(Permission.LOOK);
            case AUDITOR -> EnumSet.of(Permission.LOOK, Permission.AUDIT);
            case OPERATOR -> EnumSet.of(Permission.LOOK, Permission.AUDIT, Permission.CHANGE);
        });
    }

    private OperatorRoutes.Entry out(String unauthorized) {
        return new OperatorRoutes.Entry.Out(expected == null && issued == null ? NOT_CONFIGURED
                : new OperatorRefusal.Unauthorized(unauthorized));
    }

    private static byte[] bytes(CredentialFingerprint fingerprint) {
        return fingerprint.hex().getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] hash(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
