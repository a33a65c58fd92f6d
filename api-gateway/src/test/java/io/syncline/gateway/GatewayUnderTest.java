package io.syncline.gateway;

import io.syncline.gateway.state.HighWater;
import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.credential.AuthToken;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.StoredSettings;
import io.syncline.model.testing.TestPostgres;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.tomcat.TomcatWebServer;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * The whole gateway over a real PostgreSQL with the workers' schema, and no broker: all that needs no worker. What a worker
 * would have written, tests write.
 */
final class GatewayUnderTest implements AutoCloseable {

    static final String ADMIN_TOKEN = "operators-token";
    /** Whoever hears that the database is away has waited for it before. */
    private static final int MOST_TIMES = 30;
    private static final Path MIGRATIONS = Path.of("../sync-worker/src/main/resources/db/migration");

    private EmbeddedPostgres postgres;
    private boolean awaitsDatabase;
    private @Nullable Thread log;
    private final CredentialKeys keys;
    private final ConfigurableApplicationContext context;
    private final HttpClient http = HttpClient.newHttpClient();
    private final int port;

    private GatewayUnderTest(CredentialKeys keys, ConfigurableApplicationContext context) {
        this.keys = keys;
        this.context = context;
        this.port = Integer.parseInt(context.getEnvironment().getRequiredProperty("local.server.port"));
    }

    /** With a database of its own, the schema there, and nothing in the log. */
    static GatewayUnderTest start(Path directory, String... more) throws Exception {
        EmbeddedPostgres postgres = TestPostgres.start();
        Path keyFile = directory.resolve("keys");
        CredentialKeys.writeNew(keyFile, new SecureRandom());
        List<String> arguments = new ArrayList<>(
                List.of("--spring.datasource.url=" + postgres.getJdbcUrl("postgres", "postgres")));
        arguments.addAll(List.of(more));
        GatewayUnderTest made = startAlone(keyFile, arguments.toArray(String[]::new));
        made.adopt(postgres);
        made.makeSchema();
        made.logIsEmpty();
        made.awaitsDatabase = true;
        return made;
    }

    static GatewayUnderTest startAlone(Path keyFile, String... more) {
        List<String> arguments = new ArrayList<>(List.of("--server.port=0", "--spring.datasource.username=postgres",
                "--spring.kafka.bootstrap-servers=127.0.0.1:1", "--syncline.credentials.key-file=" + keyFile));
        arguments.add("--syncline.gateway.shutdown-delay=0s");
        if (Stream.of(more).noneMatch(argument -> argument.startsWith("--syncline.admin.token"))) {
            arguments.add("--syncline.admin.token=" + ADMIN_TOKEN);
        }
        arguments.addAll(List.of(more));
        return new GatewayUnderTest(CredentialKeys.read(keyFile),
                GatewayApplication.application().run(arguments.toArray(String[]::new)));
    }

    /** In place of a broker that says it, whenever it is asked. */
    void logIsEmpty() {
        HighWater highWater = bean(HighWater.class);
        log = Thread.ofVirtual().start(() -> {
            try {
                while (true) {
                    long began = highWater.sights();
                    highWater.awaitWanted(Duration.ofMillis(100)).forEach(one -> highWater.endRead(one, began));
                }
            } catch (InterruptedException e) {
                // The gateway is closed.
            }
        });
    }

    /** Nobody says any more how far the log has come. */
    void logCannotBeRead() throws InterruptedException {
        Thread said = log;
        if (said != null) {
            said.interrupt();
            said.join();
        }
    }

    /** Tells tests where to write. */
    void adopt(EmbeddedPostgres started) {
        postgres = started;
    }

    /** What workers do. */
    void makeSchema() throws IOException, SQLException {
        execute("CREATE SCHEMA syncline");
        List<Path> migrations;
        try (Stream<Path> files = Files.list(MIGRATIONS)) {
            migrations = files.sorted(Comparator.comparingInt(GatewayUnderTest::version)).toList();
        }
        for (Path migration : migrations) {
            execute(Files.readString(migration));
        }
    }

    /** As Flyway orders them: V10 comes behind V9. */
    private static int version(Path migration) {
        String name = migration.getFileName().toString();
        return Integer.parseInt(name.substring(1, name.indexOf("__")));
    }

    <T> T bean(Class<T> type) {
        return context.getBean(type);
    }

    TomcatWebServer webServer() {
        return (TomcatWebServer) ((WebServerApplicationContext) context).getWebServer();
    }

    void execute(String sql, Object... parameters) throws SQLException {
        try (Connection connection = postgres.getPostgresDatabase().getConnection()) {
            if (parameters.length == 0) {
                try (Statement statement = connection.createStatement()) {
                    statement.execute(sql);
                }
                return;
            }
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                for (int i = 0; i < parameters.length; i++) {
                    statement.setObject(i + 1, parameters[i]);
                }
                statement.execute();
            }
        }
    }

    void settings(boolean enabled, String mode, String passwordHash) throws SQLException {
        execute("DELETE FROM syncline.settings");
        execute("INSERT INTO syncline.settings VALUES (1, ?, ?, ?, 1, now(), '[]')", enabled, mode, passwordHash);
    }

    void receiver(String site, String token, String peerStatus) throws SQLException {
        execute("""
                INSERT INTO syncline.connection (site_url, direction, uuid, name, fingerprint, sealed_token, created_at,
                    updated_at, peer_status, registered_via, remote_ip, user_agent)
                VALUES (?, 'receiver', ?, ?, ?, ?, now(), now(), ?, 'api', '127.0.0.1', NULL)""", site,
                UUID.randomUUID(), "From: " + site, fingerprint(token), sealed(token), peerStatus);
    }

    UUID sender(String site, String token, boolean confirmed, ConnectionSettings settings) throws SQLException {
        UUID uuid = UUID.randomUUID();
        execute("""
                INSERT INTO syncline.connection (site_url, direction, uuid, name, fingerprint, sealed_token, created_at,
                    updated_at, confirmed, notify_peer, settings, created_by, expires_at)
                VALUES (?, 'sender', ?, ?, ?, ?, now(), now(), ?, false, ?, 'admin', ?::timestamptz)""", site, uuid,
                "S " + site, fingerprint(token), sealed(token), confirmed, StoredSettings.write(settings),
                Objects.toString(settings.expiresAt(), null));
        return uuid;
    }

    void impose(String site, String direction, String kind) throws SQLException {
        execute("INSERT INTO syncline.imposition VALUES (?, ?, ?, 'a reason', 'admin', now())", site, direction, kind);
    }

    /** A worker commits an event of this key; whether it is in the log is another matter. */
    void commitEvent(String key, int partition, long sequence) throws SQLException {
        execute("""
                INSERT INTO syncline.connection_event (partition, sequence, event_id, request_id, request_offset, key, type,
                    payload, event_time, fence, previous_hash, hash)
                VALUES (?, ?, ?, ?, 0, ?, 'a.type', '{}', now(), 0, '', '')""", partition, sequence, UUID.randomUUID(),
                UUID.randomUUID(), key);
        execute("""
                INSERT INTO syncline.log_head (partition, fence, sequence, hash, next_request_offset, time, log_offset,
                    log_fence, log_sequence, log_hash) VALUES (?, 0, ?, '', 0, now(), 0, 0, 0, '')
                ON CONFLICT (partition) DO UPDATE SET sequence = excluded.sequence""", partition, sequence);
    }

    private String fingerprint(String token) {
        return keys.fingerprint(new AuthToken(token).hash()).hex();
    }

    private String sealed(String token) {
        return keys.seal(token, new SecureRandom()).text();
    }

    static String hash(String token) {
        return new AuthToken(token).hash().text();
    }

    HttpResponse<String> call(String name, String json) {
        return send("POST", "/phoenix_kit/sync/api/" + name, json, "content-type", "application/json", "accept",
                "application/json");
    }

    HttpResponse<String> admin(String method, String path, String json) {
        return json == null
                ? send(method, "/admin/api" + path, "", "authorization", "Bearer " + ADMIN_TOKEN)
                : send(method, "/admin/api" + path, json, "authorization", "Bearer " + ADMIN_TOKEN, "content-type",
                        "application/json");
    }

    /**
     * Comes again when told to: to a machine that stands still for two seconds, a database that is there is away as well.
     */
    HttpResponse<String> send(String method, String path, String body, String... headers) {
        HttpResponse<String> response = once(method, path, body, headers);
        for (int again = 0; awaitsDatabase && isAway(response) && again < MOST_TIMES; again++) {
            response = once(method, path, body, headers);
        }
        return response;
    }

    private static boolean isAway(HttpResponse<String> response) {
        return response.statusCode() == 503 && (response.body().contains("The state database cannot be used now")
                || response.body().contains("The state database is too slow now"));
    }

    /** Whatever comes back. */
    HttpResponse<String> once(String method, String path, String body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(Duration.ofMinutes(1))
                .method(method, body.isEmpty() ? HttpRequest.BodyPublishers.noBody()
                        : HttpRequest.BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        try {
            return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    int port() {
        return port;
    }

    Socket connect() throws IOException {
        return new Socket("127.0.0.1", port);
    }

    /** Sends bytes as they are and gives what comes back until the other side closes. */
    String raw(String request) throws IOException {
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(60_000);
            try {
                socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
                socket.shutdownOutput();
            } catch (SocketException e) {
                // It may have answered and closed before it was sent everything.
            }
            try {
                socket.getInputStream().transferTo(answer);
            } catch (SocketException e) {
                // Whoever closes without having read everything resets the connection, behind its answer.
            }
        }
        return answer.toString(StandardCharsets.ISO_8859_1);
    }

    /** Ends the gateway and leaves the database. */
    void closeGateway() {
        if (log != null) {
            log.interrupt();
        }
        context.close();
        http.shutdownNow();
    }

    @Override
    public void close() throws IOException {
        closeGateway();
        postgres.close();
    }
}
