package io.syncline.benchmarks.site;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Sets a site up through the operators' corner, and asks it things outside the load. */
public final class Operator {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration SERVED = Duration.ofMinutes(5);

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
        return senderFor(siteUrl, "");
    }

    /** @param settings of the connection, as members of a JSON object */
    public String senderFor(String siteUrl, String settings) throws IOException, InterruptedException {
        return admin("POST", "/connections",
                "{\"direction\":\"sender\",\"name\":\"Benchmark\",\"site_url\":\"%s\",\"status\":\"active\",\"notify\":false%s}"
                        .formatted(siteUrl, settings.isEmpty() ? "" : "," + settings))
                .path("auth_token")
                .asString();
    }

    /** Waits until list-tables has this many rows of a table, and serves them. */
    public void awaitTable(String tokenHash, String table, long rows) throws IOException, InterruptedException {
        SiteUnderTest.await("table " + table + " is served whole", SERVED,
                () -> tables(tokenHash).stream()
                        .anyMatch(one -> one.path("name").asString().equals(table)
                                && one.path("state").asString().equals("live")
                                && one.path("row_count").asLong() == rows));
    }

    /** Waits until list-tables does not have a table any more. */
    public void awaitNoTable(String tokenHash, String table) throws IOException, InterruptedException {
        SiteUnderTest.await("table " + table + " is gone", SERVED,
                () -> tables(tokenHash).stream().noneMatch(one -> one.path("name").asString().equals(table)));
    }

    /** What list-tables has. */
    public List<JsonNode> tables(String tokenHash) throws IOException, InterruptedException {
        HttpResponse<String> listed = call("list-tables", "{\"auth_token_hash\":\"%s\"}".formatted(tokenHash));
        if (listed.statusCode() != 200) {
            throw new IOException("list-tables: %d %s".formatted(listed.statusCode(), listed.body()));
        }
        List<JsonNode> tables = new ArrayList<>();
        json.readTree(listed.body()).path("tables").forEach(tables::add);
        return tables;
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
