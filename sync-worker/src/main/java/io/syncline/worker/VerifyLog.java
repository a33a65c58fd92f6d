package io.syncline.worker;

import io.syncline.worker.audit.LogVerification;
import java.util.Arrays;

/** The command that proves the event log: it takes a worker's settings, and reads. */
final class VerifyLog {

    private static final int WHOLE = 0;
    private static final int NOT_WHOLE = 1;
    private static final String STRICT = "--strict";
    private static final String USAGE = "usage: java -jar sync-worker.jar verify-log [--strict]"
            + " --syncline.credentials.key-file=<file> --spring.kafka.bootstrap-servers=<host>:<port>"
            + " [--spring.kafka.properties.<name>=<value> …]";

    private VerifyLog() {}

    /** @return the exit code */
    static int run(String[] arguments) {
        boolean strict = Arrays.asList(arguments).contains(STRICT);
        String[] settings = Arrays.stream(arguments).filter(one -> !one.equals(STRICT)).toArray(String[]::new);
        return LogCommand.run("verify-log", USAGE, settings,
                (keys, log, context) -> switch (new LogVerification(log, keys,
                        System.out::println).verify(log.partitions())) {
                    case WHOLE -> WHOLE;
                    case WHOLE_WITH_FOREIGN -> strict ? NOT_WHOLE : WHOLE;
                    case NOT_WHOLE -> NOT_WHOLE;
                });
    }
}
