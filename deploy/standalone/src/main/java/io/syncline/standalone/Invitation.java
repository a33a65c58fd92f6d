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
 * @param api
 *            the path of the peers' protocol
 * @param tables
 *            those that are served
 */
record Invitation(Addresses addresses, String api, List<String> tables, Trial trial, Files files) {

    /**
     * @param listTables
     *            the body of that call, over the connection for trying
     * @param pullData
     *            likewise
     * @param certificate
     *            by which curl knows the gateway; null where it cannot, and need not where nothing speaks TLS
     */
    record Files(Path adminToken, Path adminHeader, Path listTables, Path pullData, @Nullable Path certificate) {}

    private static final Pattern NEEDS_NO_QUOTES = Pattern.compile("[A-Za-z0-9_./@:=+,-]+");
    private static final String JSON = "-H 'content-type: application/json' ";

    /** @param folder where the lines will be pasted: the one where the command was given */
    String text(Duration sinceStart, Path folder) {
        StringBuilder text = new StringBuilder();
        text.append(
                String.format(Locale.ROOT, "%nSyncline is ready after %.1f s. %s%n%n", sinceStart.toMillis() / 1000.0,
                        served()));
        text.append("  Peers      ").append(addresses.peers()).append(api).append('\n');
        text.append("  Operators  ")
                .append(addresses.operators())
                .append("/admin/api   (the token is in ")
                .append(shown(files.adminToken(), folder))
                .append(")\n\n");
        if (!addresses.tlsHosts().isEmpty() && files.certificate() == null) {
            text.append("The certificate does not name ")
                    .append(addresses.tlsHosts().getFirst())
                    .append(": curl does not check it here (-k).\n\n");
        }
        switch (trial) {
            case Trial.Open open -> text.append(open(open, folder));
            case Trial.Closed closed -> text.append(closed(closed, folder));
        }
        text.append("See the settings, as an operator does:\n")
                .append(line("-H @" + shown(files.adminHeader(), folder), admin("/settings"), folder));
        text.append("Ctrl-C stops everything; started again here, everything is there.\n");
        return text.toString();
    }

    private String open(Trial.Open open, Path folder) {
        String limited = open.tables().size() == tables.size() ? ""
                : "An operator has limited the connection for trying: it is shown %s of these tables.\n\n"
                        .formatted(open.tables().isEmpty() ? "none" : open.tables().size());
        return limited + "List the tables, as a peer does:\n"
                + peersCall(files.listTables(), SyncPaths.LIST_TABLES, folder)
                + open.pulled()
                        .map(table -> "Pull one (" + table + "):\n"
                                + peersCall(files.pullData(), SyncPaths.PULL_DATA, folder))
                        .orElse("");
    }

    private String closed(Trial.Closed closed, Path folder) {
        Trial.Change remedy = closed.remedy();
        return closed.why() + (remedy == null ? "\n\n"
                : " To change that, as an operator:\n"
                        + line("-X %s -H @%s %s-d '%s'".formatted(remedy.method(),
                                shown(files.adminHeader(), folder), JSON, remedy.body()), admin(remedy.path()), folder)
                        + "List the tables then, as a peer does:\n"
                        + peersCall(files.listTables(), SyncPaths.LIST_TABLES, folder));
    }

    private String served() {
        return switch (tables.size()) {
            case 0 -> "No table is served yet.";
            case 1 -> "One table is served: " + tables.getFirst() + ".";
            default -> tables.size() + " tables are served"
                    + (tables.size() <= 10 ? ": " + String.join(", ", tables) + "." : ".");
        };
    }

    private String peersCall(Path body, String path, Path folder) {
        return line(JSON + "-d @" + shown(body, folder), addresses.peers() + api + path, folder);
    }

    private String admin(String path) {
        return addresses.operators() + "/admin/api" + path;
    }

    private String line(String options, String url, Path folder) {
        String tls = !Addresses.isTls(url) ? ""
                : files.certificate() == null ? "-k "
                : "--cacert " + shown(files.certificate(), folder) + " ";
        return "  curl -s " + tls + options + " " + url + "\n\n";
    }

    private static String shown(Path file, Path folder) {
        String name = (file.startsWith(folder) ? folder.relativize(file) : file).toString();
        return NEEDS_NO_QUOTES.matcher(name).matches() ? name : "'" + name.replace("'", "'\\''") + "'";
    }
}
