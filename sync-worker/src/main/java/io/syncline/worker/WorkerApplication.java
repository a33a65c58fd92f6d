package io.syncline.worker;

import io.syncline.model.credential.CredentialKeys;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.security.SecureRandom;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.annotation.Import;

/** Runs one worker, or makes a key file. */
@SpringBootConfiguration(proxyBeanMethods = false)
@Import(WorkerConfiguration.class)
public class WorkerApplication {

    public static void main(String[] args) {
        if (args.length > 0 && args[0].equals("keys")) {
            System.exit(keys(args));
        }
        application().run(args);
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
}
