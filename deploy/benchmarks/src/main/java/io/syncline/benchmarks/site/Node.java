package io.syncline.benchmarks.site;

import io.syncline.benchmarks.control.ControlApplication;
import io.syncline.gateway.GatewayApplication;
import io.syncline.standalone.EmbeddedBroker;
import io.syncline.standalone.EmbeddedDatabase;
import io.syncline.standalone.StandaloneLauncher;
import io.syncline.worker.WorkerApplication;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.core.env.SimpleCommandLinePropertySource;

/** One process of a site under load. Its first argument says which. */
public final class Node {

    /** What the parent process waits for. */
    static final String READY = "benchmark node ready";

    static final String STANDALONE = "standalone";
    static final String FOUNDATION = "foundation";
    static final String GATEWAY = "gateway";
    static final String WORKER = "worker";

    static final String STATE_DATABASE = "syncline";
    static final String SOURCE_DATABASE = "shop";

    private Node() {}

    public static void main(String[] arguments) throws Exception {
        String role = arguments[0];
        String[] rest = Arrays.copyOfRange(arguments, 1, arguments.length);
        switch (role) {
            case STANDALONE -> standalone(rest);
            case FOUNDATION -> foundation(Path.of(rest[0]));
            case GATEWAY -> {
                GatewayApplication.application().run(rest);
                control(List.of(rest));
            }
            case WORKER -> WorkerApplication.application().run(rest);
            default -> throw new IllegalArgumentException("no such node: " + role);
        }
        System.out.println(READY);
        // A parent that is killed takes its site with it.
        while (System.in.read() >= 0) {
            Thread.onSpinWait();
        }
        System.exit(0);
    }

    /** The standalone, and the control beside its gateway, with a database pool and a producer of its own. */
    private static void standalone(String... arguments) throws Exception {
        StandaloneLauncher.main(arguments);
        SimpleCommandLinePropertySource given = new SimpleCommandLinePropertySource(arguments);
        Path data = Path.of(required(given, "syncline.data-dir"));
        Properties client = new Properties();
        try (var reader = Files.newBufferedReader(data.resolve("kafka").resolve("client.properties"))) {
            client.load(reader);
        }
        List<String> settings = new ArrayList<>();
        settings.add("--benchmark.control-port=" + required(given, "benchmark.control-port"));
        client.forEach((name, value) -> settings.add(name.equals("bootstrap.servers")
                ? "--spring.kafka.bootstrap-servers=" + value
                : "--spring.kafka.properties." + name + "=" + value));
        Path database = data.resolve("postgresql");
        settings.add("--spring.datasource.url=jdbc:postgresql://127.0.0.1:%s/%s"
                .formatted(Files.readString(database.resolve("port")).strip(), STATE_DATABASE));
        settings.add("--spring.datasource.username=syncline");
        settings.add("--spring.datasource.password=" + Files.readString(database.resolve("password")).strip());
        control(settings);
    }

    private static void control(List<String> arguments) {
        String port = required(new SimpleCommandLinePropertySource(arguments.toArray(String[]::new)),
                "benchmark.control-port");
        List<String> settings = new ArrayList<>(arguments);
        settings.removeIf(argument -> argument.startsWith("--server.port="));
        settings.add("--server.port=" + port);
        SpringApplicationBuilder application = ControlApplication.application();
        application.run(settings.toArray(String[]::new));
    }

    private static String required(SimpleCommandLinePropertySource given, String name) {
        String value = given.getProperty(name);
        if (value == null) {
            throw new IllegalArgumentException("--" + name + " is missing");
        }
        return value;
    }

    /** What a site stands on: the broker in this JVM, the databases beside it, durable as in the standalone. */
    private static void foundation(Path directory) {
        EmbeddedDatabase database = EmbeddedDatabase.start(directory.resolve("postgresql"));
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            database.close();
            ended.countDown();
        }, "end-database"));
        database.createDatabase(STATE_DATABASE);
        database.createDatabase(SOURCE_DATABASE);
        EmbeddedBroker broker = EmbeddedBroker.start(directory.resolve("kafka"), 0, Map.of());
        System.out.println("broker on port " + broker.port());
    }
}
