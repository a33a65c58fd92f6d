package io.syncline.benchmarks.site;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Processor time so far, in clock ticks: of the machine, and of our own processes by name.
 *
 * @param busy  of all processors, ours and everybody's
 * @param total busy or idle
 */
public record ProcessorTime(long busy, long total, Map<String, Long> ours) {

    /** Linux counts in hundredths of a second, whatever the machine. */
    public static final double MICROS_A_TICK = 10_000;

    private static final Path PROC = Path.of("/proc");

    /** @param roots our processes; their children count as theirs */
    static ProcessorTime read(Map<String, Long> roots) throws IOException {
        String[] cpu = Files.readAllLines(PROC.resolve("stat")).getFirst().strip().split("\\s+");
        long total = 0;
        // user nice system idle iowait irq softirq steal; guests' time is part of user.
        for (int i = 1; i <= 8; i++) {
            total += Long.parseLong(cpu[i]);
        }
        long busy = total - Long.parseLong(cpu[4]) - Long.parseLong(cpu[5]);
        Map<Long, Long> parents = new HashMap<>();
        Map<Long, Long> ticks = new HashMap<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path process : processes) {
                long pid = Long.parseLong(process.getFileName().toString());
                String[] stat = stat(process);
                if (stat.length > 14) {
                    parents.put(pid, Long.parseLong(stat[1]));
                    // With those of its children that have ended.
                    ticks.put(pid, Long.parseLong(stat[11]) + Long.parseLong(stat[12]) + Long.parseLong(stat[13])
                            + Long.parseLong(stat[14]));
                }
            }
        }
        Map<Long, String> names = new HashMap<>();
        roots.forEach((name, pid) -> names.put(pid, name));
        Map<String, Long> ours = new LinkedHashMap<>();
        roots.keySet().forEach(name -> ours.put(name, 0L));
        ticks.forEach((pid, spent) -> {
            String name = nameOf(pid, names, parents);
            if (!name.isEmpty()) {
                ours.merge(name, spent, Long::sum);
            }
        });
        return new ProcessorTime(busy, total, ours);
    }

    public ProcessorTime since(ProcessorTime before) {
        Map<String, Long> spent = new LinkedHashMap<>();
        ours.forEach((name, ticks) -> spent.put(name, Math.max(0, ticks - before.ours.getOrDefault(name, 0L))));
        return new ProcessorTime(busy - before.busy, total - before.total, spent);
    }

    public ProcessorTime plus(ProcessorTime other) {
        Map<String, Long> sum = new LinkedHashMap<>(ours);
        other.ours.forEach((name, ticks) -> sum.merge(name, ticks, Long::sum));
        return new ProcessorTime(busy + other.busy, total + other.total, sum);
    }

    public static ProcessorTime none() {
        return new ProcessorTime(0, 0, Map.of());
    }

    /** The share of the machine that others had: what stands between a figure and its repetition. */
    public double foreignShare() {
        long own = ours.values().stream().mapToLong(Long::longValue).sum();
        return total == 0 ? 0 : Math.max(0, busy - own) / (double) total;
    }

    private static String nameOf(long pid, Map<Long, String> names, Map<Long, Long> parents) {
        Long at = pid;
        while (at != null && at != 0) {
            String name = names.get(at);
            if (name != null) {
                return name;
            }
            at = parents.get(at);
        }
        return "";
    }

    /** The fields behind the command, which may itself hold spaces: state, parent, … */
    private static String[] stat(Path process) {
        try {
            String text = Files.readString(process.resolve("stat"));
            return text.substring(text.lastIndexOf(')') + 2).split(" ");
        } catch (IOException ended) {
            return new String[0];
        }
    }
}
