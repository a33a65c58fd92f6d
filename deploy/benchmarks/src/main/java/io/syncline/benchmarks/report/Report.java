package io.syncline.benchmarks.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * The outcome of one benchmark.
 *
 * @param name     of its files
 * @param commit   that was measured
 * @param command  that measures it again
 * @param method   how, in sentences
 * @param sections one table each
 */
public record Report(
        String name,
        String title,
        Instant date,
        String commit,
        String command,
        Machine machine,
        List<String> method,
        List<Section> sections,
        List<Aim> aims) {

    /** A table. */
    public sealed interface Section {

        String title();

        /** The site against its control, at several numbers of connections. */
        record Compared(String title, String site, String control, List<Step> steps) implements Section {}

        /** Rows of cells, already text. */
        record Plain(String title, List<String> columns, List<List<String>> rows) implements Section {}
    }

    private static final JsonMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    /** Writes {@code <name>.json} and {@code <name>.md}. */
    public void write(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve(name + ".json"), JSON.writeValueAsString(this) + "\n");
        Files.writeString(directory.resolve(name + ".md"), markdown());
    }

    public String markdown() {
        return Markdown.of(this);
    }
}
