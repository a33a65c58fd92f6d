package io.syncline.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** A receiver that keeps a copy of its own of one table by asking what has changed, in pages of any size. */
public final class Follower {

    private final SyncCluster.Gateway gateway;
    private final String tokenHash;
    private final String table;
    private final boolean keyless;
    private final Random random;
    private final Map<String, String> rows = new HashMap<>();
    private List<String> key = List.of();
    private @Nullable String asOf;

    /** @param keyless its rows are told apart by nothing; else the columns of its key have names that begin with "K " */
    public Follower(SyncCluster.Gateway gateway, String tokenHash, String table, boolean keyless, long seed) {
        this.gateway = gateway;
        this.tokenHash = tokenHash;
        this.table = table;
        this.keyless = keyless;
        this.random = new Random(seed);
    }

    /** The rows by their keys, or by numbers where they have none, as they came. */
    public Map<String, String> rows() {
        return rows;
    }

    /** Pulls what has changed since the last time; everything the first time, and where that is no longer known. */
    public void follow() {
        follow(() -> {});
    }

    /** @param betweenPages done after each page but the last one */
    public void follow(Runnable betweenPages) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.put("auth_token_hash", tokenHash).put("table_name", table).put("limit", 1 + random.nextInt(200));
        if (asOf != null) {
            body.put("since", asOf);
        }
        boolean whole = asOf == null;
        JsonNode page;
        do {
            HttpResponse<String> answer;
            try {
                answer = gateway.call("pull-data", body.toString());
            } catch (UncheckedIOException brokenOff) {
                return;
            }
            if (answer.statusCode() == 503 || answer.statusCode() == 404) {
                return;
            }
            if (answer.statusCode() == 410) {
                asOf = null;
                return;
            }
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            page = JsonMapper.shared().readTree(answer.body());
            if (whole && !body.has("cursor")) {
                rows.clear();
            }
            apply(page);
            body.put("cursor", page.path("next_cursor").asString(""));
            body.put("limit", 1 + random.nextInt(2_000));
            if (page.path("has_more").booleanValue()) {
                betweenPages.run();
            }
        } while (page.path("has_more").booleanValue());
        asOf = page.path("as_of").asString();
    }

    private void apply(JsonNode page) {
        page.path("deleted").forEach(gone -> rows.remove(keyOf(gone)));
        page.path("data").forEach(row -> rows.put(keyOf(row), row.toString()));
    }

    private String keyOf(JsonNode row) {
        if (keyless) {
            return Integer.toString(rows.size());
        }
        if (key.isEmpty()) {
            key = row.propertyStream().map(Map.Entry::getKey).filter(name -> name.startsWith("K ")).toList();
        }
        StringBuilder text = new StringBuilder();
        for (String column : key) {
            text.append(row.path(column)).append('|');
        }
        return text.toString();
    }
}
