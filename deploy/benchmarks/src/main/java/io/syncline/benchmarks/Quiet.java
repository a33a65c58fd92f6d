package io.syncline.benchmarks;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import org.slf4j.LoggerFactory;

/** Leaves only our own lines on the console: no Spring Boot is here to see to it. */
final class Quiet {

    private Quiet() {}

    static void logging() {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.getLogger("ROOT").setLevel(Level.WARN);
        context.getLogger("io.syncline").setLevel(Level.INFO);
    }
}
