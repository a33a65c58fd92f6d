package io.syncline.benchmarks;

import io.syncline.benchmarks.load.LoadGenerator;
import io.syncline.benchmarks.load.RequestSource;
import io.syncline.benchmarks.load.Slice;
import io.syncline.benchmarks.report.Figures;
import io.syncline.benchmarks.report.Step;
import io.syncline.benchmarks.site.ProcessorTime;
import io.syncline.benchmarks.site.SiteUnderTest;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Loads the site and its control by turns, so that whatever the machine does meanwhile, it does to both. */
final class Comparison {

    private static final Logger log = LoggerFactory.getLogger(Comparison.class);

    /** The control has less to warm up. */
    private static final int CONTROL_WARM_UP_SHARE = 3;
    private static final Duration WARM_UP_TURN = Duration.ofSeconds(6);
    /** Rounds that others disturbed are run again, as often as there are rounds and no more. */
    private static final int MOST_RUNS_PER_ROUND = 2;

    /** What is loaded. */
    record Side(String name, InetSocketAddress address, RequestSource requests) {}

    private final SiteUnderTest site;
    private final Plan plan;
    private final Side candidate;
    private final Side control;

    Comparison(SiteUnderTest site, Plan plan, Side candidate, Side control) {
        this.site = site;
        this.plan = plan;
        this.candidate = candidate;
        this.control = control;
    }

    /** At all numbers of connections in turn, until the site has had its time. */
    void warmUp() throws IOException {
        List<Integer> widths = plan.connections().reversed();
        long turns = Math.max(widths.size(), plan.warmUp().dividedBy(WARM_UP_TURN));
        Duration turn = plan.warmUp().dividedBy(turns);
        for (int i = 0; i < turns; i++) {
            int connections = widths.get(i % widths.size());
            Slice warm = load(candidate, connections, Duration.ZERO, turn);
            Slice warmControl = load(control, connections, Duration.ZERO, turn.dividedBy(CONTROL_WARM_UP_SHARE));
            log.info("warm-up {}/{}, {} connections: {} {}/s, {} {}/s", i + 1, turns, connections, candidate.name(),
                    Math.round(warm.perSecond()), control.name(), Math.round(warmControl.perSecond()));
        }
    }

    Step step(int connections) throws IOException {
        List<Round> rounds = new ArrayList<>();
        int disturbed = 0;
        for (int run = 0; rounds.size() < plan.rounds(); run++) {
            Round round = round(connections, run % 2 == 0);
            boolean last = run >= MOST_RUNS_PER_ROUND * plan.rounds() - (plan.rounds() - rounds.size());
            boolean quiet = round.foreignShare() <= plan.quiet();
            log.info("{} connections: {} {}, {} {}, others had {} % of the machine{}", connections, candidate.name(),
                    brief(round.candidate()), control.name(), brief(round.control()),
                    Math.round(100 * round.foreignShare()), quiet || last ? "" : ": run again");
            if (quiet || last) {
                rounds.add(round);
                disturbed += quiet ? 0 : 1;
            }
        }
        return new Step(connections, figures(rounds.stream().map(Round::candidate).toList()),
                figures(rounds.stream().map(Round::control).toList()),
                rounds.stream()
                        .map(round -> round.candidate().slice().perSecond() / round.control().slice().perSecond())
                        .sorted()
                        .toList(),
                disturbed);
    }

    private record Loaded(Slice slice, ProcessorTime spent) {}

    private record Round(Loaded candidate, Loaded control) {

        double foreignShare() {
            return candidate.spent().plus(control.spent()).foreignShare();
        }
    }

    private Round round(int connections, boolean candidateFirst) throws IOException {
        if (candidateFirst) {
            Loaded first = measure(candidate, connections);
            return new Round(first, measure(control, connections));
        }
        Loaded first = measure(control, connections);
        return new Round(measure(candidate, connections), first);
    }

    private Loaded measure(Side side, int connections) throws IOException {
        ProcessorTime before = site.processorTime();
        Slice slice = load(side, connections, plan.leadIn(), plan.slice());
        return new Loaded(slice, site.processorTime().since(before));
    }

    private static Slice load(Side side, int connections, Duration leadIn, Duration measured) throws IOException {
        try (LoadGenerator load = new LoadGenerator(side.address(), connections, side.requests())) {
            return load.run(leadIn, measured);
        }
    }

    private Figures figures(List<Loaded> loaded) {
        return Figures.of(loaded.stream().map(Loaded::slice).toList(),
                loaded.stream().map(Loaded::spent).reduce(ProcessorTime.none(), ProcessorTime::plus),
                plan.leadIn().plus(plan.slice()).toNanos() / (double) plan.slice().toNanos());
    }

    private static String brief(Loaded loaded) {
        Slice slice = loaded.slice();
        return "%.0f/s @ %.1f/%.1f ms%s".formatted(slice.perSecond(), slice.micros().getValueAtPercentile(50) / 1000.0,
                slice.micros().getValueAtPercentile(99) / 1000.0,
                slice.failed() == 0 ? "" : " (%d FAILED: %s)".formatted(slice.failed(), slice.failure()));
    }
}
