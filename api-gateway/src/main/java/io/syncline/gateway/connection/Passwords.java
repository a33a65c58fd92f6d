package io.syncline.gateway.connection;

import io.syncline.model.credential.PasswordHash;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.springframework.security.crypto.argon2.Argon2PasswordEncoder;

/**
 * Hashes and compares passwords with Argon2id (RFC 9106). Each time costs some 20 MB and tens of milliseconds, by intent:
 * so only few at once, and who would have to wait long is told to come again.
 */
public final class Passwords {

    private static final int SALT_BYTES = 16;
    private static final int HASH_BYTES = 32;
    private static final int PARALLELISM = 1;
    private static final int MEMORY_KIB = 19 * 1024;
    private static final int ITERATIONS = 2;
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    /** What comparing came to. */
    public enum Match {
        SAME, DIFFERENT,
        /** Too many wait already. */
        BUSY
    }

    private final Argon2PasswordEncoder argon2 = new Argon2PasswordEncoder(SALT_BYTES, HASH_BYTES, PARALLELISM,
            MEMORY_KIB, ITERATIONS);
    private final Semaphore places;

    public Passwords(int atOnce) {
        this.places = new Semaphore(atOnce, true);
    }

    Match compare(String password, PasswordHash hash) {
        return inPlace(() -> argon2.matches(password, hash.encoded()) ? Match.SAME : Match.DIFFERENT)
                .orElse(Match.BUSY);
    }

    /** A password's hash with a new salt; empty where too many wait already. */
    public Optional<PasswordHash> hash(String password) {
        return inPlace(() -> new PasswordHash(String.valueOf(argon2.encode(password))));
    }

    private <T> Optional<T> inPlace(Supplier<T> work) {
        try {
            if (!places.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                return Optional.empty();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
        try {
            return Optional.of(work.get());
        } finally {
            places.release();
        }
    }
}
