package io.syncline.e2e;

import io.syncline.standalone.EmbeddedDatabase;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;

/**
 * A copy of a running PostgreSQL's files that can be started as it is, made as pg_basebackup makes it: the embedded programs have no
 * pg_basebackup.
 */
final class BaseBackup {

    /** What the documentation of the low-level backup leaves out, and the log, which is copied at last. */
    private static final Set<String> LEFT_OUT = Set.of("postmaster.pid", "postmaster.opts", "pg_replslot",
            "pg_dynshmem",
            "pg_notify", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans", "pg_wal");

    private BaseBackup() {}

    /** @param to absent until now */
    static void take(EmbeddedDatabase server, Path to) {
        try (Connection connection = server.connect("postgres"); Statement statement = connection.createStatement()) {
            boolean since15 = connection.getMetaData().getDatabaseMajorVersion() >= 15;
            Path data = Path.of(text(statement, "SHOW data_directory"));
            statement.execute(since15 ? "SELECT pg_backup_start('base backup', true)"
                    : "SELECT pg_start_backup('base backup', true, false)");
            copy(data, to, LEFT_OUT);
            // Made at a start only where they are in pg_wal; the others are expected.
            for (String left : LEFT_OUT) {
                Path directory = data.resolve(left);
                if (Files.isDirectory(directory) && !left.equals("pg_wal")) {
                    copyDirectoryAlone(directory, to.resolve(left));
                }
            }
            String label = text(statement, since15 ? "SELECT labelfile FROM pg_backup_stop(false)"
                    : "SELECT labelfile FROM pg_stop_backup(false, false)");
            copy(data.resolve("pg_wal"), to.resolve("pg_wal"), Set.of());
            Files.writeString(to.resolve("backup_label"), label);
        } catch (SQLException e) {
            throw new IllegalStateException(e.getMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String text(Statement statement, String sql) throws SQLException {
        try (ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    private static void copyDirectoryAlone(Path from, Path to) throws IOException {
        Files.copy(from, to, StandardCopyOption.COPY_ATTRIBUTES);
    }

    private static void copy(Path from, Path to, Set<String> leftOut) throws IOException {
        Files.walkFileTree(from, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                if (directory.getParent().equals(from) && leftOut.contains(directory.getFileName().toString())) {
                    return FileVisitResult.SKIP_SUBTREE;
                }
                copyDirectoryAlone(directory, to.resolve(from.relativize(directory).toString()));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (!(file.getParent().equals(from) && leftOut.contains(file.getFileName().toString()))) {
                    try {
                        Files.copy(file, to.resolve(from.relativize(file).toString()),
                                StandardCopyOption.COPY_ATTRIBUTES);
                    } catch (NoSuchFileException removedMeanwhile) {
                        return FileVisitResult.CONTINUE;
                    }
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
                if (failure instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw failure;
            }
        });
    }
}
