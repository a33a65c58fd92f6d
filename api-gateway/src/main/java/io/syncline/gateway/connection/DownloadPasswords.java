package io.syncline.gateway.connection;

import io.syncline.gateway.table.TableGate;
import io.syncline.model.connection.AccessPolicy;
import io.syncline.model.credential.PasswordHash;
import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Compares download passwords, which come with every call. A wrong one costs what hashing costs, always; the right one
 * costs that once, and is then known again by a MAC under a key that no other process has and that is never written down.
 */
public final class DownloadPasswords implements TableGate.Passwords {

    private static final String MAC = "HmacSHA256";
    private static final int KEY_BYTES = 32;
    private static final int MOST = 10_000;

    private final Passwords passwords;
    private final SecretKeySpec key;
    private final Map<String, byte[]> right = new LinkedHashMap<>(16, 0.75f, true) {

        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, byte[]> eldest) {
            return size() > MOST;
        }
    };

    public DownloadPasswords(Passwords passwords, SecureRandom random) {
        this.passwords = passwords;
        byte[] bytes = new byte[KEY_BYTES];
        random.nextBytes(bytes);
        this.key = new SecretKeySpec(bytes, MAC);
    }

    @Override
    public AccessPolicy.Password compare(String given, PasswordHash stored) {
        byte[] mac = mac(given, stored);
        byte[] known;
        synchronized (right) {
            known = right.get(stored.encoded());
        }
        if (known != null && MessageDigest.isEqual(known, mac)) {
            return AccessPolicy.Password.SAME;
        }
        return switch (passwords.compare(given, stored)) {
            case SAME -> {
                synchronized (right) {
                    right.put(stored.encoded(), mac);
                }
                yield AccessPolicy.Password.SAME;
            }
            case DIFFERENT -> AccessPolicy.Password.DIFFERENT;
            case BUSY -> AccessPolicy.Password.BUSY;
        };
    }

    private byte[] mac(String given, PasswordHash stored) {
        try {
            Mac mac = Mac.getInstance(MAC);
            mac.init(key);
            mac.update(stored.encoded().getBytes(StandardCharsets.UTF_8));
            mac.update((byte) 0);
            return mac.doFinal(given.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException | InvalidKeyException e) {
            throw new IllegalStateException("every JDK has " + MAC, e);
        }
    }
}
