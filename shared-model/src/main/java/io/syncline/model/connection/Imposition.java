package io.syncline.model.connection;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What our own operator imposed on (site URL, direction). It outlives the record, and no peer's call ever lifts it.
 *
 * @param by the operator who imposed it, or {@code incoming_mode} where the settings did
 */
public record Imposition(Kind kind, @Nullable String reason, String by, Instant since) {

    /** The kinds of imposition, each with the status that it puts in force. */
    public enum Kind {
        AWAITING_APPROVAL(ConnectionStatus.PENDING), SUSPENDED(ConnectionStatus.SUSPENDED),
        REVOKED(ConnectionStatus.REVOKED);

        private final ConnectionStatus status;

        Kind(ConnectionStatus status) {
            this.status = status;
        }

        public ConnectionStatus status() {
            return status;
        }

        @JsonValue
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        @JsonCreator
        public static Kind of(String word) {
            for (Kind kind : values()) {
                if (kind.word().equals(word)) {
                    return kind;
                }
            }
            throw new IllegalArgumentException("'" + word + "' is no kind of imposition");
        }
    }
}
