package io.syncline.gateway.table;

import io.syncline.gateway.http.CallFields;
import io.syncline.model.table.KeyColumn;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/**
 * Reads the ids of a call by the types of the table's key: a value of another JSON kind is no such value. Whether a text
 * is one (of a date, say) only PostgreSQL knows. The id of a key of several columns is an array of their values in the key's
 * order, or an object of them by name, as rows have it.
 */
final class KeyValues {

    /** More ids than this would be a download by hand; an answer has a hundred rows at most. */
    static final int MAX_IDS = 1_000;

    private KeyValues() {}

    /** The texts of ids' columns; empty if one of them cannot be a value of this key. */
    static Optional<List<List<String>>> ids(List<KeyColumn> key, List<JsonNode> ids) {
        if (ids.size() > MAX_IDS) {
            return Optional.empty();
        }
        List<List<String>> keys = new ArrayList<>();
        for (JsonNode id : ids) {
            Optional<List<String>> texts = bound(key, id).filter(found -> found.size() == key.size());
            if (texts.isEmpty()) {
                return Optional.empty();
            }
            keys.add(texts.get());
        }
        return Optional.of(keys);
    }

    /** The texts of an id's columns, or of the first of them: where a range begins or ends. */
    static Optional<List<String>> bound(List<KeyColumn> key, JsonNode id) {
        if (key.stream().anyMatch(column -> column.name().isEmpty())) {
            // The table has no key, but for one that only its copy knows.
            return Optional.empty();
        }
        List<JsonNode> values = new ArrayList<>();
        if (key.size() == 1 && !isKey(id, key)) {
            values.add(id);
        } else if (id.isObject()) {
            for (KeyColumn column : key) {
                JsonNode value = id.get(column.name());
                if (value == null) {
                    break;
                }
                values.add(value);
            }
            if (values.size() != id.size()) {
                return Optional.empty();
            }
        } else if (id.isArray()) {
            id.forEach(values::add);
        }
        if (values.isEmpty() || values.size() > key.size()) {
            return Optional.empty();
        }
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            Optional<String> text = text(key.get(i), values.get(i));
            if (text.isEmpty()) {
                return Optional.empty();
            }
            texts.add(text.get());
        }
        return Optional.of(texts);
    }

    private static boolean isKey(JsonNode id, List<KeyColumn> key) {
        return id.isObject() && id.size() == 1 && id.has(key.getFirst().name())
                && !key.getFirst().nativeType().equals("jsonb");
    }

    private static Optional<String> text(KeyColumn column, JsonNode value) {
        String type = column.nativeType();
        if (!column.labels().isEmpty()) {
            return CallFields.isText(value) ? Optional.of(value.stringValue()) : Optional.empty();
        }
        return switch (type) {
            case "smallint", "integer", "bigint" -> value.isIntegralNumber() ? Optional.of(value.asString()) : none();
            case "oid" -> value.isIntegralNumber() || CallFields.isText(value) ? Optional.of(value.asString()) : none();
            case "boolean" -> value.isBoolean() ? Optional.of(value.asString()) : none();
            case "jsonb" -> Optional.of(value.toString());
            case "uuid", "bytea" -> CallFields.isText(value) ? Optional.of(value.stringValue()) : marked(type, value);
            // One that does not begin at 1 is PostgreSQL's text, as in the key of a deleted row.
            case String array when array.endsWith("[]") -> value.isArray()
                    ? array(value)
                    : CallFields.isText(value) && value.stringValue().startsWith("[")
                            ? Optional.of(value.stringValue())
                    : none();
            case String number when number.startsWith("numeric") || number.equals("real")
                    || number.equals("double precision") ->
                    value.isNumber() || CallFields.isText(value) ? Optional.of(value.asString()) : none();
            case String other -> CallFields.isText(value) ? Optional.of(value.stringValue()) : none();
        };
    }

    private static Optional<String> none() {
        return Optional.empty();
    }

    /** Bytes as {@link BinaryMarker} gave them. */
    private static Optional<String> marked(String type, JsonNode value) {
        JsonNode base64 = value.size() == 1 ? value.path(BinaryMarker.NAME) : value.path("");
        if (!base64.isString()) {
            return none();
        }
        try {
            String hex = HexFormat.of().formatHex(Base64.getDecoder().decode(base64.stringValue()));
            return Optional.of(type.equals("uuid") ? uuid(hex) : "\\x" + hex);
        } catch (IllegalArgumentException e) {
            return none();
        }
    }

    private static String uuid(String hex) {
        if (hex.length() != 32) {
            throw new IllegalArgumentException("a uuid has 16 bytes");
        }
        return new UUID(Long.parseUnsignedLong(hex, 0, 16, 16), Long.parseUnsignedLong(hex, 16, 32, 16)).toString();
    }

    private static Optional<String> array(JsonNode value) {
        List<Optional<String>> elements = value.valueStream().map(element -> {
            if (element.isArray()) {
                return array(element);
            }
            if (element.isNull()) {
                return Optional.of("NULL");
            }
            return element.isObject() || element.isString() && !CallFields.isText(element)
                    ? KeyValues.none()
                    : Optional.of(RowQuery.element(element.asString()));
        }).toList();
        return elements.stream().allMatch(Optional::isPresent)
                ? Optional.of(elements.stream().map(Optional::get).collect(Collectors.joining(",", "{", "}")))
                : none();
    }
}
