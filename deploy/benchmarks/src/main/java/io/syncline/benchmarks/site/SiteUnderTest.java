package io.syncline.benchmarks.site;

import io.syncline.model.credential.CredentialKeys;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A whole site and its control, started for one benchmark and gone with it. */
public final class SiteUnderTest implements AutoCloseable {

    public static final String PREFIX = "phoenix_kit";

    private static final String ADMIN_TOKEN = "admin-token-of-the-benchmark";
    /** All of the load comes from one address. */
    private static final String NO_FAILURE_LIMIT = "--syncline.limits.failed-authentications-per-minute=0";
    private static final String NO_REGISTRATION_LIMIT = "--syncline.limits.registrations-per-minute=0";
    private static final Duration READY_LIMIT = Duration.ofSeconds(60);

    private final Path directory;
    private final List<NodeProcess> nodes;
    private final Path database;
    private final int gatewayPort;
    private final int controlPort;
    private final Operator operator;

    private SiteUnderTest(Path directory, List<NodeProcess> nodes, Path database, int gatewayPort, int controlPort) {
        this.directory = directory;
        this.nodes = nodes;
        this.database = database;
        this.gatewayPort = gatewayPort;
        this.controlPort = controlPort;
        this.operator = new Operator("http://127.0.0.1:" + gatewayPort, ADMIN_TOKEN);
    }

    /**
     * @param profile where each JVM leaves a flight recording, if it is to make one
     */
    public static SiteUnderTest start(Layout layout, List<String> jvm, @Nullable Path profile)
            throws IOException, InterruptedException {
        return start(layout, ownClassPath(), jvm, jvm, profile);
    }

    /**
     * A site of another version, everything in one JVM.
     *
     * @param checkout of that version, packaged; its dependencies outside the checkout are taken to be this one's
     */
    public static SiteUnderTest ofVersion(Path checkout, List<String> jvm) throws IOException, InterruptedException {
        Path here = Path.of("").toAbsolutePath();
        String classPath = ownClassPath().replace(here + File.separator,
                checkout.toAbsolutePath().normalize() + File.separator);
        if (classPath.equals(ownClassPath())) {
            throw new IllegalArgumentException(
                    "the class path names nothing below %s: start the benchmark from the checkout's root"
                            .formatted(here));
        }
        return start(Layout.TOGETHER, classPath, jvm, jvm, null);
    }

    private static String ownClassPath() {
        return System.getProperty("java.class.path");
    }

    /** A gateway, a worker and a broker in a JVM each, the gateway's with arguments of its own. */
    public static SiteUnderTest apart(List<String> jvm, List<String> gatewayJvm, @Nullable Path profile)
            throws IOException, InterruptedException {
        return start(Layout.APART, ownClassPath(), jvm, gatewayJvm, profile);
    }

    private static SiteUnderTest start(Layout layout, String classPath, List<String> jvm, List<String> gatewayJvm,
            @Nullable Path profile) throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("syncline-benchmark-");
        List<NodeProcess> nodes = new ArrayList<>();
        try {
            SiteUnderTest site = switch (layout) {
                case TOGETHER -> together(directory, nodes, classPath, jvm, profile);
                case APART -> apart(directory, nodes, classPath, jvm, gatewayJvm, profile);
            };
            site.operator.awaitReady(READY_LIMIT);
            return site;
        } catch (IOException | InterruptedException | RuntimeException e) {
            end(nodes, directory);
            throw e;
        }
    }

    private static SiteUnderTest together(Path directory, List<NodeProcess> nodes, String classPath,
            List<String> jvm, @Nullable Path profile) throws IOException, InterruptedException {
        int gateway = freePort();
        int control = freePort();
        Path data = directory.resolve("data");
        NodeProcess node = NodeProcess.start(Node.STANDALONE, directory, classPath, jvm, profile,
                List.of("--syncline.data-dir=" + data, "--server.port=" + gateway,
                        "--syncline.admin.token=" + ADMIN_TOKEN, "--benchmark.control-port=" + control,
                        NO_FAILURE_LIMIT, NO_REGISTRATION_LIMIT));
        nodes.add(node);
        node.awaitReady();
        return new SiteUnderTest(directory, nodes, data.resolve("postgresql"), gateway, control);
    }

    private static SiteUnderTest apart(Path directory, List<NodeProcess> nodes, String classPath, List<String> jvm,
            List<String> gatewayJvm, @Nullable Path profile) throws IOException, InterruptedException {
        int gateway = freePort();
        int control = freePort();
        NodeProcess foundation = NodeProcess.start(Node.FOUNDATION, directory, classPath, jvm, profile,
                List.of(directory.toString()));
        nodes.add(foundation);
        foundation.awaitReady();
        Path keyFile = directory.resolve("keys");
        CredentialKeys.writeNew(keyFile, new SecureRandom());
        Path database = directory.resolve("postgresql");
        String server = "jdbc:postgresql://127.0.0.1:" + text(database, "port") + "/";
        String password = text(database, "password");
        List<String> common = List.of(
                "--spring.kafka.bootstrap-servers=127.0.0.1:" + text(directory.resolve("kafka"), "port"),
                "--spring.datasource.url=" + server + Node.STATE_DATABASE, "--spring.datasource.username=syncline",
                "--spring.datasource.password=" + password, "--syncline.credentials.key-file=" + keyFile);
        List<String> ofWorker = new ArrayList<>(common);
        ofWorker.addAll(List.of("--syncline.source.url=" + server + Node.SOURCE_DATABASE,
                "--syncline.source.username=syncline", "--syncline.source.password=" + password));
        List<String> ofGateway = new ArrayList<>(common);
        ofGateway.addAll(List.of("--server.port=" + gateway, "--syncline.admin.token=" + ADMIN_TOKEN,
                "--benchmark.control-port=" + control, NO_FAILURE_LIMIT, NO_REGISTRATION_LIMIT));
        NodeProcess worker = NodeProcess.start(Node.WORKER, directory, classPath, jvm, profile, ofWorker);
        nodes.add(worker);
        worker.awaitReady();
        NodeProcess gatewayNode = NodeProcess.start(Node.GATEWAY, directory, classPath, gatewayJvm, profile, ofGateway);
        nodes.add(gatewayNode);
        gatewayNode.awaitReady();
        return new SiteUnderTest(directory, nodes, database, gateway, control);
    }

    public InetSocketAddress gateway() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), gatewayPort);
    }

    public InetSocketAddress control() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), controlPort);
    }

    public Operator operator() {
        return operator;
    }

    /** Into the state database. */
    public Connection state() throws SQLException {
        return connect(Node.STATE_DATABASE);
    }

    /** Into the database whose tables the site shares. */
    public Connection source() throws SQLException {
        return connect(Node.SOURCE_DATABASE);
    }

    /** Of the one role in both databases. */
    public String databasePassword() throws IOException {
        return text(database, "password");
    }

    private Connection connect(String name) throws SQLException {
        try {
            return DriverManager.getConnection(
                    "jdbc:postgresql://127.0.0.1:" + text(database, "port") + "/" + name, "syncline",
                    text(database, "password"));
        } catch (IOException e) {
            throw new SQLException("where the database is cannot be read", e);
        }
    }

    /** What each process of ours, the load's included, has used so far. */
    public ProcessorTime processorTime() throws IOException {
        Map<String, Long> roots = new LinkedHashMap<>();
        for (NodeProcess node : nodes) {
            roots.put(node.name(), node.pid());
        }
        roots.put("database",
                Long.valueOf(text(database.resolve("data"), "postmaster.pid").lines().findFirst().orElseThrow()));
        roots.put("load", ProcessHandle.current().pid());
        return ProcessorTime.read(roots);
    }

    /** Of the gateway's JVM, where that is one of its own. */
    public HeapWatch gatewayHeap() throws IOException {
        NodeProcess gateway = nodes.stream()
                .filter(node -> node.name().equals(Node.GATEWAY))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("the gateway has no JVM of its own in this layout"));
        return HeapWatch.of(gateway.pid());
    }

    private static String text(Path directory, String file) throws IOException {
        return Files.readString(directory.resolve(file)).strip();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @Override
    public void close() throws IOException {
        end(nodes, directory);
    }

    private static void end(List<NodeProcess> nodes, Path directory) throws IOException {
        nodes.reversed().forEach(NodeProcess::close);
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted((one, other) -> other.compareTo(one)).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    /** Waits until a condition holds, or says for how long it has not. */
    static void await(String what, Duration limit, Condition condition) throws IOException, InterruptedException {
        long begun = System.nanoTime();
        while (!condition.holds()) {
            if (System.nanoTime() - begun > limit.toNanos()) {
                throw new IOException("%s: not within %s".formatted(what, limit));
            }
            TimeUnit.MILLISECONDS.sleep(200);
        }
    }

    /** Something that becomes true. */
    interface Condition {
        boolean holds() throws IOException, InterruptedException;
    }
}
