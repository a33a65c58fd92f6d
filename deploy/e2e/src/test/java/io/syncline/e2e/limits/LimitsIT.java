package io.syncline.e2e.limits;

import static io.syncline.e2e.limits.LimitedSite.error;
import static io.syncline.e2e.limits.LimitedSite.inTheEnd;
import static io.syncline.e2e.limits.LimitedSite.json;
import static io.syncline.e2e.limits.LimitedSite.rows;
import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.e2e.EventLog;
import io.syncline.e2e.LogFoldsToState;
import io.syncline.e2e.SyncCluster;
import io.syncline.e2e.limits.LimitedSite.Peer;
import io.syncline.model.connection.SiteEvent;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Each limit of a connection, over three gateways. */
class LimitsIT {

    @TempDir static Path directory;

    private static LimitedSite site;

    @BeforeAll
    static void start() throws Exception {
        // Long enough for a machine that stands still, and short enough for the one test that waits until it is over.
        site = new LimitedSite(directory, 3, "--syncline.gateway.reply-timeout=15s");
    }

    @AfterAll
    static void stop() throws Exception {
        try {
            logFoldsToState();
        } finally {
            site.close();
        }
    }

    /** Whatever these tests did: the log adds up to it, once the gateways have reported. */
    private static void logFoldsToState() throws Exception {
        assertThat(LogFoldsToState.atRest(site.cluster).foreign()).isEmpty();
    }

    // ---- counters

    @Test
    void fiftyPullsAtOnce_overThreeGateways_giveExactlyTheRecordsThatAreLeft() throws Exception {
        Peer peer = site.peer("\"max_records_total\":" + (10 * LimitedSite.ROWS + 17));
        List<HttpResponse<String>> answers = atOnce(50, i -> inTheEnd(() -> site.pull(i, peer)));
        assertThat(answers.stream().filter(answer -> answer.statusCode() == 200).mapToInt(LimitedSite::rows).sum())
                .isEqualTo(10 * LimitedSite.ROWS + 17);
        assertThat(answers.stream().filter(answer -> answer.statusCode() != 200).map(LimitedSite::error).distinct())
                .containsExactly("403 Record limit reached");
        reported(peer, 11);
        assertThat(use(peer)).isEqualTo("11 3017");
        assertThat(error(site.pull(0, peer))).isEqualTo("403 Record limit reached");
        assertThat(error(site.gateway(1).call("table-records", peer.body("goods"))))
                .isEqualTo("403 Record limit reached");
    }

    @Test
    void fiftyPullsAtOnce_overThreeGateways_areExactlyTheDownloadsAllowed() throws Exception {
        Peer peer = site.peer("\"max_downloads\":7");
        List<HttpResponse<String>> answers = atOnce(50, i -> inTheEnd(() -> site.pull(i, peer)));
        Map<String, Long> counted = answers.stream()
                .collect(Collectors.groupingBy(answer -> answer.statusCode() == 200 ? "200" : error(answer),
                        Collectors.counting()));
        assertThat(counted).isEqualTo(Map.of("200", 7L, "403 Download limit reached", 43L));
        reported(peer, 7);
        assertThat(use(peer)).isEqualTo("7 " + 7 * LimitedSite.ROWS);
        assertThat(site.gateway(2).call("table-records", peer.body("goods")).statusCode())
                .as("table-records is no download")
                .isEqualTo(200);
    }

    @Test
    void nobodyPagesAroundALimit() {
        Peer peer = site.peer("\"max_records_total\":45");
        int given = 0;
        HttpResponse<String> last = null;
        for (int page = 0; page < 12; page++) {
            last = site.gateway(0)
                    .call("table-records",
                            peer.body("goods", "\"limit\":10", "\"offset\":" + 10 * page));
            given += last.statusCode() == 200 ? rows(last) : 0;
        }
        assertThat(given).isEqualTo(45);
        assertThat(error(last)).isEqualTo("403 Record limit reached");
        assertThat(error(site.pull(1, peer))).isEqualTo("403 Record limit reached");
    }

    @Test
    void aPullGivesAtMostWhatIsLeft_andPerRequest() {
        Peer peer = site.peer("\"max_records_total\":50", "\"max_records_per_request\":40");
        assertThat(rows(site.pull(0, peer))).isEqualTo(40);
        reported(peer, 1);
        assertThat(rows(site.pull(1, peer))).isEqualTo(10);
        assertThat(error(site.pull(2, peer))).isEqualTo("403 Record limit reached");
    }

    @Test
    void aRowALine_isTheWholeTable_orWhatIsLeft_whateverARequestsMost() {
        Peer free = site.peer("\"max_records_per_request\":40");
        Peer counted = site.peer("\"max_downloads\":5", "\"max_records_total\":" + (LimitedSite.ROWS + 50),
                "\"max_records_per_request\":40");
        for (Peer peer : List.of(free, counted)) {
            List<String> all = lines(peer);
            assertThat(all).hasSize(LimitedSite.ROWS + 1);
            assertThat(all.getLast()).contains("\"has_more\":false");
        }
        List<String> left = lines(counted, "\"limit\":200");
        assertThat(left).hasSize(51);
        assertThat(left.getLast()).contains("\"has_more\":true,\"next_cursor\":");
    }

    private static List<String> lines(Peer peer, String... more) {
        HttpResponse<String> answer = inTheEnd(() -> site.gateway(0)
                .send("POST", "/phoenix_kit/sync/api/pull-data",
                        Map.of("content-type", "application/json", "accept", "application/x-ndjson"),
                        peer.body("goods", more)));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return answer.body().lines().toList();
    }

    // ---- the record of every pull

    @Test
    void everyPullIsAFact_whoWhatWhenAndHowMuch() {
        Peer peer = site.peer();
        HttpResponse<String> pulled = site.pull(0, peer);
        assertThat(rows(pulled)).isEqualTo(LimitedSite.ROWS);
        JsonNode fact = reported(peer, 1).getFirst();
        assertThat(fact.get("connection_uuid").asString()).isEqualTo(peer.uuid());
        assertThat(fact.get("site_url").asString()).isEqualTo(peer.site());
        assertThat(fact.get("table").asString()).isEqualTo("goods");
        assertThat(fact.get("kind").asString()).isEqualTo("download");
        assertThat(fact.get("outcome").asString()).isEqualTo("completed");
        assertThat(fact.get("rows").asInt()).isEqualTo(LimitedSite.ROWS);
        assertThat(fact.get("bytes").asInt()).isEqualTo(pulled.body().length());
        assertThat(fact.get("address").asString()).isEqualTo("127.0.0.1");
        assertThat(Instant.parse(fact.get("as_of").asString())).isBefore(Instant.now());
        assertThat(use(peer)).isEqualTo("1 " + LimitedSite.ROWS);
    }

    @Test
    void withoutAWorker_whatNothingLimitsGoesOn_andIsRecordedLater() {
        Peer free = site.peer();
        Peer limited = site.peer("\"max_downloads\":5");
        site.stopWorker();
        try {
            assertThat(rows(site.pull(0, free))).isEqualTo(LimitedSite.ROWS);
            HttpResponse<String> undecided = site.pull(1, limited);
            assertThat(undecided.statusCode()).as(undecided.body()).isEqualTo(503);
            assertThat(site.history(free)).isEmpty();
        } finally {
            site.startWorker();
        }
        assertThat(reported(free, 1).getFirst().get("outcome").asString()).isEqualTo("completed");
        Awaitility.await("pulls are decided again")
                .atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> assertThat(site.pull(2, limited).statusCode()).isEqualTo(200));
        Awaitility.await("what was not decided in time is given back")
                .atMost(Duration.ofMinutes(1))
                .untilAsserted(() -> assertThat(use(limited)).isEqualTo("1 " + LimitedSite.ROWS));
    }

    // ---- how old what is given is

    /** What a pull says of the age of what it gave, and what all others say of it. */
    private record Age(Instant asOf, long lag, int rows) {}

    /** The same by all who tell it. */
    private static Age age(int gateway, Peer peer, String table) {
        // Reading it again between two answers, a table that is streamed may be known to be younger: once more then.
        return Awaitility.await("one time by all who tell it")
                .atMost(Duration.ofMinutes(2))
                .until(() -> ageIfOne(gateway, peer, table), Optional::isPresent)
                .orElseThrow();
    }

    private static Optional<Age> ageIfOne(int gateway, Peer peer, String table) {
        Instant before = asOf(site.gateway(gateway).call("table-schema", peer.body(table)));
        HttpResponse<String> pulled = inTheEnd(() -> site.gateway(gateway).call("pull-data", peer.body(table)));
        Instant listed = Instant.parse(json(site.gateway(gateway + 1).call("list-tables", peer.body(table)))
                .get("tables")
                .valueStream()
                .filter(one -> one.get("name").asString().equals(table))
                .findFirst()
                .orElseThrow()
                .get("as_of_time")
                .asString());
        Instant shown = Instant.parse(site.admin("GET", "/tables", null, 200)
                .get("tables")
                .valueStream()
                .filter(one -> one.get("name").asString().equals(table))
                .findFirst()
                .orElseThrow()
                .get("as_of")
                .asString());
        Instant after = asOf(site.gateway(gateway + 2).call("table-schema", peer.body(table)));
        Instant asOf = asOf(pulled);
        assertThat(List.of(before, asOf, listed, shown, after)).as("all that tell it, in this order").isSorted();
        return before.equals(after)
                ? Optional.of(new Age(asOf, pulled.headers().firstValueAsLong("X-Syncline-Lag-Ms").orElseThrow(),
                        rows(pulled)))
                : Optional.empty();
    }

    private static Instant asOf(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return Instant.parse(response.headers().firstValue("X-Syncline-As-Of-Time").orElseThrow());
    }

    @Test
    void ofATableThatIsReadOnASchedule_theTimeIsThatOfTheReading() throws Exception {
        Peer peer = site.peer();
        source("CREATE TABLE heap (a int, b text)", "INSERT INTO heap VALUES (1, 'before')");
        Awaitility.await("it is read")
                .atMost(Duration.ofMinutes(2))
                .until(() -> site.gateway(0).call("table-schema", peer.body("heap")).statusCode() == 200);
        Age read = age(0, peer, "heap");
        source("INSERT INTO heap VALUES (2, 'after')");
        Instant written = Instant.parse(site.queried("SELECT to_json(clock_timestamp()) #>> '{}'"));
        // What is streamed beside it goes on.
        Awaitility.await("a streamed table's time passes that of the row")
                .atMost(Duration.ofMinutes(2))
                .until(() -> asOf(site.gateway(0).call("table-schema", peer.body("goods"))).isAfter(written));
        Age after = age(1, peer, "heap");
        assertThat(after.rows()).isEqualTo(1);
        assertThat(after.asOf()).isEqualTo(read.asOf()).isBefore(written);
        assertThat(after.lag()).isGreaterThanOrEqualTo(Duration.between(read.asOf(), written).toMillis());
        assertThat(reported(peer, 2)).extracting(fact -> fact.get("as_of").asString())
                .containsOnly(read.asOf().toString());
        source("DROP TABLE heap");
    }

    @Test
    void withoutACapturer_theTimeStandsStill_andThenGoesOnFromThere() {
        Peer peer = site.peer();
        Instant first = age(0, peer, "goods").asOf();
        Awaitility.await("an idle table's time goes on")
                .atMost(Duration.ofMinutes(2))
                .until(() -> asOf(site.gateway(1).call("table-schema", peer.body("goods"))).isAfter(first));
        site.stopWorker();
        Age stopped = age(0, peer, "goods");
        try {
            assertThat(stopped.asOf()).isAfter(first);
            Age later = age(1, peer, "goods");
            assertThat(later.asOf()).isEqualTo(stopped.asOf());
            assertThat(later.lag()).isGreaterThanOrEqualTo(stopped.lag());
        } finally {
            site.startWorker();
        }
        Awaitility.await("it goes on").atMost(Duration.ofMinutes(2)).until(() -> {
            Instant now = asOf(site.gateway(2).call("table-schema", peer.body("goods")));
            assertThat(now).isAfterOrEqualTo(stopped.asOf());
            return now.isAfter(stopped.asOf());
        });
    }

    private static void source(String... statements) throws Exception {
        try (Connection source = site.cluster.database().connect("site");
                Statement statement = source.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    @Test
    void history_hasPages() {
        Peer peer = site.peer();
        for (int i = 0; i < 5; i++) {
            assertThat(site.pull(i, peer).statusCode()).isEqualTo(200);
        }
        List<String> all = reported(peer, 5).stream().map(one -> one.get("uuid").asString()).toList();
        assertThat(paged("ended", 2, peer)).isEqualTo(all).doesNotHaveDuplicates();
        String afterAllTime = Base64.getUrlEncoder()
                .encodeToString((Long.MAX_VALUE + "." + UUID.randomUUID()).getBytes(StandardCharsets.US_ASCII));
        site.admin("GET", "/transfers?cursor=" + afterAllTime, null, 400);
        site.admin("GET", "/transfers?site_url=%00", null, 400);
    }

    @Test
    void wordOnATransfer_onConditionOfTheOneBefore() {
        Peer peer = site.peer("\"approval_mode\":\"require_approval\"");
        String path = "/transfers/" + json(site.pull(0, peer)).get("transfer_uuid").asString();
        HttpResponse<String> waiting = site.gateway(0).admin("GET", path, null);
        assertThat(json(waiting).get("state").asString()).isEqualTo("waiting");
        String seen = etag(waiting);
        HttpResponse<String> denied = word(path + "/deny", "{\"reason\":\"fraud\"}", seen);
        assertThat(denied.statusCode()).as(denied.body()).isEqualTo(200);
        assertThat(word(path + "/approve", "{}", seen).statusCode()).isEqualTo(412);
        assertThat(error(site.pull(0, peer))).isEqualTo("403 An operator has denied this transfer");
        assertThat(word(path + "/approve", "{\"valid_for_minutes\":1440}", etag(denied)).statusCode()).isEqualTo(200);
        assertThat(site.pull(0, peer).statusCode()).isEqualTo(200);
        site.admin("GET", "/transfers/" + UUID.randomUUID(), null, 404);
    }

    private static HttpResponse<String> word(String path, String json, String ifMatch) {
        return site.gateway(0)
                .send("POST", "/admin/api" + path, Map.of("authorization",
                        "Bearer " + SyncCluster.ADMIN_TOKEN, "content-type", "application/json", "if-match", ifMatch),
                        json);
    }

    private static String etag(HttpResponse<String> response) {
        return response.headers().firstValue("etag").orElseThrow();
    }

    @Test
    void transfersThatAreNotOver_havePagesToo() {
        Peer counted = site.peer("\"max_records_total\":100000");
        // What a gateway was granted it reports after a minute: where that has passed already, it is granted more.
        Awaitility.await("the grants of two gateways, a page each").atMost(Duration.ofMinutes(5)).untilAsserted(() -> {
            for (int gateway = 0; gateway < 2; gateway++) {
                assertThat(site.gateway(gateway).call("table-records", counted.body("goods")).statusCode())
                        .isEqualTo(200);
            }
            List<String> all = paged("running", 500, counted);
            assertThat(all).hasSizeGreaterThanOrEqualTo(2).doesNotHaveDuplicates();
            assertThat(paged("running", 1, counted)).isEqualTo(all);
        });

        Peer approved = site.peer("\"approval_mode\":\"require_approval\"");
        for (String table : List.of("goods", "secrets")) {
            assertThat(site.gateway(0).call("pull-data", approved.body(table)).statusCode()).isEqualTo(202);
        }
        List<String> waiting = paged("waiting", 1, approved);
        assertThat(waiting).hasSize(2).doesNotHaveDuplicates();
        for (String word : List.of("approve", "deny")) {
            waiting.forEach(transfer -> site.admin("POST", "/transfers/" + transfer + "/" + word, "{}", 200));
            assertThat(paged(word.equals("approve") ? "approved" : "denied", 1, approved)).isEqualTo(waiting);
        }
        site.admin("GET", "/transfers?state=waiting&cursor=nonsense", null, 400);
    }

    /** A peer's transfers in this state, read page by page. */
    private static List<String> paged(String state, int limit, Peer peer) {
        List<String> paged = new ArrayList<>();
        String cursor = "";
        while (!cursor.equals("end")) {
            JsonNode page = site.admin("GET", "/transfers?state=" + state + "&limit=" + limit + "&site_url="
                    + peer.site() + (cursor.isEmpty() ? "" : "&cursor=" + cursor), null, 200);
            assertThat(page.get("transfers").size()).isLessThanOrEqualTo(limit);
            page.get("transfers").forEach(one -> paged.add(one.get("uuid").asString()));
            cursor = page.path("next_cursor").asString("end");
        }
        return paged;
    }

    // ---- time

    @Test
    void expiry_isSaidAtOnce_andIsAFactUnasked() {
        Peer peer = site.peer("\"expires_at\":\"" + Instant.now().plus(Duration.ofHours(1)) + "\"");
        assertThat(site.pull(0, peer).statusCode()).isEqualTo(200);
        site.admin("PATCH", "/connections/" + peer.uuid(),
                "{\"expires_at\":\"" + Instant.now().plusSeconds(1) + "\"}", 200);
        Awaitility.await("it is a fact")
                .atMost(Duration.ofMinutes(1))
                .untilAsserted(() -> assertThat(
                        facts(peer, SiteEvent.ConnectionExpired.class)).hasSize(1));
        for (int gateway = 0; gateway < 3; gateway++) {
            assertThat(error(site.pull(gateway, peer))).isEqualTo("403 Connection has expired");
            assertThat(error(site.gateway(gateway).call("list-tables", peer.body("goods"))))
                    .isEqualTo("403 Connection has expired");
        }
        assertThat(json(site.gateway(1)
                .call("get-connection-status",
                        "{\"receiver_url\":\"http://x.example\",\"auth_token_hash\":\"" + peer.hash() + "\"}"))
                .get("status")
                .asString()).isEqualTo("expired");
    }

    // ---- approval

    @Test
    void approval_waitsForAnOperator_thenOpensTheTable() {
        Peer peer = site.peer("\"approval_mode\":\"require_approval\"");
        HttpResponse<String> first = site.pull(0, peer);
        assertThat(first.statusCode()).as(first.body()).isEqualTo(202);
        assertThat(json(first).get("ask_again").asString()).isEqualTo("/phoenix_kit/sync/api/pull-data");
        assertThat(first.headers().firstValue("Retry-After")).contains("30");
        String transfer = json(first).get("transfer_uuid").asString();
        HttpResponse<String> second = site.gateway(1).call("table-records", peer.body("goods"));
        assertThat(second.statusCode()).isEqualTo(202);
        assertThat(json(second).get("transfer_uuid").asString()).isEqualTo(transfer);
        assertThat(site.admin("GET", "/transfers?state=waiting&site_url=" + peer.site(), null, 200)
                .get("transfers")
                .valueStream()
                .map(one -> one.get("uuid").asString())).containsExactly(transfer);

        site.admin("POST", "/transfers/" + transfer + "/approve", "{\"valid_for_minutes\":5}", 200);
        assertThat(rows(site.pull(2, peer))).isEqualTo(LimitedSite.ROWS);
        assertThat(site.gateway(1).call("table-records", peer.body("goods")).statusCode()).isEqualTo(200);
        assertThat(site.gateway(1).call("pull-data", peer.body("secrets")).statusCode()).as("each table its own")
                .isEqualTo(202);

        site.admin("POST", "/transfers/" + transfer + "/deny", "{\"reason\":\"enough\"}", 200);
        assertThat(error(site.pull(0, peer))).isEqualTo("403 An operator has denied this transfer");
        assertThat(error(site.gateway(1).call("table-records", peer.body("goods"))))
                .as("also where rows were granted that nobody has asked for yet")
                .isEqualTo("403 An operator has denied this transfer");
        site.admin("POST", "/transfers/" + java.util.UUID.randomUUID() + "/approve", "{}", 404);
    }

    @Test
    void perTable_namedTablesNeedNobody() {
        Peer peer = site.peer("\"approval_mode\":\"per_table\"", "\"auto_approve_tables\":[\"goods\"]");
        assertThat(rows(site.pull(0, peer))).isEqualTo(LimitedSite.ROWS);
        assertThat(site.gateway(0).call("pull-data", peer.body("secrets")).statusCode()).isEqualTo(202);
    }

    // ---- who, when, which

    @Test
    void tables_thatAreNotAllowed_areNotThere() {
        Peer peer = site.peer("\"excluded_tables\":[\"secrets\"]");
        assertThat(json(site.gateway(0).call("list-tables", peer.body("x"))).get("tables")
                .valueStream()
                .map(table -> table.get("name").asString())).containsExactly("goods");
        for (String call : List.of("pull-data", "table-schema", "table-records")) {
            assertThat(error(site.gateway(1).call(call, peer.body("secrets")))).isEqualTo("404 Table not found");
        }
    }

    @Test
    void password_asFieldOrHeader() {
        Peer peer = site.peer("\"download_password\":\"open sesame\"");
        assertThat(error(site.pull(0, peer))).isEqualTo("401 Download password required");
        assertThat(error(site.gateway(0).call("list-tables", peer.body("goods", "\"password\":\"wrong\""))))
                .isEqualTo("401 Invalid download password");
        assertThat(site.gateway(1).call("pull-data", peer.body("goods", "\"password\":\"open sesame\"")).statusCode())
                .isEqualTo(200);
        assertThat(site.gateway(2)
                .send("POST", "/phoenix_kit/sync/api/pull-data",
                        Map.of("content-type", "application/json", "x-download-password", "open sesame"),
                        peer.body("goods"))
                .statusCode()).isEqualTo(200);
    }

    @Test
    void addresses_theSocketsAndNobodyElses() {
        Peer here = site.peer("\"ip_whitelist\":[\"127.0.0.0/8\"]");
        assertThat(site.pull(0, here).statusCode()).isEqualTo(200);
        Peer elsewhere = site.peer("\"ip_whitelist\":[\"203.0.113.0/24\",\"2001:db8::/32\"]");
        assertThat(error(site.pull(0, elsewhere))).isEqualTo("403 IP address not allowed");
        assertThat(error(site.gateway(1)
                .send("POST", "/phoenix_kit/sync/api/pull-data",
                        Map.of("content-type", "application/json", "x-forwarded-for", "203.0.113.7"),
                        elsewhere.body("goods"))))
                .isEqualTo("403 IP address not allowed");
    }

    @Test
    void hours_outsideThem() {
        int far = (Instant.now().atOffset(java.time.ZoneOffset.UTC).getHour() + 12) % 24;
        Peer peer = site.peer("\"allowed_hours_start\":" + far, "\"allowed_hours_end\":" + far);
        assertThat(error(site.pull(0, peer))).isEqualTo("403 Outside allowed hours");
    }

    @Test
    void rate_eachGatewayItsShare() {
        // A gateway that has not heard of both others yet takes a larger share; each try is a minute of another peer.
        Awaitility.await("the gateways know each other").atMost(Duration.ofMinutes(1)).untilAsserted(() -> {
            Peer peer = site.peer("\"rate_limit_requests_per_minute\":10");
            long passed = IntStream.range(0, 30).filter(call -> schema(call, peer) == 200).count();
            assertThat(passed).as("a third each, rounded up").isEqualTo(12);
            HttpResponse<String> refused = site.gateway(0).call("table-schema", peer.body("goods"));
            assertThat(error(refused)).isEqualTo("429 Too many requests");
            assertThat(Integer.parseInt(refused.headers().firstValue("Retry-After").orElseThrow())).isBetween(1, 61);
        });
    }

    private static int schema(int gateway, Peer peer) {
        return site.gateway(gateway).call("table-schema", peer.body("goods")).statusCode();
    }

    // ---- helpers

    /** Waits until so many pulls of a peer are closed; its history. */
    private static List<JsonNode> reported(Peer peer, int pulls) {
        Awaitility.await("the pulls are reported")
                .atMost(Duration.ofMinutes(1))
                .untilAsserted(() -> assertThat(site.history(peer)).hasSize(pulls));
        return site.history(peer);
    }

    private static String use(Peer peer) {
        return site.queried("SELECT downloads || ' ' || records FROM syncline.pull_use WHERE site_url = '"
                + peer.site() + "'");
    }

    private static List<SiteEvent> facts(Peer peer, Class<? extends SiteEvent> kind) {
        return EventLog.read(site.cluster.broker().bootstrapServers(), site.cluster.keys())
                .counted()
                .stream()
                .map(logged -> logged.event())
                .filter(kind::isInstance)
                .map(SiteEvent.class::cast)
                .filter(event -> event.siteUrl().text().equals(peer.site()))
                .toList();
    }

    private interface Call {
        HttpResponse<String> number(int number);
    }

    private static List<HttpResponse<String>> atOnce(int calls, Call call) throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Callable<HttpResponse<String>>> tasks = new ArrayList<>();
            for (int i = 0; i < calls; i++) {
                int number = i;
                tasks.add(() -> call.number(number));
            }
            List<HttpResponse<String>> answers = new ArrayList<>();
            for (Future<HttpResponse<String>> answer : threads.invokeAll(tasks)) {
                answers.add(answer.get());
            }
            return answers;
        }
    }
}
