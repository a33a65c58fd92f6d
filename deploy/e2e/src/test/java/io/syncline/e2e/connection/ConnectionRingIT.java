package io.syncline.e2e.connection;

import static io.syncline.e2e.connection.ConnectionRing.awaitOwned;
import static io.syncline.e2e.connection.ConnectionRing.registration;
import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.e2e.EventLog;
import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.PullKind;
import io.syncline.model.connection.PullOutcome;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.ReplyRecord;
import io.syncline.model.log.RequestRecord;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.context.ConfigurableApplicationContext;

/** One request, one outcome, one fact: through the real broker and the real database. */
class ConnectionRingIT {

    @TempDir Path directory;

    @Test
    void requestsAreDecidedAnsweredAndLogged() {
        try (ConnectionRing ring = new ConnectionRing(directory)) {
            ConfigurableApplicationContext worker = ring.startWorker("one");
            awaitOwned(worker, ConnectionRing.PARTITIONS);
            ring.connect();

            assertThat(ring.ask(registration("http://early.example")))
                    .isEqualTo(new Outcome.Refused(Refusal.MODULE_DISABLED));
            ring.enable(IncomingMode.AUTO_ACCEPT);

            List<CompletableFuture<ReplyRecord>> first = new ArrayList<>();
            List<CompletableFuture<ReplyRecord>> second = new ArrayList<>();
            for (int i = 0; i < 500; i++) {
                first.add(ring.submit(registration("http://site-" + i + ".example")));
                second.add(ring.submit(registration("http://site-" + i + ".example")));
            }
            assertThat(first).allSatisfy(
                    reply -> assertThat(ConnectionRing.answer(reply)).isInstanceOf(Outcome.Accepted.class));
            assertThat(second).allSatisfy(reply -> assertThat(ConnectionRing.answer(reply))
                    .isEqualTo(new Outcome.Refused(Refusal.ALREADY_EXISTS)));

            SiteRequest.RegistrationRequested registered = registration("http://site-7.example");
            RequestRecord deletion = new RequestRecord(UUID.randomUUID(),
                    Instant.now().plus(ConnectionRing.PATIENCE),
                    new SiteRequest.DeletionRequested(registered.siteUrl(), registered.fingerprint()));
            assertThat(ConnectionRing.answer(ring.submit(deletion))).isEqualTo(Outcome.Accepted.WITHOUT_RECORD);
            assertThat(ConnectionRing.answer(ring.submit(deletion))).as("sent twice: the same outcome")
                    .isEqualTo(Outcome.Accepted.WITHOUT_RECORD);
            ring.produce("http://garbage.example", new byte[]{1, 2, 3});
            assertThat(ConnectionRing.answer(ring.submit(new RequestRecord(UUID.randomUUID(),
                    Instant.now().minusSeconds(1),
                    registration("http://late.example"))))).isEqualTo(new Outcome.Refused(Refusal.DEADLINE_PASSED));
            assertThat(ring.column("SELECT count(*) FROM syncline.connection")).containsExactly("499");
            assertThat(ring.column("SELECT count(*) FROM syncline.connection_event")).containsExactly("502");
        }
    }

    @Test
    void grantThatNobodyReports_isClosedByTheClock_asUnknown_andCountsInFull() {
        try (ConnectionRing ring = new ConnectionRing(directory)) {
            awaitOwned(ring.startWorker("one"), ConnectionRing.PARTITIONS);
            awaitOwned(ring.startWorker("two"), ConnectionRing.PARTITIONS / 2);
            ring.connect();
            ring.enable(IncomingMode.AUTO_ACCEPT);
            SiteUrl site = SiteUrl.asSent("http://receiver.example");
            UUID connection = UUID.randomUUID();
            SiteRequest.RegistrationRequested credentials = registration(site.text());
            ring.ask(new SiteRequest.SenderCreationRequested(site, connection, "R", credentials.fingerprint(),
                    credentials.sealedToken(), true, false, ConnectionSettings.DEFAULTS, "test"));

            // Two gateways died: one a while ago, with a grant that is long over, one just now.
            UUID over = UUID.randomUUID();
            UUID young = UUID.randomUUID();
            ring.ask(new SiteRequest.PullRequested(site, connection, young, PullKind.RECORDS, "t", 1_000, 1, 600, true,
                    "192.0.2.1"));
            ring.ask(new SiteRequest.PullRequested(site, connection, over, PullKind.DOWNLOAD, "t", 300, 1, -100, true,
                    "192.0.2.1"));
            Awaitility.await("the clock has closed it")
                    .atMost(ConnectionRing.PATIENCE)
                    .untilAsserted(() -> assertThat(ring.column("SELECT grant_id FROM syncline.pull_grant"))
                            .containsExactly(young.toString()));
            assertThat(ring.column("SELECT downloads || ' ' || records FROM syncline.pull_use"))
                    .containsExactly("1 1300");
            // Into the log goes what is committed already, and nobody is answered who could have waited for that.
            Awaitility.await("it is in the log")
                    .atMost(ConnectionRing.PATIENCE)
                    .untilAsserted(() -> assertThat(EventLog.read(ring.bootstrapServers(), ring.keys())
                            .counted()
                            .stream()
                            .map(LoggedEvent::event)
                            .filter(SiteEvent.TablePulled.class::isInstance)).singleElement().satisfies(event -> {
                                SiteEvent.TablePulled pulled = (SiteEvent.TablePulled) event;
                                assertThat(pulled.grant()).isEqualTo(over);
                                assertThat(pulled.outcome()).isEqualTo(PullOutcome.UNKNOWN);
                                assertThat(pulled.rows()).isEqualTo(300);
                            }));
            assertThat(ring.ask(new SiteRequest.PullReported(site, over, 7, 70, null, 1, PullOutcome.COMPLETED)))
                    .as("too late")
                    .isEqualTo(new Outcome.Refused(Refusal.GRANT_CLOSED));
        }
    }
}
