package io.syncline.e2e.limits;

import static io.syncline.e2e.limits.LimitedSite.inTheEnd;
import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.e2e.SyncCluster;
import io.syncline.e2e.limits.LimitedSite.Peer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/**
 * What an operator imposes holds at every gateway as soon as it is answered, and no call of a peer ever lifts it. On the oldest
 * PostgreSQL, as source and for the state, so that the whole ring has run on that.
 */
class RevocationIT {

    private static final int REVOCATIONS = 1_000;
    private static final int AT_ONCE = 4;
    private static final int BULKY_ROW = 100_000;
    /** More than the sockets' buffers take. */
    private static final int BULKY_ROWS = 300;
    /** Each gateway is pulled from all the time, but this machine has to be the callers' too. */
    private static final Duration BETWEEN_PULLS = Duration.ofMillis(10);

    @TempDir static Path directory;

    private static LimitedSite site;

    @BeforeAll
    static void start() throws Exception {
        site = new LimitedSite(SyncCluster.onPostgres("14", directory), 3,
                "--syncline.http.trusted-proxies=127.0.0.0/8,::1");
        site.fillTable("bulky", BULKY_ROWS, BULKY_ROW);
    }

    @AfterAll
    static void stop() {
        site.close();
    }

    @Test
    void revoked_isRefusedByEveryGateway_fromTheAnswerOn_underLoad() throws Exception {
        List<Peer> peers = inParallel(REVOCATIONS, i -> site.peer());
        AtomicBoolean loaded = new AtomicBoolean(true);
        AtomicInteger pulls = new AtomicInteger();
        Peer busy = site.peer("\"rate_limit_requests_per_minute\":1000000");
        try (ExecutorService load = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 3; i++) {
                int gateway = i;
                load.submit(() -> {
                    while (loaded.get()) {
                        pulls.addAndGet(site.pull(gateway, busy).statusCode() == 200 ? 1 : 0);
                        Thread.sleep(BETWEEN_PULLS);
                    }
                    return null;
                });
            }
            try {
                Awaitility.await("the load").atMost(Duration.ofMinutes(1)).until(() -> pulls.get() > 3);
                AtomicInteger passed = new AtomicInteger();
                List<Long> took = new ArrayList<>(inParallel(REVOCATIONS, i -> {
                    Peer peer = peers.get(i);
                    long sent = System.nanoTime();
                    HttpResponse<String> revoked = site.gateway(i)
                            .admin("POST", "/connections/" + peer.uuid() + "/revoke", "{}");
                    assertThat(revoked.statusCode()).as(revoked.body()).isEqualTo(200);
                    for (int gateway = 0; gateway < 3; gateway++) {
                        SyncCluster.Gateway asked = site.gateway(i + 1 + gateway);
                        HttpResponse<String> call = inTheEnd(() -> asked.call("table-schema", peer.body("goods")));
                        passed.addAndGet(call.statusCode() == 403 ? 0 : 1);
                    }
                    return System.nanoTime() - sent;
                }));
                Collections.sort(took);
                System.out.printf(
                        "revoke to refusal by all of 3 gateways, %d times beside %d pulls: p50 %d, p99 %d ms%n",
                        REVOCATIONS, pulls.get(), took.get(REVOCATIONS / 2) / 1_000_000,
                        took.get(REVOCATIONS * 99 / 100) / 1_000_000);
                assertThat(passed).as("calls let in behind the answer").hasValue(0);
            } finally {
                loaded.set(false);
            }
        }
    }

    /** These gateways trust us as a proxy; the gateways of {@link LimitsIT} do not. */
    @Test
    void behindATrustedProxy_theCallersAddressIsTheOneItNames() {
        Peer peer = site.peer("\"ip_whitelist\":[\"203.0.113.0/24\"]");
        assertThat(forwarded(peer, "X-Forwarded-For", "198.51.100.7, 203.0.113.9")).isEqualTo(200);
        assertThat(forwarded(peer, "Forwarded", "for=203.0.113.9;proto=https")).isEqualTo(200);
        assertThat(forwarded(peer, "X-Forwarded-For", "203.0.113.9, 198.51.100.7")).as("the first is made up")
                .isEqualTo(403);
        assertThat(site.pull(0, peer).statusCode()).isEqualTo(403);
        Awaitility.await("the pulls are reported")
                .atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(site.history(peer)).hasSize(2));
        assertThat(site.history(peer)).allSatisfy(
                pulled -> assertThat(pulled.get("address").asString()).isEqualTo("203.0.113.9"));
    }

    private static int forwarded(Peer peer, String header, String value) {
        return site.gateway(0)
                .send("POST", "/phoenix_kit/sync/api/pull-data",
                        Map.of("content-type", "application/json", header, value), peer.body("goods"))
                .statusCode();
    }

    /** What ends a pull that is on its way, and of which peer. */
    private record End(String name, Supplier<Peer> peer, Consumer<Peer> comes) {}

    /** What is on its way ends too, whatever the peer may not do any more. */
    @Test
    void aRunningPull_endsWithItsConnection_itsTable_orItsApproval_andIsRecordedAsBrokenOff() throws Exception {
        List<End> ends = List.of(
                new End("revoke", site::peer,
                        peer -> site.admin("POST", "/connections/" + peer.uuid() + "/revoke", "{}", 200)),
                new End("suspend", site::peer,
                        peer -> site.admin("POST", "/connections/" + peer.uuid() + "/suspend", "{}", 200)),
                new End("delete", site::peer,
                        peer -> site.admin("DELETE", "/connections/" + peer.uuid(), null, 204)),
                new End("expire", site::peer,
                        peer -> change(peer, "\"expires_at\":\"" + Instant.now().plusSeconds(1) + "\"")),
                new End("exclude", site::peer, peer -> change(peer, "\"excluded_tables\":[\"bulky\"]")),
                new End("deny", RevocationIT::approvedPeer,
                        peer -> site.admin("POST", "/transfers/" + approval(peer, "approved") + "/deny", "{}", 200)));
        inParallel(ends.size(), i -> endsWith(ends.get(i)));
    }

    @Test
    void aRunningPull_endsWhenTheModuleIsDisabled() throws Exception {
        try {
            endsWith(new End("disable", site::peer,
                    peer -> site.admin("PATCH", "/settings", "{\"enabled\":false}", 200)));
        } finally {
            site.admin("PATCH", "/settings", "{\"enabled\":true}", 200);
        }
    }

    /** A receiver that takes some of the answer, and then nothing more while the gateway is stopped. */
    @Test
    void aGatewayThatIsStopped_isNotReadyFirst_thenBreaksItsPullsOff_andReportsWhatTheyCameTo() throws Exception {
        SyncCluster.Gateway stopped = site.cluster.startGateway("--syncline.gateway.shutdown-delay=8s",
                "--spring.lifecycle.timeout-per-shutdown-phase=20s");
        Peer counted = site.peer("\"max_records_total\":" + 2 * BULKY_ROWS, "\"max_downloads\":5");
        Peer free = site.peer();
        List<Peer> peers = List.of(counted, free);
        try (Socket ofCounted = openPull(stopped, counted, "bulky");
                Socket ofFree = openPull(stopped, free, "bulky");
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Socket pull : List.of(ofCounted, ofFree)) {
                assertThat(pull.getInputStream().readNBytes(2 * BULKY_ROW)).hasSize(2 * BULKY_ROW);
            }
            Future<?> stop = threads.submit(() -> site.cluster.stop(stopped));
            Awaitility.await("not ready, and still answering")
                    .atMost(Duration.ofMinutes(1))
                    .pollInterval(Duration.ofMillis(100))
                    .until(() -> stopped.get("/actuator/health/readiness").statusCode() == 503);
            stop.get(5, TimeUnit.MINUTES);
        }
        for (Peer peer : peers) {
            Awaitility.await("it is reported")
                    .atMost(Duration.ofMinutes(1))
                    .until(() -> site.history(peer).size() == 1);
            JsonNode fact = site.history(peer).getFirst();
            assertThat(fact.get("outcome").asString()).isEqualTo("broken_off");
            int rows = fact.get("rows").asInt();
            long bytes = fact.get("bytes").asLong();
            assertThat(rows).as("of %d, and what had been read", BULKY_ROWS).isBetween(1, BULKY_ROWS - 1);
            assertThat(bytes).isBetween(2L * BULKY_ROW, (long) BULKY_ROW * BULKY_ROWS);
            assertThat(bytes / BULKY_ROW).isBetween((long) rows - 1, (long) rows + 1);
            assertThat(Instant.parse(fact.get("as_of").asString())).isBefore(Instant.now());
            assertThat(site.admin("GET", "/transfers?state=running&site_url=" + peer.site(), null, 200)
                    .get("transfers")).isEmpty();
            assertThat(site.queried("SELECT records FROM syncline.pull_use WHERE site_url = '" + peer.site() + "'"))
                    .isEqualTo(Integer.toString(rows));
        }
    }

    /** The last bytes of an answer are as good as the first. */
    @Test
    void aPullThatEndsSoon_endsBeforeItsGatewayDoes() throws Exception {
        SyncCluster.Gateway stopped = site.cluster.startGateway();
        Peer peer = site.peer();
        try (Socket pull = openPull(stopped, peer, "bulky");
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            InputStream in = pull.getInputStream();
            assertThat(in.readNBytes(2 * BULKY_ROW)).hasSize(2 * BULKY_ROW);
            Future<?> stop = threads.submit(() -> site.cluster.stop(stopped));
            assertThat(in.readAllBytes().length).isGreaterThan((BULKY_ROWS - 2) * BULKY_ROW);
            stop.get(5, TimeUnit.MINUTES);
        }
        Awaitility.await("it is reported").atMost(Duration.ofMinutes(1)).until(() -> site.history(peer).size() == 1);
        JsonNode fact = site.history(peer).getFirst();
        assertThat(fact.get("outcome").asString()).isEqualTo("completed");
        assertThat(fact.get("rows").asInt()).isEqualTo(BULKY_ROWS);
    }

    private static void change(Peer peer, String setting) {
        site.admin("PATCH", "/connections/" + peer.uuid(), "{" + setting + "}", 200);
    }

    private static Peer approvedPeer() {
        Peer peer = site.peer("\"approval_mode\":\"require_approval\"");
        assertThat(site.gateway(0).call("pull-data", peer.body("bulky")).statusCode()).isEqualTo(202);
        site.admin("POST", "/transfers/" + approval(peer, "waiting") + "/approve", "{}", 200);
        return peer;
    }

    private static String approval(Peer peer, String state) {
        return site.admin("GET", "/transfers?state=" + state + "&site_url=" + peer.site(), null, 200)
                .get("transfers")
                .get(0)
                .get("uuid")
                .asString();
    }

    private static boolean endsWith(End end) throws IOException {
        Peer peer = end.peer().get();
        try (Socket pull = openPull(peer, "bulky")) {
            InputStream in = pull.getInputStream();
            // With two rows' bytes here, a whole row has left, however soon the rest is cut off.
            AtomicLong given = new AtomicLong(in.readNBytes(2 * BULKY_ROW).length);
            assertThat(given).as(end.name()).hasValue(2 * BULKY_ROW);
            end.comes().accept(peer);
            // Read slowly, or all of it would be here before anybody could have looked.
            Awaitility.await(end.name())
                    .atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofMillis(100))
                    .until(() -> {
                        int some = in.readNBytes(1 << 16).length;
                        given.addAndGet(some);
                        return some < 1 << 16;
                    });
            assertThat(given.get()).as(end.name() + " breaks the pull off, or else the whole answer has come")
                    .isLessThan((long) BULKY_ROWS * BULKY_ROW);
        }
        Awaitility.await(end.name() + " is reported").atMost(Duration.ofMinutes(1)).untilAsserted(() -> {
            assertThat(site.history(peer)).hasSize(1);
            JsonNode pulled = site.history(peer).getFirst();
            assertThat(pulled.get("outcome").asString()).isEqualTo("broken_off");
            assertThat(pulled.get("rows").intValue()).isBetween(1, BULKY_ROWS - 1);
        });
        return true;
    }

    /** Over a connection that ends with the answer: whoever reads a whole one comes to its end, too. */
    private static Socket openPull(Peer peer, String table) throws IOException {
        return openPull(site.gateway(0), peer, table);
    }

    private static Socket openPull(SyncCluster.Gateway from, Peer peer, String table) throws IOException {
        URI gateway = URI.create(from.base());
        String body = peer.body(table);
        Socket socket = new Socket();
        socket.setReceiveBufferSize(1 << 16);
        socket.connect(new InetSocketAddress(gateway.getHost(), gateway.getPort()));
        socket.setSoTimeout(60_000);
        socket.getOutputStream()
                .write(("POST /phoenix_kit/sync/api/pull-data HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                        + "Content-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body)
                        .getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    /** Promise 9. */
    @Test
    void noCallOfAPeer_inNoOrder_atNoGateway_liftsWhatWasImposed() throws Exception {
        long seed = Long.getLong("syncline.seed", System.nanoTime());
        System.out.println("RevocationIT: replay with -Dsyncline.seed=" + seed);
        Random random = new Random(seed);
        for (String imposed : List.of("suspend", "revoke", "pending")) {
            for (int run = 0; run < 12; run++) {
                Imposed on = new Imposed(imposed, run, random);
                for (int call = 0; call < 10; call++) {
                    on.anyCall();
                }
                on.approvedByTheOperator();
            }
        }
    }

    /** A site with a record in both directions, on which our operator has imposed something. */
    private static final class Imposed {

        private final String url;
        private final Random random;
        private final Peer sender;
        private final String token;
        private final String hash;
        private final List<String> story = new ArrayList<>();

        Imposed(String kind, int run, Random random) {
            this.random = random;
            this.sender = site.peer();
            this.url = sender.site();
            this.token = "their-" + kind + run;
            this.hash = new io.syncline.model.credential.AuthToken(token).hash().text();
            if (kind.equals("pending")) {
                mode("require_approval");
                assertThat(register().body()).contains("pending");
                mode("auto_accept");
                // A sender's own waiting is the receiver's to end; ours is to suspend it.
                site.admin("POST", "/connections/" + sender.uuid() + "/suspend", "{}", 200);
            } else {
                assertThat(register().body()).contains("active");
                for (String uuid : List.of(sender.uuid(), uuidOf("receiver"))) {
                    site.admin("POST", "/connections/" + uuid + "/" + kind, "{\"reason\":\"test\"}", 200);
                }
            }
        }

        void anyCall() {
            String both = "\"sender_url\":\"" + url + "\",\"auth_token_hash\":\"";
            int number = random.nextInt(9);
            HttpResponse<String> answer = switch (number) {
                case 0, 1 -> register();
                case 2 -> call("update-status", "{" + both + hash + "\",\"status\":\"active\"}");
                case 3 -> call("update-status", "{" + both + hash + "\",\"status\":\"suspended\"}");
                case 4 -> call("delete-connection", "{" + both + hash + "\"}");
                case 5 -> call("verify-connection", "{" + both + sender.hash() + "\"}");
                case 6 -> call("get-connection-status",
                        "{\"receiver_url\":\"http://x.example\",\"auth_token_hash\":\"" + sender.hash() + "\"}");
                case 7 -> call("update-status", "{" + both + sender.hash() + "\",\"status\":\"active\"}");
                default -> call("delete-connection", "{" + both + sender.hash() + "\"}");
            };
            story.add(number + ": " + answer.statusCode() + " " + answer.body());
            assertThat(answer.statusCode()).as("%s", story).isIn(200, 404, 409);
            assertThat(answer.body()).as("%s", story).doesNotContain("\"active\"").doesNotContain("to active");
            for (String direction : List.of("sender", "receiver")) {
                assertThat(statusOf(direction)).as("%s", story).isNotEqualTo("active");
            }
            assertThat(call("pull-data", sender.body("goods")).statusCode()).as("%s", story).isIn(401, 403);
        }

        /** Our own operator can, of course. */
        void approvedByTheOperator() {
            if (!statusOf("receiver").isEmpty()) {
                String uuid = uuidOf("receiver");
                site.gateway(0).admin("POST", "/connections/" + uuid + "/reactivate", "{}");
                site.gateway(1).admin("POST", "/connections/" + uuid + "/approve", "{}");
                call("update-status",
                        "{\"sender_url\":\"" + url + "\",\"auth_token_hash\":\"" + hash + "\",\"status\":\"active\"}");
                assertThat(statusOf("receiver")).as("%s", story).isEqualTo("active");
            }
        }

        private HttpResponse<String> register() {
            return call("register-connection", "{\"sender_url\":\"" + url
                    + "\",\"connection_name\":\"Theirs\",\"auth_token\":\"" + token + "\"}");
        }

        private HttpResponse<String> call(String name, String body) {
            return site.gateway(random.nextInt(3)).call(name, body);
        }

        private void mode(String mode) {
            site.admin("PATCH", "/settings", "{\"incoming_mode\":\"" + mode + "\"}", 200);
        }

        /** In force, as operators see it; empty where there is no record. */
        private String statusOf(String direction) {
            String uuid = uuidOf(direction);
            return uuid.isEmpty() ? "" : site.admin("GET", "/connections/" + uuid, null, 200).get("status").asString();
        }

        private String uuidOf(String direction) {
            return site.queried("SELECT uuid FROM syncline.connection WHERE site_url = '" + url + "' AND direction = '"
                    + direction + "'");
        }
    }

    private interface Numbered<T> {
        T of(int number) throws Exception;
    }

    private static <T> List<T> inParallel(int count, Numbered<T> task) throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE)) {
            List<Callable<T>> tasks = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int number = i;
                tasks.add(() -> task.of(number));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> result : threads.invokeAll(tasks)) {
                results.add(result.get());
            }
            return results;
        }
    }
}
