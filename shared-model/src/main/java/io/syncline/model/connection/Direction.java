package io.syncline.model.connection;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** Which side of a connection our own record stands for: a sender's tables may be pulled, a receiver pulls. */
public enum Direction {
    SENDER, RECEIVER;

    /** The lower-case word of the protocol and of the database. */
    @JsonValue
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The direction of a protocol word; {@link IllegalArgumentException} for any other text. */
    @JsonCreator
    public static Direction of(String word) {
        for (Direction direction : values()) {
            if (direction.word().equals(word)) {
                return direction;
            }
        }
        throw new IllegalArgumentException("direction '" + word + "' is neither 'sender' nor 'receiver'");
    }
}
