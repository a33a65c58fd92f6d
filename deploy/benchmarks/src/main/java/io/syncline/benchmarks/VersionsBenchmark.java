package io.syncline.benchmarks;

import io.syncline.benchmarks.load.Calls;
import io.syncline.benchmarks.load.LoadGenerator;
import io.syncline.benchmarks.load.RequestSource;
import io.syncline.benchmarks.load.Slice;
import io.syncline.benchmarks.report.Aim;
import io.syncline.benchmarks.report.Report;
import io.syncline.benchmarks.site.SiteUnderTest;
import io.syncline.model.api.SyncPaths;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/**
 * This version against another one, in pairs: a site of each runs all the time, and one load after the other goes to both in
 * turn. So what the machine does meanwhile, it does to both.
 */
final class VersionsBenchmark {

    private static final Logger log = LoggerFactory.getLogger(VersionsBenchmark.class);

    /** The least share of the other version's rate that counts as no slower. */
    private static final double AS_FAST = 0.95;
    private static final int CONNECTIONS = 64;
    private static final String SMALL = "perf_10k_nonum";
    private static final int SMALL_ROWS = 10_000;
    private static final int PULLS = 60;
    private static final int LISTINGS = 500;
    private static final int UPDATES = 4;
    private static final Duration VISIBLE = Duration.ofMinutes(2);
    private static final String ENOUGH_CALLS = "\"rate_limit_requests_per_minute\":1000000";

    /** A site of one version, with what is asked of it. */
    private static final class Version implements AutoCloseable {

        final String name;
        final SiteUnderTest site;
        final Connection source;
        final String hash;
        final RequestSource register;
        final RequestSource verify;
        final RequestSource status;
        final int rows;
        private int tables;
        private int marks;

        Version(String name, SiteUnderTest site, int rows) throws IOException, InterruptedException, SQLException {
            this.name = name;
            this.site = site;
            this.rows = rows;
            source = site.source();
            site.operator().open();
            register = Calls.post(path(SyncPaths.REGISTER_CONNECTION), Calls.registrations("site"));
            verify = ReadsBenchmark.inTurn(path(SyncPaths.VERIFY_CONNECTION), ReadsBenchmark.receivers(site),
                    one -> ReadsBenchmark.VERIFY_BODY.formatted(one.url(), one.tokenHash()));
            status = ReadsBenchmark.inTurn(path(SyncPaths.GET_CONNECTION_STATUS), ReadsBenchmark.senders(site),
                    one -> ReadsBenchmark.STATUS_BODY.formatted(one.url(), one.tokenHash()));
            hash = Calls.tokenHash(site.operator().senderFor("https://puller.example", ENOUGH_CALLS));
            try (InputStream script = VersionsBenchmark.class.getResourceAsStream(SMALL + ".sql")) {
                if (script == null) {
                    throw new IOException(SMALL + ".sql is not on the class path");
                }
                execute(new String(script.readAllBytes(), StandardCharsets.UTF_8));
            }
            execute("CREATE TABLE public.streamed (id int PRIMARY KEY, v bigint, payload text);"
                    + "INSERT INTO public.streamed SELECT g, 0, repeat('x', 100) FROM generate_series(1, " + rows
                    + ") g");
            site.operator().awaitTable(hash, SMALL, SMALL_ROWS);
            site.operator().awaitTable(hash, "streamed", rows);
        }

        static String path(String call) {
            return "/" + SiteUnderTest.PREFIX + SyncPaths.ROOT + call;
        }

        private void execute(String sql) throws SQLException {
            try (Statement statement = source.createStatement()) {
                statement.execute(sql);
            }
        }

        double load(RequestSource requests, Plan plan) throws IOException {
            try (LoadGenerator load = new LoadGenerator(site.gateway(), CONNECTIONS, requests)) {
                Slice slice = load.run(plan.leadIn(), plan.slice());
                if (slice.failed() > 0) {
                    throw new IOException("%s: %d answers other than 200: %s".formatted(name, slice.failed(),
                            slice.failure()));
                }
                return slice.perSecond();
            }
        }

        /** Rows a second. */
        double pull() throws IOException {
            long micros = 0;
            byte[] request = pull(SMALL, "application/json");
            for (int i = 0; i < PULLS; i++) {
                micros += Transfer.pull(site.gateway(), request).micros();
            }
            return SMALL_ROWS * PULLS * 1e6 / micros;
        }

        double export() throws IOException {
            Transfer transfer = Transfer.pull(site.gateway(), pull("streamed", "application/x-ndjson"));
            if (!transfer.end().contains("\"rows\":" + rows + ",")) {
                throw new IOException("%s: pull-data ended in %s".formatted(name, transfer.end()));
            }
            return rows / transfer.seconds();
        }

        private byte[] pull(String table, String accept) {
            return Calls.post(path(SyncPaths.PULL_DATA), accept,
                    () -> "{\"auth_token_hash\":\"%s\",\"table_name\":\"%s\"}".formatted(hash, table)).next();
        }

        double list() throws IOException, InterruptedException {
            long begun = System.nanoTime();
            for (int i = 0; i < LISTINGS; i++) {
                HttpResponse<String> answer = site.operator()
                        .call("list-tables", "{\"auth_token_hash\":\"%s\"}".formatted(hash));
                if (answer.statusCode() != 200) {
                    throw new IOException("list-tables: %d %s".formatted(answer.statusCode(), answer.body()));
                }
            }
            return LISTINGS * 1e9 / (System.nanoTime() - begun);
        }

        /** Rows a second, from a table's creation until it is served whole. */
        double snapshot() throws IOException, InterruptedException, SQLException {
            String table = "snapshot_" + ++tables;
            long begun = System.nanoTime();
            execute("CREATE TABLE public." + table + " AS SELECT * FROM public.streamed;"
                    + "ALTER TABLE public." + table + " ADD PRIMARY KEY (id)");
            site.operator().awaitTable(hash, table, rows);
            double seconds = (System.nanoTime() - begun) / 1e9;
            execute("DROP TABLE public." + table);
            site.operator().awaitNoTable(hash, table);
            return rows / seconds;
        }

        /** Changes a second, from the first update until the last is visible through the gateway. */
        double stream() throws IOException, InterruptedException, SQLException {
            String body = "{\"auth_token_hash\":\"%s\",\"table_name\":\"streamed\",\"ids\":[%d]}".formatted(hash, rows);
            long begun = System.nanoTime();
            for (int i = 0; i < UPDATES; i++) {
                execute("UPDATE public.streamed SET v = " + ++marks + " WHERE id > " + rows / 2);
            }
            while (JsonMapper.shared()
                    .readTree(site.operator().call("table-records", body).body())
                    .path("records")
                    .path(0)
                    .path("v")
                    .asInt() != marks) {
                if (System.nanoTime() - begun > VISIBLE.toNanos()) {
                    throw new IOException("%s: the changes are not visible after %s".formatted(name, VISIBLE));
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
            }
            return UPDATES * (rows / 2) * 1e9 / (System.nanoTime() - begun);
        }

        @Override
        public void close() throws IOException {
            try {
                source.close();
            } catch (SQLException e) {
                log.debug("the source's connection is gone already", e);
            }
            site.close();
        }
    }

    /** Gives a rate: more is better. */
    @FunctionalInterface
    private interface Measure {
        double of(Version version) throws IOException, InterruptedException, SQLException;
    }

    private record Measured(String name, String unit, Measure measure) {}

    Report run(Plan plan, RunDescription description) throws IOException, InterruptedException, SQLException {
        Path baseline = plan.baseline();
        if (baseline == null) {
            throw new IllegalArgumentException(
                    "--baseline is missing: the checkout of the other version, packaged with mvn -DskipTests package");
        }
        List<Measured> measures = List.of(
                new Measured("register-connection, 64 connections", "calls/s",
                        version -> version.load(version.register, plan)),
                new Measured("verify-connection, 64 connections", "calls/s",
                        version -> version.load(version.verify, plan)),
                new Measured("get-connection-status, 64 connections", "calls/s",
                        version -> version.load(version.status, plan)),
                new Measured("pull-data of 10,000 rows", "rows/s", Version::pull),
                new Measured("pull-data of the large table as NDJSON", "rows/s", Version::export),
                new Measured("list-tables", "calls/s", Version::list),
                new Measured("a snapshot, from CREATE TABLE to served", "rows/s", Version::snapshot),
                new Measured("updates, from the source to visible", "changes/s", Version::stream));
        List<List<String>> rows = new ArrayList<>();
        List<Aim> aims = new ArrayList<>();
        try (Version before = new Version("before", SiteUnderTest.ofVersion(baseline, plan.jvm()), plan.rows());
                Version after = new Version("after", SiteUnderTest.start(plan.layouts().getFirst(), plan.jvm(), null),
                        plan.rows())) {
            for (Measured measured : measures) {
                warmUp(measured, plan, before, after);
                Pairs pairs = pairs(measured, plan, before, after);
                rows.add(pairs.row(measured.name(), measured.unit()));
                aims.add(Aim.atLeast(measured.name() + ", of the rate before", pairs.ratio(), AS_FAST));
            }
        }
        return new Report("versions", "This version against another, in interleaved pairs", description.begun(),
                description.commit(), description.command(), description.machine(),
                List.of("A site of each version runs all the time, everything in one JVM (`%s`) with a database of its own; each load goes to one and then to the other, the order changing with each pair."
                        .formatted(String.join(" ", plan.jvm())),
                        "Ratio: after by before, pair by pair, %d pairs; its median, and between which ratios all but the lowest and the highest lie. Above 1: faster than before."
                                .formatted(plan.pairs()),
                        "The large table has %,d rows. %s of load before each kind is measured.".formatted(plan.rows(),
                                plan.warmUp())),
                List.of(new Report.Section.Plain("Before and after",
                        List.of("what", "unit", "before, median", "after, median", "ratio, median", "ratios between"),
                        rows)),
                aims);
    }

    private static void warmUp(Measured measured, Plan plan, Version before, Version after)
            throws IOException, InterruptedException, SQLException {
        long begun = System.nanoTime();
        do {
            measured.measure().of(before);
            measured.measure().of(after);
        } while (System.nanoTime() - begun < plan.warmUp().toNanos());
    }

    private static Pairs pairs(Measured measured, Plan plan, Version before, Version after)
            throws IOException, InterruptedException, SQLException {
        List<Pairs.Pair> pairs = new ArrayList<>();
        for (int i = 0; i < plan.pairs(); i++) {
            Version first = i % 2 == 0 ? before : after;
            Version second = first == before ? after : before;
            double ofFirst = measured.measure().of(first);
            double ofSecond = measured.measure().of(second);
            Pairs.Pair pair = first == before ? new Pairs.Pair(ofFirst, ofSecond) : new Pairs.Pair(ofSecond, ofFirst);
            log.info("{}: before {}, after {}", measured.name(), Math.round(pair.before()), Math.round(pair.after()));
            pairs.add(pair);
        }
        return new Pairs(pairs);
    }
}
