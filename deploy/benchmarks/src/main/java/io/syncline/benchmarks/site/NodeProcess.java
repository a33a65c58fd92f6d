package io.syncline.benchmarks.site;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A child JVM with a {@link Node} in it. Its output goes to a file; its input stays open as long as its parent lives. */
final class NodeProcess implements AutoCloseable {

    private static final Duration START_LIMIT = Duration.ofSeconds(90);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(40);

    private final String name;
    private final Process process;
    private final Path output;

    private NodeProcess(String name, Process process, Path output) {
        this.name = name;
        this.process = process;
        this.output = output;
    }

    static NodeProcess start(String role, Path directory, String classPath, List<String> jvm, @Nullable Path profile,
            List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvm);
        if (profile != null) {
            Path recording = Files.createDirectories(profile.toAbsolutePath()).resolve(role + ".jfr");
            command.add(
                    "-XX:StartFlightRecording=jdk.CPUTimeSample#enabled=true,jdk.CPUTimeSample#throttle=10ms,filename=%s,settings=profile,dumponexit=true"
                            .formatted(recording));
        }
        command.addAll(List.of("-cp", classPath, Node.class.getName(), role));
        command.addAll(arguments);
        Path output = directory.resolve(role + ".log");
        Process process = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
        return new NodeProcess(role, process, output);
    }

    void awaitReady() throws IOException, InterruptedException {
        long begun = System.nanoTime();
        while (!text().contains(Node.READY)) {
            if (!process.isAlive()) {
                throw new IOException("the %s has ended with %d:%n%s".formatted(name, process.exitValue(), tail()));
            }
            if (System.nanoTime() - begun > START_LIMIT.toNanos()) {
                throw new IOException("the %s is not ready after %s:%n%s".formatted(name, START_LIMIT, tail()));
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    String name() {
        return name;
    }

    long pid() {
        return process.pid();
    }

    private String text() throws IOException {
        return Files.readString(output, StandardCharsets.UTF_8);
    }

    private String tail() throws IOException {
        List<String> lines = Files.readAllLines(output, StandardCharsets.UTF_8);
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
    }

    /** As kill does: the JVM closes what it has open, and writes its recording. */
    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(STOP_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
