package io.syncline.gateway.http;

import jakarta.servlet.http.HttpServletRequest;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.springframework.http.HttpHeaders;
import tools.jackson.databind.JsonNode;

/** One call of an operator, read and found to be well formed. */
public final class OperatorCall {

    private final UUID id;
    private final JsonNode body;
    private final Caller caller;
    private final String variable;
    private final HttpServletRequest request;

    OperatorCall(UUID id, Caller caller, JsonNode body, String variable, HttpServletRequest request) {
        this.id = id;
        this.caller = caller;
        this.body = body;
        this.variable = variable;
        this.request = request;
    }

    /** Who did it, for the log. */
    public String by() {
        return caller.name();
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
        return UUID.fromString(variable);
    }

    /** The {@code {name}} of the path, as it was sent. */
    public String name() {
        return variable;
    }

    /**
     * The one version that {@code If-Match} names; empty where any will do. A weak tag, or several, name none that anything
     * can have.
     */
    public Optional<String> expectedVersion() {
        return header(HttpHeaders.IF_MATCH).map(String::strip)
                .filter(tag -> !tag.equals("*"))
                .map(
                        tag -> tag.length() > 2 && tag.startsWith("\"") && tag.endsWith("\"")
                                ? tag.substring(1, tag.length() - 1)
                                : "");
    }

    /** The parameters of the query, the first of each name. */
    public Map<String, String> query() throws MalformedQueryException {
        try {
            Map<String, String> first = new java.util.TreeMap<>();
            request.getParameterMap().forEach((name, values) -> first.put(name, values[0]));
            return first;
        } catch (IllegalStateException e) {
            // How a servlet says that it can make no parameters of it.
            throw new MalformedQueryException(e);
        }
    }

    public Optional<String> header(String header) {
        return Optional.ofNullable(request.getHeader(header));
    }
}
