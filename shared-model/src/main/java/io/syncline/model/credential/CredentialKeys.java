package io.syncline.model.credential;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a cluster, read from {@code syncline.credentials.key-file}; the same file serves every gateway and worker.
 *
 * <p>The fingerprint key never rotates (a token is 256 random bits, so its HMAC gives nothing away). The others do, by key
 * id: new ones are in the file before they are used, and the file is looked at again every few seconds, and at once where
 * something names a key that is not known. So nobody has to be started anew, and nothing is refused meanwhile.
 */
public final class CredentialKeys {

    private static final Duration LOOK = Duration.ofSeconds(5);
    /** Anybody may name a key that is nowhere: that makes nobody read a file again and again. */
    private static final Duration LOOK_FOR_UNKNOWN = Duration.ofMillis(200);

    private final @Nullable Path file;
    private final InstantSource clock;
    private final ReentrantLock looking = new ReentrantLock();
    private volatile KeySet keys;
    private volatile long lookedAt = System.nanoTime();
    private @Nullable FileTime modified;

    private CredentialKeys(@Nullable Path file, @Nullable FileTime modified, KeySet keys, InstantSource clock) {
        this.file = file;
        this.modified = modified;
        this.keys = keys;
        this.clock = clock;
    }

    /** Reads a key file; {@link IllegalArgumentException} names the file, what is wrong with it, and the remedy. */
    public static CredentialKeys read(Path file) {
        return read(file, InstantSource.system());
    }

    static CredentialKeys read(Path file, InstantSource clock) {
        String remedy = "Make one with: java -jar sync-worker.jar keys " + file
                + " and give the same file to every gateway and worker.";
        if (!Files.isReadable(file)) {
            throw new IllegalArgumentException(
                    "syncline.credentials.key-file: '" + file + "' does not exist or cannot be read. " + remedy);
        }
        try {
            FileTime modified = Files.getLastModifiedTime(file);
            return new CredentialKeys(file, modified, KeySet.parse(Files.readString(file)), clock);
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "syncline.credentials.key-file: '" + file + "' holds no usable keys (" + e.getMessage() + "). "
                            + remedy);
        }
    }

    static CredentialKeys parse(String text) throws IOException, GeneralSecurityException {
        return new CredentialKeys(null, null, KeySet.parse(text), InstantSource.system());
    }

    /** Writes new keys to a file that must not exist yet, readable by its owner only. */
    public static void writeNew(Path file, SecureRandom random) throws IOException {
        Path temporary = temporary(file, KeySet.generate(random));
        try {
            // A link, unlike a move, never replaces a file that is there: keys that are lost are lost for good.
            Files.createLink(file, temporary);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /**
     * Puts new sealing, MAC and signing keys into a key file; those that are there stay. {@link IllegalArgumentException}
     * says why not.
     *
     * @param from when they begin to be used: by then, every gateway and worker must have the file
     */
    public static void rotate(Path file, SecureRandom random, Instant now, Instant from) throws IOException {
        String text;
        try {
            text = KeySet.rotated(Files.readString(file), random, now, from);
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("'" + file + "' holds no usable keys (" + e.getMessage() + ")");
        }
        Path temporary = temporary(file, text);
        try {
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static Path temporary(Path file, String text) throws IOException {
        Set<PosixFilePermission> ownerOnly = EnumSet.of(PosixFilePermission.OWNER_READ,
                PosixFilePermission.OWNER_WRITE);
        Path temporary = Files.createTempFile(file.toAbsolutePath().getParent(), "keys", ".tmp",
                PosixFilePermissions.asFileAttribute(ownerOnly));
        return Files.writeString(temporary, text, StandardCharsets.UTF_8, StandardOpenOption.TRUNCATE_EXISTING);
    }

    private KeySet keys() {
        if (System.nanoTime() - lookedAt > LOOK.toNanos()) {
            look();
        }
        return keys;
    }

    /** The keys; read again first, where what is asked for is not among them. */
    private KeySet keys(Predicate<KeySet> known) {
        KeySet now = keys();
        if (!known.test(now) && System.nanoTime() - lookedAt > LOOK_FOR_UNKNOWN.toNanos()) {
            look();
            return keys;
        }
        return now;
    }

    /** A file that cannot be read now, or has another fingerprint key, changes nothing: the keys that are known hold. */
    private void look() {
        Path known = file;
        if (known == null || !looking.tryLock()) {
            return;
        }
        try {
            FileTime changed = Files.getLastModifiedTime(known);
            if (!changed.equals(modified)) {
                KeySet read = KeySet.parse(Files.readString(known));
                if (read.hasFingerprintKeyOf(keys)) {
                    keys = read;
                    modified = changed;
                }
            }
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            // Half written, perhaps: the next look is soon.
        } finally {
            lookedAt = System.nanoTime();
            looking.unlock();
        }
    }

    /** The stored form of a presented token hash. */
    public CredentialFingerprint fingerprint(TokenHash hash) {
        return keys.fingerprint(hash);
    }

    public SealedSecret seal(String secret, SecureRandom random) {
        return keys().seal(secret, random, clock.instant());
    }

    /** Opens a sealed secret; {@link IllegalArgumentException} where its key is unknown or it was altered. */
    public String open(SealedSecret sealed) {
        return keys(set -> set.knowsSealing(sealed.keyId())).open(sealed);
    }

    /** The id of the MAC key that new log records carry. */
    public String macKeyId() {
        return keys().macKeyId(clock.instant());
    }

    /** The ids of all MAC keys that are held, those that are no longer used too. */
    public Set<String> macKeyIds() {
        return keys().macKeyIds();
    }

    public byte[] mac(String keyId, byte[] message) {
        return keys().mac(keyId, message);
    }

    public boolean knowsMac(String keyId) {
        return keys(set -> set.knowsMac(keyId)).knowsMac(keyId);
    }

    /** Whether a MAC was made over this message by a key we hold; false for an unknown key id. */
    public boolean verifyMac(String keyId, byte[] message, byte[] mac) {
        return keys(set -> set.knowsMac(keyId)).verifyMac(keyId, message, mac);
    }

    /** The id of the Ed25519 key (RFC 8032) that signs fences. */
    public String signingKeyId() {
        return keys().signingKeyId(clock.instant());
    }

    public boolean knowsVerifying(String keyId) {
        return keys(set -> set.knowsVerifying(keyId)).knowsVerifying(keyId);
    }

    public byte[] sign(String keyId, byte[] message) {
        return keys().sign(keyId, message);
    }

    public boolean verifySignature(String keyId, byte[] message, byte[] signature) {
        return keys(set -> set.knowsVerifying(keyId)).verifySignature(keyId, message, signature);
    }

    @Override
    public String toString() {
        return "CredentialKeys[" + keys + "]";
    }
}
