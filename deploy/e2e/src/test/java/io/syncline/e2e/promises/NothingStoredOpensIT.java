package io.syncline.e2e.promises;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.AppenderBase;
import io.syncline.e2e.SyncCluster;
import io.syncline.model.credential.AuthToken;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.credential.TokenHash;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Promise 8: whoever has the whole database, every topic and every log line, and tries each string in them as a credential,
 * gets in nowhere.
 */
class NothingStoredOpensIT {

    private static final Pattern STRING = Pattern.compile("[A-Za-z0-9+/=_.$~,:@-]{3,}");
    private static final Pattern WORD = Pattern.compile("[A-Za-z0-9_-]{3,}");
    private static final String INCOMING_PASSWORD = "incoming-pass-word-4711";
    private static final String DOWNLOAD_PASSWORD = "download-pass-word-4712";
    private static final Pattern PASSWORD_HASH = Pattern.compile("\\$argon2id\\$[A-Za-z0-9+/=,$]+");
    /** What nobody would take for a password: numbers, times, hashes, UUIDs, and names of types, fields and tables. */
    private static final Pattern NO_PASSWORD = Pattern
            .compile("[0-9a-fA-F:.TZ-]+|\\\\?x[0-9a-f]+|[a-z_.]+(\\.v\\d)?|[A-Z_]+|https?:.*");
    /** Comparing a password costs tens of milliseconds, by intent. */
    private static final int OTHERS_TRIED_AS_PASSWORDS = 100;
    /** What a pull leaves behind, and what an operator says to it. */
    private static final List<String> FACTS_OF_PULLS = List.of("pull-granted", "table-pulled", "transfer-requested",
            "transfer-approved", "transfer-denied", "token-rotated");

    /** Of what nothing is counted, of what all is, and of what waits for an operator. */
    private static final List<String> LIMITS = List.of("\"notify\":false",
            "\"max_downloads\":5,\"max_records_total\":1000", "\"approval_mode\":\"require_approval\"");

    @TempDir Path directory;

    private final List<String> secrets = new ArrayList<>(List.of(INCOMING_PASSWORD, DOWNLOAD_PASSWORD));
    private final Queue<String> lines = new ConcurrentLinkedQueue<>();
    private String tokenOfOneWithPassword = "";

    @Test
    void everyStringOfDatabaseTopicsAndLogs_isRefusedAsACredential() throws Exception {
        // Another class of this JVM may just be the first to ask for a logger.
        Awaitility.await()
                .atMost(Duration.ofMinutes(1))
                .until(() -> LoggerFactory.getILoggerFactory() instanceof LoggerContext);
        Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        Lines kept = new Lines();
        kept.start();
        root.addAppender(kept);
        try (SyncCluster cluster = SyncCluster.start(directory)) {
            try (Connection source = cluster.database().connect("site");
                    Statement statement = source.createStatement()) {
                statement.execute("CREATE TABLE goods (id int PRIMARY KEY, name text);"
                        + " INSERT INTO goods SELECT n, 'thing ' || n FROM generate_series(1, 100) n");
            }
            cluster.startWorker();
            SyncCluster.Gateway gateway = cluster.startGateway();
            busyRun(gateway);

            StringBuilder all = new StringBuilder();
            database(cluster, all);
            topics(cluster, all);
            lines.forEach(line -> all.append(line).append('\n'));
            String everything = all.toString();
            assertThat(everything).contains("http://peer-0.example");
            assertThat(FACTS_OF_PULLS).allSatisfy(
                    fact -> assertThat(everything).contains("syncline.connection." + fact + ".v1"));
            assertThat(secrets).hasSizeGreaterThan(40)
                    .allSatisfy(secret -> assertThat(everything)
                            .doesNotContain(secret)
                            .doesNotContain(TokenHash.ofToken(secret).text()));
            assertThat(everything).doesNotContain(SyncCluster.ADMIN_TOKEN);

            Set<String> candidates = candidates(everything);
            tryAll(cluster, gateway, candidates);
            tryAsPasswords(gateway, everything, candidates);
        } finally {
            root.detachAppender(kept);
        }
    }

    private void busyRun(SyncCluster.Gateway gateway) {
        Awaitility.await()
                .atMost(Duration.ofMinutes(2))
                .until(() -> gateway.admin("PATCH", "/settings",
                        "{\"enabled\":true,\"incoming_mode\":\"require_password\",\"incoming_password\":\""
                                + INCOMING_PASSWORD + "\"}")
                        .statusCode() == 200);
        for (int i = 0; i < 12; i++) {
            String token = secret();
            String site = "http://peer-" + i + ".example";
            ok(gateway.call("register-connection", "{\"sender_url\":\"" + site
                    + "\",\"connection_name\":\"P\",\"auth_token\":\"" + token + "\",\"password\":\""
                    + INCOMING_PASSWORD + "\"}"));
            String by = "{\"sender_url\":\"" + site + "\",\"auth_token_hash\":\"" + TokenHash.ofToken(token).text()
                    + "\"";
            ok(gateway.call("verify-connection", by + "}"));
            ok(gateway.call("update-status", by + ",\"status\":\"suspended\"}"));
            if (i % 3 == 0) {
                ok(gateway.call("delete-connection", by + "}"));
            }
        }
        for (int i = 0; i < 12; i++) {
            String chosen = secret();
            JsonNode made = ok(gateway.admin("POST", "/connections",
                    "{\"direction\":\"sender\",\"name\":\"S\",\"site_url\":\"http://receiver-" + i
                            + ".example\",\"status\":\"active\",\"download_password\":\"" + DOWNLOAD_PASSWORD + "\","
                            + LIMITS.get(i % LIMITS.size())
                            + (i % 2 == 0 ? ",\"auth_token\":\"" + chosen + "\"" : "") + "}"));
            String token = made.path("auth_token").asString();
            secrets.add(token);
            tokenOfOneWithPassword = token;
            HttpResponse<String> opened = gateway.call("list-tables", presenting(token, ""));
            assertThat(opened.statusCode()).as("what is tried below would be noticed").isEqualTo(200);
            pull(gateway, "http://receiver-" + i + ".example", token, i < 6);
            secrets.add(ok(gateway.admin("POST",
                    "/connections/" + made.path("uuid").asString() + "/rotate-token", null)).path("auth_token")
                    .asString());
        }
        for (String role : List.of("viewer", "auditor", "operator")) {
            secrets.add(ok(gateway.admin("POST", "/operators",
                    "{\"name\":\"the-" + role + "\",\"role\":\"" + role + "\"}")).path("token").asString());
        }
        // What is refused is logged; what was presented is not.
        for (int i = 0; i < 5; i++) {
            String wrong = secret();
            gateway.call("list-tables", "{\"auth_token_hash\":\"" + TokenHash.ofToken(wrong).text() + "\"}");
            gateway.call("register-connection",
                    "{\"sender_url\":\"http://peer-1.example\",\"connection_name\":\"P\",\"auth_token\":\"" + wrong
                            + "\",\"password\":\"" + secret() + "\"}");
            gateway.call("verify-connection", "{\"auth_token_hash\":\"" + wrong);
            gateway.send("GET", "/admin/api/settings", Map.of("authorization", "Bearer " + secret()), "");
        }
    }

    private void pull(SyncCluster.Gateway gateway, String site, String token, boolean approved) {
        String goods = presenting(token, ",\"table_name\":\"goods\"");
        HttpResponse<String> first = Awaitility.await("the table is served")
                .atMost(Duration.ofMinutes(2))
                .pollDelay(Duration.ZERO)
                .until(() -> gateway.call("pull-data", goods), answer -> answer.statusCode() != 404
                        && answer.statusCode() != 503);
        if (first.statusCode() == 202) {
            String transfer = ok(gateway.admin("GET", "/transfers?state=waiting&site_url=" + site, null))
                    .path("transfers")
                    .path(0)
                    .path("uuid")
                    .asString();
            ok(gateway.admin("POST", "/transfers/" + transfer + (approved ? "/approve" : "/deny"), "{}"));
            assertThat(gateway.call("pull-data", goods).statusCode()).isEqualTo(approved ? 200 : 403);
            if (!approved) {
                return;
            }
        } else {
            ok(first);
        }
        ok(gateway.call("table-records", goods));
        Awaitility.await("the pull is a fact")
                .atMost(Duration.ofMinutes(1))
                .until(() -> !ok(gateway.admin("GET", "/transfers?site_url=" + site, null)).path("transfers")
                        .isEmpty());
    }

    private static String presenting(String token, String more) {
        return "{\"auth_token_hash\":\"" + TokenHash.ofToken(token).text() + "\",\"password\":\"" + DOWNLOAD_PASSWORD
                + "\"" + more + "}";
    }

    private String secret() {
        String secret = AuthToken.random(new java.security.SecureRandom()).text();
        secrets.add(secret);
        return secret;
    }

    private static JsonNode ok(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isBetween(200, 299);
        return JsonMapper.shared().readTree(response.body());
    }

    private static void database(SyncCluster cluster, StringBuilder all) throws SQLException {
        try (Connection connection = cluster.database().connect("syncline");
                Statement statement = connection.createStatement()) {
            List<String> tables = new ArrayList<>();
            try (ResultSet row = statement.executeQuery("""
                    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
                    WHERE schemaname NOT IN ('pg_catalog', 'information_schema')""")) {
                while (row.next()) {
                    tables.add(row.getString(1));
                }
            }
            assertThat(tables).contains("syncline.connection", "syncline.connection_event", "syncline.settings");
            for (String table : tables) {
                try (ResultSet row = statement.executeQuery("SELECT to_jsonb(t)::text FROM " + table + " t")) {
                    while (row.next()) {
                        all.append(row.getString(1)).append('\n');
                    }
                }
            }
            // Payloads lie there as bytes, which the above shows in hexadecimal.
            try (ResultSet row = statement
                    .executeQuery("SELECT convert_from(payload, 'UTF8') FROM syncline.connection_event")) {
                while (row.next()) {
                    all.append(row.getString(1)).append('\n');
                }
            }
        }
    }

    private static void topics(SyncCluster cluster, StringBuilder all) {
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", cluster.broker().bootstrapServers()), new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.listTopics()
                    .values()
                    .stream()
                    .flatMap(List::stream)
                    .map(one -> new TopicPartition(one.topic(), one.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    append(all, record.key());
                    append(all, record.value());
                    for (Header header : record.headers()) {
                        append(all, header.value());
                    }
                }
            }
        }
    }

    private static void append(StringBuilder all, byte[] bytes) {
        if (bytes != null) {
            all.append(new String(bytes, StandardCharsets.UTF_8)).append('\n');
        }
    }

    private static Set<String> candidates(String everything) {
        Set<String> candidates = new HashSet<>();
        for (Pattern pattern : List.of(STRING, WORD)) {
            Matcher found = pattern.matcher(everything);
            while (found.find()) {
                if (found.group().length() <= 1_000) {
                    candidates.add(found.group());
                }
            }
        }
        return candidates;
    }

    /** All by what the gateway compares; and by HTTP those that look most like a credential. */
    private static void tryAll(SyncCluster cluster, SyncCluster.Gateway gateway, Set<String> candidates)
            throws SQLException {
        CredentialKeys keys = cluster.keys();
        Set<String> stored = new HashSet<>();
        try (Connection connection = cluster.database().connect("syncline");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        """
                        SELECT fingerprint FROM syncline.connection
                        UNION SELECT unnest(previous_fingerprints) FROM syncline.connection
                        UNION SELECT o->>'fingerprint' FROM syncline.settings, jsonb_array_elements(operators::jsonb) o"""
                )) {
            while (row.next()) {
                stored.add(row.getString(1));
            }
        }
        assertThat(stored).hasSizeGreaterThan(30).doesNotContainNull();
        assertThat(candidates).hasSizeGreaterThan(500).containsAll(stored);
        for (String candidate : candidates) {
            assertThat(stored).as(candidate)
                    .doesNotContain(keys.fingerprint(TokenHash.asSent(candidate)).hex())
                    .doesNotContain(keys.fingerprint(TokenHash.ofToken(candidate)).hex());
        }
        List<String> likely = candidates.stream().filter(one -> one.length() >= 20 && one.length() <= 300).toList();
        for (String candidate : likely) {
            String json = JsonMapper.shared().writeValueAsString(candidate);
            assertThat(gateway.call("list-tables", "{\"auth_token_hash\":" + json + "}").statusCode()).as(candidate)
                    .isEqualTo(401);
            assertThat(gateway.call("get-connection-status",
                    "{\"receiver_url\":\"http://r\",\"auth_token_hash\":" + json + "}").statusCode()).as(candidate)
                    .isEqualTo(404);
            assertThat(gateway.send("GET", "/admin/api/settings", Map.of("authorization", "Bearer " + candidate), "")
                    .statusCode()).as(candidate).isEqualTo(401);
        }
    }

    /** A stored hash, whole and in its parts, and some of what else might be a password. */
    private void tryAsPasswords(SyncCluster.Gateway gateway, String everything, Set<String> candidates) {
        Set<String> tried = new LinkedHashSet<>();
        Matcher hash = PASSWORD_HASH.matcher(everything);
        while (hash.find()) {
            tried.add(hash.group());
            Stream.of(hash.group().split("\\$")).filter(part -> part.length() >= 20).forEach(tried::add);
        }
        assertThat(tried).as("hashes of the incoming and the download passwords, their salts and digests")
                .hasSizeGreaterThan(3 * 12);
        List<String> others = new ArrayList<>(candidates.stream()
                .filter(one -> one.length() >= 8 && one.length() <= 100 && !NO_PASSWORD.matcher(one).matches())
                .sorted()
                .toList());
        long seed = Long.getLong("syncline.seed", System.nanoTime());
        Collections.shuffle(others, new Random(seed));
        others.stream().limit(OTHERS_TRIED_AS_PASSWORDS).forEach(tried::add);

        String right = presenting(tokenOfOneWithPassword, "");
        assertThat(gateway.call("list-tables", right).statusCode()).isEqualTo(200);
        for (String password : tried) {
            String described = password + ", -Dsyncline.seed=" + seed;
            String json = JsonMapper.shared().writeValueAsString(password);
            assertThat(gateway.call("list-tables",
                    right.replace("\"" + DOWNLOAD_PASSWORD + "\"", json)).statusCode())
                    .as(described)
                    .isEqualTo(401);
            assertThat(gateway.call("register-connection",
                    "{\"sender_url\":\"http://new.example\",\"connection_name\":\"P\",\"auth_token\":\"t\",\"password\":"
                            + json + "}")
                    .statusCode()).as(described).isEqualTo(401);
        }
        ok(gateway.call("register-connection",
                "{\"sender_url\":\"http://new.example\",\"connection_name\":\"P\",\"auth_token\":\"t\",\"password\":\""
                        + INCOMING_PASSWORD + "\"}"));
    }

    private final class Lines extends AppenderBase<ILoggingEvent> {

        @Override
        protected void append(ILoggingEvent event) {
            lines.add(event.getFormattedMessage());
            for (IThrowableProxy thrown = event.getThrowableProxy(); thrown != null; thrown = thrown.getCause()) {
                lines.add(String.valueOf(thrown.getMessage()));
            }
        }
    }
}
