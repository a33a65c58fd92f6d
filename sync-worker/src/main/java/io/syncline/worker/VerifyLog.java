package io.syncline.worker;

import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.Topics;
import io.syncline.worker.audit.EventLogReader;
import io.syncline.worker.audit.LogVerification;
import io.syncline.worker.start.StartRefusedException;
import java.time.Duration;
import java.util.Arrays;
import org.apache.kafka.common.KafkaException;
import org.springframework.boot.Banner;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;
import org.springframework.context.ConfigurableApplicationContext;

/** The command that proves the event log: it takes a worker's settings, and reads. */
final class VerifyLog {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int WHOLE = 0;
    private static final int NOT_WHOLE = 1;
    private static final int NOT_READ = 2;

    private VerifyLog() {}

    /** A worker's settings, and nothing that works with them. */
    @SpringBootConfiguration(proxyBeanMethods = false)
    @EnableConfigurationProperties({WorkerProperties.class, KafkaProperties.class})
    static class Settings {}

    /** @return the exit code */
    static int run(String[] settings) {
        if (Arrays.stream(settings).anyMatch(setting -> !setting.startsWith("--"))) {
            System.err.println("usage: java -jar sync-worker.jar verify-log --syncline.credentials.key-file=<file>"
                    + " --spring.kafka.bootstrap-servers=<host>:<port> [--spring.kafka.properties.<name>=<value> …]");
            return NOT_READ;
        }
        // What the clients say of a broker that does not answer is said below, once.
        try (ConfigurableApplicationContext context = new SpringApplicationBuilder(Settings.class)
                .properties("spring.config.name=worker", "logging.threshold.console=off")
                .bannerMode(Banner.Mode.OFF)
                .run(settings)) {
            CredentialKeys keys = WorkerConfiguration.credentialKeys(context.getBean(WorkerProperties.class));
            KafkaSettings kafka = WorkerConfiguration.kafkaSettings(context.getBean(KafkaProperties.class));
            try (EventLogReader log = new EventLogReader(kafka.settings(), PATIENCE)) {
                int partitions = log.partitions();
                if (partitions == 0) {
                    System.err.println("The broker has no topic " + Topics.EVENTS + ": workers make it.");
                    return NOT_READ;
                }
                return new LogVerification(log, keys, System.out::println).verify(partitions) ? WHOLE : NOT_WHOLE;
            }
        } catch (StartRefusedException e) {
            System.err.println(e.getMessage() + ". " + e.remedy());
            return NOT_READ;
        } catch (KafkaException e) {
            System.err.println("The log cannot be read: " + e.getMessage()
                    + (e.getCause() == null ? "" : ": " + e.getCause().getMessage())
                    + ". Check spring.kafka.bootstrap-servers and its security settings.");
            return NOT_READ;
        } catch (RuntimeException e) {
            System.err.println("The settings cannot be used: " + e.getMessage());
            return NOT_READ;
        }
    }
}
