package io.syncline.benchmarks.profile;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordedStackTrace;
import jdk.jfr.consumer.RecordedThread;
import jdk.jfr.consumer.RecordingFile;
import org.jspecify.annotations.Nullable;

/**
 * Reads a flight recording and adds up: processor samples by thread, by room and by method, allocation, waiting for
 * monitors, pauses of the collector.
 */
public final class ProfileSummary {

    private static final int TOP = 30;
    private static final int TOP_SMALL = 14;

    private final Map<String, Long> byThread = new HashMap<>();
    private final Map<String, Long> byRoom = new HashMap<>();
    private final Map<String, Long> byThreadAndRoom = new HashMap<>();
    private final Map<String, Long> self = new HashMap<>();
    private final Map<String, Long> ours = new HashMap<>();
    private final Map<String, Long> inclusive = new HashMap<>();
    private final Map<String, Long> allocated = new HashMap<>();
    private final Map<String, Long> allocatedBy = new HashMap<>();
    private final Map<String, Long> blocked = new HashMap<>();
    private final Map<String, Long> pauses = new HashMap<>();
    private long samples;
    private long wallSamples;

    private ProfileSummary() {}

    public static String of(Path recording) throws IOException {
        ProfileSummary summary = new ProfileSummary();
        try (RecordingFile file = new RecordingFile(recording)) {
            while (file.hasMoreEvents()) {
                summary.add(file.readEvent());
            }
        }
        return summary.text();
    }

    private void add(RecordedEvent event) {
        switch (event.getEventType().getName()) {
            // With the time in the kernel, which the sampler of Java frames does not see.
            case "jdk.CPUTimeSample" -> sample(event, thread(event, "eventThread"));
            case "jdk.ExecutionSample" -> wallSamples++;
            case "jdk.ObjectAllocationSample" -> {
                allocated.merge(event.getClass("objectClass").getName(), event.getLong("weight"), Long::sum);
                String by = firstOfOurs(event.getStackTrace());
                allocatedBy.merge(by, event.getLong("weight"), Long::sum);
            }
            case "jdk.JavaMonitorEnter" -> blocked.merge(
                    event.getClass("monitorClass").getName() + " by " + threadName(event.getThread()),
                    micros(event.getDuration()), Long::sum);
            case "jdk.GCPhasePause" -> pauses.merge(event.getString("name"), micros(event.getDuration()), Long::sum);
            default -> {
                // Not asked about.
            }
        }
    }

    private static @Nullable RecordedThread thread(RecordedEvent event, String field) {
        return event.hasField(field) ? event.getThread(field) : event.getThread();
    }

    private void sample(RecordedEvent event, @Nullable RecordedThread thread) {
        samples++;
        String name = threadName(thread);
        byThread.merge(name, 1L, Long::sum);
        RecordedStackTrace trace = event.getStackTrace();
        if (trace == null) {
            self.merge("(no stack)", 1L, Long::sum);
            byRoom.merge("(no stack)", 1L, Long::sum);
            return;
        }
        List<RecordedFrame> frames = trace.getFrames();
        self.merge(method(frames.getFirst()), 1L, Long::sum);
        String room = room(frames);
        byRoom.merge(room, 1L, Long::sum);
        byThreadAndRoom.merge(name + " | " + room, 1L, Long::sum);
        Set<String> seen = new HashSet<>();
        boolean first = true;
        for (RecordedFrame frame : frames) {
            String method = method(frame);
            if (method.startsWith("io.syncline.")) {
                if (first) {
                    ours.merge(method, 1L, Long::sum);
                    first = false;
                }
            }
            if (seen.add(method)) {
                inclusive.merge(method, 1L, Long::sum);
            }
        }
    }

    private static String firstOfOurs(@Nullable RecordedStackTrace trace) {
        if (trace == null) {
            return "(no stack)";
        }
        return trace.getFrames()
                .stream()
                .map(ProfileSummary::method)
                .filter(method -> method.startsWith("io.syncline."))
                .findFirst()
                .orElseGet(() -> room(trace.getFrames()));
    }

    /** Whose work it is: the first frame from the top that belongs to somebody we know. */
    private static String room(List<RecordedFrame> frames) {
        for (RecordedFrame frame : frames) {
            String type = frame.getMethod().getType().getName();
            for (String[] known : ROOMS) {
                if (type.startsWith(known[0])) {
                    return known[1];
                }
            }
        }
        return "JDK";
    }

    private static final String[][] ROOMS = {{"io.syncline.benchmarks", "benchmark's control"},
        {"io.syncline.gateway.dispatch", "gateway.dispatch"}, {"io.syncline.gateway", "gateway"},
        {"io.syncline.worker.connection", "worker.connection"}, {"io.syncline.worker", "worker"},
        {"io.syncline.model", "shared-model"}, {"io.syncline", "other io.syncline"},
        {"org.apache.kafka.clients.producer", "Kafka producer"},
        {"org.apache.kafka.clients.consumer", "Kafka consumer"},
        {"org.apache.kafka.clients", "Kafka clients"}, {"kafka.", "Kafka broker"},
        {"org.apache.kafka.server", "Kafka broker"}, {"org.apache.kafka.storage", "Kafka broker"},
        {"org.apache.kafka.raft", "Kafka broker"}, {"org.apache.kafka.coordinator", "Kafka broker"},
        {"org.apache.kafka", "Kafka common"}, {"org.postgresql", "PgJDBC"}, {"com.zaxxer", "Hikari"},
        {"org.apache.catalina", "Tomcat"}, {"org.apache.coyote", "Tomcat"}, {"org.apache.tomcat", "Tomcat"},
        {"org.springframework", "Spring"}, {"io.micrometer", "Micrometer"}, {"tools.jackson", "Jackson"},
        {"com.fasterxml.jackson", "Jackson"}, {"io.debezium", "Debezium"}, {"org.bouncycastle", "BouncyCastle"},
        {"javax.crypto", "JDK crypto"}, {"com.sun.crypto", "JDK crypto"}, {"sun.security", "JDK crypto"},
        {"java.security", "JDK crypto"}};

    private static String threadName(@Nullable RecordedThread thread) {
        if (thread == null) {
            return "?";
        }
        String name = thread.isVirtual() ? "virtual" : thread.getJavaName();
        if (name == null) {
            name = String.valueOf(thread.getOSName());
        }
        return name.isEmpty() ? "virtual" : name.replaceAll("[0-9a-f]{8,}", "#").replaceAll("[0-9]+", "#");
    }

    private static String method(RecordedFrame frame) {
        return frame.getMethod().getType().getName() + "." + frame.getMethod().getName();
    }

    private static long micros(Duration duration) {
        return duration.toNanos() / 1000;
    }

    private String text() {
        StringBuilder text = new StringBuilder();
        text.append("%d samples of processor time, %d of Java frames%n".formatted(samples, wallSamples));
        table(text, "processor time by thread", byThread, TOP_SMALL, samples);
        table(text, "by room of the topmost known frame", byRoom, TOP, samples);
        table(text, "by thread and room", byThreadAndRoom, TOP, samples);
        table(text, "topmost method", self, TOP, samples);
        table(text, "topmost method of ours", ours, TOP, samples);
        inclusive.keySet()
                .removeIf(method -> !method.startsWith("io.syncline.")
                        && !method.startsWith("org.apache.kafka.clients") && !method.startsWith("org.postgresql")
                        && !method.startsWith("kafka.") && !method.startsWith("org.apache.coyote.http11"));
        table(text, "methods on the stack", inclusive, 2 * TOP, samples);
        table(text, "allocation by class", allocated, TOP_SMALL, sum(allocated));
        table(text, "allocation by first method of ours", allocatedBy, TOP, sum(allocatedBy));
        table(text, "µs waiting for monitors", blocked, TOP_SMALL, sum(blocked));
        table(text, "µs of pauses", pauses, TOP_SMALL, sum(pauses));
        return text.toString();
    }

    private static long sum(Map<String, Long> counts) {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    private static void table(StringBuilder text, String title, Map<String, Long> counts, int most, long whole) {
        text.append("%n== %s%n".formatted(title));
        counts.entrySet()
                .stream()
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
                .limit(most)
                .forEach(entry -> text
                        .append("%6.1f %%  %12d  %s%n".formatted(100.0 * entry.getValue() / Math.max(1, whole),
                                entry.getValue(), entry.getKey())));
    }
}
