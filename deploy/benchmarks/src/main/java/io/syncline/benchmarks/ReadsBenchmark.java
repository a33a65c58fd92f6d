package io.syncline.benchmarks;

import io.syncline.benchmarks.control.ControlApplication;
import io.syncline.benchmarks.load.Calls;
import io.syncline.benchmarks.load.RequestSource;
import io.syncline.benchmarks.report.Aim;
import io.syncline.benchmarks.report.Report;
import io.syncline.benchmarks.report.Step;
import io.syncline.benchmarks.site.SiteUnderTest;
import io.syncline.model.api.SyncPaths;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** {@code verify-connection} and {@code get-connection-status} against one row selected by its key. */
final class ReadsBenchmark {

    private static final double SHARE_OF_CONTROL = 0.8;
    private static final int RECEIVERS = 1_000;
    private static final int SENDERS = 200;
    static final String VERIFY_BODY = "{\"sender_url\":\"%s\",\"auth_token_hash\":\"%s\"}";
    static final String STATUS_BODY = "{\"receiver_url\":\"%s\",\"auth_token_hash\":\"%s\"}";

    /** A connection, as its peer knows it. */
    record Known(String url, String tokenHash) {}

    Report run(Plan plan, RunDescription description) throws IOException, InterruptedException {
        try (SiteUnderTest site = SiteUnderTest.start(plan.layouts().getFirst(), plan.jvm(), plan.profile())) {
            site.operator().open();
            List<Known> receivers = receivers(site);
            List<Known> senders = senders(site);
            List<Step> verify = compare(site, plan, SyncPaths.VERIFY_CONNECTION,
                    VERIFY_BODY, receivers, "receiver");
            List<Step> status = compare(site, plan, SyncPaths.GET_CONNECTION_STATUS,
                    STATUS_BODY, senders, "sender");
            List<Aim> aims = new ArrayList<>();
            verify.forEach(step -> aims.add(aim("verify-connection", step)));
            status.forEach(step -> aims.add(aim("get-connection-status", step)));
            return new Report("reads", "verify-connection and get-connection-status against a bare SELECT",
                    description.begun(), description.commit(), description.command(), description.machine(),
                    List.of("%d receiver and %d sender connections, asked for in turn.".formatted(RECEIVERS, SENDERS),
                            "Control: the same Tomcat, virtual threads, routes, body parsing and kind of pool, in the same JVM;"
                                    + " one row selected by its primary key.",
                            "Load, turns and repetition as in register.md; layout: "
                                    + plan.layouts().getFirst().sentence() + "."),
                    List.of(new Report.Section.Compared("verify-connection", "verify", "SELECT", verify),
                            new Report.Section.Compared("get-connection-status", "status", "SELECT", status)),
                    aims);
        }
    }

    private static Aim aim(String call, Step step) {
        return Aim.atLeast("%s, %d connections, of the control's rate".formatted(call, step.connections()),
                step.ratio(),
                SHARE_OF_CONTROL);
    }

    private static List<Step> compare(SiteUnderTest site, Plan plan, String call, String body, List<Known> known,
            String direction) throws IOException {
        Comparison comparison = new Comparison(site, plan,
                new Comparison.Side(call.substring(1), site.gateway(),
                        inTurn("/" + SiteUnderTest.PREFIX + SyncPaths.ROOT + call, known,
                                one -> body.formatted(one.url(), one.tokenHash()))),
                new Comparison.Side("SELECT", site.control(),
                        inTurn("/control" + SyncPaths.ROOT + ControlApplication.SELECT, known,
                                one -> "{\"url\":\"%s\",\"direction\":\"%s\",\"auth_token_hash\":\"%s\"}"
                                        .formatted(one.url(), direction, one.tokenHash()))));
        comparison.warmUp();
        List<Step> steps = new ArrayList<>();
        for (int connections : plan.connections()) {
            steps.add(comparison.step(connections));
        }
        return steps;
    }

    static RequestSource inTurn(String path, List<Known> known, Function<Known, String> body) {
        List<byte[]> requests = known.stream().map(one -> Calls.post(path, () -> body.apply(one)).next()).toList();
        int[] next = {0};
        return () -> requests.get(next[0]++ % requests.size());
    }

    static List<Known> receivers(SiteUnderTest site) throws IOException, InterruptedException {
        List<Known> receivers = new ArrayList<>();
        for (int i = 0; i < RECEIVERS; i++) {
            String url = "https://sender-%d.example".formatted(i);
            String token = "token-of-sender-" + i;
            HttpResponse<String> answer = site.operator()
                    .call("register-connection",
                            "{\"sender_url\":\"%s\",\"connection_name\":\"Sender %d\",\"auth_token\":\"%s\"}"
                                    .formatted(url, i, token));
            if (answer.statusCode() != 200) {
                throw new IOException("register-connection: %d %s".formatted(answer.statusCode(), answer.body()));
            }
            receivers.add(new Known(url, Calls.tokenHash(token)));
        }
        return receivers;
    }

    static List<Known> senders(SiteUnderTest site) throws IOException, InterruptedException {
        List<Known> senders = new ArrayList<>();
        for (int i = 0; i < SENDERS; i++) {
            String url = "https://receiver-%d.example".formatted(i);
            senders.add(new Known(url, Calls.tokenHash(site.operator().senderFor(url))));
        }
        return senders;
    }
}
