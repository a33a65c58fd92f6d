package io.syncline.benchmarks;

import io.syncline.benchmarks.report.Machine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** What has to be known to measure it again. */
record RunDescription(String command, String commit, Machine machine, Instant begun) {

    static RunDescription of(String benchmark, List<String> options) throws IOException, InterruptedException {
        String command = "mvn -q -pl deploy/benchmarks -am -DskipTests package -Dbenchmark=" + benchmark;
        List<String> shown = options.stream().filter(option -> !option.startsWith("--results=")).toList();
        if (!shown.isEmpty()) {
            command += " -Dbenchmark.arguments=\"" + String.join(" ", shown) + "\"";
        }
        return new RunDescription(command, headCommit(), Machine.here(), Instant.now());
    }

    private static String headCommit() throws IOException, InterruptedException {
        String commit = git("rev-parse", "--short=12", "HEAD");
        if (commit.isEmpty()) {
            return "unknown";
        }
        boolean changed = !git("status", "--porcelain", "--", ".", ":!deploy/benchmarks/results").isEmpty();
        return changed ? commit + " with changes" : commit;
    }

    private static String git(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("git"));
        command.addAll(List.of(arguments));
        Process git = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String output = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        return git.waitFor() == 0 ? output : "";
    }
}
