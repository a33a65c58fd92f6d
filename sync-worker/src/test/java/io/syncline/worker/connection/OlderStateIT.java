package io.syncline.worker.connection;

import static io.syncline.worker.connection.Fixtures.ADMIN;
import static io.syncline.worker.connection.Fixtures.NEW_RECORD;
import static io.syncline.worker.connection.Fixtures.NOW;
import static io.syncline.worker.connection.Fixtures.OTHER_TOKEN;
import static io.syncline.worker.connection.Fixtures.SENDER;
import static io.syncline.worker.connection.Fixtures.SITE;
import static io.syncline.worker.connection.Fixtures.TOKEN;
import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.connection.Direction;
import io.syncline.model.connection.Imposition;
import io.syncline.model.connection.PreviousToken;
import io.syncline.model.connection.Site;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.log.EventCodec;
import io.syncline.model.log.StoredSettings;
import io.syncline.worker.connection.ConnectionStore.Scope;
import io.syncline.worker.connection.ConnectionStore.Transaction;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
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

    @Test
    void wordOnATransfer_hasTheTimeThatItWasSaid() {
        SiteEvent asked = new SiteEvent.TransferRequested(SITE, SENDER, NEW_RECORD, "orders", "192.0.2.7",
                NOW.plusSeconds(9));
        SiteEvent approved = new SiteEvent.TransferApproved(SITE, SENDER, NEW_RECORD, "orders", NOW.plusSeconds(90),
                ADMIN);
        SiteEvent denied = new SiteEvent.TransferDenied(SITE, SENDER, NEW_RECORD, "orders", "no", NOW.plusSeconds(99),
                ADMIN);
        List<Site.Dated> events = logged(Fixtures.activeSender(), asked, approved, denied);
        database.execute("""
                INSERT INTO syncline.pull_approval (site_url, transfer_id, table_name, state, address, requested_at,
                    until, decided_by, reason)
                VALUES ('%s', '%s', 'orders', 'denied', '192.0.2.7', '%s', '%s', '%s', 'no')""".formatted(SITE,
                NEW_RECORD, events.get(1).at(), NOW.plusSeconds(99), ADMIN));
        database.migrate();
        assertThat(site().pulls().approvals()).isEqualTo(Site.replay(SITE, events).pulls().approvals());
    }

    @Test
    void whatWasImposedBeforeARecordWasMadeAnew_isTold() {
        List<Site.Dated> events = logged(Fixtures.registered(), Fixtures.revoked(Direction.RECEIVER, "fraud"),
                Fixtures.deleted("peer", Direction.RECEIVER), Fixtures.registered(true),
                Fixtures.deleted("peer", Direction.RECEIVER), Fixtures.registered(true));
        waitingSince(events.getLast().at());
        database.migrate();
        assertThat(site().impositions()).isEqualTo(Site.replay(SITE, events).impositions());
        assertThat(site().imposition(Direction.RECEIVER)).contains(new Imposition(
                Imposition.Kind.AWAITING_APPROVAL, Imposition.Kind.REVOKED, "fraud", ADMIN, events.get(1).at()));
    }

    @Test
    void whatWasLiftedBeforeARecordWasMadeAnew_isNot() {
        List<Site.Dated> events = logged(Fixtures.registered(), Fixtures.revoked(Direction.RECEIVER, "fraud"),
                Fixtures.reactivated(Direction.RECEIVER), Fixtures.activeSender(),
                Fixtures.revoked(Direction.SENDER, "the other direction"), Fixtures.deleted("peer", Direction.RECEIVER),
                Fixtures.registered(true));
        waitingSince(events.getLast().at());
        database.migrate();
        assertThat(site().imposition(Direction.RECEIVER))
                .isEqualTo(Site.replay(SITE, events).imposition(Direction.RECEIVER))
                .contains(new Imposition(Imposition.Kind.AWAITING_APPROVAL, null, "incoming_mode",
                        events.getLast().at()));
    }

    private void waitingSince(Instant since) {
        database.execute("""
                INSERT INTO syncline.imposition (site_url, direction, kind, reason, imposed_by, since)
                VALUES ('%s', 'receiver', 'awaiting_approval', NULL, 'incoming_mode', '%s')""".formatted(SITE, since));
    }

    /** Puts events into the state's copy of the log, one a second. */
    private List<Site.Dated> logged(SiteEvent... events) {
        List<Site.Dated> dated = new ArrayList<>();
        for (SiteEvent event : events) {
            Instant at = NOW.plusSeconds(dated.size());
            dated.add(new Site.Dated(event, at));
            database.execute("""
                    INSERT INTO syncline.connection_event (partition, sequence, event_id, request_id, request_offset, key,
                        type, payload, event_time, fence, previous_hash, hash)
                    VALUES (0, %d, gen_random_uuid(), gen_random_uuid(), 0, '%s', '%s', '%s', '%s', 1, '', '')"""
                    .formatted(dated.size(), SITE, EventCodec.typeOf(event),
                            "\\x" + HexFormat.of().formatHex(EventCodec.payloadOf(event)), at));
        }
        return dated;
    }

    private Site site() {
        try (Transaction transaction = new PostgresConnectionStore(database.pool())
                .begin(new Scope(new TreeSet<>(Set.of(0)), Set.of(SITE), Set.of(SITE), Set.of(), Set.of(), Set.of()))) {
            return transaction.state().sites().get(SITE);
        }
    }
}
