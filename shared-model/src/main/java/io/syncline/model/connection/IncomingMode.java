package io.syncline.model.connection;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How registrations by other sites are received (protocol: {@code incoming_mode}). */
public enum IncomingMode {
    AUTO_ACCEPT, REQUIRE_APPROVAL, REQUIRE_PASSWORD, DENY_ALL;

    @JsonValue
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<IncomingMode> parse(String word) {
        return Arrays.stream(values()).filter(mode -> mode.word().equals(word)).findFirst();
    }

    @JsonCreator
    static IncomingMode of(String word) {
        return parse(word).orElseThrow(() -> new IllegalArgumentException("'" + word + "' is no incoming mode"));
    }
}
