package io.syncline.standalone;

import io.syncline.gateway.GatewayProperties;
import io.syncline.model.property.PropertyNames;
import io.syncline.worker.UnknownProperties;
import io.syncline.worker.WorkerProperties;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.springframework.core.env.ConfigurableEnvironment;

/** The properties of all parts: which are read, and which are set by us. */
final class KnownProperties {

    private static final List<String> OURS = List.of("syncline.data-dir", "syncline.kafka", "syncline.database.url",
            "syncline.database.username", "syncline.database.password");

    private KnownProperties() {}

    /** What is set for any of the parts, and read by none: most likely misspelt. */
    static SortedSet<String> unknownIn(List<ConfigurableEnvironment> environments) {
        PropertyNames known = GatewayProperties.names().with(WorkerProperties.names()).with(OURS);
        SortedSet<String> unknown = new TreeSet<>();
        environments.forEach(environment -> unknown.addAll(UnknownProperties.in(environment, known)));
        return unknown;
    }

    /** Ours in the place of the user's of the same name: Spring makes one text, with commas, of an option given twice. */
    static List<String> merged(String[] users, List<String> ours) {
        Set<String> names = new HashSet<>();
        ours.forEach(argument -> names.add(PropertyNames.canonical(name(argument))));
        List<String> merged = new ArrayList<>(ours);
        for (String argument : users) {
            if (!argument.startsWith("--") || !names.contains(PropertyNames.canonical(name(argument)))) {
                merged.add(argument);
            }
        }
        return merged;
    }

    private static String name(String argument) {
        int equals = argument.indexOf('=');
        return equals < 0 ? argument : argument.substring(0, equals);
    }
}
