package io.syncline.gateway.admin;

import io.syncline.gateway.http.CallFields;
import io.syncline.gateway.http.OperatorRefusal;
import io.syncline.gateway.http.OperatorRefusal.FieldProblem;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;

/**
 * Reads the fields of an operator's call and remembers all that is wrong with them, fields that nobody asked for included:
 * a misspelt limit must not be taken for none.
 */
final class OperatorFields {

    private final JsonNode body;
    private final Set<String> asked = new HashSet<>();
    private final List<FieldProblem> problems = new ArrayList<>();

    OperatorFields(JsonNode body) {
        this.body = body;
    }

    /** Whether a field is there, null included. */
    boolean has(String name) {
        asked.add(name);
        return body.has(name);
    }

    boolean isNull(String name) {
        asked.add(name);
        return body.path(name).isNull();
    }

    /** A text of 1 to so many characters; absent and null are the same. */
    Optional<String> text(String name, int longest) {
        return value(name).flatMap(value -> {
            String wrong = "must be a text of 1 to " + longest + " characters, without NUL";
            if (!CallFields.isText(value)) {
                return no(name, wrong);
            }
            String text = value.stringValue();
            return text.isEmpty() || text.codePointCount(0, text.length()) > longest ? no(name, wrong)
                    : Optional.of(text);
        });
    }

    Optional<Boolean> bool(String name) {
        return value(name).flatMap(
                value -> value.isBoolean() ? Optional.of(value.booleanValue()) : no(name, "must be true or false"));
    }

    Optional<Long> whole(String name, long least, long most) {
        return value(name).flatMap(value -> {
            boolean fits = value.isIntegralNumber() && value.canConvertToLong() && value.longValue() >= least
                    && value.longValue() <= most;
            return fits ? Optional.of(value.longValue())
                    : no(name, "must be a whole number from " + least + " to " + most);
        });
    }

    /** A text that {@code parse} understands. */
    <T> Optional<T> parsed(String name, Function<String, Optional<T>> parse, String expected) {
        return value(name).flatMap(value -> {
            Optional<T> parsed = CallFields.isText(value) ? parse.apply(value.stringValue()) : Optional.empty();
            return parsed.isPresent() ? parsed : no(name, expected);
        });
    }

    /** A list of texts, each of which {@code valid} takes. */
    List<String> texts(String name, int most, Function<String, Boolean> valid, String expected) {
        return value(name).map(value -> {
            if (!value.isArray() || value.size() > most) {
                reject(name, "must be a list of at most " + most + " entries");
                return List.<String>of();
            }
            List<String> texts = new ArrayList<>();
            for (JsonNode entry : value) {
                if (!CallFields.isText(entry) || !valid.apply(entry.stringValue())) {
                    reject(name, "must be a list in which each entry is " + expected);
                    return List.<String>of();
                }
                texts.add(entry.stringValue());
            }
            return List.copyOf(texts);
        }).orElse(List.of());
    }

    void reject(String name, String detail) {
        problems.add(new FieldProblem(name, detail));
    }

    /** All that is wrong; empty where nothing is. */
    Optional<OperatorRefusal> refusal() {
        for (String name : body.propertyNames()) {
            if (!asked.contains(name)) {
                problems.add(new FieldProblem(printable(name), "is not known here"));
            }
        }
        return problems.isEmpty() ? Optional.empty() : Optional.of(new OperatorRefusal.Invalid(problems));
    }

    private Optional<JsonNode> value(String name) {
        asked.add(name);
        return Optional.of(body.path(name)).filter(value -> !value.isMissingNode() && !value.isNull());
    }

    private <T> Optional<T> no(String name, String detail) {
        reject(name, detail);
        return Optional.empty();
    }

    private static String printable(String name) {
        return name.length() <= 100 ? name : name.substring(0, 100) + "…";
    }
}
