package io.syncline.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.gateway.GatewayApplication;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.standalone.EmbeddedBroker;
import io.syncline.standalone.EmbeddedDatabase;
import io.syncline.worker.WorkerApplication;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * One site under test: a real broker and a real PostgreSQL of its own, and as many gateways and workers as a test wants, in
 * this JVM or as processes that can be killed.
 */
public final class SyncCluster implements AutoCloseable {

    public static final String ADMIN_TOKEN = "admin-token-of-the-test-cluster";

    /** A worker's way to the source, for a test that gives it another one. */
    public static final String SOURCE_URL = "--syncline.source.url=";

    /** The keys of a gateway or worker, for a test that gives it others than the cluster's. */
    public static final String KEY_FILE = "--syncline.credentials.key-file=";

    private static final Duration STARTED = Duration.ofMinutes(2);
    /**
     * What a gateway has where the test does not say otherwise. All peers have one address; that a machine stood still for some
     * seconds is no fault, so nobody hears 503 for it; and the client, which keeps a connection for 30 s, never writes to one
     * that is being closed.
     */
    private static final Map<String, String> GATEWAY_SETTINGS = Map.of(
            "--syncline.limits.failed-authentications-per-minute=", "0",
            "--syncline.limits.registrations-per-minute=", "0",
            "--syncline.gateway.reply-timeout=", "30s",
            "--syncline.gateway.shutdown-delay=", "0s",
            "--server.tomcat.keep-alive-timeout=", "5m");

    private final EmbeddedDatabase database;
    private EmbeddedBroker broker;
    private final Path directory;
    private final Path keyFile;
    private final List<AutoCloseable> running = new ArrayList<>();
    private final Map<Gateway, ConfigurableApplicationContext> gateways = new ConcurrentHashMap<>();
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofMinutes(1))
            .build();

    private SyncCluster(EmbeddedDatabase database, EmbeddedBroker broker, Path directory, Path keyFile) {
        this.database = database;
        this.broker = broker;
        this.directory = directory;
        this.keyFile = keyFile;
    }

    /** Starts broker and databases; gateways and workers are started by the test. */
    public static SyncCluster start(Path directory) {
        return start(directory, TestPostgres.start());
    }

    /** The same on an older version of PostgreSQL, as source and for the state. */
    public static SyncCluster onPostgres(String version, Path directory) {
        return start(directory, TestPostgres.start(version, Map.of()));
    }

    /** The same with settings of PostgreSQL's own, as source and for the state. */
    public static SyncCluster start(Path directory, Map<String, String> databaseSettings) {
        return start(directory, TestPostgres.start(databaseSettings));
    }

    private static SyncCluster start(Path directory, EmbeddedDatabase database) {
        try {
            Path keyFile = directory.resolve("keys");
            CredentialKeys.writeNew(keyFile, new SecureRandom());
            database.createDatabase("syncline");
            database.createDatabase("site");
            return new SyncCluster(database, EmbeddedBroker.start(directory.resolve("kafka")), directory, keyFile);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public EmbeddedDatabase database() {
        return database;
    }

    public EmbeddedBroker broker() {
        return broker;
    }

    /** Where it was, with what it had, once it has been closed. */
    public void startBrokerAgain() {
        broker = EmbeddedBroker.start(directory.resolve("kafka"), broker.port(), Map.of());
    }

    public Path keyFile() {
        return keyFile;
    }

    public CredentialKeys keys() {
        return CredentialKeys.read(keyFile);
    }

    /** A gateway in this JVM, answering once this returns. */
    public Gateway startGateway(String... settings) {
        Gateway gateway = startUnreadyGateway(settings);
        Awaitility.await("the gateway is ready")
                .atMost(STARTED)
                .pollInterval(Duration.ofMillis(100))
                .untilAsserted(() -> {
                    HttpResponse<String> readiness = gateway.get("/actuator/health/readiness");
                    assertThat(readiness.statusCode()).as(readiness.body()).isEqualTo(200);
                });
        return gateway;
    }

    /** A gateway in this JVM that may never become ready. */
    public Gateway startUnreadyGateway(String... settings) {
        List<String> arguments = common(settings);
        arguments.add("--server.port=0");
        arguments.add("--syncline.admin.token=" + ADMIN_TOKEN);
        arguments.addAll(List.of(settings));
        GATEWAY_SETTINGS.forEach((name, value) -> {
            if (List.of(settings).stream().noneMatch(setting -> setting.startsWith(name))) {
                arguments.add(name + value);
            }
        });
        ConfigurableApplicationContext context = run(GatewayApplication.application(), arguments);
        Gateway gateway = gatewayAt(context.getEnvironment().getRequiredProperty("local.server.port"));
        gateways.put(gateway, context);
        return gateway;
    }

    /** Stops a gateway of this JVM as SIGTERM does, and waits until it has stopped. */
    public void stop(Gateway gateway) {
        Optional.ofNullable(gateways.get(gateway)).orElseThrow().close();
    }

    /** One that somebody else has started. */
    Gateway gatewayAt(String port) {
        return new Gateway(http, "http://127.0.0.1:" + port);
    }

    /** A worker in this JVM. */
    public ConfigurableApplicationContext startWorker(String... settings) {
        return run(WorkerApplication.application(), workerArguments(settings));
    }

    /** A worker as a process of its own, which can be killed, stopped and continued. */
    public JavaProcess startWorkerProcess(String name, String... settings) {
        JavaProcess process = JavaProcess.start(name, WorkerApplication.class, directory.resolve(name + ".log"),
                workerArguments(settings));
        running.add(process);
        return process;
    }

    private List<String> workerArguments(String... settings) {
        List<String> arguments = common(settings);
        if (Stream.of(settings).noneMatch(argument -> argument.startsWith(SOURCE_URL))) {
            arguments.add(SOURCE_URL + database.url("site"));
        }
        arguments.add("--syncline.source.username=" + database.username());
        arguments.add("--syncline.source.password=" + database.password());
        arguments.addAll(List.of(settings));
        return arguments;
    }

    /** Where this cluster's broker and state database are; and its keys, where these settings name no others. */
    List<String> common(String... settings) {
        List<String> arguments = new ArrayList<>(
                List.of("--spring.kafka.bootstrap-servers=" + broker.bootstrapServers(),
                        "--spring.datasource.url=" + database.url("syncline"),
                        "--spring.datasource.username=" + database.username(),
                        "--spring.datasource.password=" + database.password()));
        if (Stream.of(settings).noneMatch(argument -> argument.startsWith(KEY_FILE))) {
            arguments.add(KEY_FILE + keyFile);
        }
        return arguments;
    }

    private ConfigurableApplicationContext run(SpringApplicationBuilder application, List<String> arguments) {
        ConfigurableApplicationContext context = application.run(arguments.toArray(String[]::new));
        running.add(context);
        return context;
    }

    @Override
    public void close() {
        for (AutoCloseable one : running.reversed()) {
            try {
                one.close();
            } catch (Exception e) {
                throw new IllegalStateException(one + " did not end", e);
            }
        }
        broker.close();
        database.close();
    }

    /** A gateway as its peers and operators see it. */
    public static final class Gateway {

        private final HttpClient http;
        private final String base;

        Gateway(HttpClient http, String base) {
            this.http = http;
            this.base = base;
        }

        public String base() {
            return base;
        }

        public HttpResponse<String> get(String path) {
            return send(HttpRequest.newBuilder(URI.create(base + path)));
        }

        /** A peer's call, by its name in the protocol. */
        public HttpResponse<String> call(String name, String json) {
            return send(HttpRequest.newBuilder(URI.create(base + "/phoenix_kit/sync/api/" + name))
                    .header("content-type", "application/json")
                    .header("accept", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(json)));
        }

        /** An operator's call below {@code /admin/api}. */
        public HttpResponse<String> admin(String method, String path, @Nullable String json) {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + "/admin/api" + path))
                    .header("authorization", "Bearer " + ADMIN_TOKEN);
            if (json != null) {
                request.header("content-type", "application/json");
            }
            return send(request.method(method, json == null ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(json)));
        }

        public HttpResponse<String> send(String method, String path, Map<String, String> headers, String body) {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path));
            headers.forEach(request::header);
            return send(request.method(method, body.isEmpty() ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(body)));
        }

        private HttpResponse<String> send(HttpRequest.Builder request) {
            try {
                return http.send(request.timeout(Duration.ofMinutes(2)).build(), HttpResponse.BodyHandlers.ofString());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
        }
    }
}
