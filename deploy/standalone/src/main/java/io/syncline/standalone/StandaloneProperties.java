package io.syncline.standalone;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.SimpleCommandLinePropertySource;
import org.springframework.core.env.StandardEnvironment;

/**
 * What of the site is the user's own and what is made here, by the ordinary properties: command line before system
 * properties before environment, as everywhere in Spring.
 *
 * @param dataDirectory
 *            syncline.data-dir
 * @param port
 *            server.port
 * @param prefix
 *            syncline.prefix
 * @param adminToken
 *            syncline.admin.token, where the user has chosen one
 * @param adminTokenFile
 *            syncline.admin.token-file, where the user keeps one
 * @param keyFile
 *            syncline.credentials.key-file, where the user keeps one
 * @param bootstrapServers
 *            spring.kafka.bootstrap-servers of a Kafka of the user's
 * @param state
 *            spring.datasource.*, for the state, of a PostgreSQL of the user's
 * @param source
 *            syncline.source.*, the database whose tables are shared, where it is the user's
 */
record StandaloneProperties(
        Path dataDirectory,
        int port,
        String prefix,
        @Nullable String adminToken,
        @Nullable Path adminTokenFile,
        @Nullable Path keyFile,
        @Nullable String bootstrapServers,
        @Nullable Database state,
        @Nullable Database source) {

    /** A database of the user's. */
    record Database(String property, String url, @Nullable String username, @Nullable String password) {

        private static final Pattern SECRET = Pattern.compile("(?i)((?:ssl)?password=)[^&]*");
        private static final Pattern USER_INFO = Pattern.compile("//[^/@]*@");

        /** The URL as it may be shown: some people put a password into it. */
        String shown() {
            return USER_INFO.matcher(SECRET.matcher(url).replaceAll("$1***")).replaceFirst("//***@");
        }

        @Override
        public String toString() {
            return property + " " + shown();
        }
    }

    /** Without what is secret in it. */
    @Override
    public String toString() {
        return "StandaloneProperties[" + dataDirectory + "]";
    }

    static StandaloneProperties of(String... arguments) {
        return of(new StandardEnvironment(), arguments);
    }

    static StandaloneProperties of(ConfigurableEnvironment environment, String... arguments) {
        environment.getPropertySources().addFirst(new SimpleCommandLinePropertySource(arguments));
        ConfigurationPropertySources.attach(environment);
        Properties properties = new Properties(Binder.get(environment));
        return new StandaloneProperties(
                Path.of(properties.text("syncline.data-dir").orElse(".syncline")),
                properties.number("server.port", 8080), properties.text("syncline.prefix").orElse("phoenix_kit"),
                properties.text("syncline.admin.token").orElse(null),
                properties.text("syncline.admin.token-file").map(Path::of).orElse(null),
                properties.text("syncline.credentials.key-file").map(Path::of).orElse(null),
                properties.text("spring.kafka.bootstrap-servers")
                        .or(() -> properties.text("syncline.kafka"))
                        .orElse(null),
                properties.database("spring.datasource", "syncline.database"),
                properties.database("syncline.source", "syncline.source"));
    }

    boolean needsDatabase() {
        return state == null || source == null;
    }

    private record Properties(Binder binder) {

        Optional<String> text(String name) {
            return Optional.ofNullable(binder.bind(name, String.class).orElse(null)).filter(text -> !text.isBlank());
        }

        int number(String name, int otherwise) {
            Integer number = binder.bind(name, Integer.class).orElse(null);
            return number == null ? otherwise : number;
        }

        @Nullable
        Database database(String property, String shortName) {
            Map<String, Optional<String>> values = new LinkedHashMap<>();
            for (String part : List.of("url", "username", "password")) {
                values.put(part, text(property + "." + part).or(() -> text(shortName + "." + part)));
            }
            return values.getOrDefault("url", Optional.empty())
                    .map(url -> new Database(property + ".url", url,
                            values.getOrDefault("username", Optional.empty()).orElse(null),
                            values.getOrDefault("password", Optional.empty()).orElse(null)))
                    .orElse(null);
        }
    }
}
