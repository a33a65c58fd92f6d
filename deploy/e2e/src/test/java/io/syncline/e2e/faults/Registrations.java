package io.syncline.e2e.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.e2e.EventLog;
import io.syncline.e2e.SyncCluster;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.credential.TokenHash;
import io.syncline.model.log.LoggedEvent;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Registrations of sites that nobody else registers, what each was answered, and whether that was true. */
final class Registrations {

    /** Status and body; 0 where the connection broke. */
    record Answer(int status, String body) {

        boolean applied() {
            return status == 200;
        }
    }

    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    private final AtomicInteger number = new AtomicInteger();

    /** Of a site of its own; gives the site. */
    String register(SyncCluster.Gateway gateway) {
        String site = "http://site-" + number.incrementAndGet() + ".example";
        register(gateway, site);
        return site;
    }

    Answer register(SyncCluster.Gateway gateway, String site) {
        Answer answer;
        try {
            HttpResponse<String> response = gateway.call("register-connection", """
                    {"sender_url":"%s","connection_name":"n","auth_token":"token of %s"}""".formatted(site, site));
            answer = new Answer(response.statusCode(), response.body());
        } catch (UncheckedIOException e) {
            answer = new Answer(0, e.toString());
        }
        answers.put(site, answer);
        return answer;
    }

    Answer answer(String site) {
        return answers.getOrDefault(site, new Answer(0, "not asked"));
    }

    /** What a gateway says of a site's connection. */
    static HttpResponse<String> verify(SyncCluster.Gateway gateway, String site) {
        return gateway.call("verify-connection", """
                {"sender_url":"%s","auth_token_hash":"%s"}""".formatted(site, hash(site)));
    }

    static String hash(String site) {
        return TokenHash.ofToken("token of " + site).text();
    }

    /** Promise 1: each 200 has its own event, and what was not applied has none. */
    void areTrue(EventLog log) {
        assertThat(log.foreign()).isEmpty();
        Map<String, Long> events = log.counted()
                .stream()
                .filter(event -> event.event() instanceof SiteEvent.ConnectionRegistered)
                .map(LoggedEvent::key)
                .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
        assertThat(events.values()).as("nothing twice").allMatch(count -> count == 1);
        answers.forEach((site, answer) -> {
            switch (answer.status()) {
                case 200 -> assertThat(events).as(site + " was answered " + answer).containsKey(site);
                case 503 -> {
                    if (List.of("not applied", "cannot be used now", "is too slow now")
                            .stream()
                            .anyMatch(answer.body()::contains)) {
                        assertThat(events).as(site + " was answered " + answer).doesNotContainKey(site);
                    } else {
                        assertThat(answer.body()).contains("not known");
                    }
                }
                case 0 -> {}
                default -> throw new AssertionError(site + " was answered " + answer);
            }
        });
    }
}
