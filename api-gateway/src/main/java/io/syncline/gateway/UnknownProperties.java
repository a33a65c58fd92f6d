package io.syncline.gateway;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.context.EnvironmentAware;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.Environment;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;

/** Warns of {@code syncline.*} properties that nobody reads: most likely one that is meant is misspelt. */
final class UnknownProperties implements EnvironmentAware, InitializingBean {

    private static final Logger log = LoggerFactory.getLogger(UnknownProperties.class);

    private static final Set<String> OURS = Set.of("syncline.prefix", "syncline.admin.token",
            "syncline.admin.token-file", "syncline.admin.token-overlap", "syncline.admin.port",
            "syncline.admin.address", "syncline.admin.oidc.issuer", "syncline.admin.oidc.audience",
            "syncline.admin.oidc.name-claim", "syncline.admin.oidc.roles-claim",
            "syncline.limits.failed-authentications-per-minute", "syncline.limits.registrations-per-minute",
            "syncline.gateway.longest-head", "syncline.gateway.connections-per-address",
            "syncline.credentials.key-file",
            "syncline.topics.partitions",
            "syncline.gateway.reply-timeout", "syncline.gateway.max-pending", "syncline.gateway.database-connections",
            "syncline.gateway.pull-connections", "syncline.gateway.pull-share", "syncline.gateway.pull-duration",
            "syncline.gateway.pull-least-rate",
            "syncline.gateway.password-checks");
    /** Lists of ours, whose entries have numbers; and what is read by programs that may share our command line or our file. */
    private static final List<String> OTHERS = List.of("syncline.http.trusted-proxies",
            "syncline.admin.oidc.viewer-roles", "syncline.admin.oidc.auditor-roles",
            "syncline.admin.oidc.operator-roles", "syncline.data-dir",
            "syncline.kafka", "syncline.database.",
            "syncline.source.", "syncline.worker.", "syncline.capture.", "syncline.topics.", "syncline.replica.",
            "syncline.peer.", "syncline.audit.", "syncline.standalone.");

    private ConfigurableEnvironment environment = new StandardEnvironment();

    @Override
    public void setEnvironment(Environment given) {
        if (given instanceof ConfigurableEnvironment configurable) {
            environment = configurable;
        }
    }

    @Override
    public void afterPropertiesSet() {
        Set<String> unknown = new TreeSet<>();
        for (PropertySource<?> source : environment.getPropertySources()) {
            // Variables of the environment may be anybody's, SYNCLINE_HOME for instance.
            if (source instanceof EnumerablePropertySource<?> named
                    && !source.getName().equals(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME)) {
                Stream.of(named.getPropertyNames()).filter(UnknownProperties::isUnknown).forEach(unknown::add);
            }
        }
        unknown.forEach(name -> log.warn("nothing reads the property {}: is it misspelt?", name));
    }

    static boolean isUnknown(String name) {
        String canonical = canonical(name);
        return canonical.startsWith("syncline.") && OURS.stream().noneMatch(ours -> canonical(ours).equals(canonical))
                && OTHERS.stream().noneMatch(others -> canonical.startsWith(canonical(others)));
    }

    /** As Spring compares names: dashes, underscores and case make no difference. */
    private static String canonical(String name) {
        return name.toLowerCase(Locale.ROOT).replace("-", "").replace("_", "");
    }
}
