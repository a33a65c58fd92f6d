package io.syncline.worker.connection;

import static io.syncline.worker.connection.Fixtures.ADMIN;
import static io.syncline.worker.connection.Fixtures.NOW;
import static io.syncline.worker.connection.Fixtures.OTHER_TOKEN;
import static io.syncline.worker.connection.Fixtures.SENDER;
import static io.syncline.worker.connection.Fixtures.SITE;
import static io.syncline.worker.connection.Fixtures.TOKEN;
import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.connection.PreviousToken;
import io.syncline.model.connection.Site;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.log.StoredSettings;
import io.syncline.worker.connection.ConnectionStore.Scope;
import io.syncline.worker.connection.ConnectionStore.Transaction;
import java.io.IOException;
import java.time.Instant;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A state that an older version left is, once it is brought up to date, still what the log adds up to. */
class OlderStateIT {

    /** The newest that is older than what these tests are about. */
    private static final String OLDER = "10";

    private StateDatabaseUnderTest database;

    @BeforeEach
    void start() {
        database = new StateDatabaseUnderTest(OLDER);
    }

    @AfterEach
    void stop() throws IOException {
        database.close();
    }

    @Test
    void previousToken_isOneOfSeveral() {
        Instant until = NOW.plusSeconds(60);
        database.execute("""
                INSERT INTO syncline.connection (site_url, direction, uuid, name, fingerprint, sealed_token, created_at,
                    updated_at, confirmed, notify_peer, settings, created_by, previous_fingerprint, previous_until)
                VALUES ('%s', 'sender', '%s', 'One', '%s', '%s', '%s', '%s', true, false, '%s', '%s', '%s', '%s')"""
                .formatted(SITE, SENDER, OTHER_TOKEN.hex(), Fixtures.SEALED.text(), NOW, NOW,
                        StoredSettings.write(ConnectionSettings.DEFAULTS), ADMIN, TOKEN.hex(), until));
        database.migrate();
        assertThat(site()).isEqualTo(Site.unknown(SITE)
                .evolve(Fixtures.activeSender(), NOW)
                .evolve(new SiteEvent.TokenRotated(SITE, SENDER, OTHER_TOKEN, Fixtures.SEALED,
                        new PreviousToken(TOKEN, until), ADMIN), NOW));
    }

    private Site site() {
        try (Transaction transaction = new PostgresConnectionStore(database.pool())
                .begin(new Scope(new TreeSet<>(Set.of(0)), Set.of(SITE), Set.of(SITE), Set.of(), Set.of(), Set.of()))) {
            return transaction.state().sites().get(SITE);
        }
    }
}
