package io.syncline.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.syncline.model.connection.Approval;
import io.syncline.model.connection.Connection;
import io.syncline.model.connection.Direction;
import io.syncline.model.connection.Grant;
import io.syncline.model.connection.Imposition;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.PreviousToken;
import io.syncline.model.connection.Pulls;
import io.syncline.model.connection.SettingsEvent;
import io.syncline.model.connection.Site;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.StoredOperators;
import io.syncline.model.log.StoredSettings;
import io.syncline.standalone.EmbeddedDatabase;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/** Promise 4: the events, read from offset 0 by somebody who has nothing else, add up to the rows of the tables. */
public final class LogFoldsToState {

    private static final String CONNECTIONS = """
            SELECT site_url, direction, uuid, name, fingerprint, sealed_token, peer_status, registered_via, remote_ip,
                user_agent, confirmed, notify_peer, settings, created_by,
                floor(extract(epoch FROM expires_at) * 1000000)::bigint,
                array_to_string(previous_fingerprints, ','),
                (SELECT string_agg(floor(extract(epoch FROM until) * 1000)::bigint::text, ',' ORDER BY place)
                    FROM unnest(previous_untils) WITH ORDINALITY AS previous (until, place)),
                floor(extract(epoch FROM created_at) * 1000)::bigint, floor(extract(epoch FROM updated_at) * 1000)::bigint
            FROM syncline.connection""";
    private static final String IMPOSITIONS = """
            SELECT site_url, direction, kind, former, reason, imposed_by, floor(extract(epoch FROM since) * 1000)::bigint
            FROM syncline.imposition""";
    private static final String SETTINGS = """
            SELECT 'settings', 'settings', enabled, incoming_mode, incoming_password_hash, password_revision, operators,
                floor(extract(epoch FROM updated_at) * 1000)::bigint
            FROM syncline.settings""";

    private static final String USES = """
            SELECT site_url, 'pulls', downloads, records, floor(extract(epoch FROM expiry_recorded) * 1000000)::bigint
            FROM syncline.pull_use""";
    private static final String GRANTS = """
            SELECT site_url, grant_id, connection_uuid, kind, table_name, records, address,
                floor(extract(epoch FROM granted_at) * 1000)::bigint, floor(extract(epoch FROM until) * 1000)::bigint
            FROM syncline.pull_grant""";
    private static final String APPROVALS = """
            SELECT site_url, table_name, transfer_id, state, address,
                floor(extract(epoch FROM requested_at) * 1000)::bigint, floor(extract(epoch FROM until) * 1000)::bigint,
                decided_by, reason, floor(extract(epoch FROM decided_at) * 1000)::bigint
            FROM syncline.pull_approval""";

    private LogFoldsToState() {}

    /**
     * The log, once it adds up to the tables. What is still under way when it is asked for (a report of a pull, a clock's
     * request) gets a while to arrive in both.
     */
    public static EventLog atRest(SyncCluster cluster) {
        return atRest(cluster.broker().bootstrapServers(), cluster.keys(), cluster.database());
    }

    /** The same of a log and a state database that are given. */
    static EventLog atRest(String bootstrapServers, CredentialKeys keys, EmbeddedDatabase database) {
        AtomicReference<EventLog> log = new AtomicReference<>();
        Awaitility.await("the log folds to the state")
                .atMost(Duration.ofMinutes(2))
                .untilAsserted(() -> {
                    EventLog read = EventLog.read(bootstrapServers, keys);
                    check(database, read);
                    log.set(read);
                });
        return log.get();
    }

    private static void check(EmbeddedDatabase database, EventLog log) throws SQLException {
        Map<SiteUrl, Site> sites = new HashMap<>();
        ModuleSettings settings = ModuleSettings.INITIAL;
        for (LoggedEvent logged : log.counted()) {
            switch (logged.event()) {
                case SiteEvent event -> sites.put(event.siteUrl(),
                        sites.getOrDefault(event.siteUrl(), Site.unknown(event.siteUrl()))
                                .evolve(event, logged.time()));
                case SettingsEvent event -> settings = settings.evolve(event, logged.time());
            }
        }
        Map<String, String> connections = new TreeMap<>();
        Map<String, String> impositions = new TreeMap<>();
        for (Site site : sites.values()) {
            site.records().forEach(connection -> connections.put(key(site, connection.direction()), row(connection)));
            site.impositions().forEach((direction, imposed) -> impositions.put(key(site, direction), row(imposed)));
        }
        Map<String, String> uses = new TreeMap<>();
        Map<String, String> grants = new TreeMap<>();
        Map<String, String> approvals = new TreeMap<>();
        for (Site site : sites.values()) {
            Pulls.Use use = site.pulls().use();
            if (!use.equals(Pulls.Use.NONE)) {
                uses.put(site.url() + " pulls", line(use.downloads(), use.records(),
                        use.expiryRecorded() == null ? null : micros(use.expiryRecorded())));
            }
            site.pulls().grants().forEach((id, grant) -> grants.put(site.url() + " " + id, row(grant)));
            site.pulls().approvals().forEach((table, one) -> approvals.put(site.url() + " " + table, row(one)));
        }
        assertThat(rows(database, USES)).isEqualTo(uses);
        assertThat(rows(database, GRANTS)).isEqualTo(grants);
        assertThat(rows(database, APPROVALS)).isEqualTo(approvals);
        assertThat(rows(database, CONNECTIONS)).isEqualTo(connections);
        assertThat(rows(database, IMPOSITIONS)).isEqualTo(impositions);
        assertThat(rows(database, SETTINGS)).isEqualTo(Map.of("settings settings", row(settings)));
    }

    private static String key(Site site, Direction direction) {
        return site.url() + " " + direction.word();
    }

    private static String row(Connection connection) {
        return switch (connection) {
            case Connection.Receiver r ->
                    line(r.uuid(), r.name(), r.fingerprint().hex(), r.sealedToken().text(), r.wish().word(),
                            r.registeredVia(), r.remoteIp(), r.userAgent(), null, null, null, null, null, null, null,
                            r.createdAt().toEpochMilli(),
                            r.updatedAt().toEpochMilli());
            case Connection.Sender s -> line(s.uuid(), s.name(), s.fingerprint().hex(), s.sealedToken().text(), null,
                    null, null,
                    null, sql(s.confirmed()), sql(s.notifyPeer()), StoredSettings.write(s.settings()), s.createdBy(),
                    s.settings().expiresAt() == null ? null : micros(s.settings().expiresAt()),
                    previous(s, token -> token.fingerprint().hex()),
                    previous(s, token -> String.valueOf(token.until().toEpochMilli())),
                    s.createdAt().toEpochMilli(), s.updatedAt().toEpochMilli());
        };
    }

    private static @Nullable String previous(Connection.Sender sender, Function<PreviousToken, String> part) {
        return sender.previousTokens().isEmpty() ? null
                : sender.previousTokens().stream().map(part).collect(Collectors.joining(","));
    }

    private static String row(Grant grant) {
        return line(grant.connectionUuid(), grant.kind().word(), grant.table(), grant.records(), grant.address(),
                grant.at().toEpochMilli(), grant.until().toEpochMilli());
    }

    private static String row(Approval one) {
        return line(one.id(), one.state().word(), one.address(), one.requestedAt().toEpochMilli(),
                one.until().toEpochMilli(), one.by(), one.reason(),
                one.decidedAt() == null ? null : one.decidedAt().toEpochMilli());
    }

    private static long micros(Instant time) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, time);
    }

    private static String row(Imposition imposed) {
        return line(imposed.kind().word(), imposed.former() == null ? null : imposed.former().word(), imposed.reason(),
                imposed.by(), imposed.since().toEpochMilli());
    }

    private static String row(ModuleSettings settings) {
        return line(sql(settings.enabled()), settings.incomingMode().word(),
                settings.incomingPassword() == null ? null : settings.incomingPassword().encoded(),
                settings.passwordRevision(), StoredOperators.write(settings.operators()),
                settings.updatedAt().toEpochMilli());
    }

    /** A boolean as the driver shows it in text. */
    private static String sql(boolean value) {
        return value ? "t" : "f";
    }

    private static String line(@Nullable Object... values) {
        return Stream.of(values).map(Objects::toString).collect(Collectors.joining(" | "));
    }

    private static Map<String, String> rows(EmbeddedDatabase database, String sql) throws SQLException {
        Map<String, String> rows = new TreeMap<>();
        try (java.sql.Connection connection = database.connect("syncline");
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            while (result.next()) {
                Object[] values = new Object[result.getMetaData().getColumnCount() - 2];
                for (int i = 0; i < values.length; i++) {
                    values[i] = result.getString(i + 3);
                }
                rows.put(result.getString(1) + " " + result.getString(2), line(values));
            }
        }
        return rows;
    }
}
