package io.syncline.model.log;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/** The JSON of everything that is said between processes: snake_case, unknown fields refused. */
final class Json {

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(tools.jackson.databind.DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    private Json() {}

    static byte[] write(Object value) {
        return MAPPER.writeValueAsBytes(value);
    }

    static JsonNode tree(Object value) {
        return MAPPER.valueToTree(value);
    }

    static <T> T read(byte[] json, Class<T> type) {
        try {
            T value = MAPPER.readValue(json, type);
            if (value == null) {
                throw new MalformedRecordException("JSON null where a " + type.getSimpleName() + " should be");
            }
            return value;
        } catch (JacksonException e) {
            throw malformed(type, e);
        }
    }

    static <T> T read(JsonNode json, Class<T> type) {
        try {
            return MAPPER.treeToValue(json, type);
        } catch (JacksonException e) {
            throw malformed(type, e);
        }
    }

    private static MalformedRecordException malformed(Class<?> type, JacksonException e) {
        // Jackson's own message quotes the source; a class and a place are enough to look for.
        return new MalformedRecordException("no " + type.getSimpleName() + ": " + e.getClass().getSimpleName());
    }
}
