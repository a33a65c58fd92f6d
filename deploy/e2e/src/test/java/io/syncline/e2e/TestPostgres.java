package io.syncline.e2e;

import io.syncline.standalone.EmbeddedDatabase;
import java.nio.file.Path;
import java.util.Map;

/**
 * The PostgreSQL that the tests run on: the newest that there is, or with {@code -Dsyncline.postgres=14} that version, as source
 * and for the state.
 */
public final class TestPostgres {

    /** Put there by the build, a directory for each version. */
    private static final Path OLDER = Path.of("target", "postgresql");

    private TestPostgres() {}

    public static EmbeddedDatabase start() {
        return start(Map.of());
    }

    /** @param settings PostgreSQL's own */
    public static EmbeddedDatabase start(Map<String, String> settings) {
        String version = System.getProperty("syncline.postgres", "");
        return version.isEmpty() ? EmbeddedDatabase.throwAway(settings) : start(version, settings);
    }

    /** @param version one of the older ones */
    public static EmbeddedDatabase start(String version, Map<String, String> settings) {
        return EmbeddedDatabase.throwAway(OLDER.resolve(version), settings);
    }
}
