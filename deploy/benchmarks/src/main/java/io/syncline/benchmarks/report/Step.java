package io.syncline.benchmarks.report;

import java.util.List;

/**
 * The site and its control at one number of connections.
 *
 * @param ratiosOfRounds    of the rates, round by round, lowest first
 * @param disturbedRounds   in which others had more of the machine than was allowed, even when run again
 */
public record Step(int connections, Figures site, Figures control, List<Double> ratiosOfRounds, int disturbedRounds) {

    public Step {
        ratiosOfRounds = ratiosOfRounds.stream().map(ratio -> Figures.rounded(ratio, 3)).sorted().toList();
    }

    /** Of the site's rate to the control's. */
    public double ratio() {
        return Figures.rounded(site.perSecond() / control.perSecond(), 3);
    }

    public boolean clean() {
        return site.failed() == 0 && control.failed() == 0;
    }
}
