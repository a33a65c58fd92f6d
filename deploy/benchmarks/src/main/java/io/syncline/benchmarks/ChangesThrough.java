package io.syncline.benchmarks;

import io.syncline.benchmarks.report.Aim;
import io.syncline.benchmarks.report.Report;
import io.syncline.benchmarks.site.SiteUnderTest;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** How soon a commit in the source is visible through the gateway, at a steady rate of changes. */
final class ChangesThrough {

    private static final Logger log = LoggerFactory.getLogger(ChangesThrough.class);

    private static final String TABLE = "streamed";
    private static final int ROWS = 10_000;
    private static final int CHANGES_A_TRANSACTION = 100;
    private static final long TRANSACTION_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final int WARM_UP = 500;
    private static final int TRANSACTIONS = WARM_UP + 3_000;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);

    static final String METHOD = "Changes: a transaction of %d updates every 20 ms, %d of them, the first %d not counted; visible when `table-records` first gives the transaction's mark, asked every millisecond or two."
            .formatted(CHANGES_A_TRANSACTION, TRANSACTIONS, WARM_UP);

    private ChangesThrough() {}

    static Report.Section measure(SiteUnderTest site, Connection source, String hash, List<Aim> aims)
            throws IOException, InterruptedException, SQLException, ExecutionException {
        try (Statement statement = source.createStatement()) {
            statement.execute("CREATE TABLE public." + TABLE + " (id int PRIMARY KEY, v bigint, payload text)");
            statement.execute("INSERT INTO " + TABLE + " SELECT g, 0, repeat('x', 100) FROM generate_series(1, " + ROWS
                    + ") g");
        }
        site.operator().awaitTable(hash, TABLE, ROWS);
        long[] committed = new long[TRANSACTIONS + 1];
        FutureTask<Long> writing = new FutureTask<>(() -> write(source, committed));
        Thread.ofPlatform().name("writer").daemon().start(writing);
        Histogram micros = new Histogram(3);
        Histogram firstHalf = new Histogram(3);
        Histogram secondHalf = new Histogram(3);
        String body = "{\"auth_token_hash\":\"%s\",\"table_name\":\"%s\",\"ids\":[1]}".formatted(hash, TABLE);
        int seen = 0;
        long last = System.nanoTime();
        while (seen < TRANSACTIONS) {
            int now = mark(site.operator().call("table-records", body));
            long at = System.nanoTime();
            for (; seen < now; seen++) {
                if (seen >= WARM_UP) {
                    long latency = (at - committed[seen + 1]) / 1000;
                    micros.recordValue(latency);
                    (seen < (WARM_UP + TRANSACTIONS) / 2 ? firstHalf : secondHalf).recordValue(latency);
                }
                last = at;
            }
            if (at - last > PATIENCE_NANOS) {
                throw new IOException("no change visible in %d s after the first %d transactions of %d"
                        .formatted(TimeUnit.NANOSECONDS.toSeconds(PATIENCE_NANOS), seen, TRANSACTIONS));
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
        double rate = (double) TRANSACTIONS * CHANGES_A_TRANSACTION / (writing.get() / 1e9);
        log.info("changes: p50 {} ms, p99 {} ms", millis(micros, 50), millis(micros, 99));
        aims.add(Aim.atLeast("changes written a second", rate, 4_900));
        aims.add(Aim.below("commit to visible, p99 ms", micros.getValueAtPercentile(99) / 1000.0, 100));
        aims.add(Aim.below("its p50 in the second half, of that in the first",
                secondHalf.getValueAtPercentile(50) / (double) firstHalf.getValueAtPercentile(50), 1.5));
        return new Report.Section.Plain("Changes: commit in the source to visible through the gateway",
                List.of("changes/s", "p50 ms", "p99 ms", "max ms", "p50 first half", "p50 second half"),
                List.of(List.of("%,.0f".formatted(rate), millis(micros, 50), millis(micros, 99),
                        "%.1f".formatted(micros.getMaxValue() / 1000.0), millis(firstHalf, 50),
                        millis(secondHalf, 50))));
    }

    private static int mark(HttpResponse<String> answer) throws IOException {
        JsonNode records = JsonMapper.shared().readTree(answer.body()).path("records");
        if (answer.statusCode() != 200 || records.size() != 1) {
            throw new IOException("table-records: %d %s".formatted(answer.statusCode(), answer.body()));
        }
        return records.path(0).path("v").asInt();
    }

    static String millis(Histogram micros, double percentile) {
        return "%.1f".formatted(micros.getValueAtPercentile(percentile) / 1000.0);
    }

    /** Gives how long it took. */
    private static long write(Connection source, long[] committed) throws SQLException {
        source.setAutoCommit(false);
        long begun = System.nanoTime();
        try (PreparedStatement update = source
                .prepareStatement("UPDATE " + TABLE + " SET v = ? WHERE id = 1 OR id BETWEEN ? AND ?")) {
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
}
