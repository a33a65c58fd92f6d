package io.syncline.benchmarks;

import io.syncline.benchmarks.site.Layout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.core.env.SimpleCommandLinePropertySource;

/**
 * How a benchmark is run.
 *
 * @param connections numbers of connections to measure with, in this order
 * @param warmUp      load on the site before anything is measured
 * @param leadIn      load before the measured part of each slice
 * @param slice       measured at a time: the site and its control take turns
 * @param rounds      slices of each, for each number of connections
 * @param quiet       the share of the machine that others may have while a slice counts
 * @param rows        of the large table
 * @param jvm         arguments of the site's JVMs
 * @param baseline    checkout of another version, packaged, that {@code versions} compares this one with
 * @param pairs       slices of each version in {@code versions}
 * @param profile     where the site's JVMs leave flight recordings
 * @param results     where the figures go
 */
record Plan(
        List<Layout> layouts,
        List<Integer> connections,
        Duration warmUp,
        Duration leadIn,
        Duration slice,
        int rounds,
        double quiet,
        int rows,
        List<String> jvm,
        @Nullable Path baseline,
        int pairs,
        @Nullable Path profile,
        Path results) {

    private static final Set<String> OPTIONS = Set.of("layouts", "connections", "warm-up", "lead-in", "slice", "rounds",
            "quiet", "rows", "jvm", "baseline", "pairs", "profile", "results");

    static Plan of(String... options) {
        SimpleCommandLinePropertySource given = new SimpleCommandLinePropertySource(options);
        for (String name : given.getPropertyNames()) {
            if (!OPTIONS.contains(name)) {
                throw new IllegalArgumentException("--%s: there is no such option; there are %s".formatted(name,
                        OPTIONS.stream().sorted().toList()));
            }
        }
        String profile = given.getProperty("profile");
        String baseline = given.getProperty("baseline");
        return new Plan(words(given, "layouts", "together,apart").map(Layout::of).toList(),
                words(given, "connections", "1,16,64,256").map(Integer::valueOf).toList(),
                duration(given, "warm-up", "60s"), duration(given, "lead-in", "1s"), duration(given, "slice", "6s"),
                Integer.parseInt(text(given, "rounds", "4")), Double.parseDouble(text(given, "quiet", "0.1")),
                Integer.parseInt(text(given, "rows", "1000000")),
                Stream.of(text(given, "jvm",
                        "-Xmx2g --sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED").split(" "))
                        .toList(),
                baseline == null ? null : Path.of(baseline), Integer.parseInt(text(given, "pairs", "10")),
                profile == null ? null : Path.of(profile),
                Path.of(text(given, "results", "deploy/benchmarks/results")));
    }

    private static String text(SimpleCommandLinePropertySource given, String name, String otherwise) {
        String value = given.getProperty(name);
        return value == null ? otherwise : value;
    }

    private static Stream<String> words(SimpleCommandLinePropertySource given, String name, String otherwise) {
        return Stream.of(text(given, name, otherwise).split(","));
    }

    private static Duration duration(SimpleCommandLinePropertySource given, String name, String otherwise) {
        return DurationStyle.detectAndParse(text(given, name, otherwise));
    }
}
