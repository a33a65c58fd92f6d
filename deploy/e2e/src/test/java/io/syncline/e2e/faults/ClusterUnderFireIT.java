package io.syncline.e2e.faults;

import static io.syncline.e2e.FaultCluster.Client.GATEWAY_1;
import static io.syncline.e2e.FaultCluster.Client.GATEWAY_2;
import static io.syncline.e2e.FaultCluster.Client.WORKERS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.syncline.e2e.EventLog;
import io.syncline.e2e.FaultCluster;
import io.syncline.e2e.FaultCluster.Client;
import io.syncline.e2e.Follower;
import io.syncline.e2e.ReplicaComparison;
import io.syncline.e2e.SyncCluster;
import io.syncline.model.credential.TokenHash;
import io.syncline.model.log.Topics;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The promises while the state database goes back, brokers cannot be reached, and processes freeze: three brokers, two gateways, two
 * workers, each a process.
 */
@EnabledIfSystemProperty(named = "syncline.campaign", matches = "true")
class ClusterUnderFireIT {

    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final String HASH = TokenHash.ofToken("token of the puller").text();
    private static final List<String> WORKER_NAMES = List.of("worker-1", "worker-2");
    private static final int ROWS = 300;

    @TempDir private static Path directory;
    private static FaultCluster cluster;
    private static final Registrations REGISTRATIONS = new Registrations();
    private static final List<String> TABLES = new ArrayList<>();

    @BeforeAll
    static void start() {
        cluster = FaultCluster.start(directory);
        startWorkers();
        List.of(GATEWAY_1, GATEWAY_2).forEach(ClusterUnderFireIT::startGateway);
        List.of(GATEWAY_1, GATEWAY_2).forEach(cluster::awaitReady);
        awaitAdmin("PATCH", "/settings", "{\"enabled\":true,\"incoming_mode\":\"auto_accept\"}");
        awaitAdmin("POST", "/connections",
                "{\"direction\":\"sender\",\"name\":\"puller\",\"site_url\":\"http://puller.example\",\"status\":\"active\","
                        + "\"auth_token\":\"token of the puller\",\"max_records_per_request\":1000000,"
                        + "\"rate_limit_requests_per_minute\":1000000}");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    /** Whatever the scenario before has left; its tables are not compared any more. */
    @BeforeEach
    void heal() {
        TABLES.forEach(table -> execute("DROP TABLE " + table));
        TABLES.clear();
        for (Client client : Client.values()) {
            cluster.joinKafka(client);
        }
        List.of(GATEWAY_1, GATEWAY_2).forEach(gateway -> cluster.gatewayProcess(gateway).thaw());
        startWorkers();
        List.of(GATEWAY_1, GATEWAY_2).forEach(cluster::awaitReady);
    }

    // A. The state database goes back.

    /** A generation's number, once in a topic, is never given to another one. */
    @Test
    void generationBegunInTheLostSeconds_afterTheFailover_replicaEqualsSource() throws Exception {
        String keyed = table("keyed_lost", true);
        String bag = table("bag_lost", false);
        awaitEqual(keyed, bag);
        cluster.state().startStandby();
        cluster.state().cutStandby();
        for (String column : List.of("lost_1", "lost_2")) {
            changeColumns(column, keyed, bag);
        }

        cluster.state().failOver();
        write(keyed, bag);
        changeColumns("after", keyed, bag);
        write(keyed, bag);
        everythingHolds();
    }

    @Test
    void backupRestoredAfterSchemaChanges_replicaEqualsSourceThroughTheNextOnes() throws Exception {
        String keyed = table("keyed_restored", true);
        String bag = table("bag_restored", false);
        awaitEqual(keyed, bag);
        Path backup = cluster.state().backup();
        for (String column : List.of("gone_1", "gone_2")) {
            changeColumns(column, keyed, bag);
        }

        cluster.state().restore(backup);
        write(keyed, bag);
        awaitEqual(keyed, bag);
        for (String column : List.of("after_1", "after_2")) {
            write(keyed, bag);
            changeColumns(column, keyed, bag);
        }
        write(keyed, bag);
        everythingHolds();
    }

    @Test
    @EnabledIfSystemProperty(named = "syncline.campaign", matches = "true")
    void backupRestoredWhileNoWorkerRuns_replicaEqualsSource() throws Exception {
        String keyed = table("keyed_alone", true);
        String bag = table("bag_alone", false);
        awaitEqual(keyed, bag);
        Path backup = cluster.state().backup();
        changeColumns("gone", keyed, bag);

        cluster.killWorkers();
        cluster.state().restore(backup);
        write(keyed, bag);
        startWorkers();
        changeColumns("after", keyed, bag);
        write(keyed, bag);
        everythingHolds();
    }

    /** What a peer was given in the lost seconds is no position in what there is afterwards. */
    @Test
    @EnabledIfSystemProperty(named = "syncline.campaign", matches = "true")
    void pullsOnBothSidesOfTheFailover_giveNoGap() throws Exception {
        String table = table("followed", true);
        awaitEqual(table);
        cluster.state().startStandby();
        cluster.state().cutStandby();
        write(table);
        awaitEqual(table);
        // One that is done and comes again with as_of, and one that is in the middle of its pages.
        Follower done = new Follower(cluster.gateway(GATEWAY_1), HASH, table, false, 1);
        Follower inTheMiddle = new Follower(cluster.gateway(GATEWAY_2), HASH, table, false, 2);
        done.follow();
        assertThat(done.rows()).hasSize(count(table));
        boolean[] failedOver = {false};
        inTheMiddle.follow(() -> {
            if (!failedOver[0]) {
                failedOver[0] = true;
                execute("DELETE FROM " + table + " WHERE \"K 0\" % 5 = 0",
                        "UPDATE " + table + " SET v = 'after the first page'");
                awaitEqual(table);
                cluster.state().failOver();
                write(table);
                awaitEqual(table);
            }
        });
        assertThat(failedOver[0]).as("the table has more than one page").isTrue();

        for (Follower follower : List.of(done, inTheMiddle)) {
            await("the follower has what the source has").atMost(PATIENCE).untilAsserted(() -> {
                follower.follow();
                assertThat(follower.rows().values())
                        .containsExactlyInAnyOrderElementsOf(
                                ReplicaComparison.replica(cluster.gateway(GATEWAY_1), HASH, table)
                                        .stream()
                                        .map(row -> JsonMapper.shared().readTree(row).toString())
                                        .toList());
            });
        }
        everythingHolds();
    }

    // B. Reads never come from a database that is behind the log.

    @Test
    void gatewayThatSeesNoReplies_answersNothingFromThePromotedStandby() throws Exception {
        cluster.state().startStandby();
        cluster.state().cutStandby();
        cluster.cutFromKafka(GATEWAY_2);
        List<String> sites = IntStream.range(0, 12)
                .mapToObj(i -> REGISTRATIONS.register(cluster.gateway(GATEWAY_1)))
                .filter(site -> REGISTRATIONS.answer(site).applied())
                .toList();
        assertThat(sites).isNotEmpty();

        // Nobody rolls the standby forward while the gateways are asked.
        cluster.killWorkers();
        cluster.state().failOver();
        for (Client gateway : List.of(GATEWAY_1, GATEWAY_2)) {
            answersNothingOld(gateway, sites);
        }
        startWorkers();
        await("the first gateway shows them").atMost(PATIENCE)
                .untilAsserted(() -> assertThat(sites)
                        .allSatisfy(site -> assertThat(
                                Registrations.verify(cluster.gateway(GATEWAY_1), site).statusCode()).isEqualTo(200)));
        cluster.joinKafka(GATEWAY_2);
        await("the second gateway shows them").atMost(PATIENCE)
                .untilAsserted(() -> assertThat(sites)
                        .allSatisfy(site -> assertThat(
                                Registrations.verify(cluster.gateway(GATEWAY_2), site).statusCode()).isEqualTo(200)));
        everythingHolds();
    }

    @Test
    @EnabledIfSystemProperty(named = "syncline.campaign", matches = "true")
    void gatewayFrozenOverTheFailover_answersNothingOld() throws Exception {
        cluster.state().startStandby();
        cluster.state().cutStandby();
        cluster.gatewayProcess(GATEWAY_2).freeze();
        List<String> sites = IntStream.range(0, 12)
                .mapToObj(i -> REGISTRATIONS.register(cluster.gateway(GATEWAY_1)))
                .filter(site -> REGISTRATIONS.answer(site).applied())
                .toList();
        cluster.killWorkers();
        cluster.state().failOver();
        cluster.gatewayProcess(GATEWAY_2).thaw();
        answersNothingOld(GATEWAY_2, sites);
        startWorkers();
        everythingHolds();
    }

    /** One of three brokers is out of one gateway's reach: the sites of the partitions that the others lead go on. */
    @Test
    @EnabledIfSystemProperty(named = "syncline.campaign", matches = "true")
    void oneBrokerOutOfAGatewaysReach_doesNotStopAllWrites() throws Exception {
        int away = 1;
        cluster.leadBy(2, cluster.partitions(Topics.REQUESTS, Topics.EVENTS, Topics.REPLIES));
        cluster.leadBy(away, Set.of(new TopicPartition(Topics.REPLIES, 0)));
        cluster.way(GATEWAY_1, away).cut();
        List<String> applied = new ArrayList<>();
        await("registrations are applied while broker " + away + " is out of reach").atMost(PATIENCE).until(() -> {
            String site = REGISTRATIONS.register(cluster.gateway(GATEWAY_1));
            if (REGISTRATIONS.answer(site).applied()) {
                applied.add(site);
            }
            return applied.size() > 40;
        });
        cluster.way(GATEWAY_1, away).join();
        everythingHolds();
    }

    // C. 200 means: in the log.

    /**
     * The workers fetch requests and commit what they decide, but cannot publish it: nobody is answered that it holds, and it is
     * lost with the database.
     */
    @Test
    void outcomeWhoseEventsAreUnpublished_isAnsweredToNobody() throws Exception {
        int away = 1;
        // Workers keep their partitions, fetch, and could reply.
        cluster.leadBy(2,
                cluster.partitions(Topics.REQUESTS, Topics.REPLIES, Topics.CAPTURE_LEASE, "__consumer_offsets"));
        cluster.leadBy(away, cluster.partitions(Topics.EVENTS));
        awaitApplied();
        cluster.state().startStandby();
        cluster.state().cutStandby();
        cluster.way(WORKERS, away).cut();

        List<String> sites = IntStream.range(0, 4)
                .mapToObj(i -> REGISTRATIONS.register(cluster.gateway(GATEWAY_1)))
                .toList();
        for (String site : sites) {
            HttpResponse<String> answer = Registrations.verify(cluster.gateway(GATEWAY_2), site);
            assertThat(answer.statusCode()).as(site + ", registration answered " + REGISTRATIONS.answer(site) + ": "
                    + answer.body()).isIn(404, 503);
        }

        cluster.killWorkers();
        cluster.state().failOver();
        cluster.way(WORKERS, away).join();
        startWorkers();
        everythingHolds();
    }

    /** The operator is answered what was decided, not what another request has made of it since. */
    @Test
    void operatorsSuspensionBesideThePeersDeletion_isAnsweredAsApplied() throws Exception {
        for (int i = 0; i < 40; i++) {
            String site = REGISTRATIONS.register(cluster.gateway(GATEWAY_1));
            assertThat(REGISTRATIONS.answer(site).status()).isEqualTo(200);
            String uuid = JsonMapper.shared()
                    .readTree(REGISTRATIONS.answer(site).body())
                    .path("connection_uuid")
                    .asString();
            Thread peer = Thread.ofVirtual()
                    .start(() -> cluster.gateway(GATEWAY_2)
                            .call("delete-connection", """
                                    {"sender_url":"%s","auth_token_hash":"%s"}""".formatted(site,
                                    Registrations.hash(site))));
            HttpResponse<String> answer = cluster.gateway(GATEWAY_1)
                    .admin("POST", "/connections/" + uuid + "/suspend", "{\"reason\":\"looks odd\"}");
            peer.join();
            boolean imposed = "1".equals(cluster.state()
                    .ask("SELECT count(*) FROM syncline.imposition WHERE site_url = '" + site + "'"));
            assertThat(answer.statusCode() == 200).as(site + ": " + answer.statusCode() + " " + answer.body())
                    .isEqualTo(imposed);
        }
        everythingHolds();
    }

    // I. Workers come and go.

    @Test
    void workersJoinAndLeave_theStreamGoesOn() throws Exception {
        String table = table("streamed", true);
        awaitEqual(table);
        int begun = begunSessions();
        for (int i = 0; i < 3; i++) {
            String name = "worker-joins-" + i;
            cluster.startWorker(name);
            await(name + " has partitions").atMost(PATIENCE)
                    .until(() -> cluster.log(name).contains("taken over"));
            write(table);
            awaitEqual(table);
            cluster.stopWorker(name);
            write(table);
            awaitEqual(table);
        }
        assertThat(begunSessions()).as("sessions of capture").isEqualTo(begun);
        everythingHolds();
    }

    private static int begunSessions() {
        return WORKER_NAMES.stream()
                .mapToInt(name -> cluster.log(name).split("Capturing site begins", -1).length - 1)
                .sum();
    }

    // What all of them do.

    private static void startWorkers() {
        WORKER_NAMES.stream()
                .filter(name -> !cluster.workerRuns(name))
                .forEach(name -> cluster.startWorker(name, "--syncline.capture.refresh-interval=3s"));
    }

    private static void startGateway(Client gateway) {
        cluster.startGatewayUnready(gateway);
    }

    /** Also not once it has seen the new server, which it is asked about until then. */
    private static void answersNothingOld(Client gateway, List<String> sites) {
        for (int round = 0; round < 2; round++) {
            for (String site : sites) {
                HttpResponse<String> answer = Registrations.verify(cluster.gateway(gateway), site);
                assertThat(answer.statusCode()).as(gateway + " of " + site + ": " + answer.body()).isIn(200, 503);
            }
        }
    }

    private static void awaitAdmin(String method, String path, String body) {
        await(method + " " + path).atMost(PATIENCE).untilAsserted(() -> {
            HttpResponse<String> answer = cluster.gateway(GATEWAY_1).admin(method, path, body);
            assertThat(answer.statusCode()).as(answer.body()).isIn(200, 201, 409);
        });
    }

    private static void awaitApplied() {
        await("a registration is applied").atMost(PATIENCE)
                .until(() -> REGISTRATIONS.answer(REGISTRATIONS.register(cluster.gateway(GATEWAY_1))).applied());
    }

    /** A table with rows, which belongs to what is compared at the end of each scenario. */
    private static String table(String name, boolean key) {
        execute("CREATE TABLE " + name + " (\"K 0\" bigint NOT NULL" + (key ? " PRIMARY KEY" : "")
                + ", v text, n bigint)",
                "INSERT INTO " + name + " SELECT g, 'first ' || g, 0 FROM generate_series(1, " + ROWS + ") g");
        if (!key) {
            execute("ALTER TABLE " + name + " REPLICA IDENTITY FULL");
        }
        TABLES.add(name);
        return name;
    }

    /** Some rows change, some go, some come. */
    private static void write(String... tables) {
        for (String table : tables) {
            execute("UPDATE " + table + " SET n = n + 1 WHERE \"K 0\" % 3 = 0",
                    "DELETE FROM " + table + " WHERE \"K 0\" IN (SELECT \"K 0\" FROM " + table
                            + " ORDER BY 1 LIMIT 10)",
                    "INSERT INTO " + table + " (\"K 0\", v, n) SELECT m + g, 'later', 1 FROM generate_series(1, 15) g,"
                            + " (SELECT max(\"K 0\") AS m FROM " + table + ") t");
        }
    }

    /** Each table begins a generation, which is over when this returns. */
    private static void changeColumns(String column, String... tables) {
        for (String table : tables) {
            execute("ALTER TABLE " + table + " ADD COLUMN " + column + " int DEFAULT 7");
        }
        write(tables);
        awaitEqual(tables);
    }

    private static void execute(String... statements) {
        try (Connection connection = cluster.source().connect("site");
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    private static int count(String table) throws SQLException {
        try (Connection connection = cluster.source().connect("site");
                Statement statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT count(*) FROM " + table)) {
            rows.next();
            return rows.getInt(1);
        }
    }

    private static void awaitEqual(String... tables) {
        for (String table : tables) {
            for (Client gateway : List.of(GATEWAY_1, GATEWAY_2)) {
                await(table + " by " + gateway).atMost(PATIENCE)
                        .pollInterval(Duration.ofMillis(500))
                        .untilAsserted(() -> assertThat(ReplicaComparison.differences(cluster.source(), table,
                                ReplicaComparison.replica(cluster.gateway(gateway), HASH, table)))
                                .as(state(table))
                                .isEmpty());
            }
        }
    }

    /** What operators are told of it. */
    private static String state(String table) {
        return told(table).toString();
    }

    private static JsonNode told(String table) {
        return JsonMapper.shared()
                .readTree(cluster.gateway(GATEWAY_1).admin("GET", "/tables", null).body())
                .path("tables")
                .valueStream()
                .filter(entry -> entry.path("name").asString().endsWith(table))
                .findFirst()
                .orElseGet(tools.jackson.databind.node.MissingNode::getInstance);
    }

    /** Promises 1, 4 and 6 after a scenario; and operators are told that all is well, once it is. */
    private static void everythingHolds() {
        awaitApplied();
        awaitEqual(TABLES.toArray(String[]::new));
        for (String table : TABLES) {
            await("operators are told that " + table + " is live").atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(told(table).path("state").asString("")).as(state(table))
                            .isEqualTo("live"));
        }
        EventLog log = cluster.logAtRest();
        REGISTRATIONS.areTrue(log);
    }
}
