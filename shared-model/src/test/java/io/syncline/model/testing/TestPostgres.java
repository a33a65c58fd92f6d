package io.syncline.model.testing;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** A PostgreSQL for one test class; nothing of it depends on the machine's speed, language, or other programs. */
public final class TestPostgres {

    private static final Duration LONGEST_START = Duration.ofMinutes(2);

    private TestPostgres() {}

    public static EmbeddedPostgres start() {
        return start(Map.of());
    }

    public static EmbeddedPostgres start(Map<String, String> settings) {
        try (HeldPort port = new HeldPort()) {
            EmbeddedPostgres.Builder builder = at(port);
            settings.forEach(builder::setServerConfig);
            return builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Keeps what is in the directory, so that it can be started there again. */
    public static EmbeddedPostgres start(HeldPort port, Path data) throws IOException {
        return at(port).setDataDirectory(data).setCleanDataDirectory(false).start();
    }

    private static EmbeddedPostgres.Builder at(HeldPort port) {
        return EmbeddedPostgres.builder()
                .setPort(port.number())
                .setPGStartupWait(LONGEST_START)
                // The machine's may be one that is not installed, or one whose messages are not in English.
                .setLocaleConfig("locale", "C")
                // In the socket's directory another user may have left a lock behind.
                .setServerConfig("unix_socket_directories", "")
                // It locks tables when it likes, some of them longer than our code waits for a lock.
                .setServerConfig("autovacuum", "off");
    }
}
