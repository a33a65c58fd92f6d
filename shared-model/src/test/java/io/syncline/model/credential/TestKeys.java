package io.syncline.model.credential;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;

/** Two clusters' keys, made anew for each run. */
public final class TestKeys {

    public static final CredentialKeys FIRST = make();
    public static final CredentialKeys SECOND = make();

    /** The keys of the test vectors in {@code deploy/docs/log-format.md}: public, and so worth nothing. */
    public static final CredentialKeys FIXED = parse("""
            fingerprint=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
            sealing.current=s1
            sealing.s1=ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=
            mac.current=m1
            mac.m1=QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=
            signing.current=g1
            signing.g1=MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
            verifying.g1=MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
            """);

    private TestKeys() {}

    private static CredentialKeys make() {
        return parse(KeySet.generate(new SecureRandom()));
    }

    private static CredentialKeys parse(String file) {
        try {
            return CredentialKeys.parse(file);
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
