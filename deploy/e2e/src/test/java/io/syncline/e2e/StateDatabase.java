package io.syncline.e2e;

import io.syncline.standalone.EmbeddedDatabase;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * The state database as its clients have it: one address, behind which servers come and go. It has an asynchronous standby if a test
 * wants one, and backups that can be restored.
 */
public final class StateDatabase implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final String DATABASE = "syncline";

    private final Path directory;
    private final Forwarder address;
    private EmbeddedDatabase server;
    private @Nullable EmbeddedDatabase standby;
    private @Nullable Forwarder stream;
    private int copies;

    private StateDatabase(Path directory, EmbeddedDatabase server) {
        this.directory = directory;
        this.server = server;
        this.address = new Forwarder(server.port());
    }

    static StateDatabase start(Path directory) {
        try {
            Files.createDirectories(directory);
            // A line for "all" databases does not mean the log's stream.
            Files.writeString(hba(directory), """
                    host all all 127.0.0.1/32 scram-sha-256
                    host replication all 127.0.0.1/32 scram-sha-256
                    """);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        EmbeddedDatabase server = TestPostgres.start(settings(directory));
        server.createDatabase(DATABASE);
        return new StateDatabase(directory, server);
    }

    private static Path hba(Path directory) {
        return directory.resolve("pg_hba.conf").toAbsolutePath();
    }

    private static Map<String, String> settings(Path directory) {
        Map<String, String> settings = new HashMap<>();
        settings.put("hba_file", hba(directory).toString());
        settings.put("wal_keep_size", "256MB");
        settings.put("max_wal_size", "256MB");
        settings.put("shared_buffers", "32MB");
        settings.put("wal_retrieve_retry_interval", "200ms");
        return settings;
    }

    /** For JDBC: the address that stays. */
    String url() {
        return "jdbc:postgresql://127.0.0.1:" + address.port() + "/" + DATABASE;
    }

    /** Which one answers now. */
    public EmbeddedDatabase server() {
        return server;
    }

    /** How the clients reach it, all of them. */
    public Forwarder address() {
        return address;
    }

    public Connection connect() throws SQLException {
        return server.connect(DATABASE);
    }

    public @Nullable String ask(String sql) {
        return ask(server, DATABASE, sql);
    }

    /** A standby that follows as it can; no commit waits for it. */
    public void startStandby() {
        Forwarder way = new Forwarder(server.port());
        stream = way;
        Path copy = backup();
        try {
            Files.createFile(copy.resolve("standby.signal"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Map<String, String> settings = settings(directory);
        settings.put("primary_conninfo", "host=127.0.0.1 port=%s user=%s password=%s".formatted(
                Integer.toString(way.port()), server.username(), server.password()));
        standby = server.throwAwayCopy(copy, settings);
        awaitStandby();
    }

    /** Until the standby has all that is committed now. */
    public void awaitStandby() {
        String committed = ask(server, "postgres", "SELECT pg_current_wal_insert_lsn()");
        Awaitility.await("the standby has followed to " + committed)
                .atMost(PATIENCE)
                .until(() -> "t".equals(
                        ask(standby(), "postgres", "SELECT pg_last_wal_replay_lsn() >= '" + committed + "'::pg_lsn")));
    }

    /** What is committed from now on, the standby will not have. */
    public void cutStandby() {
        stream().cut();
        Awaitility.await("the primary streams to no standby")
                .atMost(PATIENCE)
                .until(() -> "0".equals(ask(server, "postgres", "SELECT count(*) FROM pg_stat_replication")));
    }

    /** Kill -9 of the primary; the standby is promoted as it stands, and the address moves there. */
    public void failOver() {
        EmbeddedDatabase next = standby();
        // Nothing of the killed one's last moments goes through.
        address.cut();
        endStandby();
        kill(server);
        ask(next, "postgres", "SELECT pg_promote(true, 120)");
        become(next);
    }

    /** A copy of everything that is committed by now, at least. */
    public Path backup() {
        Path copy = directory.resolve("backup-" + ++copies);
        BaseBackup.take(server, copy);
        return copy;
    }

    /** Kill -9 of the server, and the backup is started in its place; a standby goes with the server. */
    public void restore(Path backup) {
        address.cut();
        EmbeddedDatabase before = standby;
        endStandby();
        if (before != null) {
            before.close();
        }
        kill(server);
        become(server.throwAwayCopy(backup, settings(directory)));
    }

    private void become(EmbeddedDatabase next) {
        server.close();
        server = next;
        address.leadTo(next.port());
        address.join();
    }

    private void endStandby() {
        standby = null;
        if (stream != null) {
            stream.close();
            stream = null;
        }
    }

    private EmbeddedDatabase standby() {
        if (standby == null) {
            throw new IllegalStateException("there is no standby: startStandby()");
        }
        return standby;
    }

    private Forwarder stream() {
        if (stream == null) {
            throw new IllegalStateException("there is no standby: startStandby()");
        }
        return stream;
    }

    private static void kill(EmbeddedDatabase server) {
        ProcessHandle.of(server.pid()).ifPresent(postmaster -> {
            // The postmaster first: it would end the others in its own way if one of them was killed.
            List<ProcessHandle> others = postmaster.descendants().toList();
            postmaster.destroyForcibly();
            others.forEach(ProcessHandle::destroyForcibly);
        });
        Awaitility.await("PostgreSQL is dead").atMost(PATIENCE).until(() -> !server.isAlive());
    }

    private static @Nullable String ask(EmbeddedDatabase server, String database, String sql) {
        try (Connection connection = server.connect(database);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            return row.next() ? row.getString(1) : null;
        } catch (SQLException e) {
            throw new IllegalStateException(sql + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        address.close();
        EmbeddedDatabase second = standby;
        endStandby();
        if (second != null) {
            second.close();
        }
        server.close();
    }
}
