package io.syncline.model.connection;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What our own operator imposed on (site URL, direction). It outlives the record, and no peer's call ever lifts it.
 *
 * @param former what it was before the record under it was made anew; reason, operator and time are still that one's. Whoever
 *               approves must not take somebody for a newcomer who was sent away
 * @param by     the operator who imposed it, or {@code incoming_mode} where the settings did
 */
public record Imposition(Kind kind, @Nullable Kind former, @Nullable String reason, String by, Instant since) {

    public Imposition(Kind kind, @Nullable String reason, String by, Instant since) {
        this(kind, null, reason, by, since);
    }

    /** What lies on a record that is made under {@code before}, and that waits for approval. */
    static Imposition waiting(@Nullable Imposition before, String by, Instant at) {
        if (before == null || (before.kind == Kind.AWAITING_APPROVAL && before.former == null)) {
            return new Imposition(Kind.AWAITING_APPROVAL, null, by, at);
        }
        return before.kind == Kind.AWAITING_APPROVAL ? before
                : new Imposition(Kind.AWAITING_APPROVAL, before.kind, before.reason, before.by, before.since);
    }

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
