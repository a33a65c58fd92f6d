package io.syncline.gateway.http;

import jakarta.servlet.http.HttpServletRequest;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** One call of an operator, read and found to be well formed. */
public final class OperatorCall {

    private final UUID id;
    private final JsonNode body;
    private final @Nullable UUID subject;
    private final HttpServletRequest request;

    OperatorCall(UUID id, JsonNode body, @Nullable UUID subject, HttpServletRequest request) {
        this.id = id;
        this.body = body;
        this.subject = subject;
        this.request = request;
    }

    /** The name of this call in the logs, and of its request if it makes one: a UUID v7. */
    public UUID id() {
        return id;
    }

    public JsonNode body() {
        return body;
    }

    /** The {@code {uuid}} of the path. */
    public UUID subject() {
        if (subject == null) {
            throw new IllegalStateException("this path has no {uuid}");
        }
        return subject;
    }

    /** The parameters of the query, the first of each name. */
    public Map<String, String> query() {
        Map<String, String> first = new java.util.TreeMap<>();
        request.getParameterMap().forEach((name, values) -> first.put(name, values[0]));
        return first;
    }

    public Optional<String> header(String header) {
        return Optional.ofNullable(request.getHeader(header));
    }
}
