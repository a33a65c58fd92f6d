package io.syncline.model.log;

import io.syncline.model.connection.Operator;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The operators as the {@code operators} column of {@code settings} has them: JSON text. */
public final class StoredOperators {

    private static final String NONE = "[]";

    private StoredOperators() {}

    public static String write(List<Operator> operators) {
        return operators.isEmpty() ? NONE : new String(Json.write(operators), StandardCharsets.UTF_8);
    }

    public static List<Operator> read(String json) {
        return json.equals(NONE) ? List.of()
                : List.of(Json.read(json.getBytes(StandardCharsets.UTF_8), Operator[].class));
    }
}
