package io.syncline.gateway;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** PostgreSQL for tests, on a machine that may be slow: ten seconds, which are usual, are too few to start in. */
public final class TestPostgres {

    private static final Duration LONGEST_START = Duration.ofMinutes(2);

    private TestPostgres() {}

    public static EmbeddedPostgres start() throws IOException {
        try (HeldPort port = new HeldPort()) {
            return at(port).start();
        }
    }

    /** Keeps what is in the directory, so that it can be started there again. */
    static EmbeddedPostgres start(HeldPort port, Path data) throws IOException {
        return at(port).setDataDirectory(data).setCleanDataDirectory(false).start();
    }

    private static EmbeddedPostgres.Builder at(HeldPort port) {
        return EmbeddedPostgres.builder().setPort(port.number()).setPGStartupWait(LONGEST_START);
    }
}
