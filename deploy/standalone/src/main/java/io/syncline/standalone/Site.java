package io.syncline.standalone;

import io.syncline.gateway.GatewayApplication;
import io.syncline.model.api.SyncPaths;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.worker.WorkerApplication;
import io.syncline.worker.capture.CaptureProperties;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.ConfigurableEnvironment;
import tools.jackson.databind.JsonNode;

/** The parts of one site, started in the order in which they need each other. */
final class Site {

    private static final String STATE_DATABASE = "syncline";

    /** What is said of a table whose rows a peer gets now, be it that a newer copy is being made. */
    private static final Set<String> COPIED = Set.of("live", "refreshing");
    private static final String BEING_COPIED = "waiting";
    private static final String NOT_BEGUN = "checking";

    private static final Duration LOOK_AGAIN = Duration.ofMillis(200);
    /** A database of the user's may have no table to serve. */
    private static final Duration FIRST_TABLE = Duration.ofSeconds(20);
    private static final Duration READY = Duration.ofSeconds(30);
    private static final Duration REMIND = Duration.ofSeconds(15);

    private static final Logger LOG = LoggerFactory.getLogger(Site.class);

    private final StandaloneProperties properties;
    private final Closing closing;
    private final DataDirectory data;
    private final @Nullable EmbeddedDatabase database;
    private final ConfigurableApplicationContext worker;
    private final ConfigurableApplicationContext gateway;
    private final String adminToken;
    /** When the gateway first told of the tables that there are: only then does it count that there is none. */
    private @Nullable Long listedSince;

    private Site(StandaloneProperties properties, Closing closing, DataDirectory data,
            @Nullable EmbeddedDatabase database, ConfigurableApplicationContext worker,
            ConfigurableApplicationContext gateway, String adminToken) {
        this.properties = properties;
        this.closing = closing;
        this.data = data;
        this.database = database;
        this.worker = worker;
        this.gateway = gateway;
        this.adminToken = adminToken;
    }

    static Site start(StandaloneProperties properties, ConfigurableEnvironment environment, Closing closing,
            String... arguments)
            throws IOException, InterruptedException, DataDirectory.InUseException, NotStartedException {
        DataDirectory data = closing.add(Closing.Part.DATA_DIRECTORY, DataDirectory.open(properties.dataDirectory()));
        LOG.info("Syncline starts, with its data in {}", data.path());
        Reachability.complaints(properties).forEach(LOG::warn);
        if (properties.port() != 0 && !RememberedPort.isFree(properties.port())) {
            throw new NotStartedException(
                    "server.port: %d is taken; end what listens there, or choose another: --server.port=%d"
                            .formatted(properties.port(), RememberedPort.anyFree()));
        }
        String adminToken = adminToken(properties, data);
        Path keyFile = keyFile(properties, data);

        // The two that take longest, at the same time.
        FutureTask<@Nullable EmbeddedDatabase> startingDatabase = new FutureTask<>(
                () -> database(properties, data, closing));
        FutureTask<List<String>> startingBroker = new FutureTask<>(() -> broker(properties, data, closing));
        new Thread(startingDatabase, "start-database").start();
        new Thread(startingBroker, "start-broker").start();
        EmbeddedDatabase database = started(startingDatabase);
        List<String> brokerArguments = started(startingBroker);

        List<String> ours = new ArrayList<>(StandaloneLogging.arguments(environment));
        ours.addAll(brokerArguments);
        ours.add("--syncline.credentials.key-file=" + keyFile);
        ours.addAll(databaseArguments("spring.datasource", properties.state(), database, STATE_DATABASE));
        ours.addAll(databaseArguments("syncline.source", properties.source(), database, DemoShop.DATABASE));
        ours.add("--spring.main.banner-mode=off");
        ours.add("--spring.main.log-startup-info=false");
        if (!environment.containsProperty("spring.lifecycle.timeout-per-shutdown-phase")) {
            // A pull that somebody is in the middle of may end within this.
            ours.add("--spring.lifecycle.timeout-per-shutdown-phase=3s");
        }
        if (!environment.containsProperty("syncline.gateway.shutdown-delay")) {
            // No load balancer is in front of it.
            ours.add("--syncline.gateway.shutdown-delay=0s");
        }
        if (properties.adminToken() == null) {
            Path file = properties.adminTokenFile() != null ? properties.adminTokenFile() : data.adminTokenFile();
            ours.add("--syncline.admin.token-file=" + file.toAbsolutePath());
        }
        List<String> all = KnownProperties.merged(arguments, ours);
        ConfigurableApplicationContext worker = application(Closing.Part.WORKER, WorkerApplication.application(), all,
                closing);
        ConfigurableApplicationContext gateway = application(Closing.Part.GATEWAY, GatewayApplication.application(),
                all, closing);
        KnownProperties.unknownIn(List.of(worker.getEnvironment(), gateway.getEnvironment()))
                .forEach(name -> LOG.warn("nothing reads the property {}: is it misspelt?", name));

        Site site = new Site(properties, closing, data, database, worker, gateway, adminToken);
        if (database != null) {
            site.watch(database);
        }
        return site;
    }

    private static String adminToken(StandaloneProperties properties, DataDirectory data)
            throws IOException, NotStartedException {
        String token = properties.adminToken();
        if (token == null && properties.adminTokenFile() != null) {
            token = PrivateFiles.read(properties.adminTokenFile());
            if (token == null || token.isEmpty()) {
                throw new NotStartedException(
                        "syncline.admin.token-file: '%s' is absent or empty; put a token into it, or leave the property out"
                                .formatted(properties.adminTokenFile()));
            }
        }
        if (token == null) {
            token = PrivateFiles.secret(data.adminTokenFile());
        }
        PrivateFiles.write(data.adminHeaderFile(), "Authorization: Bearer " + token + "\n");
        return token;
    }

    private static Path keyFile(StandaloneProperties properties, DataDirectory data)
            throws IOException, NotStartedException {
        Path file = properties.keyFile() != null ? properties.keyFile().toAbsolutePath() : data.keyFile();
        if (!Files.exists(file)) {
            if (FirstStart.isDone(data)) {
                throw new NotStartedException(
                        "syncline.credentials.key-file: '%s' is gone, and what is in %s cannot be used without it; put it back, or delete that directory to begin anew"
                                .formatted(file, data.path()));
            }
            CredentialKeys.writeNew(file, new SecureRandom());
        }
        return file;
    }

    private static @Nullable EmbeddedDatabase database(StandaloneProperties properties, DataDirectory data,
            Closing closing) {
        if (!properties.needsDatabase()) {
            return null;
        }
        EmbeddedDatabase database = closing.add(Closing.Part.DATABASE, EmbeddedDatabase.start(data.database()));
        if (properties.state() == null) {
            database.createDatabase(STATE_DATABASE);
        }
        if (properties.source() == null) {
            DemoShop.makeIn(database);
        }
        return database;
    }

    /** What tells the applications where Kafka is, and how to be let in. */
    private static List<String> broker(StandaloneProperties properties, DataDirectory data, Closing closing)
            throws IOException {
        if (properties.bootstrapServers() != null) {
            return List.of("--spring.kafka.bootstrap-servers=" + properties.bootstrapServers());
        }
        EmbeddedBroker broker = closing.add(Closing.Part.BROKER, EmbeddedBroker.startGuarded(data.broker()));
        List<String> arguments = new ArrayList<>();
        arguments.add("--spring.kafka.bootstrap-servers=" + broker.bootstrapServers());
        StringBuilder file = new StringBuilder("bootstrap.servers=" + broker.bootstrapServers() + "\n");
        new TreeMap<>(broker.clientSecurity()).forEach((name, value) -> {
            arguments.add("--spring.kafka.properties." + name + "=" + value);
            file.append(name).append('=').append(value).append('\n');
        });
        PrivateFiles.write(data.brokerClientFile(), file.toString());
        return arguments;
    }

    private static <T extends @Nullable Object> T started(FutureTask<T> starting)
            throws IOException, InterruptedException {
        try {
            return starting.get();
        } catch (ExecutionException failure) {
            switch (failure.getCause()) {
                case RuntimeException cause -> throw cause;
                case IOException cause -> throw cause;
                case null, default -> throw new IllegalStateException(failure);
            }
        }
    }

    private static List<String> databaseArguments(String property, StandaloneProperties.@Nullable Database own,
            @Nullable EmbeddedDatabase database, String name) {
        List<String> arguments = new ArrayList<>();
        if (own != null) {
            arguments.add("--" + property + ".url=" + own.url());
            if (own.username() != null) {
                arguments.add("--" + property + ".username=" + own.username());
            }
            if (own.password() != null) {
                arguments.add("--" + property + ".password=" + own.password());
            }
        } else if (database != null) {
            arguments.add("--" + property + ".url=" + database.url(name));
            arguments.add("--" + property + ".username=" + database.username());
            arguments.add("--" + property + ".password=" + database.password());
        }
        return arguments;
    }

    private static ConfigurableApplicationContext application(Closing.Part part, SpringApplicationBuilder builder,
            List<String> arguments, Closing closing) {
        long begun = System.nanoTime();
        ConfigurableApplicationContext context = builder.registerShutdownHook(false)
                // Known to the one who stops from the moment it exists, not from the moment it runs.
                .initializers(made -> closing.add(part, made))
                .run(arguments.toArray(String[]::new));
        LOG.info("{} started in {} ms", part.name().toLowerCase(Locale.ROOT),
                Duration.ofNanos(System.nanoTime() - begun).toMillis());
        return context;
    }

    /** As under an init system: somebody may end it by mistake, the machine may for want of memory. */
    private void watch(EmbeddedDatabase database) {
        Thread.ofVirtual().name("database-watch").start(() -> {
            while (!closing.isClosing()) {
                if (!database.isAlive()) {
                    LOG.warn("PostgreSQL (pid {}) has ended: starting it again", database.pid());
                    try {
                        database.restart();
                    } catch (IllegalStateException failure) {
                        LOG.warn("{}", failure.getMessage());
                    }
                }
                try {
                    TimeUnit.SECONDS.sleep(1);
                } catch (InterruptedException ending) {
                    return;
                }
            }
        });
    }

    /** Waits until the site can be used; says why it cannot while that takes longer than it should. */
    Invitation awaitReady()
            throws InterruptedException, IOException, GeneralSecurityException, NotStartedException {
        Duration remindAt = READY;
        Set<String> said = new HashSet<>(Reachability.complaints(properties));
        Addresses addresses = Addresses.of(gateway);
        OwnCertificate certificate = OwnCertificate.of(gateway);
        try (Operator operator = new Operator(addresses, adminToken, certificate)) {
            FirstStart firstStart = new FirstStart(data, operator);
            while (true) {
                if (closing.isClosing()) {
                    throw new Closing.ClosingException();
                }
                if (!worker.isActive()) {
                    throw new NotStartedException("the worker has ended, see above");
                }
                Attempt attempt = attempt(operator, firstStart);
                if (attempt.ready() != null) {
                    return invitation(attempt.ready(), firstStart, operator, addresses, certificate);
                }
                if (StandaloneLauncher.sinceJvmStart().compareTo(remindAt) > 0) {
                    LOG.warn("not ready after {} s: {}", StandaloneLauncher.sinceJvmStart().toSeconds(),
                            attempt.obstacle());
                    List<String> complaints = Reachability.complaints(properties);
                    complaints.stream().filter(said::add).forEach(LOG::warn);
                    said.retainAll(complaints);
                    remindAt = StandaloneLauncher.sinceJvmStart().plus(REMIND);
                }
                TimeUnit.NANOSECONDS.sleep(LOOK_AGAIN.toNanos());
            }
        }
    }

    /** @param obstacle why nobody can be invited yet */
    private record Attempt(@Nullable Ready ready, String obstacle) {}

    private record Ready(List<String> served, Trial trial) {}

    private static Attempt obstacle(String obstacle) {
        return new Attempt(null, obstacle);
    }

    private static Attempt obstacle(String call, Operator.Answer answer) {
        return obstacle(call + ": " + answer.explained());
    }

    private Attempt attempt(Operator operator, FirstStart firstStart) {
        try {
            Operator.Answer readiness = operator.readiness();
            if (readiness.status() != 200) {
                return obstacle("the gateway is not ready (%s)".formatted(readiness.explained()));
            }
            String undone = firstStart.attempt();
            if (undone != null) {
                return obstacle(undone);
            }
            // What operators hear: what peers hear, the module and the connection for trying may keep from them.
            Operator.Answer captured = operator.get("/tables");
            if (captured.status() != 200 || captured.body() == null) {
                return obstacle("GET /admin/api/tables", captured);
            }
            Set<String> awaited = awaited(demoTables(), captured.body());
            if (!awaited.isEmpty()) {
                return obstacle("waiting for the first snapshot of %s; GET /admin/api/tables says %s"
                        .formatted(awaited, captured.body()));
            }
            List<String> served = served(captured.body());
            long now = System.nanoTime();
            long since = listedSince == null ? now : listedSince;
            listedSince = since;
            if (served.isEmpty() && (now - since <= FIRST_TABLE.toNanos() || mayCome(captured.body()))) {
                return obstacle("no table is served yet; GET /admin/api/tables says " + captured.body());
            }
            return trial(operator, firstStart, served);
        } catch (IOException | SQLException failure) {
            return obstacle(failure.getMessage() == null ? failure.toString() : failure.getMessage());
        }
    }

    private Attempt trial(Operator operator, FirstStart firstStart, List<String> served) throws IOException {
        Operator.Answer settings = operator.get("/settings");
        if (settings.status() != 200 || settings.body() == null) {
            return obstacle("GET /admin/api/settings", settings);
        }
        if (!settings.body().path("enabled").asBoolean(false)) {
            return ready(served, Trial.MODULE_DISABLED);
        }
        Operator.Answer listed = operator.call(api() + SyncPaths.LIST_TABLES,
                Map.of("auth_token_hash", firstStart.tokenHash().text()));
        if (listed.status() == 200 && listed.body() != null) {
            List<String> shown = new ArrayList<>(served(listed.body()));
            shown.retainAll(served);
            return ready(served, new Trial.Open(shown));
        }
        // Disabled meanwhile, or somebody is too busy to say: the next attempt hears.
        if (listed.status() >= 500) {
            return obstacle("list-tables", listed);
        }
        Operator.Answer connection = firstStart.connection();
        return connection.status() == 200 && connection.body() != null
                ? ready(served, Trial.closed(listed, connection.body()))
                : obstacle("GET /admin/api/connections", connection);
    }

    private static Attempt ready(List<String> served, Trial trial) {
        return new Attempt(new Ready(served, trial), "");
    }

    /** Those of the demo shop that will be served; none where the shop is not what is shared, or nobody captures it. */
    private Set<String> demoTables() throws SQLException {
        return database == null || properties.source() != null
                || !worker.getBean(CaptureProperties.class).enabled() ? Set.of() : DemoShop.tablesIn(database);
    }

    /** The tables whose rows a peer gets now. */
    static List<String> served(JsonNode listed) {
        return named(listed, COPIED::contains);
    }

    /** Those of the expected tables whose first copy is not whole yet, or of which nothing is said. One that cannot be served is not. */
    static Set<String> awaited(Set<String> expected, JsonNode listed) {
        Set<String> awaited = new HashSet<>(expected);
        named(listed, state -> !state.equals(BEING_COPIED)).forEach(awaited::remove);
        return awaited;
    }

    /** Whether a first table may follow, by what an operator hears of capture: it has not looked at the source yet, or copies one. */
    static boolean mayCome(JsonNode captured) {
        return captured.path("source").path("state").asString("").equals(NOT_BEGUN)
                || !named(captured, BEING_COPIED::equals).isEmpty();
    }

    /** The tables that are said to be in such a state. */
    private static List<String> named(JsonNode listed, Predicate<String> state) {
        List<String> names = new ArrayList<>();
        for (JsonNode table : listed.path("tables")) {
            if (state.test(table.path("state").asString())) {
                names.add(table.path("name").asString());
            }
        }
        return names;
    }

    private Invitation invitation(Ready ready, FirstStart firstStart, Operator operator, Addresses addresses,
            @Nullable OwnCertificate certificate) throws IOException, GeneralSecurityException {
        Path adminTokenFile = properties.adminTokenFile() != null ? properties.adminTokenFile().toAbsolutePath()
                : properties.adminToken() != null ? data.adminHeaderFile()
                : data.adminTokenFile();
        String hash = firstStart.tokenHash().text();
        Path listTables = data.tryFile("list-tables.json");
        PrivateFiles.write(listTables, operator.text(Map.of("auth_token_hash", hash)) + "\n");
        Path pullData = data.tryFile("pull-data.json");
        if (ready.trial() instanceof Trial.Open open && open.pulled().isPresent()) {
            PrivateFiles.write(pullData, operator.text(
                    Map.of("auth_token_hash", hash, "table_name", open.pulled().get())) + "\n");
        }
        return new Invitation(addresses, api(), ready.served(), ready.trial(), new Invitation.Files(adminTokenFile,
                data.adminHeaderFile(), listTables, pullData, certificateFile(addresses, certificate)));
    }

    private @Nullable Path certificateFile(Addresses addresses, @Nullable OwnCertificate certificate)
            throws IOException, GeneralSecurityException {
        if (certificate == null) {
            return null;
        }
        for (String host : addresses.tlsHosts()) {
            if (!certificate.names(host)) {
                return null;
            }
        }
        Path file = data.tryFile("certificate.pem");
        PrivateFiles.write(file, certificate.pem());
        return file;
    }

    private String api() {
        String prefix = properties.prefix().strip().replaceAll("^/+|/+$", "");
        return (prefix.isEmpty() ? "" : "/" + prefix) + SyncPaths.ROOT;
    }

    /** The user's to mend; the message says how. */
    static final class NotStartedException extends Exception {
        NotStartedException(String message) {
            super(message);
        }
    }
}
