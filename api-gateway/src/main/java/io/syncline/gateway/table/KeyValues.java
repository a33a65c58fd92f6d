package io.syncline.gateway.table;

import io.syncline.gateway.http.CallFields;
import io.syncline.model.table.KeyColumn;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * Reads the ids of a call by the type of the table's key: a value of another JSON kind is no such value. Whether a text
 * is one (of a date, say) only PostgreSQL knows.
 */
final class KeyValues {

    /** More ids than this would be a download by hand; an answer has a hundred rows at most. */
    static final int MAX_IDS = 1_000;

    private KeyValues() {}

    /** The texts of ids; empty if one of them cannot be a value of this key. */
    static Optional<List<String>> texts(List<KeyColumn> key, List<JsonNode> ids) {
        if (key.size() != 1 || ids.size() > MAX_IDS) {
            return Optional.empty();
        }
        List<String> texts = ids.stream().filter(id -> fits(key.getFirst(), id)).map(KeyValues::text).toList();
        return texts.size() == ids.size() ? Optional.of(texts) : Optional.empty();
    }

    private static boolean fits(KeyColumn key, JsonNode id) {
        String type = key.nativeType();
        return switch (type) {
            case "smallint", "integer", "bigint", "oid" -> id.isIntegralNumber();
            case "boolean" -> id.isBoolean();
            case "real", "double precision" -> id.isNumber() || CallFields.isText(id);
            case String numeric when numeric.startsWith("numeric") -> id.isNumber() || CallFields.isText(id);
            case String other -> CallFields.isText(id);
        };
    }

    private static String text(JsonNode id) {
        return id.isString() ? id.stringValue() : id.asString();
    }
}
