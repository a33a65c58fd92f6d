package io.syncline.benchmarks.site;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Sets a site up through the operators' corner, and asks it things outside the load. */
public final class Operator {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration SERVED = Duration.ofSeconds(120);

    private final String base;
    private final String token;
    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final JsonMapper json = JsonMapper.shared();

    Operator(String base, String token) {
        this.base = base;
        this.token = token;
    }

    void awaitReady(Duration limit) throws IOException, InterruptedException {
        SiteUnderTest.await("the gateway is ready", limit, () -> send(
                HttpRequest.newBuilder(URI.create(base + "/actuator/health/readiness")).GET()).statusCode() == 200);
    }

    /** Lets everybody register. */
    public void open() throws IOException, InterruptedException {
        admin("PATCH", "/settings", "{\"enabled\":true,\"incoming_mode\":\"auto_accept\"}");
    }

    /** Makes an active connection that may pull; gives its token. */
    public String senderFor(String siteUrl) throws IOException, InterruptedException {
        return admin("POST", "/connections",
                "{\"direction\":\"sender\",\"name\":\"Benchmark\",\"site_url\":\"%s\",\"status\":\"active\",\"notify\":false}"
                        .formatted(siteUrl))
                .path("auth_token")
                .asString();
    }

    /** The same with another rate of calls than is usual. */
    public String senderFor(String siteUrl, int callsAMinute) throws IOException, InterruptedException {
        return admin("POST", "/connections",
                "{\"direction\":\"sender\",\"name\":\"Benchmark\",\"site_url\":\"%s\",\"status\":\"active\",\"notify\":false,\"rate_limit_requests_per_minute\":%d}"
                        .formatted(siteUrl, callsAMinute))
                .path("auth_token")
                .asString();
    }

    /** Waits until list-tables has this many rows of a table. */
    public void awaitTable(String tokenHash, String table, long rows) throws IOException, InterruptedException {
        SiteUnderTest.await("table " + table + " is served whole", SERVED, () -> {
            HttpResponse<String> listed = call("list-tables", "{\"auth_token_hash\":\"%s\"}".formatted(tokenHash));
            if (listed.statusCode() != 200) {
                return false;
            }
            for (JsonNode one : json.readTree(listed.body()).path("tables")) {
                if (one.path("name").asString().equals(table)) {
                    return one.path("row_count").asLong() == rows;
                }
            }
            return false;
        });
    }

    /** A peer's call. */
    public HttpResponse<String> call(String name, String body) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(URI.create(base + "/" + SiteUnderTest.PREFIX + "/sync/api/" + name))
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    private JsonNode admin(String method, String path, String body) throws IOException, InterruptedException {
        HttpResponse<String> answer = send(HttpRequest.newBuilder(URI.create(base + "/admin/api" + path))
                .header("authorization", "Bearer " + token)
                .header("content-type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body)));
        if (answer.statusCode() / 100 != 2) {
            throw new IOException("%s %s: %d %s".formatted(method, path, answer.statusCode(), answer.body()));
        }
        return json.readTree(answer.body());
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return http.send(request.timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString());
    }
}
