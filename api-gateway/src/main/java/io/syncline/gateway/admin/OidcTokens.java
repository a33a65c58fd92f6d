package io.syncline.gateway.admin;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.jwk.source.RateLimitReachedException;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimNames;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.jwt.proc.BadJWTException;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import com.nimbusds.jwt.proc.ExpiredJWTException;
import io.syncline.gateway.http.BoundedLog;
import io.syncline.gateway.http.OperatorRefusal;
import io.syncline.gateway.http.OperatorRoutes.Entry;
import io.syncline.model.connection.OperatorRole;
import java.net.URI;
import java.text.ParseException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Lets in who presents a token that an OIDC issuer has signed for us (a JWT, RFC 9068 or an ID token). Whose signature holds
 * hears what else is wrong; who has none hears nothing that a wrong token of any other kind would not be told.
 */
public final class OidcTokens {

    /** No name of an operator of ours, and of nobody else in the log, has a colon. */
    private static final String NAME_PREFIX = "oidc:";
    /** What an issuer calls somebody is written into the log for ever: short, and nothing that looks like something else. */
    private static final String NAME = "[!-~]([ -~]{0,253}[!-~])?";

    /** Signatures that only the holder of a private key can make. */
    private static final Set<JWSAlgorithm> ALGORITHMS = Set.of(JWSAlgorithm.RS256, JWSAlgorithm.RS384,
            JWSAlgorithm.RS512, JWSAlgorithm.PS256, JWSAlgorithm.PS384, JWSAlgorithm.PS512, JWSAlgorithm.ES256,
            JWSAlgorithm.ES384, JWSAlgorithm.ES512);
    private static final Duration SKEW = Duration.ofSeconds(30);

    /** A key that the issuer takes back is refused after this. */
    private static final Duration KEYS_KNOWN_FOR = Duration.ofMinutes(5);
    /** Unless the issuer is away: so long what was known serves. */
    private static final Duration KEYS_KNOWN_WHILE_AWAY = Duration.ofHours(1);
    /** The issuer is asked twice in this time at most, whatever keys are named by whoever comes. */
    static final Duration ASKED_AGAIN_AFTER = Duration.ofSeconds(5);
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(10);

    private final Settings settings;
    private final IssuerKeys issuer;
    private final JWKSource<SecurityContext> keys;
    private final DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();

    /**
     * @param issuer     as tokens and the issuer itself write it
     * @param rolesClaim a name, or a path with dots, of one text or several
     * @param roles      what has to be among them to have a role
     */
    public record Settings(
            String issuer,
            String audience,
            String nameClaim,
            String rolesClaim,
            Map<OperatorRole, Set<String>> roles) {

        /** Whether an issuer may be called so: https, or http on this machine. */
        public static boolean isIssuer(String text) {
            try {
                URI uri = URI.create(text);
                return IssuerKeys.isTrustworthy(uri) && uri.getQuery() == null && uri.getFragment() == null
                        && uri.getUserInfo() == null;
            } catch (IllegalArgumentException e) {
                return false;
            }
        }
    }

    public OidcTokens(Settings settings, BoundedLog log) {
        this.settings = settings;
        this.issuer = new IssuerKeys(settings.issuer(), log);
        this.keys = JWKSourceBuilder.create(issuer)
                .cache(KEYS_KNOWN_FOR.toMillis(), LONGEST_WAIT.toMillis())
                .refreshAheadCache(false)
                .rateLimited(ASKED_AGAIN_AFTER.toMillis())
                .outageTolerant(KEYS_KNOWN_WHILE_AWAY.toMillis())
                .build();
        processor.setJWSTypeVerifier(
                new DefaultJOSEObjectTypeVerifier<>(JOSEObjectType.JWT, new JOSEObjectType("at+jwt"), null));
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(ALGORITHMS, this::keysFor));
        DefaultJWTClaimsVerifier<SecurityContext> claims = new DefaultJWTClaimsVerifier<>(settings.audience(),
                new JWTClaimsSet.Builder().issuer(settings.issuer()).build(), Set.of(JWTClaimNames.EXPIRATION_TIME));
        claims.setMaxClockSkew((int) SKEW.toSeconds());
        processor.setJWTClaimsSetVerifier(claims);
    }

    /** Who presents this; empty for a token that is not the issuer's. */
    Optional<Entry> enter(String presented) {
        try {
            SignedJWT token = SignedJWT.parse(presented);
            // What does not even claim to be the issuer's is not worth asking it for keys.
            if (!settings.issuer().equals(token.getJWTClaimsSet().getIssuer())) {
                return Optional.empty();
            }
            return Optional.of(entry(processor.process(token, null)));
        } catch (ExpiredJWTException e) {
            return Optional.of(unauthorized("This token has expired; get another one from its issuer"));
        } catch (BadJWTException e) {
            return Optional.of(unauthorized("This token is not for here and now: it must be for the audience '"
                    + settings.audience() + "', say until when it is valid, and be valid already"));
        } catch (KeySourceException e) {
            // Without a failure: others wait for the issuer, too, and it has not answered yet.
            return Optional.of(new Entry.Out(new OperatorRefusal.Unavailable("This token cannot be checked: the keys of"
                    + " its issuer cannot be read now ("
                    + Objects.requireNonNullElse(issuer.failure(), "no answer yet")
                    + "); try again later, or present a token that is not the issuer's")));
        } catch (ParseException | BadJOSEException | JOSEException e) {
            // What it says may hold parts of the token.
            return Optional.empty();
        }
    }

    private List<JWK> keysFor(JWKSelector wanted, @Nullable SecurityContext context) throws KeySourceException {
        List<JWK> found;
        try {
            found = keys.get(wanted, context);
        } catch (RateLimitReachedException e) {
            // The issuer has said a moment ago what it has, or could not.
            found = List.of();
        }
        if (found.isEmpty() && issuer.failure() != null) {
            throw new KeySourceException("the issuer may have this key, and cannot be asked");
        }
        return found;
    }

    private Entry entry(JWTClaimsSet claims) {
        if (!(claim(claims, settings.nameClaim()) instanceof String name) || !name.matches(NAME)) {
            return new Entry.Out(new OperatorRefusal.Forbidden("This token does not say who you are: its claim '"
                    + settings.nameClaim() + "' must be 1 to 255 printable ASCII characters"));
        }
        List<?> given = switch (claim(claims, settings.rolesClaim())) {
            case String text -> Arrays.asList(text.split(" "));
            // Which may hold anything, null too.
            case Collection<?> several -> new ArrayList<>(several);
            case null, default -> List.of();
        };
        return settings.roles()
                .entrySet()
                .stream()
                .filter(role -> role.getValue().stream().anyMatch(given::contains))
                .map(Map.Entry::getKey)
                .max(Comparator.naturalOrder())
                .<Entry>map(role -> new Entry.In(AdminAuthentication.caller(NAME_PREFIX + name, role)))
                .orElseGet(() -> new Entry.Out(new OperatorRefusal.Forbidden(NAME_PREFIX + name
                        + " has no role here: the claim '" + settings.rolesClaim() + "' of the token names none of "
                        + settings.roles().values().stream().flatMap(Set::stream).sorted().toList())));
    }

    /** The claim of this name, also if it has dots; else what lies at this path. */
    private static @Nullable Object claim(JWTClaimsSet claims, String path) {
        Object named = claims.getClaim(path);
        if (named != null) {
            return named;
        }
        Object found = claims.getClaims();
        for (String name : path.split("\\.")) {
            found = found instanceof Map<?, ?> within ? within.get(name) : null;
        }
        return found;
    }

    private static Entry unauthorized(String detail) {
        return new Entry.Out(new OperatorRefusal.Unauthorized(detail));
    }
}
