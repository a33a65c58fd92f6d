package io.syncline.benchmarks;

import io.syncline.benchmarks.load.Calls;
import io.syncline.benchmarks.report.Aim;
import io.syncline.benchmarks.report.Report;
import io.syncline.benchmarks.site.SiteUnderTest;
import io.syncline.model.api.SyncPaths;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.HdrHistogram.Histogram;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code pull-data} of 10,000 rows against PostgreSQL's own way of giving them as JSON, and what the limits of a connection
 * cost there and on small calls.
 */
final class PullBenchmark {

    private static final String TABLE = "perf_10k_nonum";
    private static final int ROWS = 10_000;
    private static final int WARM_UP = 150;
    private static final int MEASURED = 100;
    private static final int SMALL_WARM_UP = 500;
    private static final int SMALL_MEASURED = 1_000;

    private static final double MOST_OF_THE_CONTROL_MS = 25;

    /** How much is asked before a row is given. */
    private enum Limited {

        FREE("nothing limits it", ""),

        CHECKED("checked: tables, addresses, hours, expiry, rate", """
                "allowed_tables":["perf_10k_nonum","a","b","c"],"excluded_tables":["d","e"],
                "ip_whitelist":["10.0.0.0/8","2001:db8::/32","127.0.0.0/8"],"allowed_hours_start":0,
                "allowed_hours_end":23,"expires_at":"2099-01-01T00:00:00Z","""),

        COUNTED("checked and counted: a grant by the worker", CHECKED.settings + """
                "max_downloads":1000000,"max_records_total":10000000000,""");

        private final String sentence;
        private final String settings;

        Limited(String sentence, String settings) {
            this.sentence = sentence;
            this.settings = settings;
        }

        String settings() {
            return settings.replace("\n", "") + "\"rate_limit_requests_per_minute\":1000000";
        }
    }

    /** Many of them. */
    private static final class Transfers {

        private final Histogram firstByte = new Histogram(3);
        private final Histogram whole = new Histogram(3);
        private long bytes;

        void add(Transfer transfer) {
            firstByte.recordValue(transfer.firstByteMicros());
            whole.recordValue(transfer.micros());
            bytes = transfer.bytes();
        }

        double p50() {
            return whole.getValueAtPercentile(50);
        }

        List<String> row(String name, Transfers control) {
            return List.of(name, "%.2f".formatted(control.p50() / p50()), "%,.0f".formatted(ROWS * 1e6 / p50()),
                    "%.1f".formatted(bytes / p50()), millis(firstByte, 50), millis(whole, 50), millis(whole, 99),
                    "%,d".formatted(bytes));
        }
    }

    Report run(Plan plan, RunDescription description) throws IOException, InterruptedException, SQLException {
        try (SiteUnderTest site = SiteUnderTest.start(plan.layouts().getFirst(), plan.jvm(), plan.profile());
                Connection source = site.source()) {
            site.operator().open();
            makeTable(source);
            Map<Limited, String> hashes = new LinkedHashMap<>();
            for (Limited limited : Limited.values()) {
                hashes.put(limited, Calls.tokenHash(site.operator()
                        .senderFor("https://%s.example".formatted(limited.name().toLowerCase(Locale.ROOT)),
                                limited.settings())));
            }
            site.operator().awaitTable(of(hashes, Limited.FREE), TABLE, ROWS);
            List<Aim> aims = new ArrayList<>();
            List<Report.Section> sections = List.of(pulls(site, source, hashes, aims), small(site, hashes, aims));
            return new Report("pull", "pull-data of %,d rows against COPY of row_to_json".formatted(ROWS),
                    description.begun(), description.commit(), description.command(), description.machine(),
                    List.of("One caller, who reads from a socket; %d transfers of each kind, by turns, after %d of each."
                            .formatted(MEASURED,
                                    WARM_UP),
                            "`%s`, read by PgJDBC from the source database."
                                    .formatted(Transfer.copyStatement(TABLE)),
                            "Small calls: %d of each kind, by turns, after %d of each; `table-records` of one row."
                                    .formatted(SMALL_MEASURED, SMALL_WARM_UP),
                            "Layout: " + plan.layouts().getFirst().sentence() + "; JVMs: `"
                                    + String.join(" ", plan.jvm()) + "`."),
                    sections, aims);
        }
    }

    private static Report.Section pulls(SiteUnderTest site, Connection source, Map<Limited, String> hashes,
            List<Aim> aims) throws IOException, InterruptedException, SQLException {
        Map<Limited, byte[]> requests = new LinkedHashMap<>();
        Map<Limited, Transfers> pulls = new LinkedHashMap<>();
        for (Limited limited : Limited.values()) {
            String body = "{\"auth_token_hash\":\"%s\",\"table_name\":\"%s\"}".formatted(of(hashes, limited), TABLE);
            check(site.operator().call("pull-data", body));
            byte[] request = Calls
                    .post("/" + SiteUnderTest.PREFIX + SyncPaths.ROOT + SyncPaths.PULL_DATA, () -> body)
                    .next();
            requests.put(limited, request);
            pulls.put(limited, new Transfers());
        }
        Transfers copies = new Transfers();
        for (int i = 0; i < WARM_UP + MEASURED; i++) {
            for (Map.Entry<Limited, byte[]> one : requests.entrySet()) {
                Transfer pull = Transfer.pull(site.gateway(), one.getValue());
                if (i >= WARM_UP) {
                    of(pulls, one.getKey()).add(pull);
                }
            }
            Transfer copy = Transfer.copy(source, TABLE);
            if (i >= WARM_UP) {
                copies.add(copy);
            }
        }
        List<List<String>> rows = new ArrayList<>();
        pulls.forEach((limited, transfers) -> rows.add(row(limited, transfers, copies, pulls, aims)));
        rows.add(copies.row("COPY", copies));
        return new Report.Section.Plain("pull-data",
                List.of("what", "of COPY's rate", "rows/s", "MB/s", "first byte p50 ms", "whole p50 ms", "whole p99 ms",
                        "bytes"),
                rows);
    }

    private static List<String> row(Limited limited, Transfers transfers, Transfers copies,
            Map<Limited, Transfers> all, List<Aim> aims) {
        aims.add(Aim.atLeast("pull-data, %s, of COPY's rate".formatted(limited.sentence),
                copies.p50() / transfers.p50(), 1.3));
        aims.add(Aim.below("pull-data, %s, p50 to the last byte in ms".formatted(limited.sentence),
                transfers.p50() / 1000, MOST_OF_THE_CONTROL_MS));
        if (limited != Limited.FREE) {
            aims.add(Aim.below("pull-data, %s, %% of its time more than without".formatted(limited.sentence),
                    100 * (transfers.p50() / of(all, Limited.FREE).p50() - 1), 5));
        }
        return transfers.row(limited.sentence, copies);
    }

    private static Report.Section small(SiteUnderTest site, Map<Limited, String> hashes, List<Aim> aims)
            throws IOException, InterruptedException {
        List<List<String>> rows = new ArrayList<>();
        Map<String, String> bodies = Map.of("list-tables", "{\"auth_token_hash\":\"%s\"}", "table-schema",
                "{\"auth_token_hash\":\"%s\",\"table_name\":\"" + TABLE + "\"}", "table-records",
                "{\"auth_token_hash\":\"%s\",\"table_name\":\"" + TABLE + "\",\"ids\":[1]}");
        for (String call : bodies.keySet().stream().sorted().toList()) {
            Map<Limited, Histogram> micros = new LinkedHashMap<>();
            for (int i = 0; i < SMALL_WARM_UP + SMALL_MEASURED; i++) {
                for (Limited limited : Limited.values()) {
                    long begun = System.nanoTime();
                    HttpResponse<String> answer = site.operator()
                            .call(call, of(bodies, call).formatted(of(hashes, limited)));
                    long took = (System.nanoTime() - begun) / 1000;
                    if (answer.statusCode() != 200) {
                        throw new IOException("%s: %d %s".formatted(call, answer.statusCode(), answer.body()));
                    }
                    if (i >= SMALL_WARM_UP) {
                        micros.computeIfAbsent(limited, one -> new Histogram(3)).recordValue(took);
                    }
                }
            }
            double free = of(micros, Limited.FREE).getValueAtPercentile(50);
            micros.forEach((limited, histogram) -> {
                rows.add(List.of(call, limited.sentence, millis(histogram, 50), millis(histogram, 99)));
                if (limited != Limited.FREE) {
                    aims.add(Aim.below("%s, %s, p50 ms more than without".formatted(call, limited.sentence),
                            Math.max(0, (histogram.getValueAtPercentile(50) - free) / 1000), 1));
                }
            });
        }
        return new Report.Section.Plain("Small calls", List.of("call", "what", "p50 ms", "p99 ms"), rows);
    }

    private static <K, V> V of(Map<K, V> each, K one) {
        return Objects.requireNonNull(each.get(one));
    }

    private static String millis(Histogram micros, double percentile) {
        return "%.2f".formatted(micros.getValueAtPercentile(percentile) / 1000.0);
    }

    private static void makeTable(Connection source) throws IOException, SQLException {
        try (InputStream script = PullBenchmark.class.getResourceAsStream(TABLE + ".sql");
                Statement statement = source.createStatement()) {
            if (script == null) {
                throw new IOException(TABLE + ".sql is not on the class path");
            }
            statement.execute(new String(script.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    /** What is measured must be the whole table. */
    private static void check(HttpResponse<String> answer) throws IOException {
        int rows = answer.statusCode() == 200 ? JsonMapper.shared().readTree(answer.body()).path("data").size() : -1;
        if (rows != ROWS) {
            throw new IOException("pull-data gave %d with %d rows instead of %d: %s".formatted(answer.statusCode(),
                    rows, ROWS, rows < 0 ? answer.body() : ""));
        }
    }
}
