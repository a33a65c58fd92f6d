package io.syncline.standalone;

import io.syncline.model.api.SyncPaths;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What is printed when the site is ready: addresses, and lines to paste. It names the files that hold credentials, and
 * holds none.
 *
 * @param gateway
 *            such as http://localhost:8080
 * @param api
 *            the path of the peers' protocol
 * @param tables
 *            those that are served
 * @param trial
 *            null where the connection for trying is gone
 */
record Invitation(
        String gateway,
        String api,
        Path adminToken,
        Path adminHeader,
        List<String> tables,
        @Nullable Trial trial) {

    /**
     * Bodies of the calls that may be tried.
     *
     * @param pull
     *            null where no table is served
     */
    record Trial(Path listTables, @Nullable Path pull, String pulled) {}

    private static final Pattern NEEDS_NO_QUOTES = Pattern.compile("[A-Za-z0-9_./@:=+,-]+");

    /** @param folder where the lines will be pasted: the one where the command was given */
    String text(Duration sinceStart, Path folder) {
        StringBuilder text = new StringBuilder();
        text.append(
                String.format(Locale.ROOT, "%nSyncline is ready after %.1f s. %s%n%n", sinceStart.toMillis() / 1000.0,
                        served()));
        text.append("  Peers      ").append(gateway).append(api).append('\n');
        text.append("  Operators  ")
                .append(gateway)
                .append("/admin/api   (the token is in ")
                .append(shown(adminToken, folder))
                .append(")\n\n");
        if (trial == null) {
            text.append("The connection for trying has been deleted; an operator makes others.\n\n");
        } else {
            text.append("List the tables, as a peer does:\n  ")
                    .append(call(trial.listTables(), SyncPaths.LIST_TABLES, folder));
            if (trial.pull() != null) {
                text.append("Pull one (")
                        .append(trial.pulled())
                        .append("):\n  ")
                        .append(call(trial.pull(), SyncPaths.PULL_DATA, folder));
            }
        }
        text.append("See the settings, as an operator does:\n  curl -s -H @")
                .append(shown(adminHeader, folder))
                .append(' ')
                .append(gateway)
                .append("/admin/api/settings\n\n");
        text.append("Ctrl-C stops everything; started again here, everything is there.\n");
        return text.toString();
    }

    private String served() {
        return switch (tables.size()) {
            case 0 -> "No table is served yet.";
            case 1 -> "One table is served: " + tables.getFirst() + ".";
            default -> tables.size() + " tables are served"
                    + (tables.size() <= 10 ? ": " + String.join(", ", tables) + "." : ".");
        };
    }

    private String call(Path body, String path, Path folder) {
        return "curl -s -H 'content-type: application/json' -d @%s %s\n\n".formatted(shown(body, folder),
                gateway + api + path);
    }

    private static String shown(Path file, Path folder) {
        String name = (file.startsWith(folder) ? folder.relativize(file) : file).toString();
        return NEEDS_NO_QUOTES.matcher(name).matches() ? name : "'" + name.replace("'", "'\\''") + "'";
    }
}
