package io.syncline.benchmarks;

import io.syncline.benchmarks.load.Calls;
import io.syncline.benchmarks.report.Report;
import io.syncline.benchmarks.site.SiteUnderTest;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.postgresql.PGConnection;
import tools.jackson.databind.json.JsonMapper;

/** {@code pull-data} of 10,000 rows against PostgreSQL's own way of giving them as JSON. */
final class PullBenchmark {

    private static final String TABLE = "perf_10k_nonum";
    private static final int ROWS = 10_000;
    private static final String COPY = "COPY (SELECT row_to_json(t) FROM %s t) TO STDOUT".formatted(TABLE);
    private static final int WARM_UP = 150;
    private static final int MEASURED = 100;

    /** One transfer. */
    private record Transfer(long firstByteMicros, long micros, long bytes) {}

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

        long rowsPerSecond() {
            return Math.round(ROWS * 1e6 / whole.getValueAtPercentile(50));
        }

        List<String> row(String name) {
            return List.of(name, "%,d".formatted(rowsPerSecond()),
                    "%.1f".formatted(bytes / (double) whole.getValueAtPercentile(50)),
                    millis(firstByte.getValueAtPercentile(50)), millis(whole.getValueAtPercentile(50)),
                    millis(whole.getValueAtPercentile(99)), "%,d".formatted(bytes));
        }

        private static String millis(long micros) {
            return "%.1f".formatted(micros / 1000.0);
        }
    }

    Report run(Plan plan, RunDescription description) throws IOException, InterruptedException, SQLException {
        try (SiteUnderTest site = SiteUnderTest.start(plan.layouts().getFirst(), plan.jvm(), plan.profile());
                Connection source = site.source()) {
            site.operator().open();
            makeTable(source);
            String tokenHash = Calls.tokenHash(site.operator().senderFor("https://puller.example"));
            site.operator().awaitTable(tokenHash, TABLE, ROWS);
            HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
            HttpRequest pull = HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d/%s/sync/api/pull-data"
                    .formatted(site.gateway().getPort(), SiteUnderTest.PREFIX)))
                    .header("content-type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString("{\"auth_token_hash\":\"%s\",\"table_name\":\"%s\"}"
                            .formatted(tokenHash, TABLE)))
                    .build();
            check(http, pull);
            for (int i = 0; i < WARM_UP; i++) {
                pull(http, pull);
                copy(source);
            }
            Transfers pulls = new Transfers();
            Transfers copies = new Transfers();
            for (int i = 0; i < MEASURED; i++) {
                pulls.add(pull(http, pull));
                copies.add(copy(source));
            }
            return new Report("pull", "pull-data of %,d rows against COPY of row_to_json".formatted(ROWS),
                    description.begun(), description.commit(), description.command(), description.machine(),
                    List.of("One caller; %d transfers of each, by turns, after %d of each.".formatted(MEASURED,
                            WARM_UP),
                            "`%s`, read by PgJDBC from the source database.".formatted(COPY),
                            "Layout: " + plan.layouts().getFirst().sentence() + "."),
                    List.of(new Report.Section.Plain(
                            "pull-data at %.2f times the rate of COPY".formatted(
                                    pulls.rowsPerSecond() / (double) copies.rowsPerSecond()),
                            List.of("what", "rows/s", "MB/s", "first byte p50 ms", "whole p50 ms", "whole p99 ms",
                                    "bytes"),
                            List.of(pulls.row("pull-data"), copies.row("COPY")))),
                    List.of());
        }
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
    private static void check(HttpClient http, HttpRequest pull) throws IOException, InterruptedException {
        HttpResponse<String> answer = http.send(pull, HttpResponse.BodyHandlers.ofString());
        int rows = answer.statusCode() == 200 ? JsonMapper.shared().readTree(answer.body()).path("data").size() : -1;
        if (rows != ROWS) {
            throw new IOException("pull-data gave %d with %d rows instead of %d".formatted(answer.statusCode(), rows,
                    ROWS));
        }
    }

    private static Transfer pull(HttpClient http, HttpRequest pull) throws IOException, InterruptedException {
        long begun = System.nanoTime();
        HttpResponse<InputStream> answer = http.send(pull, HttpResponse.BodyHandlers.ofInputStream());
        if (answer.statusCode() != 200) {
            throw new IOException("pull-data: " + answer.statusCode());
        }
        Counting counting = new Counting();
        try (InputStream body = answer.body()) {
            body.transferTo(counting);
        }
        return counting.transfer(begun);
    }

    private static Transfer copy(Connection source) throws IOException, SQLException {
        long begun = System.nanoTime();
        Counting counting = new Counting();
        source.unwrap(PGConnection.class).getCopyAPI().copyOut(COPY, counting);
        return counting.transfer(begun);
    }

    /** Counts, and notes when the first byte came. */
    private static final class Counting extends OutputStream {

        private long firstByte;
        private long count;

        @Override
        public void write(int one) {
            write(new byte[1], 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            if (count == 0) {
                firstByte = System.nanoTime();
            }
            count += length;
        }

        Transfer transfer(long begun) {
            return new Transfer((firstByte - begun) / 1000, (System.nanoTime() - begun) / 1000, count);
        }
    }
}
