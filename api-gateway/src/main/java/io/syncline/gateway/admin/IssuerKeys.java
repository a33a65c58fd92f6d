package io.syncline.gateway.admin;

import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.JWKSetCacheRefreshEvaluator;
import com.nimbusds.jose.jwk.source.JWKSetSource;
import com.nimbusds.jose.jwk.source.JWKSetUnavailableException;
import com.nimbusds.jose.proc.SecurityContext;
import io.syncline.gateway.http.BoundedLog;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.text.ParseException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The keys with which an OIDC issuer signs, read from where its discovery document says (OpenID Connect Discovery 1.0). Asked
 * for when a token needs them and never before; what an answer may take is bounded, in time and in size.
 */
final class IssuerKeys implements JWKSetSource<SecurityContext> {

    private static final String DISCOVERY = "/.well-known/openid-configuration";
    /** Of each of the two calls, body included. */
    private static final Duration LONGEST_CALL = Duration.ofSeconds(3);
    private static final int MOST_BYTES = 256 * 1024;
    private static final int OK = 200;

    private final String issuer;
    private final BoundedLog log;
    /** Why they could not be read the last time, for whoever presents a token; null if they could. */
    private volatile @Nullable String failure;

    IssuerKeys(String issuer, BoundedLog log) {
        this.issuer = issuer;
        this.log = log;
    }

    /** Whether a token's contents and its signature may be believed if they come from there: nobody in between can change them. */
    static boolean isTrustworthy(URI uri) {
        String host = uri.getHost();
        return host != null && ("https".equals(uri.getScheme())
                || "http".equals(uri.getScheme())
                        && (host.equals("localhost") || host.equals("127.0.0.1") || host.equals("[::1]")));
    }

    @Nullable
    String failure() {
        return failure;
    }

    @Override
    public JWKSet getJWKSet(JWKSetCacheRefreshEvaluator evaluator, long now, @Nullable SecurityContext context)
            throws JWKSetUnavailableException {
        try {
            JWKSet keys = read();
            if (failure != null) {
                log.info("issuer back", "The keys of the operators' issuer " + issuer + " are read again");
            }
            failure = null;
            return keys;
        } catch (UnreadableException e) {
            failure = e.sentence();
            log.warn("issuer away", "The keys of the operators' issuer cannot be read, who presents its tokens is"
                    + " refused unless the keys are known: " + e.getMessage()
                    + ". See whether this gateway reaches it, and what syncline.admin.oidc.issuer says");
            throw new JWKSetUnavailableException(e.sentence());
        }
    }

    private JWKSet read() throws UnreadableException {
        // One for each time, which is seldom: nothing is kept open meanwhile, and nothing has to be closed at the end.
        HttpClient client = HttpClient.newBuilder()
                .connectTimeout(LONGEST_CALL)
                .followRedirects(HttpClient.Redirect.NEVER)
                .build();
        try {
            URI keys = keysOf(client);
            try {
                return JWKSet.parse(get(client, "keys", keys));
            } catch (ParseException e) {
                throw new UnreadableException("keys", keys, "this is no JWK set");
            }
        } finally {
            // Not close(), which would wait for an answer that is given up.
            client.shutdownNow();
        }
    }

    private URI keysOf(HttpClient client) throws UnreadableException {
        URI discovery = URI.create(issuer.replaceAll("/+$", "") + DISCOVERY);
        JsonNode document;
        try {
            document = JsonMapper.shared().readTree(get(client, "discovery", discovery));
        } catch (JacksonException e) {
            throw new UnreadableException("discovery", discovery, "this is no JSON");
        }
        String said = document.path("issuer").asString("");
        if (!said.equals(issuer)) {
            throw new UnreadableException("discovery", discovery,
                    "it is another issuer's; to be compared as it is written");
        }
        try {
            URI keys = URI.create(document.path("jwks_uri").asString(""));
            if (isTrustworthy(keys)) {
                return keys;
            }
        } catch (IllegalArgumentException e) {
            // Said below.
        }
        throw new UnreadableException("discovery", discovery, "its jwks_uri is no https URL");
    }

    private static String get(HttpClient client, String what, URI uri) throws UnreadableException {
        HttpRequest request = HttpRequest.newBuilder(uri).header("Accept", "application/json").build();
        CompletableFuture<HttpResponse<String>> answer = client.sendAsync(request,
                BodyHandlers.limiting(BodyHandlers.ofString(), MOST_BYTES));
        try {
            // The request's own time-out would end with the head.
            HttpResponse<String> got = answer.get(LONGEST_CALL.toMillis(), TimeUnit.MILLISECONDS);
            if (got.statusCode() != OK) {
                throw new UnreadableException(what, uri, "it answers " + got.statusCode());
            }
            return got.body();
        } catch (TimeoutException e) {
            throw new UnreadableException(what, uri, "no answer within " + LONGEST_CALL.toSeconds() + " s");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnreadableException(what, uri, "interrupted");
        } catch (ExecutionException e) {
            throw new UnreadableException(what, uri, switch (e.getCause()) {
                case HttpConnectTimeoutException late -> "no connection within " + LONGEST_CALL.toSeconds() + " s";
                case HttpTimeoutException late -> "no answer within " + LONGEST_CALL.toSeconds() + " s";
                case ConnectException refused -> "no connection";
                case SSLException tls -> "TLS fails, its certificate may be one that this JVM does not trust";
                case null, default -> "the answer breaks off, or has more than " + MOST_BYTES / 1024 + " KB";
            });
        }
    }

    @Override
    public void close() {
        // Nothing is kept open.
    }

    /** Its message is for the log; the sentence, without addresses, for whoever presents a token. */
    private static final class UnreadableException extends Exception {

        private static final long serialVersionUID = 1L;

        private final String sentence;

        UnreadableException(String what, URI uri, String why) {
            super(uri + ": " + why);
            this.sentence = what + ": " + why;
        }

        String sentence() {
            return sentence;
        }
    }
}
