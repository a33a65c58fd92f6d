package io.syncline.benchmarks.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where it was measured: what matters for the figures, and nothing that names the machine. */
public record Machine(String processor, int cores, long memoryGib, String kernel, String jdk) {

    public static Machine here() throws IOException {
        String processor = field(Path.of("/proc/cpuinfo"), "model name");
        long memoryKib = Long.parseLong(field(Path.of("/proc/meminfo"), "MemTotal").split(" ")[0]);
        return new Machine(processor, Runtime.getRuntime().availableProcessors(), Math.round(memoryKib / 1048576.0),
                System.getProperty("os.name") + " " + System.getProperty("os.version"),
                System.getProperty("java.vendor.version") + " (" + Runtime.version() + ")");
    }

    private static String field(Path file, String name) throws IOException {
        return Files.readAllLines(file)
                .stream()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("unknown");
    }
}
