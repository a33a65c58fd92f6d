package io.syncline.worker;

import io.syncline.model.property.PropertyNames;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;

/** Warns of {@code syncline.*} properties that nobody reads: most likely one that is meant is misspelt. */
public final class UnknownProperties {

    private static final Logger LOG = LoggerFactory.getLogger(UnknownProperties.class);

    /** What is read by programs that may share our command line or our file. */
    private static final List<String> OTHERS = List.of("syncline.prefix", "syncline.admin.", "syncline.http.",
            "syncline.limits.", "syncline.gateway.", "syncline.data-dir", "syncline.kafka", "syncline.database.");

    UnknownProperties(ConfigurableEnvironment environment) {
        in(environment, known()).forEach(name -> LOG.warn("nothing reads the property {}: is it misspelt?", name));
    }

    static PropertyNames known() {
        return WorkerProperties.names().with(OTHERS);
    }

    /** Those that are set on the command line, as system properties, in files: wherever names can be listed. */
    public static SortedSet<String> in(ConfigurableEnvironment environment, PropertyNames known) {
        List<String> given = new ArrayList<>();
        for (PropertySource<?> source : environment.getPropertySources()) {
            // Variables of the environment may be anybody's, SYNCLINE_HOME for instance.
            if (source instanceof EnumerablePropertySource<?> named
                    && !source.getName().equals(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME)) {
                Collections.addAll(given, named.getPropertyNames());
            }
        }
        return known.unknown(given);
    }
}
