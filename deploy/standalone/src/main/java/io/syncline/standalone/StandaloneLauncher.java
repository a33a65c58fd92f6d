package io.syncline.standalone;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.StandardEnvironment;

/** Starts a whole site with one command, and tells how to try it. */
public final class StandaloneLauncher {

    private static final Logger LOG = LoggerFactory.getLogger(StandaloneLauncher.class);

    private StandaloneLauncher() {}

    public static void main(String[] arguments) {
        ConfigurableEnvironment environment = new StandardEnvironment();
        StandaloneProperties properties = StandaloneProperties.of(environment, arguments);
        StandaloneLogging.begin(environment);
        Closing closing = new Closing();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(closing), "stop"));
        try {
            Site site = Site.start(properties, environment, closing, arguments);
            Invitation invitation = site.awaitReady();
            System.out.println(invitation.text(sinceJvmStart(), Path.of("").toAbsolutePath()));
        } catch (Closing.ClosingException stoppedWhileStarting) {
            LOG.info("stopped while starting");
        } catch (DataDirectory.InUseException | Site.NotStartedException | IOException | GeneralSecurityException
                | RuntimeException failure) {
            if (!closing.isClosing()) {
                LOG.debug("start failed", failure);
                fail(closing, failure.getMessage() == null ? failure.toString() : failure.getMessage());
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    static Duration sinceJvmStart() {
        return Duration.ofMillis(System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime());
    }

    private static void fail(Closing closing, String message) {
        LOG.error("Syncline does not start: {}", message);
        closing.close();
        System.exit(1);
    }

    private static void stop(Closing closing) {
        long begun = System.nanoTime();
        closing.close();
        LOG.info("Syncline stopped in {} ms", Duration.ofNanos(System.nanoTime() - begun).toMillis());
    }
}
