package io.syncline.standalone;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Calls the gateway as an operator, or as a peer, would. */
final class Operator implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofSeconds(15);

    /** @param body null where there is none, or it is no JSON */
    record Answer(int status, @Nullable JsonNode body) {

        /** Without what is in it: new tokens are. */
        @Override
        public String toString() {
            return "Answer[" + status + "]";
        }

        /** What the answer says of itself when it is no success. */
        String explained() {
            if (body == null) {
                return "status " + status;
            }
            for (String field : new String[]{"detail", "error", "title"}) {
                if (body.hasNonNull(field)) {
                    return "status " + status + ": " + body.get(field).asString();
                }
            }
            return "status " + status + ": " + body;
        }
    }

    private final HttpClient http;
    private final JsonMapper json = JsonMapper.shared();
    private final Addresses gateway;
    private final String token;

    /** @param certificate what the gateway proves itself with, null where it speaks no TLS */
    Operator(Addresses gateway, String token, @Nullable OwnCertificate certificate) throws GeneralSecurityException {
        this.gateway = gateway;
        this.token = token;
        HttpClient.Builder client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2));
        http = (certificate == null ? client : client.sslContext(certificate.trusted())).build();
    }

    Answer readiness() throws IOException {
        return send(HttpRequest.newBuilder(URI.create(gateway.operators() + "/actuator/health/readiness")).GET());
    }

    Answer get(String path) throws IOException {
        return send(asOperator(path).GET());
    }

    Answer patch(String path, Map<String, ?> body) throws IOException {
        return send(asOperator(path).method("PATCH", json(body)));
    }

    Answer post(String path, Map<String, ?> body) throws IOException {
        return send(asOperator(path).POST(json(body)));
    }

    /** A call of the peers' protocol. */
    Answer call(String path, Map<String, ?> body) throws IOException {
        return send(request(gateway.peers() + path).POST(json(body)));
    }

    String text(Map<String, ?> body) {
        return json.writeValueAsString(body);
    }

    private HttpRequest.Builder asOperator(String path) {
        return request(gateway.operators() + "/admin/api" + path).header("Authorization", "Bearer " + token);
    }

    private static HttpRequest.Builder request(String url) {
        return HttpRequest.newBuilder(URI.create(url)).header("Content-Type", "application/json");
    }

    private HttpRequest.BodyPublisher json(Map<String, ?> body) {
        return HttpRequest.BodyPublishers.ofString(text(body));
    }

    private Answer send(HttpRequest.Builder request) throws IOException {
        try {
            HttpResponse<String> response = http.send(request.timeout(LIMIT).build(),
                    HttpResponse.BodyHandlers.ofString());
            return new Answer(response.statusCode(), parsed(response.body()));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", interrupted);
        }
    }

    private @Nullable JsonNode parsed(String body) {
        try {
            return json.readTree(body);
        } catch (JacksonException noJson) {
            return null;
        }
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
