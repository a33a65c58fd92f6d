package io.syncline.standalone;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A real Kafka broker, and its own controller, inside this JVM; what it is
 * given stays in its directory.
 */
public final class EmbeddedBroker implements AutoCloseable {

    /** A row travels whole: syncline.capture.max-row-bytes, and what is beside it. */
    private static final int MESSAGE_MAX_BYTES = 66 * 1024 * 1024;

    private static final String NODE_ID = "1";
    /** Kafka keeps it in the formatted directory, not among a broker's settings; nodes of one cluster must agree on it. */
    private static final String CLUSTER_ID = "cluster.id";
    private static final String USERNAME = "syncline";
    private static final String MECHANISM = "PLAIN";

    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedBroker.class);

    private final KafkaRaftServer server;
    private final int port;
    private final @Nullable String password;
    private final AtomicBoolean closed = new AtomicBoolean();

    private EmbeddedBroker(KafkaRaftServer server, int port, @Nullable String password) {
        this.server = server;
        this.port = port;
        this.password = password;
    }

    /**
     * Starts on the port that this directory had last time, where it is still free.
     * Lets in who reaches it: for tests.
     */
    public static EmbeddedBroker start(Path directory) {
        return start(directory, 0, Map.of());
    }

    /**
     * @param port
     *            0 for any
     * @param settings
     *            Kafka's own, over the ones made here; with node.id, cluster.id, listeners and
     *            controller.quorum.voters it is one node of a larger cluster
     */
    public static EmbeddedBroker start(Path directory, int port, Map<String, String> settings) {
        return start(directory, port, settings, false);
    }

    /**
     * Lets in only who has the password in the directory's file of that name: the
     * machine may have other users, and topics hold a site's rows.
     */
    public static EmbeddedBroker startGuarded(Path directory) {
        return start(directory, 0, Map.of(), true);
    }

    private static EmbeddedBroker start(Path directory, int port, Map<String, String> settings, boolean guarded) {
        try {
            return open(directory.toAbsolutePath().normalize(), port, settings, guarded);
        } catch (IOException failure) {
            throw new IllegalStateException(
                    "the Kafka broker in %s does not start: %s".formatted(directory, failure.getMessage()), failure);
        }
    }

    private static EmbeddedBroker open(Path directory, int configuredPort, Map<String, String> settings,
            boolean guarded) throws IOException {
        long begun = System.nanoTime();
        PrivateFiles.directory(directory);
        Path log = PrivateFiles.directory(directory.resolve("log"));
        int port = RememberedPort.choose(directory.resolve("port"), configuredPort);
        int controllerPort = RememberedPort.choose(directory.resolve("controller-port"), 0);
        // Kafka ends the JVM when it cannot listen: the ports are looked at before.
        Map<String, String> all = new HashMap<>(settings(log, port, controllerPort));
        String password = guarded ? PrivateFiles.secret(directory.resolve("password")) : null;
        if (password != null) {
            guard(all, password);
        }
        all.putAll(settings);
        String clusterId = all.remove(CLUSTER_ID);
        boolean first = !Files.exists(log.resolve("meta.properties"));
        if (first) {
            format(log, Integer.parseInt(all.getOrDefault("node.id", NODE_ID)),
                    clusterId == null ? Uuid.randomUuid().toString() : clusterId);
        }
        KafkaRaftServer server = new KafkaRaftServer(KafkaConfig.apply(all, false), Time.SYSTEM);
        try {
            server.startup();
        } catch (RuntimeException | Error failure) {
            server.shutdown();
            throw failure;
        }
        LOG.info("Kafka broker {} on 127.0.0.1:{} in {} ms, directory {}", first ? "made" : "started", port,
                Duration.ofNanos(System.nanoTime() - begun).toMillis(), directory);
        return new EmbeddedBroker(server, port, password);
    }

    /**
     * Whoever is killed here formats again: Kafka writes meta.properties last, and
     * whole.
     */
    private static void format(Path log, int nodeId, String clusterId) throws IOException {
        Formatter formatter = new Formatter().setNodeId(nodeId)
                .setClusterId(clusterId)
                .addDirectory(log.toString())
                .setMetadataLogDirectory(log.toString())
                .setReleaseVersion(MetadataVersion.latestProduction())
                .setControllerListenerName("CONTROLLER")
                .setIgnoreFormatted(true)
                .setUnstableFeatureVersionsEnabled(false)
                .setPrintStream(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
        try {
            formatter.run();
        } catch (IOException failure) {
            throw failure;
        } catch (Exception failure) {
            throw new IOException("the directory %s cannot be formatted: %s".formatted(log, failure.getMessage()),
                    failure);
        }
    }

    private static Map<String, String> settings(Path log, int port, int controllerPort) {
        Map<String, String> settings = new HashMap<>();
        settings.put("process.roles", "broker,controller");
        settings.put("node.id", NODE_ID);
        settings.put("controller.quorum.voters", NODE_ID + "@127.0.0.1:" + controllerPort);
        settings.put("controller.listener.names", "CONTROLLER");
        settings.put("inter.broker.listener.name", "BROKER");
        settings.put("listener.security.protocol.map", "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT");
        settings.put("listeners", "BROKER://127.0.0.1:%s,CONTROLLER://127.0.0.1:%s".formatted(port, controllerPort));
        settings.put("advertised.listeners",
                "BROKER://127.0.0.1:%s,CONTROLLER://127.0.0.1:%s".formatted(port, controllerPort));
        settings.put("log.dirs", log.toString());

        // One node: nothing to replicate to.
        settings.put("default.replication.factor", "1");
        settings.put("offsets.topic.replication.factor", "1");
        settings.put("transaction.state.log.replication.factor", "1");
        settings.put("transaction.state.log.min.isr", "1");
        settings.put("share.coordinator.state.topic.replication.factor", "1");
        settings.put("share.coordinator.state.topic.min.isr", "1");
        settings.put("offsets.topic.num.partitions", "4");
        settings.put("transaction.state.log.num.partitions", "1");
        settings.put("share.coordinator.state.topic.num.partitions", "1");

        // Topics are made on purpose, with the settings that they need.
        settings.put("auto.create.topics.enable", "false");
        settings.put("message.max.bytes", Integer.toString(MESSAGE_MAX_BYTES));
        settings.put("replica.fetch.max.bytes", Integer.toString(MESSAGE_MAX_BYTES));

        // A killed worker's partitions wait for its session time-out: clients may ask
        // for a second.
        settings.put("group.initial.rebalance.delay.ms", "0");
        settings.put("group.min.session.timeout.ms", "1000");
        settings.put("group.consumer.min.session.timeout.ms", "1000");
        settings.put("group.consumer.session.timeout.ms", "10000");
        settings.put("group.consumer.min.heartbeat.interval.ms", "200");
        settings.put("group.consumer.heartbeat.interval.ms", "3000");

        // After a kill the broker is let in again when the killed one's session has
        // ended: 9 s by default.
        settings.put("broker.session.timeout.ms", "3000");
        settings.put("broker.heartbeat.interval.ms", "500");

        // Small: this JVM has more to do.
        settings.put("num.network.threads", "2");
        settings.put("num.io.threads", "4");
        settings.put("background.threads", "2");
        settings.put("num.recovery.threads.per.data.dir", "2");
        settings.put("log.cleaner.threads", "1");
        settings.put("log.cleaner.dedupe.buffer.size", Integer.toString(4 * 1024 * 1024));
        settings.put("log.cleaner.io.buffer.size", Integer.toString(128 * 1024));
        return settings;
    }

    /** Both listeners: the controller's takes nearly everything that the broker's does. */
    private static void guard(Map<String, String> settings, String password) {
        settings.put("listener.security.protocol.map", "BROKER:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT");
        settings.put("sasl.enabled.mechanisms", MECHANISM);
        settings.put("sasl.mechanism.inter.broker.protocol", MECHANISM);
        settings.put("sasl.mechanism.controller.protocol", MECHANISM);
        String login = login(password, " user_%s=\"%s\"".formatted(USERNAME, password));
        settings.put("listener.name.broker.plain.sasl.jaas.config", login);
        settings.put("listener.name.controller.plain.sasl.jaas.config", login);
    }

    private static String login(String password, String more) {
        return "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"%s\" password=\"%s\"%s;"
                .formatted(USERNAME, password, more);
    }

    /** What a Kafka client needs to be let in, besides the bootstrap servers; empty for a broker that is open. */
    public Map<String, String> clientSecurity() {
        return password == null ? Map.of()
                : Map.of("security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", MECHANISM, "sasl.jaas.config",
                        login(password, ""));
    }

    public String bootstrapServers() {
        return "127.0.0.1:" + port;
    }

    public int port() {
        return port;
    }

    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        long begun = System.nanoTime();
        server.shutdown();
        server.awaitShutdown();
        LOG.debug("Kafka broker stopped in {} ms", Duration.ofNanos(System.nanoTime() - begun).toMillis());
    }
}
