package io.syncline.worker;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/** A PostgreSQL for one test class; nothing of it depends on the machine's speed, language, or other programs. */
public final class TestPostgres {

    private static final Duration STARTED = Duration.ofMinutes(2);
    private static final int ATTEMPTS = 3;
    /** Below Linux's range for outgoing connections, and where nothing else of this build looks for a port. */
    private static final int LOWEST_PORT = 10_000;
    private static final int HIGHEST_PORT = 20_000;

    private TestPostgres() {}

    public static EmbeddedPostgres start() {
        return start(Map.of());
    }

    public static EmbeddedPostgres start(Map<String, String> settings) {
        IllegalStateException failure = new IllegalStateException("PostgreSQL does not start");
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            try {
                Path directory = Files.createTempDirectory("epg");
                EmbeddedPostgres postgres = builder(directory, settings).start();
                if (serves(postgres, directory)) {
                    return postgres;
                }
                postgres.close();
            } catch (IOException | SQLException e) {
                failure.addSuppressed(e);
            }
        }
        throw failure;
    }

    private static EmbeddedPostgres.Builder builder(Path directory, Map<String, String> settings) throws IOException {
        EmbeddedPostgres.Builder builder = EmbeddedPostgres.builder()
                .setPGStartupWait(STARTED)
                .setDataDirectory(directory)
                .setPort(freePort())
                // The machine's may be one that is not installed, or one whose messages are not in English.
                .setLocaleConfig("locale", "C")
                // In the socket's directory another user may have left a lock behind.
                .setServerConfig("unix_socket_directories", "")
                // It locks tables when it likes, some of them longer than our code waits for a lock.
                .setServerConfig("autovacuum", "off");
        settings.forEach(builder::setServerConfig);
        return builder;
    }

    /** Somebody else may have taken the port since we looked, and be a PostgreSQL, too. */
    private static boolean serves(EmbeddedPostgres postgres, Path directory) throws SQLException {
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SHOW data_directory")) {
            return rows.next() && Path.of(rows.getString(1)).equals(directory);
        }
    }

    private static int freePort() throws IOException {
        IOException taken = new IOException("no free port between " + LOWEST_PORT + " and " + HIGHEST_PORT);
        for (int attempt = 0; attempt < 200; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(LOWEST_PORT, HIGHEST_PORT);
            try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return probe.getLocalPort();
            } catch (IOException e) {
                taken.addSuppressed(e);
            }
        }
        throw taken;
    }
}
