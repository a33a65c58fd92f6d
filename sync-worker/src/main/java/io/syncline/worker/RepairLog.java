package io.syncline.worker;

import com.zaxxer.hikari.HikariDataSource;
import io.syncline.worker.connection.LogRepairRun;
import io.syncline.worker.start.StateDatabase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.jdbc.autoconfigure.DataSourceProperties;
import org.springframework.boot.kafka.autoconfigure.KafkaProperties;

/** The command that shows what is missing in the event log, and lets it go on behind that on an operator's word. */
final class RepairLog {

    private static final String NAME = "repair-log";
    private static final Duration STATEMENT = Duration.ofSeconds(30);
    private static final String USAGE = "usage: java -jar sync-worker.jar repair-log [--partition <n>]"
            + " [--acknowledge --reason <text> [--by <name>]] --syncline.credentials.key-file=<file>"
            + " --spring.kafka.bootstrap-servers=<host>:<port> --spring.datasource.url=<state database> …";

    private RepairLog() {}

    /** What the command line says. */
    record Arguments(
            OptionalInt partition,
            boolean acknowledge,
            @Nullable String reason,
            String by,
            List<String> settings) {

        /** {@link IllegalArgumentException} says what is wrong. */
        static Arguments of(String[] arguments) {
            OptionalInt partition = OptionalInt.empty();
            boolean acknowledge = false;
            String reason = null;
            String by = System.getProperty("user.name", "unknown");
            List<String> settings = new ArrayList<>();
            Iterator<String> left = List.of(arguments).iterator();
            while (left.hasNext()) {
                String one = left.next();
                int equals = one.indexOf('=');
                switch (equals < 0 ? one : one.substring(0, equals)) {
                    case "--acknowledge" -> acknowledge = true;
                    case "--partition" -> partition = OptionalInt.of(number(value(one, equals, left)));
                    case "--reason" -> reason = value(one, equals, left);
                    case "--by" -> by = value(one, equals, left);
                    default -> settings.add(one);
                }
            }
            if (acknowledge && (reason == null || reason.isBlank())) {
                throw new IllegalArgumentException("--acknowledge needs --reason \"…\": the log keeps it for ever");
            }
            if (!acknowledge && reason != null) {
                throw new IllegalArgumentException("--reason is for --acknowledge");
            }
            return new Arguments(partition, acknowledge, reason, by, settings);
        }

        private static String value(String option, int equals, Iterator<String> left) {
            if (equals >= 0) {
                return option.substring(equals + 1);
            }
            if (!left.hasNext()) {
                throw new IllegalArgumentException(option + " needs a value");
            }
            return left.next();
        }

        private static int number(String text) {
            try {
                return Integer.parseInt(text);
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("--partition '" + text + "' is no number");
            }
        }
    }

    /** @return the exit code */
    static int run(String[] given) {
        Arguments arguments;
        try {
            arguments = Arguments.of(given);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.err.println(USAGE);
            return LogCommand.NOT_RUN;
        }
        return LogCommand.run(NAME, USAGE, arguments.settings().toArray(String[]::new), (keys, log, context) -> {
            int partitions = log.partitions();
            int only = arguments.partition().orElse(0);
            if (only < 0 || only >= partitions) {
                System.err.println("There is no partition " + only + ": the log has 0 to " + (partitions - 1));
                return LogCommand.NOT_RUN;
            }
            DataSourceProperties source = context.getBean(DataSourceProperties.class);
            StateDatabase database = new StateDatabase(source.getUrl(), source.getUsername(), source.getPassword());
            KafkaSettings kafka = WorkerConfiguration.kafkaSettings(context.getBean(KafkaProperties.class));
            String reason = arguments.reason();
            try (HikariDataSource pool = database.pool(NAME, 2, STATEMENT)) {
                LogRepairRun run = new LogRepairRun(pool, keys, log, kafka.settings(), System.out::println);
                return switch (run.run(partitions, arguments.partition(),
                        reason == null ? null : new LogRepairRun.Word(arguments.by(), reason))) {
                    case WHOLE -> 0;
                    case DAMAGED -> 1;
                    case REFUSED -> LogCommand.NOT_RUN;
                };
            }
        });
    }
}
