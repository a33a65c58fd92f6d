package io.syncline.gateway.http;

import jakarta.servlet.http.HttpServletRequest;
import java.util.Optional;
import java.util.UUID;
import tools.jackson.databind.JsonNode;

/** One call of a peer, read and found to be well formed. */
public final class PeerCall {

    private final UUID id;
    private final String name;
    private final JsonNode body;
    private final HttpServletRequest request;

    PeerCall(UUID id, String name, JsonNode body, HttpServletRequest request) {
        this.id = id;
        this.name = name;
        this.body = body;
        this.request = request;
    }

    /** The name of this call in the logs, and of its request if it makes one: a UUID v7. */
    public UUID id() {
        return id;
    }

    /** The path's last part, for instance {@code /pull-data}. */
    public String name() {
        return name;
    }

    /** The whole path, as it was called. */
    public String path() {
        return request.getRequestURI();
    }

    /** The JSON object that was sent; an empty one for an empty body. */
    public JsonNode body() {
        return body;
    }

    /** Who calls, as {@link CallerAddress} found it. */
    public String remoteAddress() {
        return request.getRemoteAddr();
    }

    /** Whether many JSON values are asked for, a line each. */
    public boolean asksForLines() {
        return JsonBody.asksForLines(request.getHeader("Accept"));
    }

    public Optional<String> userAgent() {
        return header("User-Agent");
    }

    public Optional<String> header(String header) {
        return Optional.ofNullable(request.getHeader(header));
    }
}
