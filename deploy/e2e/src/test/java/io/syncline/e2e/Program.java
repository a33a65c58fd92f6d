package io.syncline.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;

/** One of the programs as whoever runs it has it: {@code java -jar}, with the JVM's arguments left as they are. */
final class Program implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private final Process process;
    private final Path output;

    private Program(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    /** @param name the jar's, without its ending; where the jar is, the build says */
    static Program start(String name, Path folder, Path output, List<String> arguments) throws IOException {
        Path jar = Path.of(System.getProperty("jar." + name, "")).toAbsolutePath();
        assertThat(jar).as("jar." + name + ", given by the build at mvn verify").isRegularFile();
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-jar", jar.toString()));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        // What whoever builds has set for a site of their own.
        builder.environment()
                .keySet()
                .removeIf(variable -> variable.startsWith("SYNCLINE_") || variable.startsWith("SPRING_")
                        || variable.startsWith("SERVER_"));
        return new Program(builder.start(), output);
    }

    /** The first place in its output that is so. */
    Matcher awaitOutput(String pattern) throws IOException {
        Pattern wanted = Pattern.compile(pattern);
        Awaitility.await()
                .atMost(PATIENCE)
                .until(() -> wanted.matcher(output()).find() || !process.isAlive());
        Matcher found = wanted.matcher(output());
        assertThat(found.find()).as("'%s' in:%n%s", pattern, output()).isTrue();
        return found;
    }

    String output() throws IOException {
        return Files.readString(output);
    }

    /** As kill does, and init systems. */
    int endBySigterm() throws InterruptedException {
        process.destroy();
        return awaitExit();
    }

    int awaitExit() throws InterruptedException {
        assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).as("has ended").isTrue();
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
