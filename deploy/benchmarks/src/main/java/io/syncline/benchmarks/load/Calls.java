package io.syncline.benchmarks.load;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/** The calls of peers as HTTP text, and the bodies that they carry. */
public final class Calls {

    private Calls() {}

    /** {@code POST}s each body to the path, as a PhoenixKit peer does. */
    public static RequestSource post(String path, Supplier<String> bodies) {
        return post(path, "application/json", bodies);
    }

    /** @param accept what the peer would have */
    public static RequestSource post(String path, String accept, Supplier<String> bodies) {
        String head = """
                POST %s HTTP/1.1\r
                Host: benchmark.example\r
                User-Agent: PhoenixKit-Sync/1.0\r
                Accept: %s\r
                Content-Type: application/json\r
                Content-Length: """.formatted(path, accept);
        return () -> {
            String body = bodies.get();
            // ASCII only: characters are bytes.
            return (head + ' ' + body.length() + "\r\n\r\n" + body).getBytes(StandardCharsets.US_ASCII);
        };
    }

    /** Registrations of sites that nobody has seen yet, each with a token of its own. */
    public static Supplier<String> registrations(String series) {
        SplittableRandom random = new SplittableRandom();
        byte[] token = new byte[32];
        long[] count = {0};
        return () -> {
            random.nextBytes(token);
            long number = count[0]++;
            return "{\"sender_url\":\"https://%s-%s.example\",\"connection_name\":\"Benchmark %s\",\"auth_token\":\"%s\"}"
                    .formatted(series, number, number, Base64.getUrlEncoder().withoutPadding().encodeToString(token));
        };
    }

    /** What a peer presents of its token. */
    public static String tokenHash(String token) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
