package io.syncline.gateway.http;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import tools.jackson.databind.JsonNode;

/**
 * Reads the fields of one call and remembers, in the order of reading, which are missing and which are of the wrong kind.
 * What it gives is only worth using once {@link #refusal()} is empty.
 */
public final class CallFields {

    /** More digits than any count that we take; a longer text is no such value. */
    private static final int MAX_DIGITS = 18;

    private final JsonNode body;
    private final List<String> missing = new ArrayList<>();
    private final List<String> invalid = new ArrayList<>();

    public CallFields(JsonNode body) {
        this.body = body;
    }

    /** A required text of any length. */
    public String text(String name) {
        return text(name, Integer.MAX_VALUE);
    }

    /** A required text of so many characters at most. */
    public String text(String name, int longest) {
        JsonNode value = required(name);
        if (value.isMissingNode()) {
            return "";
        }
        if (!isText(value) || value.stringValue().codePointCount(0, value.stringValue().length()) > longest) {
            return wrong(name, "");
        }
        return value.stringValue();
    }

    /** A required field of any kind; a missing node where it is absent, null or "". */
    public JsonNode required(String name) {
        JsonNode value = body.path(name);
        if (value.isMissingNode() || value.isNull() || (value.isString() && value.stringValue().isEmpty())) {
            missing.add(name);
            return tools.jackson.databind.node.MissingNode.getInstance();
        }
        return value;
    }

    /** An optional text; null and "" count as absent. */
    public Optional<String> optionalText(String name) {
        JsonNode value = body.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (!isText(value)) {
            return wrong(name, Optional.empty());
        }
        return Optional.of(value.stringValue()).filter(text -> !text.isEmpty());
    }

    /** An optional whole number, 0 or more, as a number or as decimal text; null counts as absent. */
    public OptionalLong optionalCount(String name) {
        JsonNode value = body.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return OptionalLong.empty();
        }
        String digits = value.isIntegralNumber() ? value.asString() : value.isString() ? value.stringValue() : "";
        boolean decimal = !digits.isEmpty() && digits.length() <= MAX_DIGITS
                && digits.chars().allMatch(c -> c >= '0' && c <= '9');
        return decimal ? OptionalLong.of(Long.parseLong(digits)) : wrong(name, OptionalLong.empty());
    }

    /** An optional list of anything; null counts as absent. */
    public Optional<List<JsonNode>> optionalList(String name) {
        JsonNode value = body.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (!value.isArray()) {
            return wrong(name, Optional.empty());
        }
        return Optional.of(value.valueStream().toList());
    }

    /** An optional field as it is; null counts as absent. */
    public Optional<JsonNode> optional(String name) {
        return Optional.of(body.path(name)).filter(value -> !value.isMissingNode() && !value.isNull());
    }

    /** Says of a field that was read that it holds no such value after all. */
    public void reject(String name) {
        if (!invalid.contains(name)) {
            invalid.add(name);
        }
    }

    /** What is wrong with the call so far: missing fields before those of the wrong kind. */
    public Optional<PeerRefusal> refusal() {
        return missing.isEmpty() ? invalidFields() : Optional.of(new PeerRefusal.MissingFields(missing));
    }

    /** The same, with missing fields in the form of {@code table-schema} and {@code table-records}. */
    public Optional<PeerRefusal> refusalInSentence() {
        return missing.isEmpty() ? invalidFields() : Optional.of(new PeerRefusal.MissingFieldsSentence(missing));
    }

    /**
     * Whether a value is a text that can be stored and sent on: PostgreSQL takes no NUL, and half of a surrogate pair has no
     * UTF-8, so that two texts would become one.
     */
    public static boolean isText(JsonNode value) {
        return value.isString() && value.stringValue().indexOf('\0') < 0
                && StandardCharsets.UTF_8.newEncoder().canEncode(value.stringValue());
    }

    private Optional<PeerRefusal> invalidFields() {
        return invalid.isEmpty() ? Optional.empty() : Optional.of(new PeerRefusal.InvalidFields(invalid));
    }

    private <T> T wrong(String name, T nothing) {
        reject(name);
        return nothing;
    }
}
