package io.syncline.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedDatabaseIT {

    /** Unpacked once for all tests. */
    @TempDir static Path programs;

    @TempDir Path directory;

    @Test
    void start_keepsRowsPortAndPasswordOverRestart() throws Exception {
        int port;
        String password;
        try (EmbeddedDatabase database = start(directory)) {
            port = database.port();
            password = database.password();
            database.createDatabase("shop").createDatabase("shop");
            execute(database, "shop", "CREATE TABLE kept (id int PRIMARY KEY)");
            execute(database, "shop", "INSERT INTO kept VALUES (7)");
        }
        try (EmbeddedDatabase database = start(directory)) {
            assertThat(database.port()).isEqualTo(port);
            assertThat(database.password()).isEqualTo(password);
            assertThat(query(database, "shop", "SELECT id FROM kept")).isEqualTo("7");
        }
    }

    @Test
    void start_isFitForCaptureAndSafeAgainstPowerLoss() throws Exception {
        try (EmbeddedDatabase database = start(directory)) {
            assertThat(query(database, "postgres", "SHOW wal_level")).isEqualTo("logical");
            assertThat(query(database, "postgres", "SHOW fsync")).isEqualTo("on");
            assertThat(query(database, "postgres", "SHOW synchronous_commit")).isEqualTo("on");
            assertThat(query(database, "postgres", "SHOW max_slot_wal_keep_size")).isEqualTo("4GB");
            assertThat(query(database, "postgres", "SHOW max_connections")).isEqualTo("200");
            assertThat(query(database, "postgres", "SHOW server_encoding")).isEqualTo("UTF8");
            assertThat(query(database, "postgres", "SELECT datlocale FROM pg_database WHERE datname = 'postgres'"))
                    .isEqualTo("C.UTF-8");
            assertThat(query(database, "postgres",
                    "SELECT setting FROM pg_file_settings WHERE name = 'timezone' AND applied"))
                    .isEqualTo("UTC");
            assertThat(query(database, "postgres",
                    "SELECT lsn IS NOT NULL FROM pg_create_logical_replication_slot('try', 'pgoutput', true)"))
                    .isEqualTo("t");
        }
    }

    @Test
    void start_letsNobodyInWithoutThePassword() throws Exception {
        try (EmbeddedDatabase database = start(directory)) {
            assertThatThrownBy(() -> DriverManager
                    .getConnection(database.url("postgres"), database.username(), "wrong")
                    .close())
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("password authentication failed");
            Properties replication = new Properties();
            replication.setProperty("user", database.username());
            replication.setProperty("password", "wrong");
            replication.setProperty("replication", "database");
            replication.setProperty("preferQueryMode", "simple");
            assertThatThrownBy(() -> DriverManager.getConnection(database.url("postgres"), replication).close())
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("password authentication failed");
            assertThat(query(database, "postgres",
                    "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules")).isEqualTo("scram-sha-256");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("password"))))
                    .isEqualTo("rw-------");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("data"))))
                    .isEqualTo("rwx------");
        }
    }

    @Test
    void start_stopsWhatAKilledJvmLeftOver() throws Exception {
        long leftOver;
        try (ChildJvm child = ChildJvm.start(DatabaseChild.class, directory.toString(), programs.toString())) {
            leftOver = Long.parseLong(child.awaitLine("pid "));
            child.kill();
        }
        assertThat(new Postmaster(leftOver).isAlive()).isTrue();
        try (EmbeddedDatabase database = start(directory)) {
            assertThat(database.pid()).isNotEqualTo(leftOver);
            assertThat(new Postmaster(leftOver).isAlive()).isFalse();
            assertThat(query(database, "postgres", "SELECT id FROM kept")).isEqualTo("7");
        }
    }

    @Test
    void start_takesNoOtherProcessForAPostgres() throws Exception {
        try (EmbeddedDatabase database = start(directory)) {
            execute(database, "postgres", "CREATE TABLE kept AS SELECT 7 AS id");
        }
        // The pid was given to another process meanwhile: to this JVM.
        long own = ProcessHandle.current().pid();
        Files.writeString(directory.resolve("data/postmaster.pid"), own + "\n" + directory.resolve("data") + "\n");
        try (EmbeddedDatabase database = start(directory)) {
            assertThat(query(database, "postgres", "SELECT id FROM kept")).isEqualTo("7");
        }
    }

    @Test
    void start_recoversAfterPostgresWasKilled() throws Exception {
        try (EmbeddedDatabase database = start(directory)) {
            execute(database, "postgres", "CREATE TABLE kept AS SELECT 7 AS id");
            kill(database.pid());
        }
        try (EmbeddedDatabase database = start(directory)) {
            assertThat(query(database, "postgres", "SELECT id FROM kept")).isEqualTo("7");
        }
    }

    @Test
    void start_asRootWhereTheKernelForbidsUserNamespaces() throws Exception {
        assumeTrue(Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "only root becomes somebody else");
        assumeTrue(mayBecomeNobody(), "not every container's root may become somebody else");
        // No 'unshare' to be found is as good as one that is forbidden.
        Path tools = Files.createDirectory(directory.resolve("tools"));
        for (String name : List.of("setpriv", "sh", "true")) {
            Path program = Stream.of("/usr/bin", "/bin")
                    .map(path -> Path.of(path, name))
                    .filter(Files::exists)
                    .findFirst()
                    .orElseThrow();
            Files.createSymbolicLink(tools.resolve(name), program);
        }
        Path place = directory.resolve("place");
        try (ChildJvm child = ChildJvm.start(Map.of("PATH", tools.toString()), DatabaseChild.class,
                place.toString(), programs.toString())) {
            child.awaitLine("pid ");
            child.kill();
        }
        assertThat(Files.getAttribute(place.resolve("data"), "unix:uid")).isEqualTo(65_534);
        try (EmbeddedDatabase database = start(place)) {
            assertThat(query(database, "postgres", "SELECT id FROM kept")).isEqualTo("7");
        }
    }

    @Test
    void restart_onTheSamePortWithWhatWasCommitted() throws Exception {
        try (EmbeddedDatabase database = EmbeddedDatabase.throwAway()) {
            int port = database.port();
            execute(database, "postgres", "CREATE TABLE kept AS SELECT 7 AS id");
            kill(database.pid());
            assertThat(database.isAlive()).isFalse();
            database.restart();
            assertThat(database.port()).isEqualTo(port);
            assertThat(query(database, "postgres", "SELECT id FROM kept")).isEqualTo("7");
            database.restart();
            assertThat(query(database, "postgres", "SELECT id FROM kept")).isEqualTo("7");
        }
    }

    @Test
    void throwAway_leavesNothing() throws Exception {
        long pid;
        try (EmbeddedDatabase database = EmbeddedDatabase.throwAway(Map.of("work_mem", "8MB"))) {
            pid = database.pid();
            assertThat(query(database, "postgres", "SHOW fsync")).isEqualTo("off");
            assertThat(query(database, "postgres", "SHOW work_mem")).isEqualTo("8MB");
        }
        assertThat(new Postmaster(pid).isAlive()).isFalse();
    }

    /** Whoever makes one ends what killed JVMs have left over. */
    @Test
    void throwAway_isNobodysToSweep_whileItsJvmLives() throws Exception {
        try (EmbeddedDatabase database = EmbeddedDatabase.throwAway()) {
            Path data = Path.of(query(database, "postgres", "SHOW data_directory"));
            // Not from here: whoever opens and closes a file lets go of all locks that the process has on it.
            assertThat(
                    new ProcessBuilder("touch", "-d", "10 minutes ago", data.resolveSibling("lock").toString()).start()
                            .waitFor())
                    .isZero();
            EmbeddedDatabase.throwAway().close();
            try (ChildJvm other = ChildJvm.start(ThrowAwayChild.class)) {
                other.awaitLine("pid ");
            }
            assertThat(query(database, "postgres", "SELECT 7")).isEqualTo("7");
        }
    }

    @Test
    void unpackedIn_byTwoAtOnce() throws Exception {
        URL archive = PostgresPrograms.archive();
        CyclicBarrier begin = new CyclicBarrier(2);
        Callable<PostgresPrograms> unpacking = () -> {
            begin.await();
            return PostgresPrograms.unpackedIn(directory, archive);
        };
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<Future<PostgresPrograms>> unpacked = threads.invokeAll(List.of(unpacking, unpacking));
            assertThat(unpacked.getFirst().get()).isEqualTo(unpacked.getLast().get());
        }
        try (Stream<Path> left = Files.list(directory)) {
            assertThat(left).hasSize(1);
        }
    }

    /** Makes a throw-away one. */
    static final class ThrowAwayChild {
        public static void main(String[] args) {
            try (EmbeddedDatabase database = EmbeddedDatabase.throwAway()) {
                System.out.println("pid " + database.pid());
            }
        }
    }

    /** Makes a table and waits to be killed. */
    static final class DatabaseChild {
        public static void main(String[] args) throws Exception {
            EmbeddedDatabase database = EmbeddedDatabase.start(Path.of(args[0]), Path.of(args[1]), 0, Map.of());
            execute(database, "postgres", "CREATE TABLE kept AS SELECT 7 AS id");
            System.out.println("pid " + database.pid());
            System.in.read();
        }
    }

    private static boolean mayBecomeNobody() throws Exception {
        try {
            return new ProcessBuilder("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                    "--inh-caps=+dac_override", "--ambient-caps=+dac_override", "true").start().waitFor() == 0;
        } catch (IOException noSuchProgram) {
            return false;
        }
    }

    private static EmbeddedDatabase start(Path directory) {
        return EmbeddedDatabase.start(directory, programs, 0, Map.of());
    }

    private static void kill(long pid) {
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        // Not onExit: for it a process lives until somebody has waited for it, as not every container's first process does.
        await().atMost(Duration.ofSeconds(30)).until(() -> !new Postmaster(pid).isAlive());
    }

    private static void execute(EmbeddedDatabase database, String name, String sql) throws SQLException {
        try (Connection connection = database.connect(name); Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String query(EmbeddedDatabase database, String name, String sql) throws SQLException {
        try (Connection connection = database.connect(name);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            assertThat(rows.next()).isTrue();
            return rows.getString(1);
        }
    }
}
