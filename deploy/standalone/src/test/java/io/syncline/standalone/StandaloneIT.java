package io.syncline.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.syncline.model.credential.TokenHash;
import io.syncline.model.testing.HeldPort;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The one command, as a newcomer gives it, in processes of their own. */
@Execution(ExecutionMode.CONCURRENT)
class StandaloneIT {

    private static final Duration READY = Duration.ofMinutes(5);
    private static final Duration STOPPED = Duration.ofMinutes(2);
    /** Of a shell's line. */
    private static final Pattern WORD = Pattern.compile("(?:'[^']*'|[^ '])+");

    private final JsonMapper json = JsonMapper.shared();

    @TempDir Path folder;

    @Test
    void start_triedStoppedKilledAndStartedAgain() throws Exception {
        try (ChildJvm first = start()) {
            first.awaitLine("Syncline is ready", READY);
            List<String> lines = curlLines(first);
            assertThat(tables(lines)).contains("customers 2500", "events 15600", "order_lines 22500", "orders 9000",
                    "products 400");
            assertThat(pull(lines).path("data")).hasSize(400);
            assertThat(run(lines.get(2)).path("enabled").asBoolean()).isTrue();
            assertThat(run(lines.get(2)).path("incoming_mode").asString()).isEqualTo("require_approval");

            try (ChildJvm second = start()) {
                assertThat(second.awaitExit(STOPPED)).isEqualTo(1);
                assertThat(second.text()).contains("is in use by process " + first.pid(), ".syncline",
                        "--syncline.data-dir=");
            }

            insertProduct("NEW-00001");
            awaitProduct(lines, "NEW-00001");

            first.signal("TERM");
            assertThat(first.awaitExit(STOPPED)).isEqualTo(143);
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> Postmaster.of(folder.resolve(".syncline/postgresql/data")).isEmpty());
            assertNothingSecretIn(first.text());
        }

        try (ChildJvm again = start()) {
            again.awaitLine("Syncline is ready", READY);
            List<String> lines = curlLines(again);
            assertThat(tables(lines)).contains("products 401");
            assertThat(connections(lines)).hasSize(1);
            insertProduct("NEW-00002");
            again.kill();
        }

        try (ChildJvm afterKill = start()) {
            afterKill.awaitLine("Syncline is ready", READY);
            assertThat(afterKill.text()).contains("is left over from a run that was killed");
            List<String> lines = curlLines(afterKill);
            awaitProduct(lines, "NEW-00002");
            await().atMost(Duration.ofMinutes(1))
                    .untilAsserted(() -> assertThat(tables(lines)).contains("products 402", "customers 2500",
                            "order_lines 22500"));
            assertNothingSecretIn(afterKill.text());
            afterKill.signal("TERM");
            assertThat(afterKill.awaitExit(STOPPED)).isEqualTo(143);
        }
    }

    @Test
    void start_saysWhatAnOperatorHasClosed_andHowToOpenIt() throws Exception {
        String connection;
        try (ChildJvm first = start()) {
            first.awaitLine("Syncline is ready", READY);
            List<String> lines = curlLines(first);
            connection = connections(lines).get(0).path("uuid").asString();
            change(lines, "/connections/" + connection, "{\"allowed_tables\":[\"orders\"]}");
            change(lines, "/settings", "{\"enabled\":false}");
            first.kill();
        }

        try (ChildJvm disabled = start()) {
            disabled.awaitLine("Syncline is ready", READY);
            List<String> lines = curlLines(disabled);
            assertThat(disabled.text()).contains("5 tables are served", "The module is disabled");
            assertThat(run(lines.get(0)).path("enabled").asBoolean()).isTrue();
            assertThat(tables(lines.get(1))).containsExactly("orders 9000");
            suspend(lines, connection);
            disabled.kill();
        }

        try (ChildJvm suspended = start()) {
            suspended.awaitLine("Syncline is ready", READY);
            List<String> lines = curlLines(suspended);
            assertThat(suspended.text()).contains("The connection for trying is suspended.");
            run(lines.get(0));
            assertThat(tables(lines.get(1))).containsExactly("orders 9000");
        }
    }

    @Test
    void start_overTls_withAPortOfTheirOwnForOperators() throws Exception {
        Path store = folder.resolve("web.p12");
        Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair", "-keyalg", "EC", "-alias", "web", "-dname", "CN=site", "-ext", "san=dns:localhost",
                "-validity", "2", "-storetype", "PKCS12", "-keystore", store.toString(), "-storepass", "changeit")
                .inheritIO()
                .start();
        assertThat(keytool.waitFor()).isZero();
        try (HeldPort port = new HeldPort();
                ChildJvm site = start("--syncline.admin.port=" + port.number(), "--server.ssl.bundle=web",
                        "--spring.ssl.bundle.jks.web.keystore.location=" + store,
                        "--spring.ssl.bundle.jks.web.keystore.password=changeit")) {
            site.awaitLine("Syncline is ready", READY);
            List<String> lines = curlLines(site);
            assertThat(lines).allSatisfy(line -> assertThat(line).contains("--cacert ", " https://localhost:"));
            assertThat(pull(lines).path("data")).hasSize(400);
            assertThat(lines.get(2)).contains(" https://localhost:" + port.number() + "/admin/api/settings");
            assertThat(run(lines.get(2)).path("enabled").asBoolean()).isTrue();
        }
    }

    @Test
    void start_withEverythingOfTheUsersOwn() throws Exception {
        try (EmbeddedBroker kafka = EmbeddedBroker.start(folder.resolve("their-kafka"));
                EmbeddedDatabase postgres = EmbeddedDatabase.throwAway()) {
            postgres.createDatabase("state").createDatabase("site");
            try (Connection connection = postgres.connect("site"); Statement statement = connection.createStatement()) {
                statement.execute("CREATE TABLE notes (id bigint PRIMARY KEY, text text)");
                statement.execute("INSERT INTO notes VALUES (1, 'first')");
            }
            String secret = postgres.password();
            try (ChildJvm site = start(
                    "--spring.kafka.bootstrap-servers=" + kafka.bootstrapServers(),
                    "--spring.datasource.url=" + postgres.url("state"), "--spring.datasource.username=syncline",
                    "--spring.datasource.password=" + secret, "--syncline.source.url=" + postgres.url("site"),
                    "--syncline.source.username=syncline", "--syncline.source.password=" + secret,
                    "--syncline.prefix=kit", "--syncline.admin.token=chosen by the user")) {
                site.awaitLine("Syncline is ready", READY);
                List<String> lines = curlLines(site);
                assertThat(lines.getFirst()).contains("/kit/sync/api/list-tables");
                assertThat(tables(lines)).containsExactly("notes 1");
                assertThat(pull(lines).path("data").get(0).path("text").asString()).isEqualTo("first");
                assertThat(run(lines.get(2)).path("enabled").asBoolean()).isTrue();
                assertThat(folder.resolve(".syncline/kafka")).doesNotExist();
                assertThat(folder.resolve(".syncline/postgresql")).doesNotExist();
                assertThat(site.text()).doesNotContain(secret, "chosen by the user");
                site.signal("TERM");
                assertThat(site.awaitExit(STOPPED)).isEqualTo(143);
            }
        }
    }

    @Test
    void start_saysWhatOfTheUsersOwnDoesNotAnswer() throws Exception {
        // Bound, so that nobody else gets it, and not listened on.
        try (SocketChannel nobody = SocketChannel.open()
                .bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0))) {
            saysWhatDoesNotAnswer("jdbc:postgresql://127.0.0.1:"
                    + ((InetSocketAddress) nobody.getLocalAddress()).getPort() + "/state?password=");
        }
    }

    private void saysWhatDoesNotAnswer(String url) throws Exception {
        Files.writeString(folder.resolve("worker.yml"), "syncline.capture.max-retained-wl: 2GB\n");
        try (ChildJvm site = start("--spring.datasource.url=" + url + "geheim", "--spring.datasource.username=u",
                "--syncline.surce.url=x")) {
            site.awaitText("spring.datasource.url: '" + url + "***'");
            site.awaitText("nothing reads the property syncline.surce.url: is it misspelt?");
            site.awaitText("nothing reads the property syncline.capture.max-retained-wl: is it misspelt?");
            assertThat(site.text()).contains("start that PostgreSQL").doesNotContain("geheim");
            site.signal("TERM");
            assertThat(site.awaitExit(STOPPED)).isEqualTo(143);
        }
    }

    /** On a port that is free for sure: what it says of itself names it. */
    private ChildJvm start(String... arguments) throws IOException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--server.port=0");
        return ChildJvm.start(folder, Map.of(), StandaloneLauncher.class, all.toArray(String[]::new));
    }

    private static List<String> curlLines(ChildJvm site) {
        site.awaitLine("Ctrl-C stops everything");
        List<String> lines = site.text().lines().filter(line -> line.startsWith("  curl ")).toList();
        assertThat(lines).hasSize(3);
        return lines;
    }

    private List<String> tables(List<String> lines) {
        return tables(lines.get(0));
    }

    private List<String> tables(String line) {
        List<String> tables = new ArrayList<>();
        run(line).path("tables")
                .forEach(table -> tables.add(table.path("name").asString() + " " + table.path("row_count").asLong()));
        return tables;
    }

    private JsonNode pull(List<String> lines) {
        return run(lines.get(1));
    }

    private record Answer(int status, String body) {}

    /** What the line does when it is pasted into a shell; a 503 says that it wants to be sent again. */
    private JsonNode run(String line) {
        Answer answer = await().atMost(Duration.ofMinutes(1))
                .until(() -> answer(line), one -> one.status() != 503);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        return json.readTree(answer.body());
    }

    /** By curl itself where there is one. */
    private Answer answer(String line) throws Exception {
        Optional<Path> curl = Stream.of("/usr/bin/curl", "/bin/curl", "/usr/local/bin/curl")
                .map(Path::of)
                .filter(Files::exists)
                .findFirst();
        if (curl.isPresent()) {
            ProcessBuilder shell = new ProcessBuilder("sh", "-c", line.strip() + " -w '\n%{http_code}'")
                    .directory(folder.toFile());
            // Neither the machine's proxy nor its user's settings for curl.
            shell.environment().keySet().removeIf(name -> name.toLowerCase(Locale.ROOT).endsWith("_proxy"));
            Files.writeString(folder.resolve(".curlrc"), "");
            shell.environment().put("CURL_HOME", folder.toString());
            Process curling = shell.start();
            String answer = new String(curling.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(curling.waitFor()).isZero();
            int end = answer.lastIndexOf('\n');
            return new Answer(Integer.parseInt(answer.substring(end + 1)), answer.substring(0, end));
        }
        HttpRequest.Builder request = HttpRequest.newBuilder();
        HttpClient.Builder client = HttpClient.newBuilder();
        String method = null;
        String body = null;
        Iterator<String> words = WORD.matcher(line.strip())
                .results()
                .map(word -> word.group().replace("'", ""))
                .iterator();
        while (words.hasNext()) {
            String word = words.next();
            switch (word) {
                case "curl", "-s" -> {
                }
                case "-X" -> method = words.next();
                case "-d" -> body = given(words.next());
                case "-H" -> {
                    String[] header = given(words.next()).split(": ", 2);
                    request.header(header[0], header[1]);
                }
                case "--cacert" -> client.sslContext(trusting(folder.resolve(words.next())));
                default -> request.uri(URI.create(word));
            }
        }
        if (body != null) {
            request.method(method == null ? "POST" : method, HttpRequest.BodyPublishers.ofString(body));
        }
        HttpResponse<String> response;
        try (HttpClient http = client.build()) {
            response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        }
        return new Answer(response.statusCode(), response.body());
    }

    /** As curl takes it: what is behind an @ is a file. */
    private String given(String value) throws IOException {
        return value.startsWith("@") ? Files.readString(folder.resolve(value.substring(1))).strip() : value;
    }

    private static SSLContext trusting(Path certificate) throws Exception {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (InputStream pem = Files.newInputStream(certificate)) {
            trusted.setCertificateEntry("web", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    private void change(List<String> lines, String path, String body) {
        run(admin(lines, "-X PATCH", path, body));
    }

    private void suspend(List<String> lines, String connection) {
        run(admin(lines, "-X POST", "/connections/" + connection + "/suspend", "{\"reason\":\"a look\"}"));
    }

    /** From the line that shows the settings. */
    private static String admin(List<String> lines, String method, String path, String body) {
        return lines.get(2)
                .replace("curl -s", "curl -s " + method + " -H 'content-type: application/json' -d '" + body + "'")
                .replace("/settings", path);
    }

    private JsonNode connections(List<String> lines) {
        return run(lines.get(2).replace("/admin/api/settings", "/admin/api/connections?direction=sender"))
                .path("connections");
    }

    private void insertProduct(String sku) throws Exception {
        Path directory = folder.resolve(".syncline/postgresql");
        Properties login = new Properties();
        login.setProperty("user", "syncline");
        login.setProperty("password", Files.readString(directory.resolve("password")).strip());
        try (Connection connection = EmbeddedDatabase.connect("jdbc:postgresql://127.0.0.1:"
                + Files.readString(directory.resolve("port")).strip() + "/shop", login);
                Statement statement = connection.createStatement()) {
            statement.execute("""
                    INSERT INTO products (sku, name, category, price, weight_grams, in_stock, attributes, released_on, created_at)
                    VALUES ('%s', 'Lamp', 'garden', 12.50, 100, true, '{}', '2026-01-01', now())""".formatted(sku));
        }
    }

    private void awaitProduct(List<String> lines, String sku) {
        await().atMost(Duration.ofMinutes(1))
                .pollInterval(Duration.ofMillis(100))
                .untilAsserted(
                        () -> assertThat(pull(lines).path("data").valueStream().map(row -> row.path("sku").asString()))
                                .contains(sku));
    }

    private void assertNothingSecretIn(String output) throws IOException {
        Path data = folder.resolve(".syncline");
        String token = secret(data.resolve("try/token"));
        assertThat(output).doesNotContain(token, TokenHash.ofToken(token).text(), secret(data.resolve("admin.token")),
                secret(data.resolve("postgresql/password")));
        for (String line : Files.readAllLines(data.resolve("keys"))) {
            if (line.startsWith("#")) {
                continue;
            }
            String key = line.substring(line.indexOf('=') + 1);
            if (key.length() > 16) {
                assertThat(output).doesNotContain(key);
            }
        }
        secret(data.resolve("try/list-tables.json"));
        secret(data.resolve("try/pull-data.json"));
        secret(data.resolve("admin.header"));
        secret(data.resolve("keys"));
    }

    private static String secret(Path file) throws IOException {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).as(file.toString())
                .isEqualTo("rw-------");
        return Files.readString(file).strip();
    }
}
