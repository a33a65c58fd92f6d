package io.syncline.model.connection;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;

/** How a pull ended. */
public enum PullOutcome {
    COMPLETED,
    /** The receiver went away, or read too slowly, or the rows could not be read to their end. */
    BROKEN_OFF,
    /** Nobody reported: the gateway may have died. All that was granted counts as pulled. */
    UNKNOWN;

    @JsonValue
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    @JsonCreator
    public static PullOutcome of(String word) {
        return Arrays.stream(values())
                .filter(outcome -> outcome.word().equals(word))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("'" + word + "' is no outcome of a pull"));
    }
}
