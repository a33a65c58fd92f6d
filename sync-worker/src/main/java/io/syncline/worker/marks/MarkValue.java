package io.syncline.worker.marks;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a mark says beside its number.
 *
 * @param by  the worker that wrote it
 * @param why where the number alone does not say it, else empty
 */
record MarkValue(String by, String why) {

    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    String json() {
        return MAPPER.writeValueAsString(this);
    }

    /** A value of another form says nothing, and its number holds all the same. */
    static MarkValue parse(String json) {
        try {
            JsonNode value = MAPPER.readTree(json);
            return new MarkValue(value.path("by").asString(""), value.path("why").asString(""));
        } catch (JacksonException e) {
            return new MarkValue("", "");
        }
    }
}
