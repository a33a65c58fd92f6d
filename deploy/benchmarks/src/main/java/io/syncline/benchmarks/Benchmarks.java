package io.syncline.benchmarks;

import io.syncline.benchmarks.profile.ProfileSummary;
import io.syncline.benchmarks.report.Aim;
import io.syncline.benchmarks.report.Report;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs a benchmark by its name, and writes what came of it. */
public final class Benchmarks {

    private static final Logger log = LoggerFactory.getLogger(Benchmarks.class);

    /** One of them. */
    private interface Benchmark {

        Report run(Plan plan, RunDescription description) throws Exception;
    }

    private Benchmarks() {}

    public static void main(String[] arguments) {
        try {
            start(arguments);
        } catch (Exception e) {
            log.error("the benchmark failed", e);
            System.exit(1);
        }
        // Debezium leaves threads behind that would keep this process for ever.
        System.exit(0);
    }

    private static void start(String... arguments) throws Exception {
        Quiet.logging();
        String name = arguments.length == 0 ? "" : arguments[0];
        String[] options = arguments.length == 0 ? arguments : Arrays.copyOfRange(arguments, 1, arguments.length);
        switch (name) {
            case "register" -> run(new RegisterBenchmark()::run, name, options);
            case "reads" -> run(new ReadsBenchmark()::run, name, options);
            case "pull" -> run(new PullBenchmark()::run, name, options);
            case "tables" ->
                    run((plan, description) -> new TablesBenchmark(plan.rows()).run(plan, description), name, options);
            case "versions" -> run(new VersionsBenchmark()::run, name, options);
            case "profile" -> System.out.print(ProfileSummary.of(Path.of(options[0])));
            default -> throw new IllegalArgumentException(
                    "'%s' is no benchmark; there are register, reads, pull, tables, versions, and profile <recording>"
                            .formatted(name));
        }
    }

    private static void run(Benchmark benchmark, String name, String... options) throws Exception {
        Plan plan = Plan.of(options);
        Report report = benchmark.run(plan, RunDescription.of(name, List.of(options)));
        report.write(plan.results());
        System.out.print(report.markdown());
        log.info("written to {}", plan.results());
        List<Aim> missed = report.aims().stream().filter(aim -> !aim.met()).toList();
        if (!missed.isEmpty()) {
            log.warn("{} of {} aims missed", missed.size(), report.aims().size());
        }
        if (report.sections().stream().anyMatch(Benchmarks::failed)) {
            throw new IOException("calls were not answered with 200: see the report");
        }
    }

    private static boolean failed(Report.Section section) {
        return switch (section) {
            case Report.Section.Compared compared -> compared.steps().stream().anyMatch(step -> !step.clean());
            case Report.Section.Plain plain -> false;
        };
    }
}
