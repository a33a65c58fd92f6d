package io.syncline.model.connection;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Whether a table may be pulled over a connection whose pulls wait for an operator. One a table: an approval opens the
 * table until its end, however many calls that takes.
 *
 * @param id        the transfer's, which operators name
 * @param address   from where it was asked for
 * @param until     after it, it is as if nobody had asked
 * @param by        the operator, null while it waits
 * @param decidedAt when the operator said so, null likewise
 */
public record Approval(
        UUID id,
        String table,
        State state,
        String address,
        Instant requestedAt,
        Instant until,
        @Nullable String by,
        @Nullable String reason,
        @Nullable Instant decidedAt) {

    /** How long a request waits for an operator. */
    public static final Duration WAITS = Duration.ofDays(7);
    /** How long an operator's word holds, unless the operator says otherwise. */
    public static final Duration HOLDS = Duration.ofDays(1);

    /** What the operators have said so far. */
    public enum State {
        WAITING, APPROVED, DENIED;

        @JsonValue
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        @JsonCreator
        public static State of(String word) {
            return Arrays.stream(values())
                    .filter(state -> state.word().equals(word))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("'" + word + "' is no state of an approval"));
        }
    }

    public boolean holds(Instant now) {
        return now.isBefore(until);
    }

    /** Whether this is what an operator has said, whoever it was. */
    public boolean says(State word, @Nullable String why, long seconds) {
        return state == word && Objects.equals(reason, why) && decidedAt != null
                && decidedAt.plusSeconds(seconds).equals(until);
    }

    Approval decided(State decided, Instant end, String operator, @Nullable String why, Instant at) {
        return new Approval(id, table, decided, address, requestedAt, end, operator, why, at);
    }
}
