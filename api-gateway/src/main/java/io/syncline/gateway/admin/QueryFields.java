package io.syncline.gateway.admin;

import io.syncline.gateway.http.OperatorRefusal;
import io.syncline.gateway.http.OperatorRefusal.FieldProblem;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Reads the parameters of a query, and remembers all that is wrong with them, those that nobody asked for included. */
final class QueryFields {

    static final int DEFAULT_LIMIT = 100;
    static final int MAX_LIMIT = 500;

    private final Map<String, String> query;
    private final Set<String> asked = new HashSet<>();
    private final List<FieldProblem> problems = new ArrayList<>();

    QueryFields(Map<String, String> query) {
        this.query = query;
    }

    int limit() {
        return parsed("limit",
                text -> text.matches("[0-9]{1,3}") ? Optional.of(Integer.parseInt(text)) : Optional.<Integer>empty(),
                "must be a whole number from 1 to " + MAX_LIMIT).filter(limit -> {
                    boolean fits = limit >= 1 && limit <= MAX_LIMIT;
                    if (!fits) {
                        problems.add(new FieldProblem("limit", "must be a whole number from 1 to " + MAX_LIMIT));
                    }
                    return fits;
                }).orElse(DEFAULT_LIMIT);
    }

    /** A cursor of ours, made by {@link #cursor(String)}. */
    <T> Optional<T> cursor(Function<String, Optional<T>> parse) {
        return parsed("cursor", text -> decoded(text).flatMap(parse),
                "must be the next_cursor of an earlier answer; leave it out to begin anew");
    }

    /** Opaque: what is in it is nobody's business but ours. */
    static String cursor(String content) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(content.getBytes(StandardCharsets.UTF_8));
    }

    private static Optional<String> decoded(String text) {
        try {
            return Optional.of(new String(Base64.getUrlDecoder().decode(text), StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** A text that PostgreSQL can compare. */
    Optional<String> text(String name) {
        return parsed(name, text -> Optional.of(text).filter(given -> !given.isEmpty() && given.indexOf('\0') < 0),
                "must be a text, without NUL");
    }

    <T> Optional<T> parsed(String name, Function<String, Optional<T>> parse, String expected) {
        asked.add(name);
        if (!query.containsKey(name)) {
            return Optional.empty();
        }
        Optional<T> parsed = parse.apply(String.valueOf(query.get(name)));
        if (parsed.isEmpty()) {
            problems.add(new FieldProblem(name, expected));
        }
        return parsed;
    }

    Optional<OperatorRefusal> refusal() {
        for (String name : query.keySet()) {
            if (!asked.contains(name)) {
                problems.add(new FieldProblem(name.length() <= 100 ? name : name.substring(0, 100) + "…",
                        "is no parameter here"));
            }
        }
        return problems.isEmpty() ? Optional.empty() : Optional.of(new OperatorRefusal.Invalid(problems));
    }
}
