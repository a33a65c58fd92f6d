package io.syncline.e2e.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.syncline.e2e.TestPostgres;
import io.syncline.model.log.Topics;
import io.syncline.standalone.EmbeddedBroker;
import io.syncline.standalone.EmbeddedDatabase;
import io.syncline.worker.capture.Capture;
import io.syncline.worker.capture.CaptureProperties;
import io.syncline.worker.capture.SourceProperties;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.flywaydb.core.Flyway;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.util.unit.DataSize;

/** A source, a state database, a broker, and as many capturers as a test wants. */
final class CapturedSource implements AutoCloseable {

    static final String SOURCE = "shop";

    /** Longer than anything stands still: a capturer that has lost the lease reads tables anew that tests count the readings of. */
    private static final Duration SESSION = Duration.ofSeconds(30);

    private final EmbeddedDatabase database;
    private final EmbeddedDatabase state;
    private final Sluice sluice;
    private final Path directory;
    private EmbeddedBroker broker;
    private final List<Capture> captures = new ArrayList<>();
    private TopicFold fold;
    private DataSize maxRetainedWal = DataSize.ofGigabytes(1);
    private int maxRowBytes = 2 * 1024 * 1024;
    private int maxKeylessRows = 100_000;
    private String username;

    CapturedSource(Path directory) {
        this(directory, Map.of());
    }

    CapturedSource(Path directory, Map<String, String> sourceSettings) {
        this(directory, TestPostgres.start(sourceSettings), TestPostgres.start());
    }

    /** On a server of this version, which has the state as well. */
    static CapturedSource onPostgres(String version, Path directory) {
        EmbeddedDatabase both = TestPostgres.start(version, Map.of());
        return new CapturedSource(directory, both, both);
    }

    private CapturedSource(Path directory, EmbeddedDatabase database, EmbeddedDatabase state) {
        this.directory = directory;
        this.database = database.createDatabase(SOURCE);
        username = database.username();
        this.state = state.createDatabase("state");
        sluice = new Sluice(database.port());
        broker = EmbeddedBroker.start(directory.resolve("kafka"));
        Flyway.configure().dataSource(stateDatabase()).schemas("syncline").locations("db/migration").load().migrate();
        try (Admin admin = Admin.create(kafka())) {
            List<NewTopic> own = Topics.ofCluster(1)
                    .stream()
                    .filter(spec -> spec.name().equals(Topics.CAPTURE_LEASE) || spec.name().equals(Topics.STATE_MARKS))
                    .map(spec -> new NewTopic(spec.name(), 1, (short) 1).configs(spec.config()))
                    .toList();
            admin.createTopics(own).all().get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
        fold = new TopicFold(broker.bootstrapServers());
    }

    /** Makes the source again, empty, in another encoding. */
    void recreate(String encoding) {
        try (Connection connection = database.connect("postgres"); Statement statement = connection.createStatement()) {
            statement.execute("DROP DATABASE " + SOURCE);
            statement.execute(
                    "CREATE DATABASE " + SOURCE + " ENCODING '" + encoding + "' LOCALE 'C' TEMPLATE template0");
        } catch (SQLException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    Map<String, Object> kafka() {
        return Map.of("bootstrap.servers", broker.bootstrapServers());
    }

    PGSimpleDataSource stateDatabase() {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setUrl(state.url("state"));
        source.setUser(state.username());
        source.setPassword(state.password());
        return source;
    }

    /** What the topics say. */
    TopicFold topics() {
        return fold;
    }

    EmbeddedDatabase database() {
        return database;
    }

    /** The source as it lies on disk, put aside; it goes on then. */
    Path backUp() {
        return backUp(database, ask("SHOW data_directory"));
    }

    /** The source is what it was when it was put aside. */
    void restore(Path backup) {
        restore(database, ask("SHOW data_directory"), backup);
    }

    Path backUpState() {
        return backUp(state, askState("SHOW data_directory"));
    }

    void restoreState(Path backup) {
        restore(state, askState("SHOW data_directory"), backup);
    }

    private static Path backUp(EmbeddedDatabase server, List<String> directory) {
        Path data = Path.of(directory.getFirst());
        Path backup = data.resolveSibling("backup");
        stop(server);
        run("cp", "-a", data.toString(), backup.toString());
        server.restart();
        return backup;
    }

    private static void restore(EmbeddedDatabase server, List<String> directory, Path backup) {
        Path data = Path.of(directory.getFirst());
        stop(server);
        run("rm", "-rf", data.toString());
        run("mv", backup.toString(), data.toString());
        server.restart();
    }

    private static void stop(EmbeddedDatabase server) {
        // PostgreSQL's fast shutdown.
        run("kill", "-INT", Long.toString(server.pid()));
        await().atMost(Duration.ofMinutes(2)).until(() -> !server.isAlive());
    }

    /** What is in the state database, kept beside it. */
    void keepState() {
        for (String table : stateTables()) {
            executeInState("DROP TABLE IF EXISTS public." + table + "; CREATE TABLE public." + table
                    + " AS TABLE syncline." + table);
        }
    }

    /** The state database has what it had when it was kept, while those who use it stay connected. */
    void returnToKeptState() {
        StringBuilder all = new StringBuilder("BEGIN;");
        for (String table : stateTables()) {
            all.append("DELETE FROM syncline.")
                    .append(table)
                    .append(";INSERT INTO syncline.")
                    .append(table)
                    .append(" TABLE public.")
                    .append(table)
                    .append(';');
        }
        executeInState(all.append("COMMIT").toString());
    }

    private static List<String> stateTables() {
        return List.of("capture_epoch", "capture_source", "capture_table", "capture_status", "capture_request",
                "replica_position");
    }

    private static void run(String... command) {
        try {
            int ended = new ProcessBuilder(command).inheritIO().start().waitFor();
            assertThat(ended).as(String.join(" ", command)).isZero();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What all captures read the source through. */
    Sluice sluice() {
        return sluice;
    }

    EmbeddedDatabase stateServer() {
        return state;
    }

    EmbeddedBroker broker() {
        return broker;
    }

    /** Where it was, with what it had. */
    void startBroker() {
        broker = EmbeddedBroker.start(directory.resolve("kafka"));
        fold.close();
        fold = new TopicFold(broker.bootstrapServers());
    }

    /** For the captures that are started from here on. */
    void setMaxRetainedWal(DataSize most) {
        maxRetainedWal = most;
    }

    /** For the captures that are started from here on. */
    void setMaxRowBytes(int most) {
        maxRowBytes = most;
    }

    /** For the captures that are started from here on. */
    void setMaxKeylessRows(int most) {
        maxKeylessRows = most;
    }

    /** For the captures that are started from here on: as another superuser, with these statements executed about it. */
    void captureAs(String role, String... statements) {
        execute("CREATE ROLE " + role + " SUPERUSER LOGIN REPLICATION PASSWORD '" + database.password() + "'");
        execute(statements);
        username = role;
    }

    Capture startCapture() {
        return startCapture(kafka());
    }

    /** One that believes sooner than others that Kafka is away. */
    Capture startImpatientCapture(Duration longest) {
        Map<String, Object> settings = new HashMap<>(kafka());
        settings.put("request.timeout.ms", (int) longest.toMillis() / 2);
        settings.put("delivery.timeout.ms", (int) longest.toMillis());
        settings.put("max.block.ms", longest.toMillis());
        settings.put("default.api.timeout.ms", (int) longest.toMillis());
        return startCapture(settings);
    }

    /** One that no lease keeps from capturing. */
    Capture startCaptureInAnotherGroup() {
        Map<String, Object> settings = new HashMap<>(kafka());
        settings.put("group.id", "another");
        return startCapture(settings);
    }

    private Capture startCapture(Map<String, Object> kafka) {
        Capture capture = new Capture(
                new SourceProperties(sluice.url(SOURCE), username, database.password()),
                new CaptureProperties(true, "syncline", "syncline", 1, 2, Duration.ofMillis(500), Duration.ofSeconds(2),
                        maxRowBytes, Duration.ofSeconds(3), maxKeylessRows, maxRetainedWal, true),
                stateDatabase(), kafka, SESSION, (short) 1);
        capture.start();
        captures.add(capture);
        return capture;
    }

    Connection connect() throws SQLException {
        return database.connect(SOURCE);
    }

    void execute(String... statements) {
        try (Connection connection = connect(); Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    void executeInState(String sql) {
        try (Connection connection = stateDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    List<String> ask(String sql) {
        try (Connection connection = connect()) {
            return ask(connection, sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    List<String> askState(String sql) {
        try (Connection connection = stateDatabase().getConnection()) {
            return ask(connection, sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    private static List<String> ask(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            List<String> answers = new ArrayList<>();
            while (rows.next()) {
                answers.add(rows.getString(1));
            }
            return answers;
        }
    }

    /**
     * What the topic says is what the source says of itself.
     *
     * @return the rows of that moment, by key: a moment later the table may be being read anew
     */
    Map<String, String> awaitEqual(String table, Duration longest) {
        AtomicReference<Map<String, String>> equal = new AtomicReference<>(Map.of());
        await().atMost(longest).pollInterval(Duration.ofMillis(100)).untilAsserted(() -> {
            assertThat(fold.isComplete(table)).as("%s is complete", table).isTrue();
            Map<String, String> expected = SourceOracle.rows(database, SOURCE, table);
            Map<String, String> rows = fold.rows(table);
            if (!rows.equals(expected)) {
                assertThat(rows).isEqualTo(expected);
            }
            equal.set(rows);
        });
        return equal.get();
    }

    /** The same for a table without a key. */
    Map<String, String> awaitEqualBag(String table, Duration longest) {
        AtomicReference<Map<String, String>> equal = new AtomicReference<>(Map.of());
        await().atMost(longest).pollInterval(Duration.ofMillis(100)).untilAsserted(() -> {
            assertThat(fold.isComplete(table)).as("%s is complete", table).isTrue();
            Map<String, String> rows = fold.rows(table);
            assertThat(rows.values().stream().sorted().toList()).isEqualTo(SourceOracle.bag(database, SOURCE, table));
            equal.set(rows);
        });
        return equal.get();
    }

    /** A table is being read, and is not all read. */
    void awaitReading(String table, Duration longest) {
        await().atMost(longest).until(() -> isReading(table));
    }

    boolean isReading(String table) {
        return !ask("SELECT 1 FROM pg_stat_progress_copy JOIN pg_stat_activity USING (pid) WHERE query LIKE 'COPY %\""
                + table
                + "\"%'").isEmpty();
    }

    /** That a table has been read as a whole is remembered, a moment after its topic says so: whoever captures goes on with it. */
    void awaitRemembered(String table, Duration longest) {
        await().atMost(longest)
                .until(() -> !askState(
                        "SELECT 1 FROM syncline.capture_table WHERE complete AND table_name = '" + table + "'")
                        .isEmpty());
    }

    Map<String, String> statusOfTables() {
        Map<String, String> states = new HashMap<>();
        askState("SELECT table_name || '=' || state FROM syncline.capture_status").forEach(
                line -> states.put(line.substring(0, line.lastIndexOf('=')),
                        line.substring(line.lastIndexOf('=') + 1)));
        return states;
    }

    @Override
    public void close() {
        sluice.open();
        captures.forEach(Capture::stop);
        sluice.close();
        fold.close();
        broker.close();
        state.close();
        database.close();
    }
}
