package io.syncline.model.connection;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;
import java.util.Optional;

/** The status in force of a connection, declared from the most lenient to the strictest: of several, the strictest holds. */
public enum ConnectionStatus {
    ACTIVE, PENDING, SUSPENDED, EXPIRED, REVOKED;

    /** The lower-case word of the protocol and of the database. */
    @JsonValue
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The status of a protocol word, compared as sent; empty for any other text. */
    public static Optional<ConnectionStatus> parse(String word) {
        for (ConnectionStatus status : values()) {
            if (status.word().equals(word)) {
                return Optional.of(status);
            }
        }
        return Optional.empty();
    }

    @JsonCreator
    static ConnectionStatus of(String word) {
        return parse(word).orElseThrow(() -> new IllegalArgumentException("'" + word + "' is no connection status"));
    }

    public ConnectionStatus stricterOf(ConnectionStatus other) {
        return compareTo(other) >= 0 ? this : other;
    }
}
