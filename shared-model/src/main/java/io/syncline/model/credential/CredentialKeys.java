package io.syncline.model.credential;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
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
import java.util.Base64;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * The keys of a cluster, read from {@code syncline.credentials.key-file}; the same file serves every gateway and worker.
 *
 * <p>The fingerprint key never rotates (a token is 256 random bits, so its HMAC gives nothing away). Sealing, MAC and
 * signing keys are found by key id, the one named {@code current} is used for what is new.
 */
public final class CredentialKeys {

    private static final String HMAC = "HmacSHA256";
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;

    private final SecretKey fingerprintKey;
    private final Map<String, SecretKey> sealingKeys = new TreeMap<>();
    private final Map<String, SecretKey> macKeys = new TreeMap<>();
    private final Map<String, PublicKey> verifyingKeys = new TreeMap<>();
    private final String sealingKeyId;
    private final String macKeyId;
    private final String signingKeyId;
    private final PrivateKey signingKey;

    private CredentialKeys(Properties file) throws GeneralSecurityException {
        fingerprintKey = new SecretKeySpec(secret(file, "fingerprint"), HMAC);
        sealingKeyId = required(file, "sealing.current");
        macKeyId = required(file, "mac.current");
        signingKeyId = required(file, "signing.current");
        KeyFactory ed25519 = KeyFactory.getInstance("Ed25519");
        for (String name : file.stringPropertyNames()) {
            if (name.endsWith(".current")) {
                continue;
            }
            if (name.startsWith("sealing.")) {
                sealingKeys.put(name.substring("sealing.".length()), new SecretKeySpec(secret(file, name), "AES"));
            } else if (name.startsWith("mac.")) {
                macKeys.put(name.substring("mac.".length()), new SecretKeySpec(secret(file, name), HMAC));
            } else if (name.startsWith("verifying.")) {
                verifyingKeys.put(name.substring("verifying.".length()),
                        ed25519.generatePublic(new X509EncodedKeySpec(decode(file, name))));
            }
        }
        signingKey = ed25519.generatePrivate(new PKCS8EncodedKeySpec(decode(file, "signing." + signingKeyId)));
        requireKey(sealingKeys, "sealing", sealingKeyId);
        requireKey(macKeys, "mac", macKeyId);
        requireKey(verifyingKeys, "verifying", signingKeyId);
    }

    /** Reads a key file; {@link IllegalArgumentException} names the file, what is wrong with it, and the remedy. */
    public static CredentialKeys read(Path file) {
        String remedy = "Make one with: java -jar sync-worker.jar keys " + file
                + " and give the same file to every gateway and worker.";
        if (!Files.isReadable(file)) {
            throw new IllegalArgumentException(
                    "syncline.credentials.key-file: '" + file + "' does not exist or cannot be read. " + remedy);
        }
        try {
            return parse(Files.readString(file));
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "syncline.credentials.key-file: '" + file + "' holds no usable keys (" + e.getMessage() + "). "
                            + remedy);
        }
    }

    static CredentialKeys parse(String text) throws IOException, GeneralSecurityException {
        Properties properties = new Properties();
        properties.load(new StringReader(text));
        return new CredentialKeys(properties);
    }

    /** Writes new keys to a file that must not exist yet, readable by its owner only. */
    public static void writeNew(Path file, SecureRandom random) throws IOException {
        String text = generate(random);
        Set<PosixFilePermission> ownerOnly = EnumSet.of(PosixFilePermission.OWNER_READ,
                PosixFilePermission.OWNER_WRITE);
        Path directory = file.toAbsolutePath().getParent();
        Path temporary = Files.createTempFile(directory, "keys", ".tmp",
                PosixFilePermissions.asFileAttribute(ownerOnly));
        try {
            Files.writeString(temporary, text, StandardCharsets.UTF_8, StandardOpenOption.TRUNCATE_EXISTING);
            // A link, unlike a move, never replaces a file that is there: keys that are lost are lost for good.
            Files.createLink(file, temporary);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    static String generate(SecureRandom random) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("Ed25519");
            generator.initialize(255, random);
            KeyPair pair = generator.generateKeyPair();
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

    /** The stored form of a presented token hash. */
    public CredentialFingerprint fingerprint(TokenHash hash) {
        return new CredentialFingerprint(
                HexFormat.of().formatHex(hmac(fingerprintKey, hash.text().getBytes(StandardCharsets.UTF_8))));
    }

    public SealedSecret seal(String secret, SecureRandom random) {
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        byte[] ciphertext = aes(Cipher.ENCRYPT_MODE, key(sealingKeys, sealingKeyId), nonce,
                secret.getBytes(StandardCharsets.UTF_8));
        byte[] both = new byte[NONCE_BYTES + ciphertext.length];
        System.arraycopy(nonce, 0, both, 0, NONCE_BYTES);
        System.arraycopy(ciphertext, 0, both, NONCE_BYTES, ciphertext.length);
        return new SealedSecret(sealingKeyId, both);
    }

    /** Opens a sealed secret; {@link IllegalArgumentException} where its key is unknown or it was altered. */
    public String open(SealedSecret sealed) {
        byte[] both = sealed.nonceAndCiphertext();
        if (both.length <= NONCE_BYTES) {
            throw new IllegalArgumentException("a sealed secret is longer than its nonce");
        }
        byte[] nonce = java.util.Arrays.copyOf(both, NONCE_BYTES);
        byte[] ciphertext = java.util.Arrays.copyOfRange(both, NONCE_BYTES, both.length);
        return new String(aes(Cipher.DECRYPT_MODE, key(sealingKeys, sealed.keyId()), nonce, ciphertext),
                StandardCharsets.UTF_8);
    }

    /** The id of the MAC key that new log records carry. */
    public String macKeyId() {
        return macKeyId;
    }

    public byte[] mac(byte[] message) {
        return hmac(key(macKeys, macKeyId), message);
    }

    /** Whether a MAC was made over this message by a key we hold; false for an unknown key id. */
    public boolean verifyMac(String keyId, byte[] message, byte[] mac) {
        SecretKey key = macKeys.get(keyId);
        return key != null && MessageDigest.isEqual(hmac(key, message), mac);
    }

    /** The id of the Ed25519 key (RFC 8032) that signs fences. */
    public String signingKeyId() {
        return signingKeyId;
    }

    public byte[] sign(byte[] message) {
        try {
            Signature signature = Signature.getInstance("Ed25519");
            signature.initSign(signingKey);
            signature.update(message);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the signing key was checked when it was read", e);
        }
    }

    public boolean verifySignature(String keyId, byte[] message, byte[] signature) {
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
        return "CredentialKeys[sealing " + sealingKeyId + ", mac " + macKeyId + ", signing " + signingKeyId + "]";
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

    private static void requireKey(Map<String, ?> keys, String kind, String id) {
        if (!keys.containsKey(id)) {
            throw new IllegalArgumentException("'" + kind + "." + id + "' is missing");
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
