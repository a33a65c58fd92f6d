package io.syncline.e2e.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.syncline.e2e.TestPostgres;
import io.syncline.model.log.LogRecord;
import io.syncline.model.log.TableChangeCodec;
import io.syncline.model.log.Topics;
import io.syncline.model.table.ColumnInfo;
import io.syncline.model.table.KeyColumn;
import io.syncline.model.table.Place;
import io.syncline.model.table.TableChange;
import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import io.syncline.standalone.EmbeddedBroker;
import io.syncline.standalone.EmbeddedDatabase;
import io.syncline.worker.replica.TableChangeListener;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.flywaydb.core.Flyway;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TableChangeListenerIT {

    private static final Duration SESSION = Duration.ofSeconds(6);
    private static final Duration SOON = Duration.ofMinutes(2);

    @TempDir private static Path directory;

    private static EmbeddedBroker broker;
    private static EmbeddedDatabase postgres;
    private static HikariDataSource database;
    private static Admin admin;
    private static KafkaProducer<byte[], byte[]> producer;

    private final List<TableChangeListener> listeners = new ArrayList<>();

    @BeforeAll
    static void start() {
        broker = EmbeddedBroker.start(directory.resolve("kafka"));
        postgres = TestPostgres.start().createDatabase("state");
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(postgres.url("state"));
        config.setUsername(postgres.username());
        config.setPassword(postgres.password());
        database = new HikariDataSource(config);
        Flyway.configure().dataSource(database).defaultSchema("syncline").load().migrate();
        admin = Admin.create(kafka());
        makeMarksTopic();
        producer = new KafkaProducer<>(Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrapServers(),
                ProducerConfig.LINGER_MS_CONFIG, 5, ProducerConfig.BATCH_SIZE_CONFIG, 1 << 18),
                new ByteArraySerializer(), new ByteArraySerializer());
    }

    @AfterEach
    void stopListeners() throws Exception {
        for (TableChangeListener listener : listeners) {
            listener.close();
        }
    }

    @AfterAll
    static void stop() {
        producer.close();
        admin.close();
        database.close();
        postgres.close();
        broker.close();
    }

    @Test
    void newTable_isServedOnceItsTopicIsMade() throws Exception {
        listen();
        // As a user sees it: the workers were there before. Until one is, there is no group to describe.
        await().atMost(SOON)
                .ignoreExceptions()
                .until(() -> admin.describeConsumerGroups(List.of("syncline.replica"))
                        .all()
                        .get()
                        .get("syncline.replica")
                        .members()
                        .size() == 1);

        Table table = new Table("made_while_running");
        try (Connection connection = connect(); Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            // The listener may find the topic before it is announced, and then would rightly not trust it.
            statement.execute("LOCK TABLE syncline.replica_position IN ACCESS EXCLUSIVE MODE");
            table.makeTopic(1);
            table.announce(connection);
            connection.commit();
        }
        table.snapshot(1, 100);

        await().atMost(SOON).until(() -> table.state().equals("live 100"));
        assertThat(requestFor(table)).isNull();

        table.send(new TableChange.Delete(1, new Place(1, 10, 11, 0), key(7)));
        await().atMost(SOON).until(() -> table.state().equals("live 99"));
    }

    @Test
    void topicWithoutPosition_isNotTrustedAndANewGenerationAskedFor() throws Exception {
        Table table = new Table("older_than_this_database");
        table.makeTopic(1);
        table.snapshot(1, 100);
        listen();

        await().atMost(SOON).until(() -> requestFor(table) != null);
        assertThat(requestFor(table)).contains("the replica has no position in");
        assertThat(table.state()).isEqualTo("unknown");

        table.snapshot(2, 50);
        await().atMost(SOON).until(() -> table.state().equals("live 50"));
    }

    @Test
    void topicMadeAnew_isNotTrustedBeforeANewGeneration() throws Exception {
        Table table = new Table("made_anew");
        table.makeTopic(1);
        table.announce();
        table.snapshot(1, 10);
        listen();
        await().atMost(SOON).until(() -> table.state().equals("live 10"));
        stopListeners();

        admin.deleteTopics(List.of(table.topic())).all().get();
        await().atMost(SOON).until(() -> !admin.listTopics().names().get().contains(table.topic()));
        table.makeTopic(1);
        for (int i = 0; i < 30; i++) {
            table.send(new TableChange.Upsert(1, new Place(1, 20, i, 0), key(100 + i), row(100 + i)));
        }
        listen();

        await().atMost(SOON).until(() -> requestFor(table) != null);
        assertThat(requestFor(table)).contains("was deleted and made again");
        assertThat(table.state()).isEqualTo("refreshing 10");

        table.snapshot(2, 20);
        await().atMost(SOON).until(() -> table.state().equals("live 20"));
    }

    @Test
    void twoWorkers_oneStopsAndComesBack_everyRowOnce() throws Exception {
        List<Table> tables = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            Table table = new Table("shared_" + i);
            table.makeTopic(i == 0 ? 3 : 1);
            table.announce();
            tables.add(table);
        }
        listen();
        listen();
        Map<String, Map<Integer, Integer>> expected = new TreeMap<>();
        for (Table table : tables) {
            table.snapshot(1, 200);
            Map<Integer, Integer> rows = new TreeMap<>();
            for (int i = 1; i <= 200; i++) {
                rows.put(i, -1);
            }
            expected.put(table.name(), rows);
        }
        Random random = new Random(1);
        for (int change = 0; change < 6_000; change++) {
            if (change == 1_500) {
                listeners.removeFirst().close();
            }
            if (change == 3_000) {
                listen();
            }
            Table table = tables.get(random.nextInt(tables.size()));
            int id = random.nextInt(400);
            Place place = new Place(1, 10 + change, 11 + change, 0);
            if (random.nextInt(4) == 0) {
                table.send(new TableChange.Delete(1, place, key(id)));
                expected.get(table.name()).remove(id);
            } else {
                table.send(new TableChange.Upsert(1, place, key(id), utf8("{\"v\":" + change + "}")));
                expected.get(table.name()).put(id, change);
            }
        }
        for (Table table : tables) {
            Map<Integer, Integer> rows = expected.get(table.name());
            await().atMost(SOON).untilAsserted(() -> {
                assertThat(table.state()).isEqualTo("live " + rows.size());
                Map<Integer, Integer> found = new TreeMap<>();
                for (String line : column("SELECT k1 || ' ' || CASE WHEN wire LIKE '%id%' THEN '-1' ELSE"
                        + " substring(wire FROM '[0-9]+') END FROM syncline_replica.\"" + table.name()
                        + ".1\" WHERE wire IS NOT NULL")) {
                    String[] parts = line.split(" ", -1);
                    found.put(Integer.valueOf(parts[0]), Integer.valueOf(parts[1]));
                }
                assertThat(found).isEqualTo(rows);
            });
        }
    }

    @Test
    void databaseAway_goesOnWhenItIsBack() throws Exception {
        Table table = new Table("outage");
        table.makeTopic(1);
        table.announce();
        table.snapshot(1, 10);
        listen();
        await().atMost(SOON).until(() -> table.state().equals("live 10"));

        postgres.restart();
        for (int i = 0; i < 500; i++) {
            table.send(new TableChange.Upsert(1, new Place(1, 20, i, 0), key(100 + i), row(100 + i)));
            if (i == 250) {
                postgres.restart();
            }
        }

        await().atMost(SOON).ignoreExceptions().until(() -> table.state().equals("live 510"));
    }

    private static void makeMarksTopic() {
        Topics.Spec marks = Topics.ofCluster(1)
                .stream()
                .filter(spec -> spec.name().equals(Topics.STATE_MARKS))
                .findFirst()
                .orElseThrow();
        try {
            admin.createTopics(List.of(new NewTopic(marks.name(), 1, (short) 1).configs(marks.config()))).all().get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    private void listen() {
        // What was sent before it listens is there when it comes.
        producer.flush();
        TableChangeListener listener = new TableChangeListener(kafka(), SESSION, database, "test");
        listener.start();
        listeners.add(listener);
    }

    private static Map<String, Object> kafka() {
        return Map.of("bootstrap.servers", broker.bootstrapServers());
    }

    private static @Nullable String requestFor(Table table) throws SQLException {
        List<String> reasons = column(
                "SELECT reason FROM syncline.capture_request WHERE topic = '" + table.topic() + "'");
        return reasons.isEmpty() ? null : reasons.getFirst();
    }

    private static byte[] key(int id) {
        return utf8("[" + id + "]");
    }

    private static byte[] row(int id) {
        return utf8("{\"id\":" + id + "}");
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** None of the pool's, which are the listeners'. */
    private static Connection connect() throws SQLException {
        return postgres.connect("state");
    }

    private static List<String> column(String sql) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            List<String> values = new ArrayList<>();
            while (rows.next()) {
                values.add(rows.getString(1));
            }
            return values;
        }
    }

    /** A table of the source as capture would send it. */
    private static final class Table {

        private final TableName name;
        private int partitions;
        private @Nullable Uuid topicId;

        Table(String name) {
            this.name = new TableName(name);
        }

        String name() {
            return name.name();
        }

        String topic() {
            return Topics.table(name);
        }

        void makeTopic(int count) throws Exception {
            partitions = count;
            topicId = admin.createTopics(List.of(new NewTopic(topic(), count, (short) 1))).topicId(topic()).get();
        }

        /** As whoever makes a topic does. */
        void announce() throws SQLException {
            try (Connection connection = connect()) {
                announce(connection);
            }
        }

        void announce(Connection connection) throws SQLException {
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO syncline.replica_position"
                    + " VALUES (?, ?, ?, 0, 0, 0, NULL, false)")) {
                for (int partition = 0; partition < partitions; partition++) {
                    insert.setString(1, topic());
                    insert.setInt(2, partition);
                    insert.setString(3, String.valueOf(topicId));
                    insert.executeUpdate();
                }
            }
        }

        void snapshot(long generation, int rows) {
            ColumnInfo id = new ColumnInfo("id", "integer", "NO", null, null, "integer");
            toAll(new TableChange.SnapshotBegun(1, generation,
                    new TableSchema(name, List.of(id), List.of(new KeyColumn("id", "integer", null)))));
            for (int i = 1; i <= rows; i++) {
                send(new TableChange.Upsert(1, Place.ofSnapshot(generation), key(i), row(i)));
            }
            toAll(new TableChange.SnapshotEnded(1, generation, rows, Instant.now()));
        }

        void send(TableChange change) {
            send(change, null);
        }

        private void toAll(TableChange mark) {
            for (int partition = 0; partition < partitions; partition++) {
                send(mark, partition);
            }
        }

        private void send(TableChange change, @Nullable Integer partition) {
            LogRecord record = TableChangeCodec.write(change, System.currentTimeMillis());
            ProducerRecord<byte[], byte[]> sent = new ProducerRecord<>(topic(), partition, record.timestamp(),
                    record.key(), record.value());
            record.headers().forEach((header, value) -> sent.headers().add(header, value));
            producer.send(sent);
        }

        /** State and row count, or {@code unknown}. */
        String state() throws SQLException {
            List<String> found = column("SELECT state || ' ' || row_count FROM syncline.replica_table"
                    + " WHERE table_name = '" + name() + "'");
            return found.isEmpty() ? "unknown" : found.getFirst();
        }
    }
}
