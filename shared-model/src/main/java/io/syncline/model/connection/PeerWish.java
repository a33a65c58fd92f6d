package io.syncline.model.connection;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;
import java.util.Optional;

/** What the sender's site last told us by {@code update-status}; recorded as told, in force only where nothing stricter is. */
public enum PeerWish {
    ACTIVE(ConnectionStatus.ACTIVE), SUSPENDED(ConnectionStatus.SUSPENDED), REVOKED(ConnectionStatus.REVOKED);

    private final ConnectionStatus status;

    PeerWish(ConnectionStatus status) {
        this.status = status;
    }

    public ConnectionStatus status() {
        return status;
    }

    @JsonValue
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The wish of a protocol word, compared as sent; empty for any other text, {@code pending} and {@code expired} included. */
    public static Optional<PeerWish> parse(String word) {
        for (PeerWish wish : values()) {
            if (wish.word().equals(word)) {
                return Optional.of(wish);
            }
        }
        return Optional.empty();
    }

    @JsonCreator
    static PeerWish of(String word) {
        return parse(word).orElseThrow(
                () -> new IllegalArgumentException("'" + word + "' is no status that a peer can wish for"));
    }
}
