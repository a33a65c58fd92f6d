package io.syncline.e2e.golden;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** An answer that came, and whether it is the one that was recorded. */
record Answer(int status, String text) {

    private static final BigDecimal CLOSE = new BigDecimal("1e-6");

    /** What is wrong with this answer; empty where it holds. */
    Optional<String> differsFrom(JsonNode expect, AsPostgres asPostgres) {
        JsonNode wantedStatus = expect.get("status");
        if (wantedStatus != null && wantedStatus.asInt() != status) {
            return Optional.of("status " + status + " instead of " + wantedStatus + ": " + shortened());
        }
        JsonNode statuses = expect.get("status_in");
        if (statuses != null && statuses.valueStream().noneMatch(one -> one.asInt() == status)) {
            return Optional.of("status " + status + " instead of one of " + statuses + ": " + shortened());
        }
        if (expect.size() == 1) {
            return Optional.empty();
        }
        JsonNode body = Exchange.JSON.readTree(text);
        if (expect.has("body")) {
            return same(expect.get("body"), body, false) ? Optional.empty()
                    : Optional.of("body " + shortened() + " instead of " + expect.get("body"));
        }
        if (expect.has("tables")) {
            return tables(expect, body);
        }
        return rows(expect, body, asPostgres);
    }

    private Optional<String> rows(JsonNode expect, JsonNode body, AsPostgres asPostgres) {
        JsonNode rows = body.has("data") ? body.get("data") : body.get("records");
        if (rows == null || !rows.isArray()) {
            return Optional.of("no rows: " + shortened());
        }
        if (expect.has("table") && !Objects.equals(expect.get("table"), body.get("table"))) {
            return Optional.of("table " + body.get("table") + " instead of " + expect.get("table"));
        }
        if (expect.has("count") && rows.size() != expect.get("count").asInt()) {
            return Optional.of(rows.size() + " rows instead of " + expect.get("count"));
        }
        JsonNode wanted = expect.has("as_postgres") ? asPostgres.rows(expect.get("as_postgres").asString())
                : expect.get("rows");
        if (wanted == null) {
            return Optional.empty();
        }
        boolean close = expect.has("numbers");
        boolean anyOrder = expect.has("any_order") || expect.has("as_postgres");
        return (anyOrder ? sameInAnyOrder(wanted, rows, close) : same(wanted, rows, close)) ? Optional.empty()
                : Optional.of("rows " + shortened() + " instead of " + wanted);
    }

    private Optional<String> tables(JsonNode expect, JsonNode body) {
        Set<String> wrong = new TreeSet<>();
        JsonNode tables = body.get("tables");
        expect.get("tables").propertyStream().forEach(wanted -> {
            boolean there = tables.valueStream()
                    .anyMatch(table -> table.get("name").asString().equals(wanted.getKey())
                            && table.get("row_count").asLong() == wanted.getValue().asLong()
                            && table.get("size_bytes").isIntegralNumber());
            if (!there) {
                wrong.add(wanted.getKey());
            }
        });
        if (expect.has("tables_exactly") && tables.size() != expect.get("tables").size()) {
            wrong.add("(" + tables.size() + " tables)");
        }
        return wrong.isEmpty() ? Optional.empty() : Optional.of("missing, or with another row_count: " + wrong);
    }

    private static boolean sameInAnyOrder(JsonNode wanted, JsonNode found, boolean close) {
        if (wanted.size() != found.size()) {
            return false;
        }
        List<JsonNode> left = new ArrayList<>();
        found.forEach(left::add);
        for (JsonNode one : wanted) {
            Optional<JsonNode> match = left.stream().filter(candidate -> same(one, candidate, close)).findFirst();
            if (match.isEmpty()) {
                return false;
            }
            left.remove(match.get());
        }
        return true;
    }

    private static boolean same(JsonNode wanted, @Nullable JsonNode found, boolean close) {
        if (found == null) {
            return false;
        }
        if (wanted.isObject()) {
            return found.isObject() && wanted.size() == found.size() && wanted.propertyStream()
                    .allMatch(property -> same(property.getValue(), found.get(property.getKey()), close));
        }
        if (wanted.isArray()) {
            if (!found.isArray() || wanted.size() != found.size()) {
                return false;
            }
            for (int i = 0; i < wanted.size(); i++) {
                if (!same(wanted.get(i), found.get(i), close)) {
                    return false;
                }
            }
            return true;
        }
        if (wanted.isString() && wanted.asString().equals("<uuid>")) {
            return found.isString() && found.asString()
                    .matches("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
        }
        if (wanted.isNumber()) {
            return found.isNumber() && sameNumber(wanted.decimalValue(), found.decimalValue(), close);
        }
        if (close && wanted.isString() && found.isString() && !wanted.equals(found)) {
            // numeric arrives as text; 1.7.71 wrote some of them in scientific notation.
            return number(wanted.asString()).flatMap(
                    one -> number(found.asString())
                            .map(other -> one.compareTo(other) == 0 && !found.asString().contains("E")))
                    .orElse(false);
        }
        return wanted.equals(found);
    }

    private static boolean sameNumber(BigDecimal wanted, BigDecimal found, boolean close) {
        return wanted.compareTo(found) == 0
                || close && wanted.subtract(found).abs().compareTo(wanted.abs().multiply(CLOSE)) <= 0;
    }

    private static Optional<BigDecimal> number(String text) {
        try {
            return Optional.of(new BigDecimal(text));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    private String shortened() {
        return text.length() > 300 ? text.substring(0, 300) + "…" : text;
    }
}
