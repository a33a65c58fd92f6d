package io.syncline.e2e.golden;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** One recorded exchange: what is done before, the request, and the answer that must come. */
record Exchange(int number, String name, String step, List<JsonNode> setup, JsonNode node) {

    static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
            .build();

    static List<Exchange> recorded() {
        try (InputStream in = Objects.requireNonNull(Exchange.class.getResourceAsStream("/golden/exchanges.json"))) {
            List<Exchange> exchanges = new ArrayList<>();
            for (JsonNode node : JSON.readTree(in)) {
                List<JsonNode> setup = new ArrayList<>();
                node.get("setup").forEach(setup::add);
                exchanges.add(
                        new Exchange(node.get("n").asInt(), node.get("name").asString(), node.get("step").asString(),
                                setup, node));
            }
            return exchanges;
        } catch (IOException e) {
            throw new IllegalStateException("the recorded exchanges cannot be read", e);
        }
    }

    JsonNode expect() {
        return node.get("expect");
    }

    String method() {
        return node.get("method").asString();
    }

    String path(String prefix) {
        return node.get("path").asString().replace("{prefix}", prefix);
    }

    String body() {
        JsonNode raw = node.get("raw_body");
        if (raw != null && !raw.isNull()) {
            return raw.asString();
        }
        JsonNode body = node.get("body");
        return body == null || body.isNull() ? "" : JSON.writeValueAsString(body);
    }

    /** How messages name it. */
    String title() {
        return number + " " + name;
    }
}
