package io.syncline.e2e.connection;

import static io.syncline.e2e.connection.ConnectionRing.awaitOwned;
import static io.syncline.e2e.connection.ConnectionRing.registration;
import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.log.ReplyRecord;
import io.syncline.model.log.RequestRecord;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
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
            RequestRecord deletion = new RequestRecord(UUID.randomUUID(), Instant.now().plusSeconds(10),
                    new SiteRequest.DeletionRequested(registered.siteUrl(), registered.fingerprint()));
            assertThat(ConnectionRing.answer(ring.submit(deletion))).isEqualTo(Outcome.Accepted.WITHOUT_RECORD);
            assertThat(ConnectionRing.answer(ring.submit(deletion))).as("sent twice: the same outcome")
                    .isEqualTo(Outcome.Accepted.WITHOUT_RECORD);
            ring.produce("http://garbage.example", new byte[]{1, 2, 3});
            assertThat(ConnectionRing.answer(ring.submit(new RequestRecord(UUID.randomUUID(), Instant.now(),
                    registration("http://late.example"))))).isEqualTo(new Outcome.Refused(Refusal.DEADLINE_PASSED));
            assertThat(ring.column("SELECT count(*) FROM syncline.connection")).containsExactly("499");
            assertThat(ring.column("SELECT count(*) FROM syncline.connection_event")).containsExactly("502");
        }
    }
}
