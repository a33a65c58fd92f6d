package io.syncline.benchmarks;

import io.syncline.benchmarks.load.Calls;
import io.syncline.benchmarks.report.Aim;
import io.syncline.benchmarks.report.Figures;
import io.syncline.benchmarks.report.Report;
import io.syncline.benchmarks.report.Step;
import io.syncline.benchmarks.site.Layout;
import io.syncline.benchmarks.site.SiteUnderTest;
import io.syncline.model.api.SyncPaths;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code register-connection}, the whole way round the ring, against a record produced and acknowledged. */
final class RegisterBenchmark {

    private static final Logger log = LoggerFactory.getLogger(RegisterBenchmark.class);

    private static final double SHARE_OF_CONTROL = 0.8;
    private static final double P99_AT_64_MS = 40;
    private static final double P50_AT_1_MS = 3;
    private static final double APART = 1.5;

    Report run(Plan plan, RunDescription description) throws IOException, InterruptedException, SQLException {
        Map<Layout, List<Step>> steps = new EnumMap<>(Layout.class);
        for (Layout layout : plan.layouts()) {
            steps.put(layout, measure(layout, plan));
        }
        List<Report.Section> sections = new ArrayList<>();
        steps.forEach((layout, ofLayout) -> sections
                .add(new Report.Section.Compared(layout.sentence(), "register", "control", ofLayout)));
        return new Report("register", "register-connection against produce, acknowledge, answer", description.begun(),
                description.commit(), description.command(), description.machine(), method(plan), sections,
                aims(steps));
    }

    private static List<Step> measure(Layout layout, Plan plan)
            throws IOException, InterruptedException, SQLException {
        log.info("{}: {}", layout.word(), layout.sentence());
        try (SiteUnderTest site = SiteUnderTest.start(layout, plan.jvm(), plan.profile())) {
            site.operator().open();
            Comparison comparison = new Comparison(site, plan, new Comparison.Side("register", site.gateway(),
                    Calls.post("/" + SiteUnderTest.PREFIX + SyncPaths.ROOT + SyncPaths.REGISTER_CONNECTION,
                            Calls.registrations("site"))),
                    new Comparison.Side("control", site.control(),
                            Calls.post("/control" + SyncPaths.ROOT + SyncPaths.REGISTER_CONNECTION,
                                    Calls.registrations("site"))));
            comparison.warmUp();
            List<Step> steps = new ArrayList<>();
            for (int connections : plan.connections()) {
                steps.add(comparison.step(connections));
            }
            log.info("{} connections are in the database, {} events", count(site, "connection"),
                    count(site, "connection_event"));
            return steps;
        }
    }

    private static long count(SiteUnderTest site, String table) throws SQLException {
        try (Connection state = site.state();
                Statement statement = state.createStatement();
                ResultSet row = statement.executeQuery("SELECT count(*) FROM syncline." + table)) {
            row.next();
            return row.getLong(1);
        }
    }

    private static List<String> method(Plan plan) {
        return List.of(
                "Each registration is of a site and a token that nobody has seen; `auto_accept`; answered with 200 once its row is"
                        + " committed (fsync on) and its event acknowledged (acks=all, one broker).",
                "Control: the same Tomcat, virtual threads, routes and body parsing; the record produced with the gateway's"
                        + " settings, its acknowledgement awaited, the same answer. In the gateway's JVM.",
                "Load: one thread with a selector in a process of its own, one request outstanding on each kept-open connection,"
                        + " on the same cores.",
                "%d s of load before the first step, then for each number of connections %d slices of %d s of each side, by turns; a round is run again when others had more than %d %% of the machine."
                        .formatted(plan.warmUp().toSeconds(), plan.rounds(), plan.slice().toSeconds(),
                                Math.round(100 * plan.quiet())),
                "The site's JVMs: `" + String.join(" ", plan.jvm()) + "`.");
    }

    private static List<Aim> aims(Map<Layout, List<Step>> steps) {
        List<Aim> aims = new ArrayList<>();
        steps.forEach((layout, ofLayout) -> {
            double factor = switch (layout) {
                case TOGETHER -> 1;
                case APART -> APART;
            };
            for (Step step : ofLayout) {
                Figures site = step.site();
                if (step.connections() == 64) {
                    if (layout == Layout.TOGETHER) {
                        aims.add(Aim.atLeast("together, 64 connections, of the control's rate", step.ratio(),
                                SHARE_OF_CONTROL));
                    }
                    aims.add(Aim.below(layout.word() + ", 64 connections, p99 in ms", site.p99Ms(),
                            P99_AT_64_MS * factor));
                }
                if (step.connections() == 1) {
                    aims.add(Aim.below(layout.word() + ", 1 connection, p50 in ms", site.p50Ms(),
                            P50_AT_1_MS * factor));
                }
            }
        });
        return aims;
    }
}
