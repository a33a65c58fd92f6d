package io.syncline.standalone;

import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** A program of the test class path in a JVM of its own, to be killed. */
final class ChildJvm implements AutoCloseable {

    private final Process process;
    private final Thread reading;
    private final List<String> lines = new CopyOnWriteArrayList<>();

    private ChildJvm(Process process) {
        this.process = process;
        reading = new Thread(this::read, "child-" + process.pid());
        reading.setDaemon(true);
        reading.start();
    }

    static ChildJvm start(Class<?> program, String... arguments) throws IOException {
        return start(Map.of(), program, arguments);
    }

    static ChildJvm start(Map<String, String> environment, Class<?> program, String... arguments) throws IOException {
        return start(Path.of("").toAbsolutePath(), environment, program, arguments);
    }

    static ChildJvm start(Path workingDirectory, Map<String, String> environment, Class<?> program,
            String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // Most of what it does is to start.
        command.add("-XX:TieredStopAtLevel=1");
        command.addAll(List.of("--sun-misc-unsafe-memory-access=allow", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).directory(workingDirectory.toFile())
                .redirectErrorStream(true);
        // What whoever builds has set for a site of their own.
        builder.environment()
                .keySet()
                .removeIf(name -> name.startsWith("SYNCLINE_") || name.startsWith("SPRING_")
                        || name.startsWith("SERVER_"));
        builder.environment().putAll(environment);
        return new ChildJvm(builder.start());
    }

    /** What follows the prefix in the first line that has it. */
    String awaitLine(String prefix) {
        return awaitLine(prefix, Duration.ofMinutes(2));
    }

    String awaitLine(String prefix, Duration limit) {
        await().atMost(limit)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> find(prefix) != null || hasSaidAll());
        String line = find(prefix);
        if (line == null) {
            throw new AssertionError("the child has ended:\n" + text());
        }
        return line.substring(prefix.length());
    }

    /** Anywhere in what it has written. */
    void awaitText(String part) {
        await().atMost(Duration.ofMinutes(5))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> text().contains(part) || hasSaidAll());
        if (!text().contains(part)) {
            throw new AssertionError("the child has ended without saying '" + part + "':\n" + text());
        }
    }

    String text() {
        return String.join("\n", lines);
    }

    long pid() {
        return process.pid();
    }

    /** kill -9. */
    void kill() {
        process.destroyForcibly().onExit().join();
    }

    /** As kill does. Not INT: a shell starts background jobs with INT ignored, and their children inherit that. */
    void signal(String name) throws IOException, InterruptedException {
        new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid()).start().waitFor();
    }

    int awaitExit(Duration limit) throws InterruptedException {
        if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new AssertionError("the child has not ended within %s:%n%s".formatted(limit, text()));
        }
        // Its last lines may come behind its end.
        reading.join(limit);
        return process.exitValue();
    }

    @Override
    public void close() {
        kill();
    }

    /** Not when it ends: what it wrote before may still be on its way. */
    private boolean hasSaidAll() {
        return !reading.isAlive();
    }

    private String find(String prefix) {
        return lines.stream().filter(line -> line.startsWith(prefix)).findFirst().orElse(null);
    }

    private void read() {
        try (BufferedReader reader = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            reader.lines().forEach(lines::add);
        } catch (IOException | java.io.UncheckedIOException ended) {
            lines.add("(output ended: " + ended.getMessage() + ")");
        }
    }
}
