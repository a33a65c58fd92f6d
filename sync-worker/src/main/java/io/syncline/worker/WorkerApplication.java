package io.syncline.worker;

import io.syncline.model.credential.CredentialKeys;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.annotation.Import;

/** Runs one worker, makes a key file, or proves the event log. */
@SpringBootConfiguration(proxyBeanMethods = false)
@Import(WorkerConfiguration.class)
public class WorkerApplication {

    private static final String USAGE = """
            usage: java -jar sync-worker.jar [--<property>=<value> …]   runs a worker
                   java -jar sync-worker.jar keys <file>                makes a key file
                   java -jar sync-worker.jar rotate-keys <file> [PT1H]  puts new keys into it
                   java -jar sync-worker.jar verify-log [--strict] …    proves the event log
                   java -jar sync-worker.jar repair-log …               shows what is missing in it, and acknowledges that""";

    public static void main(String[] args) {
        String command = args.length == 0 || args[0].startsWith("--") ? "" : args[0];
        switch (command) {
            case "" -> application().run(args);
            case "keys" -> System.exit(keys(args));
            case "rotate-keys" -> System.exit(rotateKeys(args));
            case "verify-log" -> System.exit(VerifyLog.run(Arrays.copyOfRange(args, 1, args.length)));
            case "repair-log" -> System.exit(RepairLog.run(Arrays.copyOfRange(args, 1, args.length)));
            default -> {
                System.err.println("sync-worker has no command '" + command + "'");
                System.err.println(USAGE);
                System.exit(2);
            }
        }
    }

    /**
     * Its settings are in worker.yml: two applications share the class path in the
     * standalone cluster, so neither may own application.yml.
     */
    public static SpringApplicationBuilder application() {
        return new SpringApplicationBuilder(WorkerApplication.class).properties("spring.config.name=worker");
    }

    private static int keys(String[] args) {
        if (args.length != 2) {
            System.err.println("usage: java -jar sync-worker.jar keys <file>");
            return 2;
        }
        Path file = Path.of(args[1]);
        try {
            CredentialKeys.writeNew(file, new SecureRandom());
        } catch (FileAlreadyExistsException e) {
            System.err.println(file + " exists and is left as it is: keys that are lost are lost for good.");
            return 1;
        } catch (IOException e) {
            System.err.println(file + " cannot be written: " + e);
            return 1;
        }
        System.out.println("Keys written to " + file + ", readable by you only. Give the same file to every gateway and"
                + " worker (--syncline.credentials.key-file=" + file + "), and keep a copy.");
        return 0;
    }

    private static int rotateKeys(String[] args) {
        if (args.length < 2 || args.length > 3) {
            System.err.println("usage: java -jar sync-worker.jar rotate-keys <file> [<when they are used: PT1H>]");
            return 2;
        }
        Path file = Path.of(args[1]);
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        try {
            Instant from = now.plus(args.length == 3 ? Duration.parse(args[2]) : Duration.ofHours(1));
            CredentialKeys.rotate(file, new SecureRandom(), now, from);
            System.out.println("New keys are in " + file + " and are used from " + from
                    + " on. Until then, give the file to"
                    + " every gateway and worker; they read it by themselves. The keys before stay in it: what was"
                    + " written with them is still to be read.");
            return 0;
        } catch (DateTimeException e) {
            System.err.println("'" + args[2] + "' is no duration; PT1H is an hour, P1D a day.");
            return 2;
        } catch (IllegalArgumentException e) {
            System.err.println(file + " is left as it is: " + e.getMessage());
            return 1;
        } catch (IOException e) {
            System.err.println(file + " cannot be read or written: " + e);
            return 1;
        }
    }
}
