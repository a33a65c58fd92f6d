package io.syncline.gateway.table;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.web.server.context.WebServerGracefulShutdownLifecycle;
import org.springframework.context.SmartLifecycle;

/**
 * Lets running pulls end before the gateway does: beside the web server, which waits for them too and lets nothing new in. Those
 * that take longer are broken off, and each is reported as what it was while there still is a producer.
 */
public final class RunningPulls implements SmartLifecycle {

    private static final Logger log = LoggerFactory.getLogger(RunningPulls.class);

    private final RowStream rows;
    private final PullLedger ledger;
    /** For pulls to end by themselves. */
    private final Duration own;
    /** For those that are broken off: one that waits for its receiver does not notice before that takes something. */
    private final Duration brokenOff;
    /** For the broker to take the reports. */
    private final Duration reported;
    private volatile boolean running;

    /** @param time for all of it: Spring's for one phase of a shutdown */
    public RunningPulls(RowStream rows, PullLedger ledger, Duration time) {
        this.rows = rows;
        this.ledger = ledger;
        // Of 20 s: 12, 2, 5, and a second before Spring would go on without us.
        this.own = time.multipliedBy(12).dividedBy(20);
        this.brokenOff = time.multipliedBy(2).dividedBy(20);
        this.reported = time.multipliedBy(5).dividedBy(20);
    }

    @Override
    public void start() {
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        try {
            boolean ended = ledger.awaitEnded(own);
            if (!ended) {
                log.info("Pulls that still run are broken off: the gateway stops, and they had {} s", own.toSeconds());
            }
            // Also where none runs: one that is granted from now on could not be reported in time.
            rows.breakOff();
            if (!ended && !ledger.awaitEnded(brokenOff)) {
                ledger.breakOff();
            }
            if (!ledger.report(reported)) {
                log.warn(
                        "Not every pull could be reported within {} s: the broker has not taken it. What is not reported counts"
                                + " in full, as unknown",
                        reported.toSeconds());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void stop(Runnable done) {
        Thread.ofVirtual().name("running-pulls").start(() -> {
            try {
                stop();
            } finally {
                done.run();
            }
        });
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public int getPhase() {
        return WebServerGracefulShutdownLifecycle.SMART_LIFECYCLE_PHASE;
    }
}
