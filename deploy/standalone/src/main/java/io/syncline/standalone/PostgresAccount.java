package io.syncline.standalone;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * As whom PostgreSQL's programs run: they refuse root, so root needs a way to
 * be somebody else.
 *
 * @param prefix
 *            what comes before a program's command
 * @param owner
 *            whose its files are, as a number
 */
record PostgresAccount(List<String> prefix, int owner) {

    /** The account of nobody, on every Linux. */
    private static final int NOBODY = 65_534;

    /** A machine that is busy is not one that forbids it. */
    private static final int LIMIT_SECONDS = 30;

    static final PostgresAccount OURS = new PostgresAccount(List.of(), -1);

    /** @param cluster where the files are or will be; made by now */
    static PostgresAccount forFilesIn(Path cluster) throws IOException {
        if (owner(Path.of("/proc/self")) != 0) {
            return OURS;
        }
        int owner = owner(cluster);
        if (owner == 0) {
            // A user namespace without a map: postgres sees itself and its files as nobody's, for the
            // kernel they remain root's.
            List<String> unshare = List.of("unshare", "--user", "--");
            return works(unshare) ? new PostgresAccount(unshare, -1) : other(NOBODY);
        }
        return other(owner);
    }

    /**
     * Where the kernel forbids new user namespaces (most containers), root becomes somebody else for good; the one
     * capability it keeps lets it reach the files below directories that are root's alone.
     */
    private static PostgresAccount other(int owner) throws IOException {
        // no_setuid_fixup: else access(2), by which pg_ctl looks for postgres, would not count the capability.
        List<String> setpriv = List.of("setpriv", "--reuid=" + owner, "--regid=" + owner, "--clear-groups",
                "--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--");
        if (!works(setpriv)) {
            throw new IOException("PostgreSQL does not run as root, and neither 'unshare --user' nor 'setpriv' works"
                    + " here; start this as another user, or name a PostgreSQL of your own with spring.datasource.url"
                    + " and syncline.source.url");
        }
        return new PostgresAccount(setpriv, owner);
    }

    /** Hands a directory that this JVM has made over to the account. */
    void own(Path directory) throws IOException {
        if (owner != -1) {
            Files.setAttribute(directory, "unix:uid", owner);
            Files.setAttribute(directory, "unix:gid", owner);
        }
    }

    List<String> command(List<String> program) {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(program);
        return command;
    }

    private static int owner(Path path) throws IOException {
        return (Integer) Objects.requireNonNull(Files.getAttribute(path, "unix:uid"), "unix:uid");
    }

    private static boolean works(List<String> prefix) throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.add("true");
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                return process.exitValue() == 0;
            }
            process.destroyForcibly();
            return false;
        } catch (IOException noSuchProgram) {
            return false;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while starting PostgreSQL", interrupted);
        }
    }
}
