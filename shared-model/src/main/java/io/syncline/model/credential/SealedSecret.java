package io.syncline.model.credential;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Base64;

/**
 * A secret that we must be able to present ourselves, under AES-256-GCM: {@code <key id>.<base64url of nonce and
 * ciphertext>}. The key id lets the sealing key rotate.
 */
public record SealedSecret(String keyId, byte[] nonceAndCiphertext) {

    @JsonValue
    public String text() {
        return keyId + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(nonceAndCiphertext);
    }

    @JsonCreator
    public static SealedSecret parse(String text) {
        int dot = text.indexOf('.');
        if (dot <= 0) {
            throw new IllegalArgumentException("a sealed secret is <key id>.<base64url>");
        }
        return new SealedSecret(text.substring(0, dot), Base64.getUrlDecoder().decode(text.substring(dot + 1)));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SealedSecret sealed && sealed.text().equals(text());
    }

    @Override
    public int hashCode() {
        return text().hashCode();
    }

    @Override
    public String toString() {
        return "SealedSecret[key " + keyId + "]";
    }
}
