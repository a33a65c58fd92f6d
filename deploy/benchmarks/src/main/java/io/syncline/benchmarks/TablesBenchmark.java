package io.syncline.benchmarks;

import io.syncline.benchmarks.load.Calls;
import io.syncline.benchmarks.report.Aim;
import io.syncline.benchmarks.report.Report;
import io.syncline.benchmarks.site.HeapWatch;
import io.syncline.benchmarks.site.ProcessorTime;
import io.syncline.benchmarks.site.SiteUnderTest;
import io.syncline.model.api.SyncPaths;
import io.syncline.model.table.ReplicaLayout;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A large table: how long until it is served, how fast it is streamed out by one and by sixteen and in what heap,
 * how fast 200 tables are listed; and how soon a change in the source is visible through the gateway at 5,000 changes a second.
 */
final class TablesBenchmark {

    private static final Logger log = LoggerFactory.getLogger(TablesBenchmark.class);

    private static final String TABLE = "perf_1m";
    private static final String ROWS_OF_SCRIPT = "generate_series(1, 1000000)";
    /** What the table is made to have for the heap's sake. */
    private static final int TIMES_AS_MANY = 10;
    private static final int TURNS_IN = 3;
    private static final int TURNS_OUT = 5;
    private static final int AT_ONCE = 16;
    private static final int MOST_REFUSALS = 10;
    private static final int TABLES = 200;
    private static final int LISTINGS = 500;
    private static final String GATEWAY_HEAP = "-Xmx256m";
    private static final String ENOUGH_CALLS = "\"rate_limit_requests_per_minute\":1000000";

    private final int rows;

    TablesBenchmark(int rows) {
        this.rows = rows;
    }

    Report run(Plan plan, RunDescription description)
            throws IOException, InterruptedException, SQLException, ExecutionException {
        List<String> gatewayJvm = Stream
                .concat(plan.jvm().stream().filter(argument -> !argument.startsWith("-Xmx")), Stream.of(GATEWAY_HEAP))
                .toList();
        try (SiteUnderTest site = SiteUnderTest.apart(plan.jvm(), gatewayJvm, plan.profile());
                Connection source = site.source();
                ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE)) {
            site.operator().open();
            List<String> hashes = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                hashes.add(Calls.tokenHash(
                        site.operator().senderFor("https://puller-%d.example".formatted(i), ENOUGH_CALLS)));
            }
            String hash = hashes.getFirst();
            List<Aim> aims = new ArrayList<>();
            List<Report.Section> sections = new ArrayList<>();
            makeTable(source);
            sections.add(in(site, source, hash, aims));
            sections.add(out(site, source, hashes, threads, aims));
            sections.add(listing(site, hash, aims));
            sections.add(ChangesThrough.measure(site, source, hash, aims));
            sections.add(heap(site, hash, aims));
            return new Report("tables", "A table of %,d rows in and out, and changes on their way".formatted(rows),
                    description.begun(), description.commit(), description.command(), description.machine(),
                    List.of("Everything on this machine: source, state database, broker, worker, gateway (`%s`) and clients; gateway, worker and broker in a JVM each (`%s`)."
                            .formatted(GATEWAY_HEAP, String.join(" ", plan.jvm())),
                            "In: the table, vacuumed, comes into the schema that is captured; until `list-tables` has it whole and live. Debezium: from its engine's start to the last row read of the same table, with `snapshot.max.threads` 2. By turns, the middle one of %d after one that is not counted. Processor time is of both cores, for each row."
                                    .formatted(TURNS_IN),
                            "Out: `Accept: application/x-ndjson`, read from a socket and thrown away, against `%s` read by PgJDBC from the source; by turns, the middle one of %d; and %d clients of two peers at once, after as many that are not counted."
                                    .formatted(Transfer.copyStatement(TABLE), TURNS_OUT, AT_ONCE),
                            "Tables listed: %d rows in the state database, of which all but the captured ones are made up and say that they have 50,000 rows each; one caller, %d calls after as many."
                                    .formatted(TABLES, LISTINGS),
                            ChangesThrough.METHOD,
                            "Heap: the most that the gateway's heap held during one pull as NDJSON, garbage included, and what was left of it after a collection; the larger table is the replica's with its rows written %d times under other keys."
                                    .formatted(TIMES_AS_MANY)),
                    sections, aims);
        }
    }

    /** Where nobody captures it yet. */
    private void makeTable(Connection source) throws IOException, SQLException {
        try (InputStream script = TablesBenchmark.class.getResourceAsStream(TABLE + ".sql");
                Statement statement = source.createStatement()) {
            if (script == null) {
                throw new IOException(TABLE + ".sql is not on the class path");
            }
            statement.execute("CREATE SCHEMA aside");
            statement.execute("SET search_path = aside");
            String sql = new String(script.readAllBytes(), StandardCharsets.UTF_8);
            if (!sql.contains(ROWS_OF_SCRIPT)) {
                throw new IOException(TABLE + ".sql has no " + ROWS_OF_SCRIPT);
            }
            statement.execute(sql.replace(ROWS_OF_SCRIPT, "generate_series(1, " + rows + ")"));
            statement.execute("SET search_path = public, aside");
            // Else the first reader of the rows would pay for what the second finds done.
            statement.execute("VACUUM (ANALYZE) " + TABLE);
            statement.execute("CHECKPOINT");
        }
    }

    /** What it took to read all rows. */
    record Captured(double seconds, ProcessorTime spent) {}

    private Report.Section in(SiteUnderTest site, Connection source, String hash, List<Aim> aims)
            throws IOException, InterruptedException, SQLException {
        List<Captured> captures = new ArrayList<>();
        List<Captured> controls = new ArrayList<>();
        for (int turn = 0; turn <= TURNS_IN; turn++) {
            if (turn > 0) {
                execute(source, "ALTER TABLE public." + TABLE + " SET SCHEMA aside");
                site.operator().awaitNoTable(hash, TABLE);
            }
            Captured control = DebeziumSnapshot.read(site, source, "aside." + TABLE, rows);
            ProcessorTime before = site.processorTime();
            long begun = System.nanoTime();
            execute(source, "ALTER TABLE aside." + TABLE + " SET SCHEMA public");
            site.operator().awaitTable(hash, TABLE, rows);
            Captured capture = new Captured((System.nanoTime() - begun) / 1e9, site.processorTime().since(before));
            log.info("in: {} s ({} µs a row), Debezium {} s ({})", "%.1f".formatted(capture.seconds()),
                    perRow(capture.spent(), rows), "%.1f".formatted(control.seconds()),
                    perRow(control.spent(), rows));
            if (turn > 0) {
                captures.add(capture);
                controls.add(control);
            }
        }
        Captured capture = middle(captures);
        Captured control = middle(controls);
        aims.add(Aim.atLeast("a table in, of the rate of Debezium with an empty consumer",
                control.seconds() / capture.seconds(), 0.8));
        return new Report.Section.Plain("In: the whole table", List.of("what", "s", "rows/s", "CPU µs a row"),
                List.of(row("found, read, sent, applied and served", capture),
                        row("Debezium's engine with two threads, an empty consumer", control)));
    }

    private static Captured middle(List<Captured> turns) {
        return turns.stream()
                .sorted((one, other) -> Double.compare(one.seconds(), other.seconds()))
                .toList()
                .get(turns.size() / 2);
    }

    private List<String> row(String what, Captured captured) {
        return List.of(what, "%.1f".formatted(captured.seconds()), "%,.0f".formatted(rows / captured.seconds()),
                perRow(captured.spent(), rows));
    }

    private static String perRow(ProcessorTime spent, long times) {
        Map<String, String> shares = new LinkedHashMap<>();
        spent.ours()
                .forEach((name, ticks) -> shares.put(name,
                        "%.1f".formatted(ticks * ProcessorTime.MICROS_A_TICK / (double) times)));
        return String.join(", ", shares.entrySet().stream().map(one -> one.getKey() + " " + one.getValue()).toList());
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private Report.Section out(SiteUnderTest site, Connection source, List<String> hashes,
            ExecutorService threads, List<Aim> aims)
            throws IOException, InterruptedException, SQLException, ExecutionException {
        pull(site, hashes.getFirst(), rows);
        Transfer.copy(source, TABLE);
        List<Transfer> pulls = new ArrayList<>();
        List<Transfer> copies = new ArrayList<>();
        ProcessorTime spentByPulls = ProcessorTime.none();
        ProcessorTime spentByCopies = ProcessorTime.none();
        for (int i = 0; i < TURNS_OUT; i++) {
            ProcessorTime before = site.processorTime();
            pulls.add(pull(site, hashes.getFirst(), rows));
            ProcessorTime between = site.processorTime();
            copies.add(Transfer.copy(source, TABLE));
            spentByPulls = spentByPulls.plus(between.since(before));
            spentByCopies = spentByCopies.plus(site.processorTime().since(between));
            log.info("out: {} s ({} µs a row), COPY {} s ({})", pulls.getLast().seconds(),
                    perRow(between.since(before), rows), copies.getLast().seconds(),
                    perRow(site.processorTime().since(between), rows));
        }
        Transfer pull = Transfer.middle(pulls);
        Transfer copy = Transfer.middle(copies);
        // The gateway opens connections to the database when they are first needed, one after the other: beside pulls that
        // have begun, that takes longer than a call waits.
        for (Future<Transfer> one : atOnce(hashes, threads, hash -> insist(() -> pull(site, hash, rows)))) {
            one.get();
        }
        ProcessorTime before = site.processorTime();
        long begun = System.nanoTime();
        long bytes = 0;
        for (Future<Transfer> one : atOnce(hashes, threads, hash -> pull(site, hash, rows))) {
            bytes += one.get().bytes();
        }
        long micros = (System.nanoTime() - begun) / 1000;
        ProcessorTime spentAtOnce = site.processorTime().since(before);
        log.info("out: {} at once {} s", AT_ONCE, micros / 1e6);
        aims.add(Aim.atLeast("NDJSON of the whole table, of COPY's rate", copy.seconds() / pull.seconds(), 3.0));
        aims.add(Aim.atLeast("%d pulls at once, of one alone's rate".formatted(AT_ONCE),
                AT_ONCE * pull.micros() / (double) micros, 1.0));
        return new Report.Section.Plain("Out: the whole table", List.of("what", "s", "rows/s", "MB/s", "CPU µs a row"),
                List.of(row("NDJSON", pull, 1, spentByPulls, TURNS_OUT), row("COPY", copy, 1, spentByCopies, TURNS_OUT),
                        row("%d × NDJSON at once".formatted(AT_ONCE), new Transfer(0, micros, bytes, ""), AT_ONCE,
                                spentAtOnce, AT_ONCE)));
    }

    @FunctionalInterface
    private interface Pull {
        Transfer by(String hash) throws IOException, InterruptedException;
    }

    private static List<Future<Transfer>> atOnce(List<String> hashes, ExecutorService threads, Pull pull) {
        List<Future<Transfer>> running = new ArrayList<>();
        for (int i = 0; i < AT_ONCE; i++) {
            String hash = hashes.get(i % hashes.size());
            running.add(threads.submit(() -> pull.by(hash)));
        }
        return running;
    }

    @FunctionalInterface
    private interface Refusable {
        Transfer go() throws IOException;
    }

    /** As a peer does that is told to come again. */
    private static Transfer insist(Refusable pull) throws IOException, InterruptedException {
        for (int refused = 0;; refused++) {
            try {
                return pull.go();
            } catch (IOException e) {
                if (refused == MOST_REFUSALS) {
                    throw e;
                }
                TimeUnit.SECONDS.sleep(1);
            }
        }
    }

    private List<String> row(String what, Transfer transfer, int times, ProcessorTime spent, int turns) {
        return List.of(what, "%.2f".formatted(transfer.seconds()),
                "%,.0f".formatted((double) rows * times / transfer.seconds()),
                "%.0f".formatted(transfer.bytes() / 1e6 / transfer.seconds()), perRow(spent, (long) rows * turns));
    }

    private static Transfer pull(SiteUnderTest site, String hash, long expected) throws IOException {
        Transfer transfer = Transfer.pull(site.gateway(),
                Calls.post("/" + SiteUnderTest.PREFIX + SyncPaths.ROOT + SyncPaths.PULL_DATA, "application/x-ndjson",
                        () -> "{\"auth_token_hash\":\"%s\",\"table_name\":\"%s\"}".formatted(hash, TABLE))
                        .next());
        if (!transfer.end().contains("\"rows\":" + expected + ",")) {
            throw new IOException("pull-data ended in " + transfer.end());
        }
        return transfer;
    }

    private static Report.Section listing(SiteUnderTest site, String hash, List<Aim> aims)
            throws IOException, InterruptedException, SQLException {
        int captured = site.operator().tables(hash).size();
        try (Connection state = site.state()) {
            // As many tables as if they had been captured; list-tables reads nothing else of them.
            execute(state, "CREATE TEMP TABLE made AS SELECT r.* FROM syncline.replica_table r, generate_series(1, "
                    + (TABLES - captured) + ") g WHERE r.table_name = '" + TABLE + "'");
            execute(state, "UPDATE made SET table_name = 'made_' || ctid, topic = 'made_' || ctid, row_count = 50000");
            execute(state, "INSERT INTO syncline.replica_table SELECT * FROM made");
        }
        int tables = site.operator().tables(hash).size();
        Histogram micros = new Histogram(3);
        String body = "{\"auth_token_hash\":\"%s\"}".formatted(hash);
        for (int i = 0; i < 2 * LISTINGS; i++) {
            long begun = System.nanoTime();
            HttpResponse<String> answer = site.operator().call("list-tables", body);
            if (answer.statusCode() != 200) {
                throw new IOException("list-tables: %d %s".formatted(answer.statusCode(), answer.body()));
            }
            if (i >= LISTINGS) {
                micros.recordValue((System.nanoTime() - begun) / 1000);
            }
        }
        try (Connection state = site.state()) {
            execute(state, "DELETE FROM syncline.replica_table WHERE table_name LIKE 'made_%'");
        }
        if (tables != TABLES) {
            throw new IOException("list-tables has %d tables instead of %d".formatted(tables, TABLES));
        }
        log.info("list-tables: p50 {} µs", micros.getValueAtPercentile(50));
        aims.add(Aim.below("list-tables of 200 tables, p50 ms", micros.getValueAtPercentile(50) / 1000.0, 20));
        return new Report.Section.Plain("list-tables", List.of("tables", "p50 ms", "p99 ms"),
                List.of(List.of(Integer.toString(tables), ChangesThrough.millis(micros, 50),
                        ChangesThrough.millis(micros, 99))));
    }

    /** The last: what the replica has afterwards is not what the source has. */
    private Report.Section heap(SiteUnderTest site, String hash, List<Aim> aims)
            throws IOException, InterruptedException, SQLException {
        List<List<String>> table = new ArrayList<>();
        HeapWatch.Seen few;
        HeapWatch.Seen many;
        try (HeapWatch heap = site.gatewayHeap()) {
            heap.begin();
            pull(site, hash, rows);
            few = heap.seen();
            multiplyReplica(site);
            heap.begin();
            pull(site, hash, (long) TIMES_AS_MANY * rows);
            many = heap.seen();
        }
        table.add(row(rows, few));
        table.add(row(TIMES_AS_MANY * rows, many));
        aims.add(Aim.below("the gateway's heap in MB", many.bound(), 257));
        aims.add(Aim.below("left in the heap after %d times the rows, MB more".formatted(TIMES_AS_MANY),
                Math.max(0, many.after() - few.after()), 5));
        return new Report.Section.Plain("The gateway's heap", List.of("rows pulled", "most MB", "left MB", "bound MB"),
                table);
    }

    private static List<String> row(int pulled, HeapWatch.Seen seen) {
        return List.of("%,d".formatted(pulled), "%.0f".formatted(seen.most()), "%.1f".formatted(seen.after()),
                "%.0f".formatted(seen.bound()));
    }

    private void multiplyReplica(SiteUnderTest site) throws SQLException {
        try (Connection state = site.state(); Statement statement = state.createStatement()) {
            String replica;
            try (ResultSet row = statement.executeQuery(
                    "SELECT replica_name FROM syncline.replica_table WHERE table_name = '" + TABLE + "'")) {
                row.next();
                replica = ReplicaLayout.qualified(row.getString(1));
            }
            List<String> columns = new ArrayList<>();
            try (ResultSet row = statement
                    .executeQuery("SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = '"
                            + replica + "'::regclass AND attnum > 0 ORDER BY attnum")) {
                while (row.next()) {
                    columns.add(row.getString(1));
                }
            }
            // The key comes first; nothing else of a row says which one it is.
            String others = String.join(", ", columns.subList(1, columns.size()));
            for (int i = 1; i < TIMES_AS_MANY; i++) {
                statement.execute("INSERT INTO %s (%s, %s) SELECT %s + %d, %s FROM %s WHERE %s <= %d".formatted(replica,
                        columns.getFirst(), others, columns.getFirst(), (long) i * rows, others, replica,
                        columns.getFirst(), rows));
            }
        }
    }
}
