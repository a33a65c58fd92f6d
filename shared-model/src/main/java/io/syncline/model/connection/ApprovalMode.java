package io.syncline.model.connection;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** Whether a pull over a connection waits for an operator. */
public enum ApprovalMode {
    AUTO_APPROVE, REQUIRE_APPROVAL, PER_TABLE;

    @JsonValue
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<ApprovalMode> parse(String word) {
        return Arrays.stream(values()).filter(mode -> mode.word().equals(word)).findFirst();
    }

    @JsonCreator
    static ApprovalMode of(String word) {
        return parse(word).orElseThrow(() -> new IllegalArgumentException("'" + word + "' is no approval mode"));
    }
}
