package io.syncline.model.credential;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/** A password's slow, salted hash in its encoded form (Argon2id, PHC string). */
public record PasswordHash(@JsonValue String encoded) {

    @JsonCreator
    public PasswordHash {
        if (!encoded.startsWith("$argon2id$")) {
            throw new IllegalArgumentException("a password is stored as an Argon2id PHC string only");
        }
    }

    @Override
    public String toString() {
        return "PasswordHash[hidden]";
    }
}
