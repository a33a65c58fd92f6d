package io.syncline.benchmarks;

import io.syncline.benchmarks.load.Calls;
import io.syncline.benchmarks.report.Aim;
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
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.postgresql.PGConnection;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A table of 1,000,000 rows: how long until it is served, how fast it is streamed out by one and by sixteen, how fast 200
 * tables are listed; and how soon a change in the source is visible through the gateway at 5,000 changes a second.
 */
final class TablesBenchmark {

    private static final String TABLE = "perf_1m";
    private static final int ROWS = 1_000_000;
    private static final String COPY = "COPY (SELECT row_to_json(t) FROM %s t) TO STDOUT".formatted(TABLE);
    private static final int TURNS = 5;
    private static final int AT_ONCE = 16;
    private static final int TABLES = 200;
    private static final int LISTINGS = 500;

    private static final int CHANGES_A_TRANSACTION = 100;
    private static final long TRANSACTION_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final int TRANSACTIONS = 1_500;
    private static final int WARM_UP_TRANSACTIONS = 500;

    private record Transfer(double seconds, long bytes) {}

    Report run(Plan plan, RunDescription description)
            throws IOException, InterruptedException, SQLException, ExecutionException {
        try (SiteUnderTest site = SiteUnderTest.start(plan.layouts().getFirst(), plan.jvm(), plan.profile());
                Connection source = site.source();
                ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE)) {
            site.operator().open();
            List<String> hashes = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                hashes.add(Calls
                        .tokenHash(site.operator().senderFor("https://puller-%d.example".formatted(i), 1_000_000)));
            }
            List<Aim> aims = new ArrayList<>();
            List<Report.Section> sections = new ArrayList<>();
            sections.add(snapshot(site, source, hashes.getFirst(), aims));
            sections.add(lines(site, source, hashes, threads, aims));
            sections.add(listing(site, hashes.getFirst(), aims));
            sections.add(stream(site, source, hashes.getFirst(), threads, aims));
            return new Report("tables", "A table of 1,000,000 rows in and out, and changes on their way",
                    description.begun(), description.commit(), description.command(), description.machine(),
                    List.of("Everything on this machine: source, state database, broker, worker, gateway and clients.",
                            "Out: `Accept: application/x-ndjson`, read by java.net.http and thrown away, against `%s` read by PgJDBC from the source; by turns, the middle one of %d; and %d clients of two peers at once."
                                    .formatted(COPY, TURNS, AT_ONCE),
                            "Tables listed: %d rows in the state database, %d of which are made up for this; one caller."
                                    .formatted(TABLES, TABLES - 1),
                            "Changes: a transaction of %d updates every 20 ms, %d of them, the first %d not counted; visible when `table-records` first gives the transaction's mark, asked every millisecond or two."
                                    .formatted(CHANGES_A_TRANSACTION, TRANSACTIONS, WARM_UP_TRANSACTIONS),
                            "Layout: " + plan.layouts().getFirst().sentence() + "; JVMs: `"
                                    + String.join(" ", plan.jvm())
                                    + "`."),
                    sections, aims);
        }
    }

    /** From the source's commit to the last row served; and from an engine's start to the last row read. */
    private static Report.Section snapshot(SiteUnderTest site, Connection source, String hash, List<Aim> aims)
            throws IOException, InterruptedException, SQLException {
        try (InputStream script = TablesBenchmark.class.getResourceAsStream(TABLE + ".sql");
                Statement statement = source.createStatement()) {
            if (script == null) {
                throw new IOException(TABLE + ".sql is not on the class path");
            }
            statement.execute(new String(script.readAllBytes(), StandardCharsets.UTF_8));
            statement.execute("CREATE TABLE streamed (id int PRIMARY KEY, v bigint, payload text)");
            statement.execute("INSERT INTO streamed SELECT g, 0, repeat('x', 100) FROM generate_series(1, 10000) g");
        }
        long begun = System.nanoTime();
        site.operator().awaitTable(hash, TABLE, ROWS);
        double seconds = (System.nanoTime() - begun) / 1e9;
        site.operator().awaitTable(hash, "streamed", 10_000);
        double control = DebeziumSnapshot.seconds(source, site.databasePassword(), TABLE, ROWS);
        aims.add(Aim.atLeast("a table in, of the rate of Debezium with an empty consumer", control / seconds, 0.8));
        return new Report.Section.Plain("In: the whole table", List.of("what", "s", "rows/s"),
                List.of(List.of("found, read, sent, applied and served", "%.1f".formatted(seconds),
                        "%,.0f".formatted(ROWS / seconds)),
                        List.of("Debezium's engine with two threads, an empty consumer", "%.1f".formatted(control),
                                "%,.0f".formatted(ROWS / control))));
    }

    private static Report.Section lines(SiteUnderTest site, Connection source, List<String> hashes,
            ExecutorService threads, List<Aim> aims)
            throws IOException, InterruptedException, SQLException, ExecutionException {
        HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        pull(http, site, hashes.getFirst());
        copy(source);
        List<Transfer> pulls = new ArrayList<>();
        List<Transfer> copies = new ArrayList<>();
        for (int i = 0; i < TURNS; i++) {
            pulls.add(pull(http, site, hashes.getFirst()));
            copies.add(copy(source));
        }
        Transfer pull = middle(pulls);
        Transfer copy = middle(copies);
        long begun = System.nanoTime();
        List<Future<Transfer>> running = new ArrayList<>();
        for (int i = 0; i < AT_ONCE; i++) {
            String hash = hashes.get(i % hashes.size());
            running.add(threads.submit((Callable<Transfer>) () -> pull(http, site, hash)));
        }
        long bytes = 0;
        for (Future<Transfer> one : running) {
            bytes += one.get().bytes();
        }
        double seconds = (System.nanoTime() - begun) / 1e9;
        aims.add(Aim.atLeast("NDJSON of the whole table, of COPY's rate", copy.seconds() / pull.seconds(), 3.0));
        aims.add(Aim.atLeast("%d pulls at once, of one alone's rate".formatted(AT_ONCE),
                AT_ONCE * pull.seconds() / seconds, 1.0));
        return new Report.Section.Plain("Out: the whole table", List.of("what", "s", "rows/s", "MB/s"),
                List.of(row("NDJSON", pull, 1), row("COPY", copy, 1),
                        row("%d × NDJSON at once".formatted(AT_ONCE), new Transfer(seconds, bytes), AT_ONCE)));
    }

    private static List<String> row(String what, Transfer transfer, int times) {
        return List.of(what, "%.2f".formatted(transfer.seconds()),
                "%,.0f".formatted((double) ROWS * times / transfer.seconds()),
                "%.0f".formatted(transfer.bytes() / 1e6 / transfer.seconds()));
    }

    private static Transfer middle(List<Transfer> transfers) {
        return transfers.stream()
                .sorted((one, other) -> Double.compare(one.seconds(), other.seconds()))
                .skip(transfers.size() / 2)
                .findFirst()
                .orElseThrow();
    }

    private static Transfer pull(HttpClient http, SiteUnderTest site, String hash)
            throws IOException, InterruptedException {
        long begun = System.nanoTime();
        HttpResponse<InputStream> answer = http.send(HttpRequest.newBuilder(peerCall(site, "pull-data"))
                .header("content-type", "application/json")
                .header("accept", "application/x-ndjson")
                .POST(HttpRequest.BodyPublishers
                        .ofString("{\"auth_token_hash\":\"%s\",\"table_name\":\"%s\"}".formatted(hash, TABLE)))
                .build(), HttpResponse.BodyHandlers.ofInputStream());
        Counting counting = new Counting();
        try (InputStream body = answer.body()) {
            body.transferTo(counting);
        }
        double seconds = (System.nanoTime() - begun) / 1e9;
        String end = counting.end();
        if (answer.statusCode() != 200 || !end.contains("\"rows\":" + ROWS + ",")) {
            throw new IOException("pull-data: %d, ending in %s".formatted(answer.statusCode(), end));
        }
        return new Transfer(seconds, counting.count);
    }

    private static Transfer copy(Connection source) throws IOException, SQLException {
        long begun = System.nanoTime();
        Counting counting = new Counting();
        source.unwrap(PGConnection.class).getCopyAPI().copyOut(COPY, counting);
        return new Transfer((System.nanoTime() - begun) / 1e9, counting.count);
    }

    private static URI peerCall(SiteUnderTest site, String call) {
        return URI.create("http://127.0.0.1:%d/%s/sync/api/%s".formatted(site.gateway().getPort(), SiteUnderTest.PREFIX,
                call));
    }

    private static Report.Section listing(SiteUnderTest site, String hash, List<Aim> aims)
            throws IOException, InterruptedException, SQLException {
        try (Connection state = site.state(); Statement statement = state.createStatement()) {
            // As many tables as if they had been captured; list-tables reads nothing else of them.
            statement.execute("CREATE TEMP TABLE made AS SELECT r.* FROM syncline.replica_table r, generate_series(1, "
                    + (TABLES - 2) + ") g WHERE r.table_name = '" + TABLE + "'");
            statement.execute(
                    "UPDATE made SET table_name = 'made_' || ctid, topic = 'made_' || ctid, row_count = 50000");
            statement.execute("INSERT INTO syncline.replica_table SELECT * FROM made");
        }
        Histogram micros = new Histogram(3);
        int tables = 0;
        String body = "{\"auth_token_hash\":\"%s\"}".formatted(hash);
        for (int i = 0; i < 2 * LISTINGS; i++) {
            long begun = System.nanoTime();
            HttpResponse<String> answer = site.operator().call("list-tables", body);
            if (i >= LISTINGS) {
                micros.recordValue((System.nanoTime() - begun) / 1000);
            } else if (i == 0) {
                tables = JsonMapper.shared().readTree(answer.body()).path("tables").size();
            }
        }
        try (Connection state = site.state(); Statement statement = state.createStatement()) {
            statement.execute("DELETE FROM syncline.replica_table WHERE table_name LIKE 'made_%'");
        }
        if (tables != TABLES) {
            throw new IOException("list-tables has %d tables instead of %d".formatted(tables, TABLES));
        }
        aims.add(Aim.below("list-tables of 200 tables, p50 ms", micros.getValueAtPercentile(50) / 1000.0, 20));
        return new Report.Section.Plain("list-tables", List.of("tables", "p50 ms", "p99 ms"),
                List.of(List.of(Integer.toString(tables), millis(micros, 50), millis(micros, 99))));
    }

    private static String millis(Histogram micros, double percentile) {
        return "%.1f".formatted(micros.getValueAtPercentile(percentile) / 1000.0);
    }

    private static Report.Section stream(SiteUnderTest site, Connection source, String hash, ExecutorService threads,
            List<Aim> aims) throws IOException, InterruptedException, ExecutionException {
        long[] committed = new long[TRANSACTIONS + 1];
        Future<Long> writing = threads.submit(() -> write(source, committed));
        Histogram micros = new Histogram(3);
        Histogram firstHalf = new Histogram(3);
        Histogram secondHalf = new Histogram(3);
        String body = "{\"auth_token_hash\":\"%s\",\"table_name\":\"streamed\",\"ids\":[1]}".formatted(hash);
        int seen = 0;
        long last = System.nanoTime();
        while (seen < TRANSACTIONS) {
            JsonNode answer = JsonMapper.shared().readTree(site.operator().call("table-records", body).body());
            int now = answer.path("records").path(0).path("v").asInt(0);
            long at = System.nanoTime();
            for (; seen < now; seen++) {
                if (seen >= WARM_UP_TRANSACTIONS) {
                    long latency = (at - committed[seen + 1]) / 1000;
                    micros.recordValue(latency);
                    (seen < (WARM_UP_TRANSACTIONS + TRANSACTIONS) / 2 ? firstHalf : secondHalf).recordValue(latency);
                }
                last = at;
            }
            if (at - last > TimeUnit.SECONDS.toNanos(30)) {
                throw new IOException(
                        "no change has become visible for 30 s: %d of %d, %s".formatted(seen, TRANSACTIONS,
                                answer));
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
        double rate = (double) TRANSACTIONS * CHANGES_A_TRANSACTION / (writing.get() / 1e9);
        aims.add(Aim.atLeast("changes written a second", rate, 4_900));
        aims.add(Aim.below("commit to visible, p99 ms", micros.getValueAtPercentile(99) / 1000.0, 100));
        return new Report.Section.Plain("Changes: commit in the source to visible through the gateway",
                List.of("changes/s", "p50 ms", "p99 ms", "max ms", "p50 first half", "p50 second half"),
                List.of(List.of("%,.0f".formatted(rate), millis(micros, 50), millis(micros, 99),
                        "%.1f".formatted(micros.getMaxValue() / 1000.0), millis(firstHalf, 50),
                        millis(secondHalf, 50))));
    }

    /** Gives how long it took. */
    private static long write(Connection source, long[] committed) throws SQLException {
        source.setAutoCommit(false);
        long begun = System.nanoTime();
        try (PreparedStatement update = source
                .prepareStatement("UPDATE streamed SET v = ? WHERE id = 1 OR id BETWEEN ? AND ?")) {
            for (int transaction = 1; transaction <= TRANSACTIONS; transaction++) {
                int first = 2 + transaction * 131 % 9_000;
                update.setLong(1, transaction);
                update.setInt(2, first);
                update.setInt(3, first + CHANGES_A_TRANSACTION - 2);
                update.executeUpdate();
                // Before the commit: whoever sees the change has not seen it earlier.
                committed[transaction] = System.nanoTime();
                source.commit();
                long next = begun + transaction * TRANSACTION_NANOS;
                while (System.nanoTime() < next) {
                    LockSupport.parkNanos(next - System.nanoTime());
                }
            }
        } finally {
            source.setAutoCommit(true);
        }
        return System.nanoTime() - begun;
    }

    /** Counts, and keeps the end. */
    private static final class Counting extends OutputStream {

        private static final int KEPT = 512;

        private byte[] last = new byte[0];
        private long count;

        @Override
        public void write(int one) {
            write(new byte[]{(byte) one}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            count += length;
            int kept = Math.min(KEPT, length);
            byte[] before = length < KEPT ? last : new byte[0];
            int ofBefore = Math.min(before.length, KEPT - kept);
            byte[] now = new byte[ofBefore + kept];
            System.arraycopy(before, before.length - ofBefore, now, 0, ofBefore);
            System.arraycopy(bytes, offset + length - kept, now, ofBefore, kept);
            last = now;
        }

        String end() {
            return new String(last, StandardCharsets.UTF_8);
        }
    }
}
