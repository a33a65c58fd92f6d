package io.syncline.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.gateway.GatewayApplication;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.standalone.EmbeddedDatabase;
import io.syncline.worker.WorkerApplication;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * One site as several machines have it, each of its programs a process: three brokers with three copies of each record, a state
 * database with a standby and backups, a source, two gateways, and as many workers as a test wants. Each client has addresses of
 * its own to each broker, so that one client can be cut off from one broker.
 */
public final class FaultCluster implements AutoCloseable {

    /** Who has addresses of its own; the test itself reaches everything always. */
    public enum Client {
        GATEWAY_1, GATEWAY_2, WORKERS;

        private String listener() {
            return name().replace("_", "");
        }
    }

    public static final int BROKERS = 3;

    private final int brokerCount;

    private static final Duration PATIENCE = Duration.ofMinutes(4);
    private static final String CLUSTER_ID = Uuid.randomUuid().toString();
    private static final String SOURCE = "site";

    private final Path directory;
    private final Path keyFile;
    private final StateDatabase state;
    private final EmbeddedDatabase source;
    private final Map<Integer, Broker> brokers = new LinkedHashMap<>();
    private final Map<Client, JavaProcess> gateways = new EnumMap<>(Client.class);
    private final Map<Client, Integer> gatewayPorts = new EnumMap<>(Client.class);
    private final Map<String, JavaProcess> workers = new LinkedHashMap<>();
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofMinutes(1))
            .build();

    private FaultCluster(Path directory, int brokerCount) {
        this.directory = directory;
        this.brokerCount = brokerCount;
        this.keyFile = directory.resolve("keys");
        try {
            CredentialKeys.writeNew(keyFile, new SecureRandom());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        IntStream.rangeClosed(1, brokerCount).forEach(id -> brokers.put(id, new Broker(id)));
        // They wait for each other, and for nothing here.
        brokers.values().forEach(Broker::start);
        this.state = StateDatabase.start(directory.resolve("state"));
        this.source = TestPostgres.start();
        source.createDatabase(SOURCE);
    }

    /** Brokers and databases; gateways and workers are started by the test. */
    public static FaultCluster start(Path directory) {
        return start(directory, BROKERS);
    }

    /** @param brokers as many copies there are of each record */
    public static FaultCluster start(Path directory, int brokers) {
        FaultCluster cluster = new FaultCluster(directory, brokers);
        try {
            cluster.awaitBrokers();
        } catch (RuntimeException | Error e) {
            cluster.close();
            throw e;
        }
        return cluster;
    }

    public StateDatabase state() {
        return state;
    }

    public EmbeddedDatabase source() {
        return source;
    }

    public CredentialKeys keys() {
        return CredentialKeys.read(keyFile);
    }

    /** The test's own way to all brokers, which no fault touches. */
    public String bootstrapServers() {
        return brokers.values().stream().map(Broker::own).collect(Collectors.joining(","));
    }

    /** The log, once it adds up to the state database's tables. */
    public EventLog logAtRest() {
        return LogFoldsToState.atRest(bootstrapServers(), keys(), state.server());
    }

    // Gateways and workers.

    /** One of the two gateways, answering once this returns. */
    public SyncCluster.Gateway startGateway(Client gateway, String... settings) {
        startGatewayUnready(gateway, settings);
        awaitReady(gateway);
        return gateway(gateway);
    }

    public void startGatewayUnready(Client gateway, String... settings) {
        int port = gatewayPorts.computeIfAbsent(gateway, one -> FreePort.next());
        List<String> arguments = common(gateway);
        arguments.addAll(List.of("--server.port=" + port, "--syncline.admin.token=" + SyncCluster.ADMIN_TOKEN,
                "--syncline.limits.failed-authentications-per-minute=0",
                "--syncline.limits.registrations-per-minute=0", "--server.tomcat.keep-alive-timeout=5m"));
        arguments.addAll(List.of(settings));
        gateways.put(gateway, start(gateway.name().toLowerCase(Locale.ROOT), GatewayApplication.class, arguments));
    }

    public void awaitReady(Client gateway) {
        Awaitility.await(gateway + " is ready").atMost(PATIENCE).ignoreExceptions().untilAsserted(() -> {
            HttpResponse<String> readiness = gateway(gateway).get("/actuator/health/readiness");
            assertThat(readiness.statusCode()).as(readiness.body()).isEqualTo(200);
        });
    }

    public SyncCluster.Gateway gateway(Client gateway) {
        return new SyncCluster.Gateway(http, "http://127.0.0.1:" + gatewayPorts.get(gateway));
    }

    public JavaProcess gatewayProcess(Client gateway) {
        return Optional.ofNullable(gateways.get(gateway)).orElseThrow();
    }

    /** @param name in the log and in fences; one that was killed may be started again under its name */
    public JavaProcess startWorker(String name, String... settings) {
        List<String> arguments = common(Client.WORKERS);
        arguments.addAll(List.of("--syncline.worker.name=" + name, "--syncline.worker.session-timeout=6s",
                "--syncline.topics.replication=" + brokerCount, SyncCluster.SOURCE_URL + source.url(SOURCE),
                "--syncline.source.username=" + source.username(),
                "--syncline.source.password=" + source.password()));
        arguments.addAll(List.of(settings));
        JavaProcess worker = start(name, WorkerApplication.class, arguments);
        workers.put(name, worker);
        return worker;
    }

    public boolean workerRuns(String name) {
        JavaProcess worker = workers.get(name);
        return worker != null && worker.alive();
    }

    public JavaProcess worker(String name) {
        return Optional.ofNullable(workers.get(name)).orElseThrow();
    }

    /** As an operator ends it. */
    public void stopWorker(String name) {
        Optional.ofNullable(workers.remove(name)).orElseThrow().stop();
    }

    public void killWorkers() {
        workers.values().forEach(JavaProcess::kill);
        workers.clear();
    }

    /** What a process has written until now. */
    public String log(String name) {
        try {
            return Files.readString(directory.resolve(name + ".log"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private List<String> common(Client client) {
        return new ArrayList<>(List.of("--spring.kafka.bootstrap-servers=" + brokers.values()
                .stream()
                .map(broker -> "127.0.0.1:" + broker.way(client).port())
                .collect(Collectors.joining(",")), "--spring.datasource.url=" + state.url(),
                "--spring.datasource.username=" + state.server().username(),
                "--spring.datasource.password=" + state.server().password(), SyncCluster.KEY_FILE + keyFile));
    }

    private JavaProcess start(String name, Class<?> main, List<String> arguments) {
        return JavaProcess.start(name, main, directory.resolve(name + ".log"), arguments);
    }

    // Brokers.

    /** One client's way to one broker. */
    public Forwarder way(Client client, int broker) {
        return broker(broker).way(client);
    }

    public void cutFromKafka(Client client) {
        brokers.values().forEach(broker -> broker.way(client).cut());
    }

    public void joinKafka(Client client) {
        brokers.values().forEach(broker -> broker.way(client).join());
    }

    public JavaProcess brokerProcess(int broker) {
        return Optional.ofNullable(broker(broker).process).orElseThrow();
    }

    public void killBroker(int broker) {
        brokerProcess(broker).kill();
    }

    /** With what it had; {@link #awaitBrokers} waits until it serves. */
    public void startBroker(int broker) {
        broker(broker).start();
    }

    /** Until all brokers are there and every partition has all its copies. */
    public void awaitBrokers() {
        Awaitility.await("all brokers, all copies in sync").atMost(PATIENCE).ignoreExceptions().until(() -> {
            try (Admin admin = admin()) {
                Set<String> topics = admin.listTopics().names().get();
                return admin.describeCluster().nodes().get().size() == brokerCount
                        && admin.describeTopics(topics)
                                .allTopicNames()
                                .get()
                                .values()
                                .stream()
                                .flatMap(topic -> topic.partitions().stream())
                                .allMatch(partition -> partition.isr().size() == partition.replicas().size());
            }
        });
    }

    private static int leader(Admin admin, String topic, int partition)
            throws ExecutionException, InterruptedException {
        return admin.describeTopics(List.of(topic))
                .allTopicNames()
                .get()
                .get(topic)
                .partitions()
                .get(partition)
                .leader()
                .id();
    }

    /** All partitions of some topics. */
    public Set<TopicPartition> partitions(String... topics) {
        try (Admin admin = admin()) {
            return admin.describeTopics(List.of(topics))
                    .allTopicNames()
                    .get()
                    .values()
                    .stream()
                    .flatMap(topic -> topic.partitions()
                            .stream()
                            .map(partition -> new TopicPartition(topic.name(), partition.partition())))
                    .collect(Collectors.toSet());
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** Lets a broker lead partitions, and waits until it does. */
    public void leadBy(int broker, Set<TopicPartition> partitions) {
        List<Integer> order = new ArrayList<>(List.of(broker));
        brokers.keySet().stream().filter(other -> other != broker).forEach(order::add);
        try (Admin admin = admin()) {
            admin.alterPartitionReassignments(partitions.stream()
                    .collect(Collectors.toMap(partition -> partition,
                            partition -> Optional.of(new NewPartitionReassignment(order)))))
                    .all()
                    .get();
            Awaitility.await("broker " + broker + " leads " + partitions).atMost(PATIENCE).until(() -> {
                admin.electLeaders(ElectionType.PREFERRED, partitions).partitions().get();
                for (TopicPartition partition : partitions) {
                    if (leader(admin, partition.topic(), partition.partition()) != broker) {
                        return false;
                    }
                }
                return true;
            });
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    public Admin admin() {
        return Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers()));
    }

    private Broker broker(int id) {
        return Optional.ofNullable(brokers.get(id)).orElseThrow();
    }

    @Override
    public void close() {
        gateways.values().forEach(JavaProcess::kill);
        killWorkers();
        brokers.values().forEach(Broker::close);
        state.close();
        source.close();
    }

    /** A node that is broker and controller. */
    private final class Broker implements AutoCloseable {

        private final int id;
        private final int port = FreePort.next();
        private final int controllerPort = FreePort.next();
        /** Behind each client's way. */
        private final Map<Client, Integer> ports = new EnumMap<>(Client.class);
        private final Map<Client, Forwarder> ways = new EnumMap<>(Client.class);
        private @Nullable JavaProcess process;

        Broker(int id) {
            this.id = id;
            for (Client client : Client.values()) {
                int behind = FreePort.next();
                ports.put(client, behind);
                ways.put(client, new Forwarder(behind));
            }
        }

        String own() {
            return "127.0.0.1:" + port;
        }

        Forwarder way(Client client) {
            return Optional.ofNullable(ways.get(client)).orElseThrow();
        }

        void start() {
            List<String> arguments = new ArrayList<>(List.of(directory.resolve("kafka-" + id).toString()));
            settings().forEach((name, value) -> arguments.add(name + "=" + value));
            process = FaultCluster.this.start("broker-" + id, BrokerMain.class, arguments);
        }

        private Map<String, String> settings() {
            Map<String, String> settings = new HashMap<>();
            settings.put("cluster.id", CLUSTER_ID);
            settings.put("node.id", Integer.toString(id));
            settings.put("controller.quorum.voters", brokers.values()
                    .stream()
                    .map(node -> node.id + "@127.0.0.1:" + node.controllerPort)
                    .collect(Collectors.joining(",")));
            settings.put("listeners", listeners(ports, port) + ",CONTROLLER://127.0.0.1:" + controllerPort);
            Map<Client, Integer> entrances = new EnumMap<>(Client.class);
            ways.forEach((client, way) -> entrances.put(client, way.port()));
            settings.put("advertised.listeners",
                    listeners(entrances, port) + ",CONTROLLER://127.0.0.1:" + controllerPort);
            settings.put("listener.security.protocol.map", Stream.concat(Stream.of("BROKER", "CONTROLLER"),
                    Stream.of(Client.values()).map(Client::listener))
                    .map(listener -> listener + ":PLAINTEXT")
                    .collect(Collectors.joining(",")));
            settings.put("num.network.threads", "1");
            settings.put("num.io.threads", "2");
            String copies = Integer.toString(brokerCount);
            String majority = Integer.toString(brokerCount / 2 + 1);
            settings.put("default.replication.factor", copies);
            settings.put("min.insync.replicas", majority);
            settings.put("offsets.topic.replication.factor", copies);
            settings.put("transaction.state.log.replication.factor", copies);
            settings.put("transaction.state.log.min.isr", majority);
            settings.put("share.coordinator.state.topic.replication.factor", copies);
            settings.put("share.coordinator.state.topic.min.isr", majority);
            // A broker that is killed or frozen is followed by another one within seconds.
            settings.put("replica.lag.time.max.ms", "5000");
            return settings;
        }

        private String listeners(Map<Client, Integer> clientPorts, int own) {
            return "BROKER://127.0.0.1:" + own + "," + clientPorts.entrySet()
                    .stream()
                    .map(one -> one.getKey().listener() + "://127.0.0.1:" + one.getValue())
                    .collect(Collectors.joining(","));
        }

        @Override
        public void close() {
            if (process != null) {
                process.kill();
            }
            ways.values().forEach(Forwarder::close);
        }
    }
}
