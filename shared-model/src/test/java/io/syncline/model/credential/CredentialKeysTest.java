package io.syncline.model.credential;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CredentialKeysTest {

    private static final SecureRandom RANDOM = new SecureRandom();

    @TempDir Path directory;

    @Test
    void tokenHash_isTheLowerCaseHexSha256OfTheText() {
        assertThat(TokenHash.ofToken("tok-one").text())
                .isEqualTo("74d78edfd99a054a0e5d2778ab14f56738ebf942f7c984f919a272ca6ccaff6d");
    }

    @Test
    void fingerprint_isNotTheHashAndDependsOnTheKey() {
        TokenHash hash = TokenHash.ofToken("tok-one");
        CredentialFingerprint fingerprint = TestKeys.FIRST.fingerprint(hash);
        assertThat(fingerprint).isEqualTo(TestKeys.FIRST.fingerprint(hash))
                .isNotEqualTo(TestKeys.SECOND.fingerprint(hash));
        assertThat(fingerprint.hex()).isNotEqualTo(hash.text());
    }

    @Test
    void sealed_opensUnderItsOwnKeyOnly() {
        SealedSecret sealed = TestKeys.FIRST.seal("tok-one", RANDOM);
        assertThat(TestKeys.FIRST.open(SealedSecret.parse(sealed.text()))).isEqualTo("tok-one");
        assertThatThrownBy(() -> TestKeys.SECOND.open(sealed)).isInstanceOf(IllegalArgumentException.class);
        byte[] altered = sealed.nonceAndCiphertext().clone();
        altered[altered.length - 1] ^= 1;
        assertThatThrownBy(() -> TestKeys.FIRST.open(new SealedSecret(sealed.keyId(), altered)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void toString_showsNoCredential() {
        AuthToken token = AuthToken.random(RANDOM);
        assertThat(token + " " + token.hash() + " " + TestKeys.FIRST.seal(token.text(), RANDOM) + " " + TestKeys.FIRST)
                .doesNotContain(token.text())
                .doesNotContain(token.hash().text());
        assertThat(token.text()).matches("[A-Za-z0-9_-]{43}");
    }

    @Test
    void file_readableByItsOwnerOnlyAndNeverReplaced() throws IOException {
        Path file = directory.resolve("keys");
        CredentialKeys.writeNew(file, RANDOM);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).isEqualTo("rw-------");
        CredentialKeys keys = CredentialKeys.read(file);
        assertThat(keys.verifyMac(keys.macKeyId(), new byte[]{1}, keys.mac(keys.macKeyId(), new byte[]{1}))).isTrue();
        assertThat(
                keys.verifySignature(keys.signingKeyId(), new byte[]{1}, keys.sign(keys.signingKeyId(), new byte[]{1})))
                .isTrue();
        assertThat(
                keys.verifySignature(keys.signingKeyId(), new byte[]{2}, keys.sign(keys.signingKeyId(), new byte[]{1})))
                .isFalse();
        assertThatThrownBy(() -> CredentialKeys.writeNew(file, RANDOM)).isInstanceOf(FileAlreadyExistsException.class);
        assertThat(directory).isDirectoryContaining(path -> path.equals(file)).isNotEmptyDirectory();
    }

    @Test
    void rotated_newKeysAreKnownBeforeTheyAreUsed_andOldOnesAfter() throws Exception {
        Path file = directory.resolve("keys");
        CredentialKeys.writeNew(file, RANDOM);
        // A change is told by the file's time, and a clock of files that ticks slowly may not move before the next one.
        Files.setLastModifiedTime(file, FileTime.from(Instant.parse("2026-01-01T00:00:00Z")));
        Instant start = Instant.parse("2026-01-01T00:00:00Z");
        Instant[] now = {start};
        CredentialKeys before = CredentialKeys.read(file, () -> now[0]);
        SealedSecret old = before.seal("tok", RANDOM);
        String oldMac = before.macKeyId();
        byte[] mac = before.mac(oldMac, new byte[]{1});
        byte[] signature = before.sign(before.signingKeyId(), new byte[]{1});
        String oldSigning = before.signingKeyId();

        CredentialKeys.rotate(file, RANDOM, start, start.plusSeconds(60));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).isEqualTo("rw-------");
        CredentialKeys keys = CredentialKeys.read(file, () -> now[0]);
        assertThat(keys.macKeyId()).isEqualTo(oldMac);
        assertThat(keys.seal("tok", RANDOM).keyId()).isEqualTo(old.keyId());
        assertThatThrownBy(() -> CredentialKeys.rotate(file, RANDOM, start, start.plusSeconds(60)))
                .hasMessageContaining("under way");

        now[0] = start.plusSeconds(60);
        assertThat(keys.macKeyId()).isNotEqualTo(oldMac);
        assertThat(keys.signingKeyId()).isNotEqualTo(oldSigning);
        SealedSecret fresh = keys.seal("tok", RANDOM);
        assertThat(fresh.keyId()).isNotEqualTo(old.keyId());
        assertThat(keys.open(old)).isEqualTo("tok");
        assertThat(keys.open(fresh)).isEqualTo("tok");
        assertThat(keys.verifyMac(oldMac, new byte[]{1}, mac)).isTrue();
        assertThat(keys.verifySignature(oldSigning, new byte[]{1}, signature)).isTrue();
        assertThat(keys.fingerprint(TokenHash.ofToken("t"))).as("never rotates")
                .isEqualTo(before.fingerprint(TokenHash.ofToken("t")));

        // Who read the file before its keys were in it reads it again, as soon as somebody names one of them.
        await().atMost(Duration.ofMinutes(1)).until(() -> opens(before, fresh));
        assertThat(before.macKeyId()).isEqualTo(keys.macKeyId());
        CredentialKeys.rotate(file, RANDOM, now[0], now[0].plusSeconds(60));
    }

    private static boolean opens(CredentialKeys keys, SealedSecret sealed) {
        try {
            return keys.open(sealed).equals("tok");
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    @Test
    void file_missingOrBroken_saysWhichAndTheRemedy() throws IOException {
        Path file = directory.resolve("keys");
        assertThatThrownBy(() -> CredentialKeys.read(file)).hasMessageContaining(file.toString())
                .hasMessageContaining("syncline.credentials.key-file")
                .hasMessageContaining("keys");
        Files.writeString(file, "fingerprint=c2VjcmV0\n");
        assertThatThrownBy(() -> CredentialKeys.read(file)).hasMessageContaining("has 6 bytes, 32 are needed");
    }
}
