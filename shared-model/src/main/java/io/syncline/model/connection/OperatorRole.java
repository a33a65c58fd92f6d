package io.syncline.model.connection;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What somebody with a token of their own may do: look, look into the event log too, or all that operators do. */
public enum OperatorRole {
    VIEWER, AUDITOR, OPERATOR;

    @JsonValue
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<OperatorRole> parse(String word) {
        return Arrays.stream(values()).filter(role -> role.word().equals(word)).findFirst();
    }

    @JsonCreator
    static OperatorRole of(String word) {
        return parse(word).orElseThrow(() -> new IllegalArgumentException("'" + word + "' is no operator's role"));
    }
}
