package io.syncline.benchmarks.report;

import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A report as people read it. */
final class Markdown {

    private final StringBuilder text = new StringBuilder();

    private Markdown() {}

    static String of(Report report) {
        Markdown markdown = new Markdown();
        markdown.head(report);
        for (Report.Section section : report.sections()) {
            switch (section) {
                case Report.Section.Compared compared -> markdown.compared(compared);
                case Report.Section.Plain plain -> markdown.table(plain.title(), plain.columns(), plain.rows());
            }
        }
        return markdown.text.toString();
    }

    private void head(Report report) {
        Machine machine = report.machine();
        line("# " + report.title());
        line("");
        line("%s, commit %s, on %s, %d cores, %d GiB, %s, JDK %s.".formatted(
                report.date().truncatedTo(ChronoUnit.MINUTES), report.commit(), machine.processor(), machine.cores(),
                machine.memoryGib(), machine.kernel(), machine.jdk()));
        line("");
        line("```");
        line(report.command());
        line("```");
        line("");
        report.method().forEach(sentence -> line("- " + sentence));
        if (!report.aims().isEmpty()) {
            line("");
            line("Aims:");
            line("");
            report.aims().forEach(aim -> line("- " + aim.sentence()));
        }
    }

    private void compared(Report.Section.Compared section) {
        List<List<String>> rows = new ArrayList<>();
        for (Step step : section.steps()) {
            String connections = Integer.toString(step.connections());
            List<Double> ratios = step.ratiosOfRounds();
            rows.add(row(connections, section.site(), step.site(),
                    "**%s** (%s–%s)".formatted(two(step.ratio()), two(ratios.getFirst()), two(ratios.getLast()))));
            rows.add(row(connections, section.control(), step.control(), ""));
        }
        table(section.title(), List.of("connections", "what", "of the control's rate (rounds)", "requests/s", "p50 ms",
                "p90 ms", "p99 ms", "p99.9 ms", "CPU µs a request"), rows);
        for (Step step : section.steps()) {
            if (step.disturbedRounds() > 0) {
                line("");
                line("At %s connections others used the machine during %s rounds of %s.".formatted(step.connections(),
                        step.disturbedRounds(), step.ratiosOfRounds().size()));
            }
            if (!step.clean()) {
                line("");
                line("**At %d connections %d and %d answers were not 200.**".formatted(step.connections(),
                        step.site().failed(), step.control().failed()));
            }
        }
    }

    private static List<String> row(String connections, String what, Figures figures, String ratio) {
        List<String> cpu = new ArrayList<>();
        for (Map.Entry<String, Double> one : figures.cpuMicrosPerAnswer().entrySet()) {
            cpu.add(one.getKey() + " " + Math.round(one.getValue()));
        }
        return List.of(connections, what, ratio, String.format(Locale.ROOT, "%,.0f", figures.perSecond()),
                millis(figures.p50Ms()),
                millis(figures.p90Ms()), millis(figures.p99Ms()), millis(figures.p999Ms()), String.join(", ", cpu));
    }

    private void table(String title, List<String> columns, List<List<String>> rows) {
        line("");
        line("## " + title);
        line("");
        line("| " + String.join(" | ", columns) + " |");
        line("|" + " --- |".repeat(columns.size()));
        rows.forEach(row -> line("| " + String.join(" | ", row) + " |"));
    }

    private static String millis(double value) {
        return value < 10 ? two(value) : String.format(Locale.ROOT, "%.1f", value);
    }

    private static String two(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }

    private void line(String line) {
        text.append(line).append('\n');
    }
}
