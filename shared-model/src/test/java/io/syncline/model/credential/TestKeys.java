package io.syncline.model.credential;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;

/** Two clusters' keys, made anew for each run. */
public final class TestKeys {

    public static final CredentialKeys FIRST = make();
    public static final CredentialKeys SECOND = make();

    private TestKeys() {}

    private static CredentialKeys make() {
        try {
            return CredentialKeys.parse(CredentialKeys.generate(new SecureRandom()));
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
