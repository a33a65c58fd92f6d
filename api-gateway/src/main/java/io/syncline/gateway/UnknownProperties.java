package io.syncline.gateway;

import io.syncline.model.property.PropertyNames;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;

/** Warns of {@code syncline.*} properties that nobody reads: most likely one that is meant is misspelt. */
final class UnknownProperties {

    private static final Logger log = LoggerFactory.getLogger(UnknownProperties.class);

    /** What is read by programs that may share our command line or our file. */
    private static final List<String> OTHERS = List.of("syncline.topics.replication", "syncline.worker.",
            "syncline.replica.", "syncline.source.", "syncline.capture.", "syncline.data-dir", "syncline.kafka",
            "syncline.database.");

    UnknownProperties(ConfigurableEnvironment environment) {
        List<String> given = new ArrayList<>();
        for (PropertySource<?> source : environment.getPropertySources()) {
            // Variables of the environment may be anybody's, SYNCLINE_HOME for instance.
            if (source instanceof EnumerablePropertySource<?> named
                    && !source.getName().equals(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME)) {
                Collections.addAll(given, named.getPropertyNames());
            }
        }
        known().unknown(given).forEach(name -> log.warn("nothing reads the property {}: is it misspelt?", name));
    }

    static PropertyNames known() {
        return GatewayProperties.names().with(OTHERS);
    }
}
