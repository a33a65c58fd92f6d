package io.syncline.standalone;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The postgres process that serves one cluster directory, found by its pid file. */
record Postmaster(long pid) {

    private static final Duration FAST = Duration.ofSeconds(5);
    /** PostgreSQL itself kills children that have not ended after 5 s. */
    private static final Duration IMMEDIATE = Duration.ofSeconds(15);
    /** Its children see within moments that it is gone, but a machine may be busy with others. */
    private static final Duration ORPHANS = Duration.ofSeconds(30);
    private static final Duration LOOK_AGAIN = Duration.ofMillis(10);

    private static final Pattern BLANKS = Pattern.compile("\\s+");

    private static final Logger LOG = LoggerFactory.getLogger(Postmaster.class);

    /** Whoever serves the cluster now; a pid file whose process is another program or gone does not count. */
    static Optional<Postmaster> of(Path cluster) throws IOException {
        List<String> lines = pidFile(cluster);
        if (lines.isEmpty() || !lines.getFirst().strip().matches("[1-9][0-9]{0,9}")) {
            return Optional.empty();
        }
        Postmaster named = new Postmaster(Long.parseLong(lines.getFirst().strip()));
        return named.isAlive() && named.serves(cluster) ? Optional.of(named) : Optional.empty();
    }

    /**
     * Ends what a killed JVM left over, so that the cluster can be started with our settings and password. It is not
     * adopted: nobody knows with which settings it runs.
     */
    static void stopLeftOver(Path cluster) throws IOException {
        Optional<Postmaster> leftOver = of(cluster);
        if (leftOver.isPresent()) {
            LOG.info("PostgreSQL (pid {}) is left over from a run that was killed: stopping it first",
                    leftOver.get().pid());
            leftOver.get().stop();
        }
        // PostgreSQL never starts beside a living process with the number in its pid file, whatever that is by now.
        Path file = cluster.resolve("postmaster.pid");
        if (Files.exists(file)) {
            awaitNobodyAttached(cluster);
            Files.deleteIfExists(file);
        }
    }

    /** Fast, which rolls back what runs; if that takes too long immediate, which leaves the rest to recovery. */
    void stop() throws IOException {
        signal("INT");
        if (endsWithin(FAST)) {
            return;
        }
        LOG.warn("PostgreSQL (pid {}) has not stopped in {} s: stopping it at once; its next start recovers", pid,
                FAST.toSeconds());
        signal("QUIT");
        if (!endsWithin(IMMEDIATE)) {
            throw new IOException(
                    "PostgreSQL (pid %d) does not stop; end it by hand: kill -QUIT %d".formatted(pid, pid));
        }
    }

    /** A process that has ended and that nobody has waited for yet is not alive. */
    boolean isAlive() {
        try {
            String status = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
            // pid (name) state …, and the name may hold anything.
            String state = status.substring(status.lastIndexOf(')') + 1).strip();
            return !state.startsWith("Z") && !state.startsWith("X");
        } catch (IOException gone) {
            return false;
        }
    }

    private boolean serves(Path cluster) throws IOException {
        byte[] line;
        try {
            line = Files.readAllBytes(Path.of("/proc", Long.toString(pid), "cmdline"));
        } catch (IOException gone) {
            return false;
        }
        List<String> command = Arrays.asList(new String(line, StandardCharsets.UTF_8).split("\0", -1));
        int at = command.indexOf("-D");
        return command.getFirst().endsWith("postgres") && at > 0 && at + 1 < command.size()
                && sameDirectory(Path.of(command.get(at + 1)), cluster);
    }

    private static boolean sameDirectory(Path one, Path other) throws IOException {
        return one.equals(other) || (Files.exists(one) && Files.isSameFile(one, other));
    }

    private void signal(String name) throws IOException {
        // Java itself sends only TERM, for which PostgreSQL waits for its clients, and KILL.
        Process kill = new ProcessBuilder("sh", "-c", "kill -%s %s".formatted(name, pid)).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            kill.waitFor();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean endsWithin(Duration limit) throws IOException {
        long end = System.nanoTime() + limit.toNanos();
        while (isAlive()) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            pause();
        }
        return true;
    }

    /**
     * A postmaster that was killed alone leaves children for a moment. Its pid file guards the shared memory that they
     * still write from; only when nobody is attached to that may the file go.
     */
    private static void awaitNobodyAttached(Path cluster) throws IOException {
        List<String> lines = pidFile(cluster);
        // The seventh line: key and number of the shared memory segment.
        String[] segment = lines.size() > 6 ? BLANKS.split(lines.get(6).strip(), -1) : new String[0];
        if (segment.length != 2) {
            return;
        }
        long end = System.nanoTime() + ORPHANS.toNanos();
        while (attached(segment[1]) > 0) {
            if (System.nanoTime() - end > 0) {
                throw new IOException(
                        "processes of a PostgreSQL that was killed still use %s; end them by hand: see 'ps aux | grep postgres'"
                                .formatted(cluster));
            }
            pause();
        }
    }

    private static int attached(String segment) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/sysvipc/shm"))) {
            String[] columns = BLANKS.split(line.strip(), -1);
            if (columns.length > 6 && columns[1].equals(segment)) {
                return Integer.parseInt(columns[6]);
            }
        }
        return 0;
    }

    private static List<String> pidFile(Path cluster) throws IOException {
        try {
            return Files.readAllLines(cluster.resolve("postmaster.pid"));
        } catch (NoSuchFileException absent) {
            return List.of();
        }
    }

    private static void pause() throws IOException {
        try {
            TimeUnit.NANOSECONDS.sleep(LOOK_AGAIN.toNanos());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for PostgreSQL to stop", interrupted);
        }
    }
}
