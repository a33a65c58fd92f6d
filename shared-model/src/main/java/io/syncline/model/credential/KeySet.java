package io.syncline.model.credential;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * What a key file says. Sealing, MAC and signing keys are found by key id; for what is new the one named {@code current} is
 * used, from the time {@code next-from} on the one named {@code next}.
 */
final class KeySet {

    private static final String HMAC = "HmacSHA256";
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;
    private static final String CURRENT = ".current";
    private static final String NEXT = ".next";
    private static final String NEXT_FROM = "next-from";

    private final SecretKey fingerprintKey;
    private final Map<String, SecretKey> sealingKeys = new TreeMap<>();
    private final Map<String, SecretKey> macKeys = new TreeMap<>();
    private final Map<String, PublicKey> verifyingKeys = new TreeMap<>();
    private final Map<String, PrivateKey> signingKeys = new TreeMap<>();
    private final Current sealing;
    private final Current mac;
    private final Current signing;
    private final @Nullable Instant nextFrom;

    /** Ids of the keys for what is new. */
    private record Current(String now, @Nullable String next) {}

    private KeySet(Properties file) throws GeneralSecurityException {
        fingerprintKey = new SecretKeySpec(secret(file, "fingerprint"), HMAC);
        String from = file.getProperty(NEXT_FROM);
        nextFrom = from == null ? null : time(from);
        sealing = current(file, "sealing");
        mac = current(file, "mac");
        signing = current(file, "signing");
        KeyFactory ed25519 = KeyFactory.getInstance("Ed25519");
        for (String name : file.stringPropertyNames()) {
            if (name.endsWith(CURRENT) || name.endsWith(NEXT)) {
                continue;
            }
            if (name.startsWith("sealing.")) {
                sealingKeys.put(name.substring("sealing.".length()), new SecretKeySpec(secret(file, name), "AES"));
            } else if (name.startsWith("mac.")) {
                macKeys.put(name.substring("mac.".length()), new SecretKeySpec(secret(file, name), HMAC));
            } else if (name.startsWith("signing.")) {
                signingKeys.put(name.substring("signing.".length()),
                        ed25519.generatePrivate(new PKCS8EncodedKeySpec(decode(file, name))));
            } else if (name.startsWith("verifying.")) {
                verifyingKeys.put(name.substring("verifying.".length()),
                        ed25519.generatePublic(new X509EncodedKeySpec(decode(file, name))));
            }
        }
        requireKeys(sealingKeys, "sealing", sealing);
        requireKeys(macKeys, "mac", mac);
        requireKeys(signingKeys, "signing", signing);
        requireKeys(verifyingKeys, "verifying", signing);
    }

    private Current current(Properties file, String kind) {
        String next = file.getProperty(kind + NEXT);
        if ((next == null) != (nextFrom == null)) {
            throw new IllegalArgumentException("'" + kind + NEXT + "' and '" + NEXT_FROM + "' belong together");
        }
        return new Current(required(file, kind + CURRENT), next == null ? null : next.strip());
    }

    private static Instant time(String text) {
        try {
            return Instant.parse(text.strip());
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("'" + NEXT_FROM + "' is no time");
        }
    }

    private String id(Current ids, Instant now) {
        String next = ids.next();
        return next != null && nextFrom != null && !now.isBefore(nextFrom) ? next : ids.now();
    }

    String sealingKeyId(Instant now) {
        return id(sealing, now);
    }

    String macKeyId(Instant now) {
        return id(mac, now);
    }

    String signingKeyId(Instant now) {
        return id(signing, now);
    }

    /** Keys that are known to come, and are not used yet: when that begins. */
    Optional<Instant> comingFrom(Instant now) {
        return Optional.ofNullable(nextFrom).filter(now::isBefore);
    }

    boolean hasFingerprintKeyOf(KeySet other) {
        return fingerprintKey.equals(other.fingerprintKey);
    }

    boolean knowsSealing(String keyId) {
        return sealingKeys.containsKey(keyId);
    }

    Set<String> macKeyIds() {
        return Set.copyOf(macKeys.keySet());
    }

    boolean knowsMac(String keyId) {
        return macKeys.containsKey(keyId);
    }

    boolean knowsVerifying(String keyId) {
        return verifyingKeys.containsKey(keyId);
    }

    static KeySet parse(String text) throws IOException, GeneralSecurityException {
        Properties properties = new Properties();
        properties.load(new StringReader(text));
        return new KeySet(properties);
    }

    /**
     * A file's text with new keys, which are used from a time on. All that was there stays: what was sealed and signed before
     * is to be opened and proved for ever.
     */
    static String rotated(String text, SecureRandom random, Instant now, Instant from)
            throws IOException, GeneralSecurityException {
        KeySet before = parse(text);
        if (before.comingFrom(now).isPresent()) {
            throw new IllegalArgumentException("new keys are under way already, from " + before.nextFrom + " on");
        }
        StringBuilder kept = new StringBuilder();
        text.lines()
                .filter(line -> !line.matches("\\s*((sealing|mac|signing)\\.(current|next)|next-from)\\s*[=:].*"))
                .forEach(line -> kept.append(line).append('\n'));
        byte[] sealing = bytes(random);
        byte[] mac = bytes(random);
        KeyPair pair = pair(random);
        String signing = idOf(pair.getPublic().getEncoded());
        return kept + """
                sealing.current=%s
                mac.current=%s
                signing.current=%s
                next-from=%s
                sealing.next=%s
                sealing.%5$s=%s
                mac.next=%s
                mac.%7$s=%s
                signing.next=%s
                signing.%9$s=%s
                verifying.%9$s=%s
                """.formatted(before.sealingKeyId(now), before.macKeyId(now), before.signingKeyId(now), from,
                idOf(sealing), encode(sealing), idOf(mac), encode(mac), signing,
                encode(pair.getPrivate().getEncoded()), encode(pair.getPublic().getEncoded()));
    }

    private static KeyPair pair(SecureRandom random) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("Ed25519");
        generator.initialize(255, random);
        return generator.generateKeyPair();
    }

    static String generate(SecureRandom random) {
        try {
            KeyPair pair = pair(random);
            byte[] sealing = bytes(random);
            byte[] mac = bytes(random);
            String signingId = idOf(pair.getPublic().getEncoded());
            return """
                    # Syncline's keys: whoever has them can forge the event log and read sealed tokens. Keep a copy; lost keys lock every peer out.
                    fingerprint=%s
                    sealing.current=%s
                    sealing.%2$s=%s
                    mac.current=%s
                    mac.%4$s=%s
                    signing.current=%s
                    signing.%6$s=%s
                    verifying.%6$s=%s
                    """.formatted(encode(bytes(random)), idOf(sealing), encode(sealing), idOf(mac), encode(mac),
                    signingId,
                    encode(pair.getPrivate().getEncoded()), encode(pair.getPublic().getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK since 15 has Ed25519", e);
        }
    }

    CredentialFingerprint fingerprint(TokenHash hash) {
        return new CredentialFingerprint(
                HexFormat.of().formatHex(hmac(fingerprintKey, hash.text().getBytes(StandardCharsets.UTF_8))));
    }

    SealedSecret seal(String secret, SecureRandom random, Instant now) {
        String sealingKeyId = sealingKeyId(now);
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        byte[] ciphertext = aes(Cipher.ENCRYPT_MODE, key(sealingKeys, sealingKeyId), nonce,
                secret.getBytes(StandardCharsets.UTF_8));
        byte[] both = new byte[NONCE_BYTES + ciphertext.length];
        System.arraycopy(nonce, 0, both, 0, NONCE_BYTES);
        System.arraycopy(ciphertext, 0, both, NONCE_BYTES, ciphertext.length);
        return new SealedSecret(sealingKeyId, both);
    }

    String open(SealedSecret sealed) {
        byte[] both = sealed.nonceAndCiphertext();
        if (both.length <= NONCE_BYTES) {
            throw new IllegalArgumentException("a sealed secret is longer than its nonce");
        }
        byte[] nonce = java.util.Arrays.copyOf(both, NONCE_BYTES);
        byte[] ciphertext = java.util.Arrays.copyOfRange(both, NONCE_BYTES, both.length);
        return new String(aes(Cipher.DECRYPT_MODE, key(sealingKeys, sealed.keyId()), nonce, ciphertext),
                StandardCharsets.UTF_8);
    }

    byte[] mac(String keyId, byte[] message) {
        return hmac(key(macKeys, keyId), message);
    }

    boolean verifyMac(String keyId, byte[] message, byte[] mac) {
        SecretKey key = macKeys.get(keyId);
        return key != null && MessageDigest.isEqual(hmac(key, message), mac);
    }

    byte[] sign(String keyId, byte[] message) {
        try {
            Signature signature = Signature.getInstance("Ed25519");
            signature.initSign(signingKeys.get(keyId));
            signature.update(message);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the signing key was checked when it was read", e);
        }
    }

    boolean verifySignature(String keyId, byte[] message, byte[] signature) {
        PublicKey key = verifyingKeys.get(keyId);
        if (key == null) {
            return false;
        }
        try {
            Signature verifier = Signature.getInstance("Ed25519");
            verifier.initVerify(key);
            verifier.update(message);
            return verifier.verify(signature);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    @Override
    public String toString() {
        return "KeySet[sealing " + sealing + ", mac " + mac + ", signing " + signing + "]";
    }

    private static byte[] hmac(SecretKey key, byte[] message) {
        try {
            Mac mac = Mac.getInstance(HMAC);
            mac.init(key);
            return mac.doFinal(message);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has " + HMAC, e);
        }
    }

    private static byte[] aes(int mode, SecretKey key, byte[] nonce, byte[] input) {
        try {
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
            return cipher.doFinal(input);
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("the sealed secret was altered, or sealed under another key", e);
        }
    }

    private static SecretKey key(Map<String, SecretKey> keys, String id) {
        SecretKey key = keys.get(id);
        if (key == null) {
            throw new IllegalArgumentException("no sealing key '" + id + "' in the key file");
        }
        return key;
    }

    private static void requireKeys(Map<String, ?> keys, String kind, Current ids) {
        String next = ids.next();
        for (String id : next == null ? List.of(ids.now()) : List.of(ids.now(), next)) {
            if (!keys.containsKey(id)) {
                throw new IllegalArgumentException("'" + kind + "." + id + "' is missing");
            }
        }
    }

    private static String required(Properties file, String name) {
        String value = file.getProperty(name);
        if (value == null || value.isBlank()) {
            throw new IllegalArgumentException("'" + name + "' is missing");
        }
        return value.strip();
    }

    private static byte[] secret(Properties file, String name) {
        byte[] secret = decode(file, name);
        if (secret.length != 32) {
            throw new IllegalArgumentException("'" + name + "' has " + secret.length + " bytes, 32 are needed");
        }
        return secret;
    }

    private static byte[] decode(Properties file, String name) {
        try {
            return Base64.getDecoder().decode(required(file, name));
        } catch (IllegalArgumentException e) {
            // Not the decoder's message: it could quote a part of the key.
            throw new IllegalArgumentException("'" + name + "' is missing or no base64");
        }
    }

    private static byte[] bytes(SecureRandom random) {
        byte[] bytes = new byte[32];
        random.nextBytes(bytes);
        return bytes;
    }

    private static String idOf(byte[] key) {
        return HexFormat.of().formatHex(TokenHash.sha256(key), 0, 4);
    }

    private static String encode(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
