package io.syncline.standalone;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

import org.springframework.boot.context.properties.ConfigurationPropertiesBean;
import org.springframework.context.ApplicationContext;
import org.springframework.core.env.SimpleCommandLinePropertySource;

/** The syncline.* properties that somebody reads: what else is on the command line is most likely misspelt. */
final class KnownProperties {

    private static final List<String> OURS = List.of("syncline.data-dir", "syncline.kafka", "syncline.database.url",
            "syncline.database.username", "syncline.database.password", "syncline.prefix", "syncline.admin.token",
            "syncline.admin.token-file", "syncline.credentials.key-file", "syncline.source.url",
            "syncline.source.username", "syncline.source.password");

    private final Set<String> names = new HashSet<>();
    /** Prefixes of classes whose properties cannot be listed. */
    private final List<String> open = new ArrayList<>();

    KnownProperties() {
        OURS.forEach(name -> names.add(uniform(name)));
    }

    /** Adds what this application reads. */
    KnownProperties add(ApplicationContext application) {
        ConfigurationPropertiesBean.getAll(application)
                .values()
                .forEach(bean -> add(bean.getAnnotation().prefix(), bean.asBindTarget().getType().toClass()));
        return this;
    }

    private void add(String prefix, Class<?> type) {
        if (!type.isRecord()) {
            open.add(uniform(prefix) + ".");
            return;
        }
        for (RecordComponent component : type.getRecordComponents()) {
            String name = prefix + "." + component.getName();
            if (component.getType().isRecord()) {
                add(name, component.getType());
            } else {
                names.add(uniform(name));
            }
        }
    }

    List<String> unknownIn(String... arguments) {
        return List.of(new SimpleCommandLinePropertySource(arguments).getPropertyNames())
                .stream()
                .filter(name -> name.startsWith("syncline."))
                .filter(name -> !knows(uniform(name)))
                .toList();
    }

    /** Ours in the place of the user's of the same name: Spring makes one text, with commas, of an option given twice. */
    static List<String> merged(String[] users, List<String> ours) {
        Set<String> names = new HashSet<>();
        ours.forEach(argument -> names.add(uniform(name(argument))));
        List<String> merged = new ArrayList<>(ours);
        for (String argument : users) {
            if (!argument.startsWith("--") || !names.contains(uniform(name(argument)))) {
                merged.add(argument);
            }
        }
        return merged;
    }

    private static String name(String argument) {
        int equals = argument.indexOf('=');
        return equals < 0 ? argument : argument.substring(0, equals);
    }

    private boolean knows(String name) {
        return names.contains(name) || open.stream().anyMatch(name::startsWith);
    }

    /** Spring reads syncline.dataDir and syncline.data-dir alike. */
    private static String uniform(String name) {
        return name.replace("-", "").replace("_", "").toLowerCase(Locale.ROOT);
    }
}
