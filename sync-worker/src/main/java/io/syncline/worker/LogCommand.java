package io.syncline.worker;

import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.Topics;
import io.syncline.worker.audit.EventLogReader;
import io.syncline.worker.start.StartRefusedException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.Banner;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.jdbc.autoconfigure.DataSourceProperties;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.context.ConfigurableApplicationContext;

/** What the commands about the event log have in common: they take a worker's settings, and start nothing. */
final class LogCommand {

    static final int NOT_RUN = 2;

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration FIRST_CONTACT = Duration.ofSeconds(8);
    /** A worker's settings; whatever else begins with dashes is a mistake, and silence would hide it. */
    private static final List<String> SETTINGS = List.of("--spring.", "--syncline.", "--logging.");

    private LogCommand() {}

    /** A worker's settings, and nothing that works with them. */
    @SpringBootConfiguration(proxyBeanMethods = false)
    @EnableConfigurationProperties({WorkerProperties.class, KafkaProperties.class, DataSourceProperties.class})
    static class Settings {}

    /** What a command does with keys, log and settings; its exit code. */
    @FunctionalInterface
    interface Work {

        int on(CredentialKeys keys, EventLogReader log, ConfigurableApplicationContext context);
    }

    /** @return the exit code */
    static int run(String command, String usage, String[] settings, Work work) {
        Optional<String> unknown = Arrays.stream(settings)
                .filter(setting -> SETTINGS.stream().noneMatch(setting::startsWith) || !setting.contains("="))
                .findFirst();
        if (unknown.isPresent()) {
            System.err.println(command + " has no option '" + unknown.get() + "'");
            System.err.println(usage);
            return NOT_RUN;
        }
        // What the clients say of a broker that does not answer is said below, once.
        try (ConfigurableApplicationContext context = new SpringApplicationBuilder(Settings.class)
                .properties("spring.config.name=worker", "logging.threshold.console=off")
                .bannerMode(Banner.Mode.OFF)
                .run(settings)) {
            return run(context, work);
        } catch (StartRefusedException e) {
            System.err.println(e.getMessage() + ". " + e.remedy());
            return NOT_RUN;
        } catch (RuntimeException e) {
            System.err.println("The settings cannot be used: " + e.getMessage());
            return NOT_RUN;
        }
    }

    private static String servers(@Nullable Object setting) {
        return setting instanceof Collection<?> several
                ? several.stream().map(String::valueOf).collect(Collectors.joining(", "))
                : String.valueOf(setting);
    }

    private static int run(ConfigurableApplicationContext context, Work work) {
        var unread = UnknownProperties.in(context.getEnvironment(), UnknownProperties.known());
        if (!unread.isEmpty()) {
            System.err.println("Nothing reads the property " + String.join(", ", unread) + ": is it misspelt?");
            return NOT_RUN;
        }
        CredentialKeys keys = WorkerConfiguration.credentialKeys(context.getBean(WorkerProperties.class));
        KafkaSettings kafka = WorkerConfiguration.kafkaSettings(context.getBean(KafkaProperties.class));
        try (EventLogReader log = new EventLogReader(kafka.settings(), PATIENCE)) {
            if (log.partitions(FIRST_CONTACT) == 0) {
                System.err.println("The broker has no topic " + Topics.EVENTS + ": workers make it.");
                return NOT_RUN;
            }
            return work.on(keys, log, context);
        } catch (KafkaException e) {
            String servers = servers(kafka.settings().get(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG));
            System.err.println(e instanceof TimeoutException
                    ? "No broker answers at " + servers + " (spring.kafka.bootstrap-servers), or not to these security"
                            + " settings (spring.kafka.security.*, spring.kafka.properties.*): " + e.getMessage()
                    : "The log cannot be read from " + servers + " (spring.kafka.bootstrap-servers): " + e.getMessage()
                            + (e.getCause() == null ? "" : ": " + e.getCause().getMessage())
                            + ". Check its security settings (spring.kafka.security.*, spring.kafka.properties.*).");
            return NOT_RUN;
        }
    }
}
