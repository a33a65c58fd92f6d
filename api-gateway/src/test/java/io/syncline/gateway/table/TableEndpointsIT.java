package io.syncline.gateway.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.syncline.gateway.dispatch.Submission;
import io.syncline.gateway.http.BoundedLog;
import io.syncline.gateway.http.BrokenOffException;
import io.syncline.gateway.http.PeerAnswer;
import io.syncline.gateway.http.PeerRoutes;
import io.syncline.model.api.SyncPaths;
import io.syncline.model.connection.AccessPolicy;
import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.connection.ConnectionStatus;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.PullOutcome;
import io.syncline.model.connection.Pulls;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.TokenHash;
import io.syncline.model.log.TableChangeCodec;
import io.syncline.model.table.ColumnInfo;
import io.syncline.model.table.KeyColumn;
import io.syncline.model.table.ReplicaLayout;
import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import io.syncline.model.testing.TestPostgres;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.ByteArrayOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.web.server.servlet.context.ServletWebServerApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.ServerResponse;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The table calls over HTTP, from a real PostgreSQL; who may call is told by a fake. Alone in its JVM, whose heap it measures. */
@Isolated
class TableEndpointsIT {

    private static final int STREAMS = 3;
    private static final int LONG_ROWS = 300;
    private static final int LONG_TEXT = 100_000;
    private static final List<String> MOODS = List.of("sad", "ok", "happy");
    private static final Duration LONGEST = Duration.ofMinutes(10);
    /** Far more than any of it takes: only what never comes is to fail. */
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final String TURNED_AWAY = "Too many pulls are running";
    /** Each time that somebody is turned away takes a second. */
    private static final int MOST_TIMES = 60;

    private static EmbeddedPostgres postgres;
    private static HikariDataSource pulls;
    private static RowStream rows;
    private static ConfigurableApplicationContext gateway;
    private static final FakeAccess ACCESS = new FakeAccess();
    private static final FakeRing RING = new FakeRing();
    private static final PullLedger LEDGER = new PullLedger(RING, ACCESS::approved, UUID::randomUUID, LONGEST,
            System::nanoTime);

    private final HttpClient http = HttpClient.newHttpClient();

    /** Connections by the token's hash; whoever is asked for is there at once. */
    private static final class FakeAccess implements TableAccess {

        final Map<String, Sender> senders = new ConcurrentHashMap<>();
        volatile boolean enabled = true;

        @Override
        public boolean enabled() {
            return enabled;
        }

        @Override
        public Set<Running> allowed(Set<Running> running) {
            return running.stream()
                    .filter(one -> senders.values()
                            .stream()
                            .anyMatch(sender -> sender.status() == ConnectionStatus.ACTIVE
                                    && sender.uuid().equals(one.connection())))
                    .collect(Collectors.toSet());
        }

        @Override
        public boolean approved(SiteUrl site, String table) {
            return true;
        }

        @Override
        public Optional<Sender> sender(TokenHash hash) {
            return Optional.ofNullable(senders.get(hash.text()));
        }
    }

    @SpringBootConfiguration
    @EnableAutoConfiguration(excludeName = {"org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration",
        "org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration"})
    static class Gateway {

        @Bean
        RouterFunction<ServerResponse> routes() {
            TableEndpoints tables = new TableEndpoints(ACCESS, (given, stored) -> AccessPolicy.Password.DIFFERENT,
                    () -> 1, new TableReads(postgres.getPostgresDatabase()), rows,
                    LEDGER);
            return new PeerRoutes("phoenix_kit", UUID::randomUUID,
                    new BoundedLog(LoggerFactory.getLogger(TableEndpointsIT.class), System::nanoTime))
                    .post(SyncPaths.LIST_TABLES, tables::listTables)
                    .post(SyncPaths.TABLE_SCHEMA, tables::tableSchema)
                    .post(SyncPaths.TABLE_RECORDS, tables::tableRecords)
                    .postLines(SyncPaths.PULL_DATA, tables::pullData)
                    .function();
        }
    }

    @BeforeAll
    static void start() throws Exception {
        postgres = TestPostgres.start();
        execute("CREATE SCHEMA syncline");
        for (String migration : List.of("V2__replica", "V3__capture", "V5__changes", "V10__capture_lag",
                "V20__known_until")) {
            execute(Files.readString(
                    Path.of("../sync-worker/src/main/resources/db/migration/" + migration + ".sql")));
        }
        HikariConfig config = new HikariConfig();
        config.setDataSource(postgres.getPostgresDatabase());
        config.setMaximumPoolSize(STREAMS);
        pulls = new HikariDataSource(config);
        rows = new RowStream(pulls, new RowStream.Bounds(LONGEST, 0, Duration.ofSeconds(1), STREAMS - 1),
                ACCESS::allowed);
        // Whoever reads nothing is still there when it is looked at.
        gateway = serve(Duration.ofMinutes(10));

        table("basic", List.of("id integer"), List.of("id integer", "name text", "qty integer"),
                IntStream.rangeClosed(1, 150)
                        .mapToObj(i -> row("{\"id\":" + i + ",\"name\":\"name " + i + "\",\"qty\":" + i * 10 + "}", i))
                        .toList());
        table("empty_table", List.of("id integer"), List.of("id integer", "v text"), List.of());
        table("text_pk", List.of("code character varying(20)"), List.of("code character varying(20)", "v text"),
                List.of(row("{\"code\":\"b\",\"v\":\"2\"}", "b"), row("{\"code\":\"a\",\"v\":\"1\"}", "a"),
                        row("{\"code\":\"c\",\"v\":\"3\"}", "c")));
        table("uuid_pk", List.of("id uuid"), List.of("id uuid", "v text"),
                List.of(row("{\"id\":\"00000000-0000-0000-0000-000000000061\",\"v\":\"row 1\"}",
                        "00000000-0000-0000-0000-000000000061")));
        table("composite_pk", List.of("a integer", "b integer"), List.of("a integer", "b integer", "v text"),
                List.of(row("{\"a\":1,\"b\":2,\"v\":\"y\"}", 1, 2), row("{\"a\":1,\"b\":1,\"v\":\"x\"}", 1, 1)));
        table("odd \"names\\", List.of("id bigint"), List.of("id bigint"), List.of(row("{\"id\":1}", 1)));
        table("dates", List.of("day date"), List.of("day date"), List.of(row("{\"day\":\"2025-12-15\"}",
                "2025-12-15")));
        execute("CREATE TYPE syncline_replica.\"" + ReplicaLayout.enumName(MOODS)
                + "\" AS ENUM ('sad', 'ok', 'happy')");
        table("moods", List.of("m mood"), List.of("m mood"),
                MOODS.reversed().stream().map(mood -> row("{\"m\":\"" + mood + "\"}", mood)).toList());
        table("lists", List.of("l integer[]"), List.of("l integer[]"), List.of(row("{\"l\":[9]}", "{9}"),
                row("{\"l\":[10]}", "{10}"), row("{\"l\":[10,1]}", "{10,1}")));
        table("numbers", List.of("n numeric"), List.of("n numeric"),
                Stream.of("10.25", "9.5", "-3", "NaN")
                        .map(number -> row("{\"n\":\"" + number + "\"}", number))
                        .toList());
        table("moments", List.of("at timestamp with time zone"), List.of("at timestamp with time zone"),
                Stream.of("2025-12-15T18:56:59.387453Z", "2025-12-15T18:57:00.000000Z", "2024-02-29T00:00:00.000000Z")
                        .map(moment -> row("{\"at\":\"" + moment + "\"}", moment))
                        .toList());
        table("bytes", List.of("b bytea"), List.of("b bytea"), Stream.of("ff", "0a", "0a00", "")
                .map(hex -> row("{\"b\":\"\\\\x" + hex + "\"}", "\\x" + hex))
                .toList());
        // A domain's values lie under the type below it.
        table("cents", List.of("c numeric(10,2)"), List.of("c cents"),
                Stream.of("10.00", "9.99", "0.50").map(cent -> row("{\"c\":\"" + cent + "\"}", cent)).toList());
        table("phoenix_kit_settings", List.of("id integer"), List.of("id integer"), List.of(row("{\"id\":1}", 1)));
        execute("INSERT INTO syncline_replica.\"basic.1\" (k1, removed_key, changed, commit_lsn, lsn, number, removed_at)"
                + " VALUES (151, '{\"id\":151}', 20, 1, 1, 1, now()), (0, '{\"id\":0}', 9, 1, 1, 1, now())");
        execute("UPDATE syncline_replica.\"basic.1\" SET changed = 20 WHERE k1 IN (3, 77, 149)");
        state("waiting", "waiting");
        execute("INSERT INTO syncline.capture_status (table_name, state, snapshot_estimated, updated_at) VALUES"
                + " ('waiting', 'waiting', 20000, now()), ('not begun', 'waiting', NULL, now())");
        state("marked", "marked");
        state("mending", "marked");

        connection("active", ConnectionStatus.ACTIVE, ConnectionSettings.DEFAULTS);
        connection("pending", ConnectionStatus.PENDING, ConnectionSettings.DEFAULTS);
        connection("expired", ConnectionStatus.EXPIRED, ConnectionSettings.DEFAULTS);
        connection("seven", ConnectionStatus.ACTIVE, settings(7, List.of(), List.of()));
        connection("many", ConnectionStatus.ACTIVE, settings(2_000_000, List.of(), List.of()));
        connection("others", ConnectionStatus.ACTIVE, settings(2_000_000, List.of(), List.of()));
        connection("counted", ConnectionStatus.ACTIVE, counted(10_000, 1_000_000L));
        connection("counted seven", ConnectionStatus.ACTIVE, counted(7, 1_000_000L));
        connection("downloads", ConnectionStatus.ACTIVE, counted(10_000, null));
        connection("notb", ConnectionStatus.ACTIVE, settings(10, List.of(), List.of("b")));
        connection("few", ConnectionStatus.ACTIVE,
                settings(10, List.of("basic", "text_pk"), List.of("basic", "composite_pk")));
    }

    /** @param untaken how long Tomcat waits for a client that takes nothing */
    private static ConfigurableApplicationContext serve(Duration untaken) {
        return new SpringApplicationBuilder(Gateway.class).properties("server.port=0",
                "spring.threads.virtual.enabled=true", "spring.config.name=none",
                "server.tomcat.connection-timeout=" + untaken).run();
    }

    @AfterAll
    static void stop() throws Exception {
        gateway.close();
        rows.close();
        pulls.close();
        postgres.close();
    }

    @Test
    void listTables_byNameWithCounts() throws Exception {
        JsonNode answer = ok("list-tables", "active");

        assertThat(answer.path("tables").valueStream().map(table -> table.path("name").asString()))
                .contains("basic", "composite_pk", "dates", "empty_table", "odd \"names\\", "text_pk", "uuid_pk")
                .contains("waiting", "marked")
                .doesNotContain("phoenix_kit_settings")
                .isSorted();
        assertThat(answer.path("tables").get(0).toString().replaceFirst("\"lag_ms\":[0-9]+", "\"lag_ms\":0"))
                .isEqualTo(
                        "{\"name\":\"basic\",\"row_count\":150,\"size_bytes\":5000,\"checksum\":\"00000000000000ff\","
                                + "\"as_of_time\":\"" + asOfTime("basic")
                                + "\",\"lag_ms\":0,\"depends_on\":[\"a\",\"b\"],\"state\":\"live\"}");
        assertThat(answer.path("tables").valueStream().filter(table -> !table.path("state").asString().equals("live")))
                .extracting(JsonNode::toString)
                .containsExactly(
                        "{\"name\":\"marked\",\"row_count\":12345,\"size_bytes\":0,\"depends_on\":[],\"state\":\"marked\"}",
                        "{\"name\":\"mending\",\"row_count\":12345,\"size_bytes\":0,\"depends_on\":[],\"state\":\"marked\"}",
                        "{\"name\":\"not begun\",\"row_count\":0,\"size_bytes\":0,\"depends_on\":[],\"state\":\"waiting\"}",
                        "{\"name\":\"waiting\",\"row_count\":12345,\"size_bytes\":0,\"depends_on\":[],\"state\":\"waiting\"}");
    }

    private String asOfTime(String table) throws Exception {
        return call("table-schema", "active", "\"table_name\":\"" + table + "\"", null).headers()
                .firstValue("X-Syncline-As-Of-Time")
                .orElseThrow();
    }

    @Test
    void listTables_onlyAllowedOnes() throws Exception {
        assertThat(ok("list-tables", "few").path("tables").valueStream().map(table -> table.path("name").asString()))
                .containsExactly("text_pk");
    }

    @Test
    void listTables_dependingOnAllowedOnesOnly() throws Exception {
        assertThat(dependsOn("active")).isEqualTo("[\"a\",\"b\"]");
        assertThat(dependsOn("notb")).isEqualTo("[\"a\"]");
        assertThat(dependsOn("few")).isEqualTo("[]");
    }

    private String dependsOn(String who) throws Exception {
        return ok("list-tables", who).path("tables")
                .valueStream()
                .filter(table -> table.path("name").asString().equals("text_pk"))
                .findFirst()
                .orElseThrow()
                .path("depends_on")
                .toString();
    }

    @Test
    void tableSchema_asInformationSchemaHasIt() throws Exception {
        assertThat(ok("table-schema", "active", "\"table_name\":\"text_pk\"").toString()).isEqualTo(
                "{\"success\":true,\"schema\":{\"table_name\":\"text_pk\",\"columns\":["
                        + "{\"column_name\":\"code\",\"data_type\":\"character varying\",\"is_nullable\":\"NO\","
                        + "\"column_default\":null,\"character_maximum_length\":20},"
                        + "{\"column_name\":\"v\",\"data_type\":\"text\",\"is_nullable\":\"NO\","
                        + "\"column_default\":null,\"character_maximum_length\":null}]}}");
    }

    @Test
    void pullData_allRowsByKeyWithoutTombstones() throws Exception {
        JsonNode answer = ok("pull-data", "active", "\"table_name\":\"basic\",\"conflict_strategy\":null");

        assertThat(answer.path("table").asString()).isEqualTo("basic");
        assertThat(answer.path("data").valueStream().map(row -> row.path("id").intValue()))
                .containsExactlyElementsOf(IntStream.rangeClosed(1, 150).boxed().toList());
        assertThat(answer.path("data").get(1).toString())
                .isEqualTo("{\"id\":2,\"name\":\"name 2\",\"qty\":20}");
    }

    @Test
    void pullData_emptyTable() throws Exception {
        HttpResponse<String> response = call("pull-data", "active", "\"table_name\":\"empty_table\"", null);

        assertThat(response.body()).isEqualTo("{\"success\":true,\"table\":\"empty_table\",\"data\":[]}");
        assertThat(response.headers().firstValue("Content-Type").map(type -> type.replace(" ", "")))
                .contains("application/json;charset=utf-8");
    }

    @ParameterizedTest
    @ValueSource(strings = {"seven", "counted seven"})
    void pullData_upToTheConnectionsLimit(String connection) throws Exception {
        assertThat(ok("pull-data", connection, "\"table_name\":\"basic\"").path("data").size()).isEqualTo(7);
    }

    @Test
    void pullData_oddName() throws Exception {
        assertThat(ok("pull-data", "active", "\"table_name\":\"odd \\\"names\\\\\"").toString())
                .isEqualTo("{\"success\":true,\"table\":\"odd \\\"names\\\\\",\"data\":[{\"id\":1}]}");
    }

    @Test
    void pullData_bytesAreMarkedForPhoenixKitOnly() throws Exception {
        String plain = "{\"id\":\"00000000-0000-0000-0000-000000000061\",\"v\":\"row 1\"}";
        String marked = "{\"id\":{\"__phoenix_kit_binary__\":\"AAAAAAAAAAAAAAAAAAAAYQ==\"},\"v\":\"row 1\"}";

        assertThat(call("pull-data", "active", "\"table_name\":\"uuid_pk\"", "curl/8").body())
                .endsWith("\"data\":[" + plain + "]}");
        assertThat(call("pull-data", "active", "\"table_name\":\"uuid_pk\"", "PhoenixKit-Sync/1.0").body())
                .endsWith("\"data\":[" + marked + "]}");
        assertThat(call("table-records", "active", "\"table_name\":\"uuid_pk\"", "PhoenixKit-Sync/2").body())
                .endsWith("\"records\":[" + marked + "]}");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            basic | "limit":2 | 1,2
            basic | "limit":"2","offset":"3" | 4,5
            basic | "limit":0 |
            basic | "limit":null,"offset":null,"ids":null,"id_start":null | 1,2,3,4,5,6,7,8,9,10
            basic | "offset":148 | 149,150
            basic | "offset":150 |
            basic | "offset":999999999999999999 |
            basic | "ids":[150,2,2,77777] | 2,150
            basic | "ids":[] |
            basic | "ids":[3],"id_start":100 | 3
            basic | "ids":[1,2,3],"limit":2,"offset":1 | 2,3
            basic | "id_start":148 | 148,149,150
            basic | "id_end":2 | 1,2
            basic | "id_start":5,"id_end":6 | 5,6
            basic | "id_start":6,"id_end":5 |
            text_pk | "ids":["a","c"] | a,c
            text_pk | "id_start":"b","id_end":"c" | b,c
            text_pk | "ids":["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","a'); --","\\\\"] |
            uuid_pk | "ids":["00000000-0000-0000-0000-000000000061"] | 00000000-0000-0000-0000-000000000061
            dates | "id_start":"2025-12-01" | 2025-12-15
            composite_pk | "ids":[[1,2],{"b":1,"a":1},[7,7]],"offset":1 | 1
            composite_pk | "id_start":[1,2] | 1
            composite_pk | "id_end":[1],"limit":1 | 1
            composite_pk | "id_start":[2] |
            moods | | sad,ok,happy
            moods | "id_start":"ok" | ok,happy
            moods | "id_end":"ok" | sad,ok
            moods | "ids":["happy","sad"] | sad,happy
            lists | "ids":[[10,1],[9]] | [9],[10,1]
            lists | "id_start":[9,9] | [10],[10,1]
            numbers | | -3,9.5,10.25,NaN
            numbers | "id_start":"9.50","id_end":10.25 | 9.5,10.25
            numbers | "id_end":-1e0 | -3
            moments | "id_start":"2025-12-15T18:56:59.387453Z","id_end":"2025-12-15T18:57:00Z" | 2025-12-15T18:56:59.387453Z,2025-12-15T18:57:00.000000Z
            moments | "id_end":"2025-12-15T19:56:59.387453+01:00" | 2024-02-29T00:00:00.000000Z,2025-12-15T18:56:59.387453Z
            bytes | "id_start":"\\\\x0a","id_end":"\\\\x0aff" | \\x0a,\\x0a00
            bytes | "id_start":{"__phoenix_kit_binary__":"CgA="} | \\x0a00,\\xff
            cents | "id_start":"9.99" | 9.99,10.00
            cents | "id_end":9.99,"limit":1,"offset":1 | 9.99
            """)
    void tableRecords_whichOnes(String table, @Nullable String fields, @Nullable String keys) throws Exception {
        JsonNode records = ok("table-records", "active",
                "\"table_name\":\"" + table + "\"" + (fields == null ? "" : "," + fields)).path("records");

        assertThat(records.valueStream()
                .map(row -> row.valueStream().findFirst().orElseThrow())
                .map(key -> key.isArray() ? key.toString() : key.asString())
                .collect(Collectors.joining(","))).isEqualTo(keys == null ? "" : keys);
    }

    @Test
    void tableRecords_aHundredAtMost() throws Exception {
        assertThat(ok("table-records", "active", "\"table_name\":\"basic\",\"limit\":1000").path("records").size())
                .isEqualTo(100);
        String ids = IntStream.rangeClosed(1, 200).mapToObj(Integer::toString).collect(Collectors.joining(","));
        assertThat(ok("table-records", "active", "\"table_name\":\"basic\",\"limit\":1000,\"ids\":[" + ids + "]")
                .path("records")
                .size()).isEqualTo(100);
    }

    @Test
    void tableRecords_compositeKeyInItsOrder() throws Exception {
        assertThat(ok("table-records", "active", "\"table_name\":\"composite_pk\"").path("records").toString())
                .isEqualTo("[{\"a\":1,\"b\":1,\"v\":\"x\"},{\"a\":1,\"b\":2,\"v\":\"y\"}]");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            basic | "limit":-1 | limit
            basic | "limit":"" | limit
            basic | "limit":"7abc" | limit
            basic | "limit":1.5 | limit
            basic | "limit":true,"offset":-1 | limit","offset
            basic | "offset":[] | offset
            basic | "ids":5 | ids
            basic | "ids":{"a":1} | ids
            basic | "ids":[[1,2]] | ids
            basic | "ids":[true] | ids
            basic | "ids":[1.5] | ids
            basic | "ids":["x"] | ids
            basic | "ids":[3000000000] | ids
            basic | "id_start":"" | id_start
            basic | "id_start":5.5,"id_end":"z" | id_start","id_end
            basic | "id_end":123456789012345678901234567890 | id_end
            uuid_pk | "ids":["zz"] | ids
            uuid_pk | "id_start":"00000000-0000-0000-0000-000000000061","id_end":"zz" | id_end
            dates | "ids":["2025-13-45"] | ids
            text_pk | "id_start":1 | id_start
            text_pk | "ids":["a\\u0000"] | ids
            composite_pk | "ids":[1] | ids
            composite_pk | "ids":[[1]] | ids
            composite_pk | "ids":[[1,"x"]] | ids
            composite_pk | "id_end":[1,2,3] | id_end
            moods | "ids":["angry"] | ids
            lists | "ids":[[1,"x"]] | ids
            """)
    void tableRecords_wrongKinds(String table, String fields, String named) throws Exception {
        HttpResponse<String> response = call("table-records", "active", "\"table_name\":\"" + table + "\"," + fields,
                null);

        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(response.body())
                .isEqualTo("{\"success\":false,\"error\":\"Invalid fields\",\"fields\":[\"" + named + "\"]}");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            pull-data | {} | 400 | {"success":false,"error":"Missing required fields","fields":["auth_token_hash","table_name"]}
            table-schema | {} | 400 | {"success":false,"error":"Missing required fields: auth_token_hash, table_name"}
            table-records | {"table_name":"","limit":-1,"auth_token_hash":null} | 400 | {"success":false,"error":"Missing required fields: auth_token_hash, table_name"}
            list-tables | {} | 400 | {"success":false,"error":"Missing required fields","fields":["auth_token_hash"]}
            pull-data | {"auth_token_hash":5,"table_name":["basic"],"conflict_strategy":"x"} | 400 | {"success":false,"error":"Invalid fields","fields":["auth_token_hash","table_name","conflict_strategy"]}
            pull-data | {"auth_token_hash":"zz","table_name":"nope"} | 401 | {"success":false,"error":"Invalid connection"}
            list-tables | {"auth_token_hash":"zz"} | 401 | {"success":false,"error":"Invalid connection"}
            pull-data | {"auth_token_hash":"pending","table_name":"nope"} | 403 | {"success":false,"error":"Connection is not active"}
            list-tables | {"auth_token_hash":"expired"} | 403 | {"success":false,"error":"Connection has expired"}
            pull-data | {"auth_token_hash":"active","table_name":"Basic"} | 404 | {"success":false,"error":"Table not found"}
            table-schema | {"auth_token_hash":"active","table_name":"basic\\u0000"} | 404 | {"success":false,"error":"Table not found"}
            table-records | {"auth_token_hash":"active","table_name":"\\ud800"} | 404 | {"success":false,"error":"Table not found"}
            table-records | {"auth_token_hash":"active","table_name":"phoenix_kit_settings"} | 404 | {"success":false,"error":"Table not found"}
            pull-data | {"auth_token_hash":"few","table_name":"basic"} | 404 | {"success":false,"error":"Table not found"}
            pull-data | {"auth_token_hash":"few","table_name":"uuid_pk"} | 404 | {"success":false,"error":"Table not found"}
            """)
    void refusals(String call, String body, int status, String expected) throws Exception {
        HttpResponse<String> response = post(call, body, null);

        assertThat(response.body()).isEqualTo(expected);
        assertThat(response.statusCode()).isEqualTo(status);
    }

    @Test
    void longestName_isNotFoundNotAnError() throws Exception {
        assertThat(call("pull-data", "active", "\"table_name\":\"" + "a".repeat(70_000) + "\"", null).statusCode())
                .isEqualTo(404);
    }

    @Test
    void disabled_beforeAnythingElse() throws Exception {
        ACCESS.enabled = false;
        try {
            for (String call : List.of("list-tables", "table-schema", "table-records", "pull-data")) {
                HttpResponse<String> response = post(call, "{}", null);
                assertThat(response.statusCode()).isEqualTo(503);
                assertThat(response.body()).isEqualTo("{\"success\":false,\"error\":\"DB Sync module is disabled\"}");
            }
        } finally {
            ACCESS.enabled = true;
        }
    }

    @Test
    void waiting_isToldToComeBack() throws Exception {
        for (String call : List.of("table-records", "pull-data")) {
            HttpResponse<String> response = call(call, "active", "\"table_name\":\"waiting\"", null);
            assertThat(response.statusCode()).isEqualTo(503);
            assertThat(response.headers().firstValue("Retry-After")).contains("5");
            assertThat(response.body()).contains("being copied for the first time, 12,345 of about 20,000 rows so far");
        }
        assertThat(ok("table-schema", "active", "\"table_name\":\"waiting\"").path("schema")
                .path("table_name")
                .asString()).isEqualTo("waiting");
    }

    @Test
    void marked_isNotServedAndSaysNothingOfTheInside() throws Exception {
        for (String call : List.of("table-schema", "table-records", "pull-data")) {
            HttpResponse<String> response = call(call, "active", "\"table_name\":\"marked\"", null);
            assertThat(response.statusCode()).isEqualTo(503);
            assertThat(response.headers().firstValue("Retry-After")).contains("60");
            assertThat(response.body())
                    .isEqualTo("{\"success\":false,\"error\":\"Table cannot be served now, this site's"
                            + " operator has been told why; try again later\"}");
        }
    }

    @Test
    void markedAndCopiedAnew_isToldTheProgress() throws Exception {
        HttpResponse<String> response = call("pull-data", "active", "\"table_name\":\"mending\"", null);

        assertThat(response.statusCode()).isEqualTo(503);
        assertThat(response.headers().firstValue("Retry-After")).contains("5");
        assertThat(response.body()).contains("being copied anew after a fault, 12,345 rows so far");
    }

    @Test
    void notBegun_isToldToComeBack() throws Exception {
        HttpResponse<String> response = call("table-records", "active", "\"table_name\":\"not begun\"", null);

        assertThat(response.statusCode()).isEqualTo(503);
        assertThat(response.body()).contains("being copied for the first time, 0 rows so far");
    }

    @Test
    void headers_tellHowOldTheCopyIs() throws Exception {
        for (String call : List.of("table-schema", "table-records", "pull-data")) {
            HttpResponse<String> response = call(call, "active", "\"table_name\":\"basic\"", null);

            assertThat(response.headers().firstValue("X-Syncline-State")).contains("live");
            assertThat(response.headers().firstValue("X-Syncline-As-Of-Time").map(java.time.Instant::parse))
                    .hasValueSatisfying(time -> assertThat(time).isBefore(java.time.Instant.now().plusSeconds(5)));
            assertThat(response.headers().firstValueAsLong("X-Syncline-Lag-Ms").orElseThrow()).isNotNegative();
        }
        HttpResponse<String> cut = call("pull-data", "seven", "\"table_name\":\"basic\"", null);
        assertThat(cut.headers().firstValue("X-Syncline-Has-More")).contains("true");
        // What an answer of the old kind says in its header can be asked from later on.
        String asOf = cut.headers().firstValue("X-Syncline-As-Of").orElseThrow();
        assertThat(ok("pull-data", "active", "\"table_name\":\"basic\",\"since\":\"" + asOf + "\"").path("data").size())
                .isZero();
    }

    @Test
    void pages_noneSkippedOrDoubledWhileItIsWritten() throws Exception {
        table("paged", List.of("id integer"), List.of("id integer"),
                IntStream.rangeClosed(1, 100).map(i -> i * 10).mapToObj(i -> row("{\"id\":" + i + "}", i)).toList());
        JsonNode first = ok("pull-data", "active", "\"table_name\":\"paged\",\"limit\":30");
        assertThat(first.path("data").size()).isEqualTo(30);
        assertThat(first.path("has_more").booleanValue()).isTrue();
        assertThat(first.has("deleted")).isFalse();

        execute("INSERT INTO syncline_replica.\"paged.1\" VALUES (5, '{\"id\":5}', 0, NULL, 21, 0, 0, 0),"
                + " (305, '{\"id\":305}', 0, NULL, 21, 0, 0, 0)");
        execute("UPDATE syncline_replica.\"paged.1\" SET wire = NULL, removed_key = '{\"id\":' || k1 || '}', changed = 21"
                + " WHERE k1 IN (20, 310)");
        execute("UPDATE syncline.replica_table SET last_change = 21 WHERE table_name = 'paged'");

        List<Integer> ids = new ArrayList<>(ids(first));
        JsonNode page = first;
        while (page.path("has_more").booleanValue()) {
            page = ok("pull-data", "active", "\"table_name\":\"paged\",\"limit\":30,\"cursor\":\""
                    + page.path("next_cursor").asString() + "\"");
            ids.addAll(ids(page));
            assertThat(page.path("as_of")).isEqualTo(first.path("as_of"));
        }
        assertThat(page.has("next_cursor")).isFalse();
        assertThat(ids).doesNotHaveDuplicates().hasSize(100).contains(305).doesNotContain(5, 310);

        JsonNode changes = ok("pull-data", "active", "\"table_name\":\"paged\",\"since\":\""
                + page.path("as_of").asString() + "\"");
        assertThat(ids(changes)).containsExactly(5, 305);
        assertThat(changes.path("deleted").toString()).isEqualTo("[{\"id\":20},{\"id\":310}]");
        assertThat(changes.path("has_more").booleanValue()).isFalse();
    }

    private static List<Integer> ids(JsonNode answer) {
        return answer.path("data").valueStream().map(row -> row.path("id").intValue()).toList();
    }

    @Test
    void pages_ofExactlyTheTable_andOfTheConnectionsMost() throws Exception {
        assertThat(ok("pull-data", "active", "\"table_name\":\"text_pk\",\"limit\":3").toString())
                .contains("\"has_more\":false")
                .doesNotContain("next_cursor");
        JsonNode seven = ok("pull-data", "seven", "\"table_name\":\"basic\",\"limit\":\"100\"");
        assertThat(seven.path("data").size()).isEqualTo(7);
        assertThat(seven.path("has_more").booleanValue()).isTrue();
        JsonNode composite = ok("pull-data", "active", "\"table_name\":\"composite_pk\",\"limit\":1");
        assertThat(ok("pull-data", "active", "\"table_name\":\"composite_pk\",\"cursor\":\""
                + composite.path("next_cursor").asString() + "\"").path("data").toString())
                .isEqualTo("[{\"a\":1,\"b\":2,\"v\":\"y\"}]");
    }

    @Test
    void changes_inPagesWithTheirDeletions() throws Exception {
        String since = new PullToken.AsOf(1, 10).text(new TableName("basic"));
        JsonNode all = ok("pull-data", "active", "\"table_name\":\"basic\",\"since\":\"" + since + "\"");
        assertThat(ids(all)).containsExactly(3, 77, 149);
        assertThat(all.path("deleted").toString()).isEqualTo("[{\"id\":151}]");

        JsonNode first = ok("pull-data", "active", "\"table_name\":\"basic\",\"limit\":3,\"since\":\"" + since + "\"");
        assertThat(ids(first)).containsExactly(3, 77, 149);
        JsonNode second = ok("pull-data", "active", "\"table_name\":\"basic\",\"limit\":3,\"since\":\"" + since
                + "\",\"cursor\":\"" + first.path("next_cursor").asString() + "\"");
        assertThat(ids(second)).isEmpty();
        assertThat(second.path("deleted").toString()).isEqualTo("[{\"id\":151}]");
        assertThat(second.path("as_of").asString()).isEqualTo(new PullToken.AsOf(1, 20).text(new TableName("basic")));
    }

    @Test
    void changes_ofAnEmptiedTable_whereAWorkerDecides_areAllItsDeletions() throws Exception {
        table("emptied", List.of("id integer"), List.of("id integer"), numbered(1, 5));
        deleted("emptied", "true");
        String asked = "\"table_name\":\"emptied\",\"since\":\"" + asOf("emptied", 20) + "\"";

        JsonNode all = ok("pull-data", "counted", asked);
        assertThat(ids(all)).isEmpty();
        assertThat(deletedIds(all)).containsExactly(1, 2, 3, 4, 5);
        assertThat(all.path("has_more").booleanValue()).isFalse();
        assertThat(all.path("as_of").asString()).isEqualTo(asOf("emptied", 21));

        List<String> lines = lines("counted", asked).body().lines().toList();
        assertThat(lines).hasSize(1);
        assertThat(deletedIds(JsonMapper.shared().readTree(lines.getLast()))).containsExactly(1, 2, 3, 4, 5);

        List<JsonNode> pages = pages("counted", asked + ",\"limit\":2");
        assertThat(pages).extracting(TableEndpointsIT::deletedIds)
                .containsExactly(List.of(1, 2), List.of(3, 4), List.of(5));
    }

    @Test
    void changes_withFewerRecordsLeftThanChanged_endAtTheLastRowGiven() throws Exception {
        table("thinned", List.of("id integer"), List.of("id integer"), numbered(1, 6));
        execute("UPDATE syncline_replica.\"thinned.1\" SET changed = 21");
        deleted("thinned", "k1 IN (1, 2, 4, 6)");
        String asked = "\"table_name\":\"thinned\",\"since\":\"" + asOf("thinned", 20) + "\"";
        RING.worker = request -> granted(request, 1);
        try {
            List<JsonNode> pages = pages("counted", asked);
            assertThat(pages).extracting(TableEndpointsIT::ids).containsExactly(List.of(3), List.of(5));
            assertThat(pages).extracting(TableEndpointsIT::deletedIds)
                    .as("a deletion is no record, and comes with the rows before which its key is")
                    .containsExactly(List.of(1, 2), List.of(4, 6));

            pages = pages("counted", asked + ",\"limit\":2");
            assertThat(pages).extracting(TableEndpointsIT::ids)
                    .containsExactly(List.of(), List.of(3), List.of(5), List.of());
            assertThat(pages).extracting(TableEndpointsIT::deletedIds)
                    .containsExactly(List.of(1, 2), List.of(), List.of(4), List.of(6));
        } finally {
            RING.worker = FakeRing.GRANTS_ALL;
        }
    }

    @Test
    void page_ofATableThatWasEmptyWhenAWorkerWasAsked_tellsOfTheRowsThatCame() throws Exception {
        table("filled", List.of("id integer"), List.of("id integer"), numbered(1, 2));
        RING.worker = request -> {
            filled("'{\"id\":' || k1 || '}'", 2);
            return granted(request, request.records());
        };
        HttpResponse<String> answer;
        int times = 0;
        try {
            do {
                // Also for whoever is turned away and comes again: by then they would be there.
                filled("NULL", 0);
                answer = once(request("pull-data", "counted", "\"table_name\":\"filled\",\"limit\":10", null));
            } while (answer.body().contains(TURNED_AWAY) && ++times < MOST_TIMES);
        } finally {
            RING.worker = FakeRing.GRANTS_ALL;
        }
        JsonNode first = JsonMapper.shared().readTree(answer.body());
        assertThat(ids(first)).containsExactly(1);
        assertThat(first.path("has_more").booleanValue()).isTrue();
        assertThat(ids(ok("pull-data", "counted", "\"table_name\":\"filled\",\"cursor\":\""
                + first.path("next_cursor").asString() + "\""))).containsExactly(2);
    }

    private static void filled(String wire, int count) {
        try {
            execute("UPDATE syncline_replica.\"filled.1\" SET changed = 21, wire = " + wire);
            execute("UPDATE syncline.replica_table SET last_change = 21, row_count = " + count
                    + " WHERE table_name = 'filled'");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Submission granted(SiteRequest.PullRequested request, long records) {
        return new Submission.Decided(new Outcome.Granted(request.grant(), records));
    }

    private static List<Row> numbered(int first, int last) {
        return IntStream.rangeClosed(first, last).mapToObj(i -> row("{\"id\":" + i + "}", i)).toList();
    }

    /** Deletes rows of a table that was served as of 20, as the replica does it. */
    private static void deleted(String table, String which) throws SQLException {
        String replica = "syncline_replica.\"" + table + ".1\"";
        execute("UPDATE " + replica + " SET wire = NULL, removed_key = '{\"id\":' || k1 || '}', changed = 21 WHERE "
                + which);
        execute("UPDATE syncline.replica_table SET last_change = 21, row_count = (SELECT count(*) FROM " + replica
                + " WHERE wire IS NOT NULL) WHERE table_name = '" + table + "'");
    }

    private static String asOf(String table, long change) {
        return new PullToken.AsOf(1, change).text(new TableName(table));
    }

    private static List<Integer> deletedIds(JsonNode answer) {
        return answer.path("deleted").valueStream().map(key -> key.path("id").intValue()).toList();
    }

    /** All pages, each behind the one before. */
    private List<JsonNode> pages(String hash, String fields) throws Exception {
        List<JsonNode> pages = new ArrayList<>(List.of(ok("pull-data", hash, fields)));
        while (pages.getLast().path("has_more").booleanValue()) {
            pages.add(ok("pull-data", hash,
                    fields + ",\"cursor\":\"" + pages.getLast().path("next_cursor").asString() + "\""));
        }
        assertThat(pages.getLast().has("next_cursor")).isFalse();
        return pages;
    }

    @Test
    void changes_ofAnEarlierGeneration_areAllThatIsThere() throws Exception {
        // The number is one that the generation before was given while this one, begun after 5, was being made.
        execute("UPDATE syncline_replica.\"dates.1\" SET changed = 7");
        execute("UPDATE syncline.replica_table SET generation = 2, known_since = 4 WHERE table_name = 'dates'");
        String since = new PullToken.AsOf(1, 9).text(new TableName("dates"));

        assertThat(
                ok("pull-data", "active", "\"table_name\":\"dates\",\"since\":\"" + since + "\"").path("data").size())
                .isEqualTo(1);
        execute("UPDATE syncline.replica_table SET generation = 1, known_since = 8 WHERE table_name = 'dates'");
    }

    @Test
    void changes_noLongerKnown() throws Exception {
        for (PullToken.AsOf old : List.of(new PullToken.AsOf(1, 7), new PullToken.AsOf(1, 21),
                new PullToken.AsOf(2, 20))) {
            HttpResponse<String> response = call("pull-data", "active", "\"table_name\":\"basic\",\"since\":\""
                    + old.text(new TableName("basic")) + "\"", null);
            assertThat(response.statusCode()).isEqualTo(410);
            assertThat(response.body())
                    .isEqualTo("{\"success\":false,\"error\":\"What has changed since then is no longer"
                            + " known; pull the whole table, without since and cursor\"}");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            "limit":0 | limit
            "limit":-1 | limit
            "cursor":5 | cursor
            "cursor":"nonsense" | cursor
            "since":"2025-01-01T00:00:00Z" | since
            "limit":"x","cursor":"x","since":{} | cursor","since","limit
            """)
    void pullData_wrongKinds(String fields, String named) throws Exception {
        HttpResponse<String> response = call("pull-data", "active", "\"table_name\":\"basic\"," + fields, null);

        assertThat(response.statusCode()).isEqualTo(400);
        JsonNode answer = JsonMapper.shared().readTree(response.body());
        assertThat(answer.path("fields").valueStream().map(JsonNode::asString))
                .containsExactlyInAnyOrder(named.split("\",\""));
    }

    @Test
    void asOfAndCursorOfAnotherTable_areRefused() throws Exception {
        String asOf = ok("pull-data", "active", "\"table_name\":\"text_pk\",\"limit\":1").path("as_of").asString();
        String cursor = ok("pull-data", "active", "\"table_name\":\"text_pk\",\"limit\":1").path("next_cursor")
                .asString();

        assertThat(
                call("pull-data", "active", "\"table_name\":\"basic\",\"since\":\"" + asOf + "\"", null).statusCode())
                .isEqualTo(400);
        assertThat(call("pull-data", "active", "\"table_name\":\"basic\",\"cursor\":\"" + cursor + "\"", null)
                .statusCode()).isEqualTo(400);
    }

    /** Its check sum is none that only we could make. */
    @Test
    void cursorThatIsMadeUp_andNamesNoKey_isNoLongerKnown() throws Exception {
        TableName basic = new TableName("basic");
        PullToken.AsOf asOf = new PullToken.AsOf(1, 20);
        for (List<String> key : List.of(List.of("no number"), List.of(""), List.of("1\0"),
                List.of("99999999999999999999"), List.of("1", "2"), List.<String>of())) {
            for (PullToken.AsOf since : new PullToken.@Nullable AsOf[]{null, new PullToken.AsOf(1, 10)}) {
                String fields = "\"table_name\":\"basic\",\"cursor\":\""
                        + new PullToken.Cursor(asOf, since, key).text(basic) + "\"";
                assertThat(call("pull-data", "active", fields, null).statusCode()).as("%s", key).isEqualTo(410);
                assertThat(lines("active", fields).statusCode()).as("%s, in lines", key).isEqualTo(410);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"seven", "counted seven"})
    void lines_theWholeTableWhateverARequestsMost(String connection) throws Exception {
        HttpResponse<String> response = lines(connection, "\"table_name\":\"basic\"");

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type").map(type -> type.replace(" ", "")))
                .contains("application/x-ndjson;charset=utf-8");
        List<String> lines = response.body().lines().toList();
        assertThat(lines).hasSize(151);
        assertThat(lines.getFirst()).isEqualTo("{\"id\":1,\"name\":\"name 1\",\"qty\":10}");
        assertThat(lines.getLast()).isEqualTo("{\"success\":true,\"table\":\"basic\",\"rows\":150,\"as_of\":\""
                + new PullToken.AsOf(1, 20).text(new TableName("basic")) + "\",\"has_more\":false}");

        List<String> some = lines(connection, "\"table_name\":\"basic\",\"limit\":9").body().lines().toList();
        assertThat(some).as("more than a request's most, and what was asked for").hasSize(10);
        assertThat(some.getLast()).contains("\"rows\":9").contains("\"has_more\":true,\"next_cursor\":\"");

        List<String> changes = lines(connection, "\"table_name\":\"basic\",\"since\":\""
                + new PullToken.AsOf(1, 10).text(new TableName("basic")) + "\"").body().lines().toList();
        assertThat(changes.getLast()).contains("\"rows\":3,\"deleted\":[{\"id\":151}],");
    }

    @Test
    void lines_whereOnlyDownloadsAreCounted_alsoRowsThatCameWhenAWorkerWasAsked() throws Exception {
        table("filling", List.of("id integer"), List.of("id integer"), numbered(1, 1));
        RING.worker = request -> {
            try {
                execute("INSERT INTO syncline_replica.\"filling.1\" VALUES (2, '{\"id\":2}', 0, NULL, 21, 0, 0, 0)"
                        + " ON CONFLICT DO NOTHING");
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
            return granted(request, request.records());
        };
        List<String> lines;
        try {
            lines = lines("downloads", "\"table_name\":\"filling\"").body().lines().toList();
        } finally {
            RING.worker = FakeRing.GRANTS_ALL;
        }
        assertThat(lines).hasSize(3);
        assertThat(lines.getLast()).contains("\"rows\":2").contains("\"has_more\":false");
    }

    private HttpResponse<String> lines(String hash, String fields) throws Exception {
        return send(HttpRequest.newBuilder(URI.create("http://localhost:" + port(gateway)
                + "/phoenix_kit/sync/api/pull-data"))
                .header("Content-Type", "application/json")
                .header("Accept", "application/x-ndjson")
                .POST(HttpRequest.BodyPublishers.ofString("{\"auth_token_hash\":\"" + hash + "\"," + fields + "}"))
                .build());
    }

    @Test
    void bigPull_streamsInConstantMemory_breaksOffWhenTheClientGoes_andIsBounded() throws Exception {
        int rows = 1_000_000;
        // Unlogged: the log would take as much room on the disk once more.
        execute("CREATE UNLOGGED TABLE syncline_replica.\"big.1\" (k1 bigint NOT NULL, wire text, row_hash bigint, removed_key text,"
                + " changed bigint NOT NULL, commit_lsn bigint NOT NULL, lsn bigint NOT NULL, number bigint NOT NULL,"
                + " removed_at timestamptz, PRIMARY KEY (k1))");
        execute("INSERT INTO syncline_replica.\"big.1\" SELECT g, '{\"id\":' || g || ',\"u\":\"61626364-6566-6768-696a-"
                + "6b6c6d6e6f70\",\"v\":\"' || repeat('x', 180) || '\"}', 0, NULL, 1, 0, 0, 0 FROM generate_series(1, "
                + rows
                + ") g");
        register(schema("big", List.of("id bigint"), List.of("id bigint", "u uuid", "v text")), "live", rows, 1);

        // Garbage is made row by row; what stays is not.
        System.gc();
        long before = used();
        long started = System.nanoTime();
        Counted all = count(open("pull-data", "many", "\"table_name\":\"big\"", "PhoenixKit-Sync/1.0"));
        double seconds = (System.nanoTime() - started) / 1e9;
        System.gc();
        LoggerFactory.getLogger(TableEndpointsIT.class)
                .info("{} marked rows, {} MB, in {} s; heap {} MB more than before",
                        rows, all.bytes() / 1_000_000, seconds, (used() - before) >> 20);
        assertThat(all.rows()).isEqualTo(rows);
        assertThat(all.whole()).isTrue();
        // What else runs in this JVM makes garbage too, between the collection and the look.
        await().atMost(PATIENCE).untilAsserted(() -> {
            System.gc();
            assertThat(used() - before).isLessThan(32L << 20);
        });

        List<Socket> idle = new ArrayList<>();
        try {
            // As many as one peer may have, by a client that does not read: the others have some left.
            for (int i = 0; i < STREAMS - 1; i++) {
                idle.add(openAndWait(gateway, "big", "many"));
            }
            assertThat(once(request("pull-data", "many", "\"table_name\":\"basic\"", null)).statusCode())
                    .isEqualTo(503);
            assertThat(call("pull-data", "active", "\"table_name\":\"basic\"", null).statusCode()).isEqualTo(200);

            // As many as there are.
            idle.addFirst(openAndWait(gateway, "big", "others"));
            assertThat(pulls.getHikariPoolMXBean().getActiveConnections()).isEqualTo(STREAMS);
            int facts = RING.announced.size();
            HttpResponse<String> refused = once(request("pull-data", "active", "\"table_name\":\"basic\"", null));
            assertThat(refused.statusCode()).isEqualTo(503);
            assertThat(RING.announced).as("a pull that was never begun is none").hasSize(facts);
            assertThat(refused.headers().firstValue("Retry-After")).contains("1");
            assertThat(refused.body()).contains(TURNED_AWAY);
            // Calls that pull nothing are not concerned.
            assertThat(ok("list-tables", "active").path("success").booleanValue()).isTrue();

            // One goes, the others just sit there.
            idle.getFirst().close();
            awaitStreams(STREAMS - 1);
        } finally {
            for (Socket one : idle) {
                one.close();
            }
        }
        awaitStreams(0);
        assertThat(ok("pull-data", "active", "\"table_name\":\"basic\"").path("data").size()).isEqualTo(150);
    }

    @Test
    void receiverThatTakesNothing_isLetGoOf() throws Exception {
        table("untaken", List.of("id integer"), List.of("id integer", "t text"), longRows());
        try (ConfigurableApplicationContext impatient = serve(Duration.ofSeconds(5));
                Socket idle = openAndWait(impatient, "untaken", "active", 1 << 16)) {
            awaitStreams(0);
            assertNotWhole(idle);
        }
    }

    private static void awaitStreams(int count) {
        await().atMost(PATIENCE)
                .untilAsserted(
                        () -> assertThat(pulls.getHikariPoolMXBean().getActiveConnections()).isEqualTo(count));
    }

    @Test
    void connectionNoLongerUsable_theStreamEnds_andCountsWhatItGave() throws Exception {
        table("long", List.of("id integer"), List.of("id integer", "t text"), longRows());
        connection("ending", ConnectionStatus.ACTIVE, ConnectionSettings.DEFAULTS);
        UUID ending = ACCESS.senders.get("ending").uuid();
        try (Socket whole = openAndWait(gateway, "long", "active", 1 << 16);
                Socket cut = openAndWait(gateway, "long", "ending", 1 << 16)) {
            // Two rows have left, or there would be nothing to count.
            assertThat(cut.getInputStream().readNBytes(LONG_TEXT * 5 / 2)).hasSize(LONG_TEXT * 5 / 2);
            ACCESS.senders.remove("ending");
            rows.look();
            assertNotWhole(cut);
            await().atMost(PATIENCE).untilAsserted(() -> {
                LEDGER.tick();
                assertThat(RING.reports()).anySatisfy(report -> {
                    assertThat(report.grant()).isEqualTo(grantOf(ending));
                    assertThat(report.outcome()).isEqualTo(PullOutcome.BROKEN_OFF);
                    assertThat(report.rows()).isBetween(2L, LONG_ROWS - 1L);
                    assertThat(report.bytes()).isPositive();
                });
            });
            assertThat(whole.getInputStream().readNBytes(LONG_ROWS * LONG_TEXT)).as("others go on")
                    .hasSize(LONG_ROWS * LONG_TEXT);
        }
    }

    private static void assertNotWhole(Socket receiver) throws IOException {
        assertThat(new String(receiver.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .as("the last chunk and the end of the JSON")
                .doesNotEndWith("]}\r\n0\r\n\r\n");
    }

    /** More than sockets take while nobody reads. */
    private static List<Row> longRows() {
        String text = "x".repeat(LONG_TEXT);
        return IntStream.rangeClosed(1, LONG_ROWS)
                .mapToObj(i -> row("{\"id\":" + i + ",\"t\":\"" + text + "\"}", i))
                .toList();
    }

    private static UUID grantOf(UUID connection) {
        return RING.announced.stream()
                .filter(SiteRequest.PullRequested.class::isInstance)
                .map(SiteRequest.PullRequested.class::cast)
                .filter(request -> request.connectionUuid().equals(connection))
                .findFirst()
                .orElseThrow()
                .grant();
    }

    @Test
    void receiverBelowTheLeastRate_isBrokenOff() throws Exception {
        table("slowly", List.of("id integer"), List.of("id integer", "t text"), longRows());
        // 64 KB in a tenth of a second: 640 KB a second.
        Semaphore never = new Semaphore(0);
        OutputStream slow = new OutputStream() {

            @Override
            public void write(int single) {
                throw new AssertionError("one at a time");
            }

            @Override
            public void write(byte[] bytes, int from, int length) throws IOException {
                try {
                    assertThat(never.tryAcquire(100, TimeUnit.MILLISECONDS)).isFalse();
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
            }
        };
        assertThatThrownBy(() -> streamed("slowly", 1_000_000, slow)).isInstanceOf(BrokenOffException.class)
                .hasMessageContaining("syncline.gateway.pull-least-rate");
        streamed("basic", 1_000_000, OutputStream.nullOutputStream());
        streamed("slowly", 1_000, OutputStream.nullOutputStream());
        awaitStreams(0);
    }

    @Test
    void brokenOff_hasGivenOnlyTheRowsThatHaveLeft() throws Exception {
        table("small", List.of("id integer"), List.of("id integer", "v text"),
                IntStream.rangeClosed(1, 10_000).mapToObj(i -> row("{\"id\":" + i + ",\"v\":\"x\"}", i)).toList());
        ByteArrayOutputStream taken = new ByteArrayOutputStream();
        Tally given = new Tally();
        try (RowStream ending = new RowStream(pulls, new RowStream.Bounds(LONGEST, 0, Duration.ofSeconds(1), 1),
                nobody -> Set.of()); RowStream.Snapshot snapshot = ending.begin(anybodys("small")).orElseThrow()) {
            ServedTable served = ((TableReads.Found.Served) TableReads
                    .find(snapshot.connection(), new TableName("small"))
                    .orElseThrow()).table();
            PeerAnswer.JsonStream stream = snapshot.stream(Set.of(), given,
                    body -> body.rows(RowQuery.all(served).atMost(10_000)));
            assertThatThrownBy(() -> stream.writeTo(new FilterOutputStream(taken) {
                @Override
                public void write(byte[] bytes, int from, int length) {
                    taken.write(bytes, from, length);
                    // The connection is found to be unusable behind the first piece.
                    ending.look();
                }
            })).isInstanceOf(BrokenOffException.class);
        }
        long whole = taken.toString(StandardCharsets.UTF_8).chars().filter(one -> one == '}').count();
        assertThat(given.rows()).isPositive().isEqualTo(whole);
    }

    private static TableAccess.Running anybodys(String table) {
        return new TableAccess.Running(UUID.randomUUID(), new TableName(table));
    }

    private static void streamed(String table, long leastRate, OutputStream out) throws Exception {
        try (RowStream bounded = new RowStream(pulls,
                new RowStream.Bounds(LONGEST, leastRate, Duration.ofMillis(500), 1), ACCESS::allowed);
                RowStream.Snapshot snapshot = bounded.begin(anybodys(table)).orElseThrow()) {
            ServedTable served = ((TableReads.Found.Served) TableReads
                    .find(snapshot.connection(), new TableName(table))
                    .orElseThrow()).table();
            snapshot.stream(Set.of(), new Tally(), body -> body.rows(RowQuery.all(served).atMost(1_000))).writeTo(out);
        }
    }

    @Test
    void errorInTheMidst_neverLooksWhole() throws Exception {
        table("broken", List.of("id integer"), List.of("id integer", "u uuid"),
                IntStream.rangeClosed(1, 20_000)
                        .mapToObj(i -> row(i == 19_999 ? "no JSON" : "{\"id\":" + i + ",\"u\":null}", i))
                        .toList());

        assertThatThrownBy(() -> call("pull-data", "many", "\"table_name\":\"broken\"", "PhoenixKit-Sync/1.0"))
                .isInstanceOf(IOException.class);

        // Before the first byte has left there is still an answer to give.
        table("broken_early", List.of("id integer"), List.of("id integer", "u uuid"), List.of(row("no JSON", 1)));
        assertThat(call("pull-data", "many", "\"table_name\":\"broken_early\"", "PhoenixKit-Sync/1.0").statusCode())
                .isEqualTo(500);
        assertThat(ok("pull-data", "active", "\"table_name\":\"basic\"").path("data").size()).isEqualTo(150);
    }

    private record Counted(long rows, long bytes, boolean whole) {}

    private static Counted count(InputStream in) throws IOException {
        byte[] buffer = new byte[1 << 16];
        long rows = 0;
        long bytes = 0;
        int last = 0;
        for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
            for (int i = 0; i < n; i++) {
                if (buffer[i] == 'i' && i + 1 < n && buffer[i + 1] == 'd'
                        || buffer[i] == 'd' && i == 0 && last == 'i') {
                    rows++;
                }
            }
            bytes += n;
            last = buffer[n - 1];
        }
        return new Counted(rows, bytes, last == '}');
    }

    private static long used() {
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private static Socket openAndWait(ConfigurableApplicationContext server, String table, String hash)
            throws IOException {
        return openAndWait(server, table, hash, 8192);
    }

    /** A client whose stream has begun, and that reads no further. Whoever is turned away, or let go of before, comes again. */
    private static Socket openAndWait(ConfigurableApplicationContext server, String table, String hash,
            int receiveBuffer) throws IOException {
        Socket socket = open(server, table, hash, receiveBuffer);
        String status = status(socket);
        for (int again = 0; !status.endsWith("200") && again < MOST_TIMES; again++) {
            socket.close();
            socket = open(server, table, hash, receiveBuffer);
            status = status(socket);
        }
        assertThat(status).isEqualTo("HTTP/1.1 200");
        return socket;
    }

    private static String status(Socket socket) throws IOException {
        return new String(socket.getInputStream().readNBytes("HTTP/1.1 200".length()), StandardCharsets.US_ASCII);
    }

    private static Socket open(ConfigurableApplicationContext server, String table, String hash, int receiveBuffer)
            throws IOException {
        String body = "{\"auth_token_hash\":\"" + hash + "\",\"table_name\":\"" + table + "\"}";
        Socket socket = new Socket("localhost", port(server));
        socket.setReceiveBufferSize(receiveBuffer);
        socket.getOutputStream()
                .write(("POST /phoenix_kit/sync/api/pull-data HTTP/1.1\r\nHost: x\r\nContent-Type:"
                        + " application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body)
                        .getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private static int port(ConfigurableApplicationContext server) {
        return ((ServletWebServerApplicationContext) server).getWebServer().getPort();
    }

    private JsonNode ok(String call, String hash) throws Exception {
        HttpResponse<String> response = post(call, "{\"auth_token_hash\":\"" + hash + "\"}", null);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return JsonMapper.shared().readTree(response.body());
    }

    private JsonNode ok(String call, String hash, String fields) throws Exception {
        HttpResponse<String> response = call(call, hash, fields, null);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return JsonMapper.shared().readTree(response.body());
    }

    private HttpResponse<String> call(String call, String hash, String fields, @Nullable String agent)
            throws Exception {
        return send(request(call, hash, fields, agent));
    }

    private HttpResponse<String> post(String call, String body, @Nullable String agent) throws Exception {
        return send(posted(call, body, agent));
    }

    /**
     * Comes again when told to: a stream gives its place back behind the last byte of its answer, and whoever has read that
     * may be there before.
     */
    private HttpResponse<String> send(HttpRequest request) throws Exception {
        HttpResponse<String> response = once(request);
        for (int again = 0; response.body().contains(TURNED_AWAY) && again < MOST_TIMES; again++) {
            response = once(request);
        }
        return response;
    }

    private HttpResponse<String> once(HttpRequest request) throws Exception {
        return http.send(request, HttpResponse.BodyHandlers.ofString());
    }

    private InputStream open(String call, String hash, String fields, @Nullable String agent) throws Exception {
        return http.send(request(call, hash, fields, agent), HttpResponse.BodyHandlers.ofInputStream()).body();
    }

    private static HttpRequest request(String call, String hash, String fields, @Nullable String agent) {
        return posted(call, "{\"auth_token_hash\":\"" + hash + "\"," + fields + "}", agent);
    }

    private static HttpRequest posted(String call, String body, @Nullable String agent) {
        HttpRequest.Builder request = HttpRequest
                .newBuilder(URI.create("http://localhost:" + port(gateway) + "/phoenix_kit/sync/api/" + call))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        if (agent != null) {
            request.header("User-Agent", agent);
        }
        return request.build();
    }

    private static void connection(String hash, ConnectionStatus status, ConnectionSettings settings) {
        ACCESS.senders.put(hash, new TableAccess.Sender(UUID.randomUUID(), SiteUrl.asSent("http://one.example"), status,
                settings, Pulls.Use.NONE, Instant.now()));
    }

    private static ConnectionSettings settings(int perRequest, List<String> allowed, List<String> excluded) {
        ConnectionSettings d = ConnectionSettings.DEFAULTS;
        return new ConnectionSettings(perRequest, null, null, allowed, excluded, List.of(), null, null, null,
                d.approvalMode(), List.of(), d.rateLimitRequestsPerMinute(), null);
    }

    /** What is counted never runs out, and yet a worker decides each pull. */
    private static ConnectionSettings counted(int perRequest, @Nullable Long records) {
        ConnectionSettings d = ConnectionSettings.DEFAULTS;
        return new ConnectionSettings(perRequest, 1_000_000L, records, List.of(), List.of(), List.of(), null, null,
                null, d.approvalMode(), List.of(), d.rateLimitRequestsPerMinute(), null);
    }

    private record Row(String wire, Object... key) {}

    private static Row row(String wire, Object... key) {
        return new Row(wire, key);
    }

    private static void table(String name, List<String> key, List<String> columns, List<Row> rows)
            throws SQLException {
        TableSchema schema = schema(name, key, columns);
        String replica = ReplicaLayout.qualified(ReplicaLayout.tableName(schema.table(), 1));
        StringBuilder definition = new StringBuilder();
        StringBuilder keyColumns = new StringBuilder();
        for (int i = 0; i < key.size(); i++) {
            definition.append(ReplicaLayout.keyColumn(i))
                    .append(' ')
                    .append(ReplicaLayout.keyType(schema.key().get(i)))
                    .append(" NOT NULL, ");
            keyColumns.append(i == 0 ? "" : ", ").append(ReplicaLayout.keyColumn(i));
        }
        execute("CREATE TABLE " + replica + " (" + definition
                + "wire text, row_hash bigint, removed_key text, changed bigint NOT NULL,"
                + " commit_lsn bigint NOT NULL, lsn bigint NOT NULL, number bigint NOT NULL, removed_at timestamptz, PRIMARY KEY ("
                + keyColumns
                + "))");
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                PreparedStatement insert = connection.prepareStatement("INSERT INTO " + replica + " VALUES ("
                        + "?,".repeat(key.size()) + "?, 0, NULL, 10, 0, 0, 0)")) {
            for (Row row : rows) {
                for (int i = 0; i < key.size(); i++) {
                    insert.setObject(i + 1, row.key()[i].toString(), java.sql.Types.OTHER);
                }
                insert.setString(key.size() + 1, row.wire());
                insert.addBatch();
            }
            insert.executeBatch();
        }
        register(schema, "live", rows.size(), 5_000);
    }

    /** A table that is not served. */
    private static void state(String name, String state) throws SQLException {
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                PreparedStatement insert = connection.prepareStatement("INSERT INTO syncline.replica_table VALUES"
                        + " (?, ?, 1, 1, ?, ?, NULL, NULL, NULL, 0, 0, NULL, ?, ?, ?, 12345, 0, now(), 0, 0, 0, 0, 0, 0, '{}')")) {
            insert.setString(1, name);
            insert.setString(2, name);
            insert.setString(3, state);
            boolean copied = !name.equals("marked");
            insert.setString(4, state.equals("marked") ? "column v: type secret_type" : null);
            insert.setString(5, copied ? "x" : null);
            insert.setObject(6, copied ? 1L : null, java.sql.Types.BIGINT);
            insert.setString(7, copied
                    ? TableChangeCodec.schemaJson(schema(name, List.of("id integer"), List.of("id integer")))
                    : null);
            insert.executeUpdate();
        }
    }

    private static void register(TableSchema schema, String state, long rows, long bytes) throws SQLException {
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                PreparedStatement insert = connection.prepareStatement("INSERT INTO syncline.replica_table VALUES"
                        + " (?, ?, 1, 1, ?, NULL, ?, 1, ?, ?, ?, now(), NULL, NULL, NULL, 0, 0, now(), 255, 0, 5, 0, 20, 8, '{a,b}')")) {
            insert.setString(1, schema.table().name());
            insert.setString(2, schema.table().name());
            insert.setString(3, state);
            insert.setString(4, ReplicaLayout.tableName(schema.table(), 1));
            insert.setString(5, TableChangeCodec.schemaJson(schema));
            insert.setLong(6, rows);
            insert.setLong(7, bytes);
            insert.executeUpdate();
        }
    }

    private static TableSchema schema(String name, List<String> key, List<String> columns) {
        return new TableSchema(new TableName(name), columns.stream().map(column -> {
            String type = column.substring(column.indexOf(' ') + 1);
            boolean varchar = type.startsWith("character varying(");
            return new ColumnInfo(column.substring(0, column.indexOf(' ')), varchar ? "character varying" : type, "NO",
                    null, varchar ? 20 : null, type);
        }).toList(), key.stream().map(column -> {
            String type = column.substring(column.indexOf(' ') + 1);
            return new KeyColumn(column.substring(0, column.indexOf(' ')), type, null,
                    type.equals("mood") ? MOODS : List.of());
        })
                .toList());
    }

    private static void execute(String sql) throws SQLException {
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
