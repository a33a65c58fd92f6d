package io.syncline.worker.connection;

import io.syncline.model.connection.Connection;
import io.syncline.model.connection.Connection.Receiver;
import io.syncline.model.connection.Connection.Sender;
import io.syncline.model.connection.Direction;
import io.syncline.model.connection.Imposition;
import io.syncline.model.connection.PeerWish;
import io.syncline.model.connection.PreviousToken;
import io.syncline.model.connection.Site;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.SealedSecret;
import io.syncline.model.log.StoredSettings;
import io.syncline.worker.connection.ConnectionStore.SiteChange;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Rows of {@code connection} and {@code imposition}, which together are the sites. */
final class SiteRows {

    static final String SELECT_CONNECTION = """
            SELECT site_url, direction, uuid, name, fingerprint, sealed_token, created_at, updated_at,
                peer_status, registered_via, remote_ip, user_agent, confirmed, notify_peer, settings, created_by,
                previous_fingerprints, previous_untils
            FROM syncline.connection""";
    static final String SELECT_IMPOSITION = """
            SELECT site_url, direction, kind, reason, imposed_by, since, former FROM syncline.imposition""";

    private final Map<SiteUrl, Sender> senders = new HashMap<>();
    private final Map<SiteUrl, Receiver> receivers = new HashMap<>();
    private final Map<SiteUrl, Map<Direction, Imposition>> impositions = new HashMap<>();

    void readConnection(ResultSet row) throws SQLException {
        SiteUrl url = SiteUrl.asSent(row.getString(1));
        UUID uuid = row.getObject(3, UUID.class);
        String name = row.getString(4);
        CredentialFingerprint fingerprint = new CredentialFingerprint(row.getString(5));
        SealedSecret token = SealedSecret.parse(row.getString(6));
        Instant created = SqlTime.read(row, 7);
        Instant updated = SqlTime.read(row, 8);
        switch (Direction.of(row.getString(2))) {
            case SENDER -> senders.put(url,
                    new Sender(uuid, url, name, fingerprint, token, previous(row), row.getBoolean(13),
                            row.getBoolean(14), StoredSettings.read(row.getString(15)), row.getString(16), created,
                            updated));
            case RECEIVER -> receivers.put(url, new Receiver(uuid, url, name, fingerprint, token,
                    wish(row.getString(9)), row.getString(10), row.getString(11), row.getString(12), created, updated));
        }
    }

    void readImposition(ResultSet row) throws SQLException {
        impositions.computeIfAbsent(SiteUrl.asSent(row.getString(1)), url -> new EnumMap<>(Direction.class))
                .put(Direction.of(row.getString(2)), new Imposition(Imposition.Kind.of(row.getString(3)),
                        former(row.getString(7)), row.getString(4), row.getString(5), SqlTime.read(row, 6)));
    }

    private static Imposition.@Nullable Kind former(@Nullable String word) {
        return word == null ? null : Imposition.Kind.of(word);
    }

    /** Each site asked for, unknown ones too. */
    @SuppressWarnings("NullAway") // a site may lack either record, but NullAway does not see so in Site's class file
    Map<SiteUrl, Site> sites(Collection<SiteUrl> urls, PullRows pulls) {
        Map<SiteUrl, Site> sites = new HashMap<>();
        for (SiteUrl url : urls) {
            sites.put(url,
                    new Site(url, senders.get(url), receivers.get(url), impositions.getOrDefault(url, Map.of()),
                            pulls.of(url)));
        }
        return sites;
    }

    private static List<PreviousToken> previous(ResultSet row) throws SQLException {
        java.sql.Array fingerprints = row.getArray(17);
        if (fingerprints == null) {
            return List.of();
        }
        String[] tokens = (String[]) fingerprints.getArray();
        Timestamp[] untils = (Timestamp[]) row.getArray(18).getArray();
        return IntStream.range(0, tokens.length)
                .mapToObj(i -> new PreviousToken(new CredentialFingerprint(tokens[i]), untils[i].toInstant()))
                .toList();
    }

    private static PeerWish wish(String word) {
        return PeerWish.parse(word)
                .orElseThrow(() -> new IllegalStateException(
                        "connection.peer_status is '" + word + "', which this version does not know"));
    }

    /** What goes is deleted first: another site of the same batch may have taken its token. */
    static void save(Pipeline pipeline, Collection<SiteChange> changes) throws SQLException {
        List<Key> goneConnections = new ArrayList<>();
        List<Connection> connections = new ArrayList<>();
        List<Key> goneImpositions = new ArrayList<>();
        List<Map.Entry<Key, Imposition>> impositions = new ArrayList<>();
        for (SiteChange change : changes) {
            for (Direction direction : Direction.values()) {
                Key key = new Key(change.after().url(), direction);
                compare(change.before().connection(direction).orElse(null),
                        change.after().connection(direction).orElse(null), () -> goneConnections.add(key),
                        connections::add);
                compare(change.before().imposition(direction).orElse(null),
                        change.after().imposition(direction).orElse(null), () -> goneImpositions.add(key),
                        imposition -> impositions.add(Map.entry(key, imposition)));
            }
        }
        if (!goneConnections.isEmpty()) {
            delete(pipeline, "syncline.connection", goneConnections);
        }
        if (!connections.isEmpty()) {
            upsert(pipeline, connections);
        }
        if (!goneImpositions.isEmpty()) {
            delete(pipeline, "syncline.imposition", goneImpositions);
        }
        if (!impositions.isEmpty()) {
            upsertImpositions(pipeline, impositions);
        }
    }

    private record Key(SiteUrl site, Direction direction) {}

    private static <T> void compare(@Nullable T before, @Nullable T after, Runnable gone,
            java.util.function.Consumer<T> there) {
        if (after == null) {
            if (before != null) {
                gone.run();
            }
        } else if (!Objects.equals(before, after)) {
            there.accept(after);
        }
    }

    private static void delete(Pipeline pipeline, String table, List<Key> keys) throws SQLException {
        pipeline.run("DELETE FROM " + table + " WHERE (site_url, direction) IN (SELECT * FROM unnest(?, ?))",
                pipeline.array("text", keys.stream().map(key -> key.site().text()).toArray()),
                pipeline.array("text", keys.stream().map(key -> key.direction().word()).toArray()));
    }

    private static void upsert(Pipeline pipeline, List<Connection> rows) throws SQLException {
        Columns<Connection> columns = new Columns<>(pipeline, rows);
        pipeline.run("""
                INSERT INTO syncline.connection (site_url, direction, uuid, name, fingerprint, sealed_token, created_at,
                    updated_at, peer_status, registered_via, remote_ip, user_agent, confirmed, notify_peer, settings,
                    created_by, expires_at, previous_fingerprints, previous_untils)
                SELECT site_url, direction, uuid, name, fingerprint, sealed_token, created_at, updated_at, peer_status,
                    registered_via, remote_ip, user_agent, confirmed, notify_peer, settings, created_by, expires_at,
                    previous_fingerprints::text[], previous_untils::timestamptz[]
                FROM unnest(?, ?, ?, ?, ?, ?, ?::timestamptz[], ?::timestamptz[], ?, ?, ?, ?, ?, ?, ?, ?,
                    ?::timestamptz[], ?, ?) AS given (site_url, direction, uuid, name, fingerprint, sealed_token,
                    created_at, updated_at, peer_status, registered_via, remote_ip, user_agent, confirmed, notify_peer,
                    settings, created_by, expires_at, previous_fingerprints, previous_untils)
                ON CONFLICT (site_url, direction) DO UPDATE SET uuid = excluded.uuid, name = excluded.name,
                    fingerprint = excluded.fingerprint, sealed_token = excluded.sealed_token,
                    created_at = excluded.created_at, updated_at = excluded.updated_at,
                    peer_status = excluded.peer_status, registered_via = excluded.registered_via,
                    remote_ip = excluded.remote_ip, user_agent = excluded.user_agent, confirmed = excluded.confirmed,
                    notify_peer = excluded.notify_peer, settings = excluded.settings,
                    created_by = excluded.created_by, expires_at = excluded.expires_at,
                    previous_fingerprints = excluded.previous_fingerprints,
                    previous_untils = excluded.previous_untils""", columns.text(row -> row.siteUrl().text()),
                columns.text(row -> row.direction().word()), columns.of("uuid", Connection::uuid),
                columns.text(Connection::name), columns.text(row -> row.fingerprint().hex()),
                columns.text(row -> row.sealedToken().text()), columns.text(row -> row.createdAt().toString()),
                columns.text(row -> row.updatedAt().toString()),
                columns.text(row -> row instanceof Receiver receiver ? receiver.wish().word() : null),
                columns.text(row -> row instanceof Receiver receiver ? receiver.registeredVia() : null),
                columns.text(row -> row instanceof Receiver receiver ? receiver.remoteIp() : null),
                columns.text(row -> row instanceof Receiver receiver ? receiver.userAgent() : null),
                columns.of("boolean", row -> row instanceof Sender sender ? sender.confirmed() : null),
                columns.of("boolean", row -> row instanceof Sender sender ? sender.notifyPeer() : null),
                columns.text(row -> row instanceof Sender sender ? StoredSettings.write(sender.settings()) : null),
                columns.text(row -> row instanceof Sender sender ? sender.createdBy() : null),
                columns.text(row -> row instanceof Sender sender ? expiry(sender) : null),
                columns.text(row -> previous(row, token -> token.fingerprint().hex())),
                columns.text(row -> previous(row, token -> token.until().toString())));
    }

    /** What the clock is watched for; the settings' text has it too. */
    private static @Nullable String expiry(Sender sender) {
        Instant end = PullRows.stored(sender.settings().expiresAt());
        return end == null ? null : end.toString();
    }

    /** An array as PostgreSQL writes it, since an array of arrays cannot have some that are shorter; null for none. */
    private static @Nullable String previous(Connection row, Function<PreviousToken, String> part) {
        return row instanceof Sender sender && !sender.previousTokens().isEmpty()
                ? sender.previousTokens().stream().map(part).collect(Collectors.joining(",", "{", "}"))
                : null;
    }

    private static void upsertImpositions(Pipeline pipeline, List<Map.Entry<Key, Imposition>> rows)
            throws SQLException {
        Columns<Map.Entry<Key, Imposition>> columns = new Columns<>(pipeline, rows);
        pipeline.run("""
                INSERT INTO syncline.imposition (site_url, direction, kind, reason, imposed_by, since, former)
                SELECT * FROM unnest(?, ?, ?, ?, ?, ?::timestamptz[], ?)
                ON CONFLICT (site_url, direction) DO UPDATE SET kind = excluded.kind, reason = excluded.reason,
                    imposed_by = excluded.imposed_by, since = excluded.since, former = excluded.former""",
                columns.text(row -> row.getKey().site().text()), columns.text(row -> row.getKey().direction().word()),
                columns.text(row -> row.getValue().kind().word()), columns.text(row -> row.getValue().reason()),
                columns.text(row -> row.getValue().by()), columns.text(row -> row.getValue().since().toString()),
                columns.text(row -> row.getValue().former() instanceof Imposition.Kind former ? former.word() : null));
    }
}
