package io.syncline.standalone;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggingInitializationContext;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.boot.logging.LoggingSystemProperties;
import org.springframework.core.env.ConfigurableEnvironment;

/** One log for all parts, on standard output: what ours say, and of the others what somebody should do something about. */
final class StandaloneLogging {

    private static final String PROPERTY = "logging.level.";
    private static final Map<String, LogLevel> LEVELS = levels();

    private StandaloneLogging() {}

    private static Map<String, LogLevel> levels() {
        Map<String, LogLevel> levels = new LinkedHashMap<>();
        levels.put("root", LogLevel.WARN);
        levels.put("io.syncline", LogLevel.INFO);
        // Each knows the properties of its own part; KnownProperties those of all.
        levels.put("io.syncline.gateway.UnknownProperties", LogLevel.ERROR);
        levels.put("io.syncline.worker.UnknownProperties", LogLevel.ERROR);
        // Warns of each start, and of each connection that it closes twice.
        levels.put("org.apache.kafka.controller.QuorumController", LogLevel.ERROR);
        levels.put("org.apache.kafka.clients.NetworkClient", LogLevel.ERROR);
        // Warns at each start of snapshot classes that it found and that nobody asked for.
        levels.put("io.debezium.snapshot", LogLevel.ERROR);
        return levels;
    }

    /** Broker and database start before any application that would set the log up. */
    static void begin(ConfigurableEnvironment environment) {
        LoggingSystem system = LoggingSystem.get(StandaloneLogging.class.getClassLoader());
        system.beforeInitialize();
        new LoggingSystemProperties(environment).apply();
        system.initialize(new LoggingInitializationContext(environment), null, null);
        LEVELS.forEach((name, level) -> system.setLogLevel(name.equals("root") ? LoggingSystem.ROOT_LOGGER_NAME : name,
                chosen(environment, name, level)));
    }

    private static LogLevel chosen(ConfigurableEnvironment environment, String name, LogLevel otherwise) {
        String chosen = environment.getProperty(PROPERTY + name, "");
        for (LogLevel level : LogLevel.values()) {
            if (level.name().equalsIgnoreCase(chosen)) {
                return level;
            }
        }
        return otherwise;
    }

    /** The same for the applications; a level that the user sets comes after these and wins. */
    static List<String> arguments(ConfigurableEnvironment environment) {
        List<String> arguments = new ArrayList<>();
        LEVELS.forEach((name, level) -> {
            String property = PROPERTY + name;
            if (!environment.containsProperty(property)) {
                arguments.add("--" + property + "=" + level);
            }
        });
        arguments.add("--logging.register-shutdown-hook=false");
        // One log of several applications: the name of one would stand on every line.
        arguments.add("--logging.include-application-name=false");
        return arguments;
    }
}
