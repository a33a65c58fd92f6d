package io.syncline.gateway.connection;

import io.syncline.gateway.state.StateReads;
import io.syncline.gateway.state.StateReads.Seen;
import io.syncline.model.connection.Connection.Receiver;
import io.syncline.model.connection.Connection.Sender;
import io.syncline.model.connection.ConnectionStatus;
import io.syncline.model.connection.Direction;
import io.syncline.model.connection.Imposition;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.PeerWish;
import io.syncline.model.connection.PreviousToken;
import io.syncline.model.connection.Pulls;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.credential.PasswordHash;
import io.syncline.model.credential.SealedSecret;
import io.syncline.model.log.StoredOperators;
import io.syncline.model.log.StoredSettings;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The committed state, read anew with each call: what a worker has answered for is seen by whoever asks next, and nothing of
 * what is not in the event log ({@link StateReads}). One round trip each; more only to say that there is no such thing,
 * which every site's events have a part in.
 *
 * <p>Time is the database's here too, in the same statement: whether a connection has expired is then the same question to
 * every gateway, and to the workers.
 */
public final class ConnectionReads {

    private static final String SETTINGS_COLUMNS = "s.enabled, s.incoming_mode, s.incoming_password_hash,"
            + " s.password_revision, s.updated_at, s.operators";
    private static final String RECORD_COLUMNS = """
             c.site_url, c.direction, c.uuid, c.name, c.fingerprint, c.sealed_token, c.created_at, c.updated_at,
            c.peer_status, c.registered_via, c.remote_ip, c.user_agent, c.confirmed, c.notify_peer, c.settings,
            c.created_by, i.kind, i.reason, i.imposed_by, i.since, clock_timestamp(), c.previous_fingerprints,
            c.previous_untils, i.former""";
    private static final String HAS_TOKEN = "c.fingerprint = ?";
    /** A replaced token is taken until its own end. */
    private static final String HAD_TOKEN = "c.previous_untils[array_position(c.previous_fingerprints, ?)]"
            + " > clock_timestamp()";
    /** The same with a second parameter, also the fingerprint, for the index to find it by. */
    private static final String FIND_HAD_TOKEN = HAD_TOKEN + " AND c.previous_fingerprints @> ARRAY[?::text]";
    private static final String RECORDS = """
             FROM syncline.connection c
            LEFT JOIN syncline.imposition i ON i.site_url = c.site_url AND i.direction = c.direction""";

    private static final String SETTINGS = "SELECT " + SETTINGS_COLUMNS + ", " + StateReads.SERVER + ", "
            + StateReads.SETTINGS_EVENT + " FROM (SELECT) one LEFT JOIN syncline.settings s ON true";
    private static final String ENABLED_AND_EXISTS = """
            SELECT coalesce((SELECT enabled FROM syncline.settings), false),
                EXISTS (SELECT FROM syncline.connection c WHERE c.site_url = ? AND (""" + HAS_TOKEN + " OR " + HAD_TOKEN
            + ")), " + StateReads.SERVER + ", " + StateReads.SETTINGS_EVENT + ", " + StateReads.lastEvent("?");
    private static final String SITE_EVENT = StateReads.SERVER + ", " + StateReads.lastEvent("c.site_url");
    private static final String SENDER = "SELECT" + RECORD_COLUMNS
            + ", coalesce(u.downloads, 0), coalesce(u.records, 0), u.expiry_recorded, " + SITE_EVENT + RECORDS
            + " LEFT JOIN syncline.pull_use u ON u.site_url = c.site_url"
            + " WHERE c.direction = 'sender' AND ";
    /** The switch, and the few columns that a sender's standing is made of; no row where there is no such record. */
    private static final String STANDING = """
            SELECT coalesce((SELECT enabled FROM syncline.settings), false), c.site_url, c.name, c.confirmed,
                coalesce(c.expires_at <= clock_timestamp(), false), i.kind, """ + SITE_EVENT + ", "
            + StateReads.SETTINGS_EVENT + """

            FROM syncline.connection c LEFT JOIN syncline.imposition i
                ON i.site_url = c.site_url AND i.direction = c.direction
            WHERE c.direction = 'sender' AND """ + " ";
    private static final String RECORD = "SELECT" + RECORD_COLUMNS + ", " + SITE_EVENT + RECORDS + " WHERE c.uuid = ?";
    private static final String SENDERS = "SELECT" + RECORD_COLUMNS + RECORDS
            + " WHERE c.direction = 'sender' AND c.uuid = ANY (?)";
    private static final String APPROVED = """
            SELECT EXISTS (SELECT FROM syncline.pull_approval WHERE site_url = ? AND table_name = ?
                AND state = 'approved' AND until > clock_timestamp()), """ + StateReads.SERVER + ", "
            + StateReads.lastEvent("?");
    private static final String LIST = "SELECT" + RECORD_COLUMNS + RECORDS
            + " WHERE (?::text IS NULL OR c.direction = ?) AND (?::text IS NULL OR c.site_url = ?)"
            + " AND (?::timestamptz IS NULL OR (c.created_at, c.uuid) < (?::timestamptz, ?::uuid))"
            + " ORDER BY c.created_at DESC, c.uuid DESC LIMIT ?";

    private final StateReads state;
    /** The same question from everybody who registers: asked alone, it costs the database more than the registrations. */
    private final SharedRead<ModuleSettings> settings = new SharedRead<>(this::readSettings);

    public ConnectionReads(StateReads state) {
        this.state = state;
    }

    /**
     * A record with what is imposed on it.
     *
     * @param at the database's time when it was read
     */
    public record Found(io.syncline.model.connection.Connection connection, @Nullable Imposition imposed, Instant at) {

        /** The status in force. */
        public ConnectionStatus status() {
            ConnectionStatus own = connection.ownStatus(at);
            return imposed == null ? own : own.stricterOf(imposed.kind().status());
        }
    }

    public ModuleSettings settings() throws SQLException {
        return settings.get();
    }

    private ModuleSettings readSettings() throws SQLException {
        return state.read(connection -> query(connection, SETTINGS, statement -> {}, rows -> {
            rows.next();
            ModuleSettings found = rows.getObject(1) == null ? ModuleSettings.INITIAL : settings(rows);
            return new Seen<>(found, StateReads.server(rows, 7), List.of(state.settings(rows, 8)));
        }));
    }

    boolean enabled() throws SQLException {
        return settings().enabled();
    }

    /** Whether the module is enabled, and whether a record of either direction has this URL and fingerprint. */
    record Existence(boolean enabled, boolean exists) {}

    Existence existence(SiteUrl url, CredentialFingerprint fingerprint) throws SQLException {
        return state.read(connection -> query(connection, ENABLED_AND_EXISTS, statement -> {
            statement.setString(1, url.text());
            statement.setString(2, fingerprint.hex());
            statement.setString(3, fingerprint.hex());
            statement.setString(4, url.text());
        }, rows -> {
            rows.next();
            return new Seen<>(new Existence(rows.getBoolean(1), rows.getBoolean(2)), StateReads.server(rows, 3),
                    List.of(state.settings(rows, 4), state.shown(url.text(), rows, 5)));
        }));
    }

    /** How a sender connection stands: all that its receiver is told of it. */
    record Standing(SiteUrl site, String name, boolean confirmed, ConnectionStatus status) {}

    /** Whether the module is enabled, and how the sender connection with this fingerprint stands. */
    record EnabledAndStanding(boolean enabled, Optional<Standing> standing) {}

    EnabledAndStanding enabledAndStanding(CredentialFingerprint fingerprint) throws SQLException {
        Optional<EnabledAndStanding> found = byToken(STANDING, fingerprint,
                row -> new Seen<>(new EnabledAndStanding(row.getBoolean(1), Optional.of(standing(row))),
                        StateReads.server(row, 7),
                        List.of(state.shown(row.getString(2), row, 8), state.settings(row, 9))));
        return found.isPresent() ? found.get() : new EnabledAndStanding(enabled(), Optional.empty());
    }

    /**
     * The record that a token alone opens. Asked one after the other: nearly everybody presents the present token, and asking
     * for either at once costs PostgreSQL 34 µs, not 30. Nobody falls between the two: what a rotation replaces is a
     * previous token from the same commit on.
     */
    private <T> Optional<T> byToken(String sql, CredentialFingerprint presented, Row<Seen<T>> reader)
            throws SQLException {
        return state.read(connection -> {
            Optional<Seen<T>> found = byToken(connection, sql, presented, reader);
            return found.isPresent() ? found(found.get())
                    : state.all(connection,
                            again -> byToken(again, sql, presented, reader).map(Seen::value));
        });
    }

    private static <T> Optional<Seen<T>> byToken(Connection connection, String sql, CredentialFingerprint presented,
            Row<Seen<T>> reader) throws SQLException {
        Rows<Optional<Seen<T>>> first = rows -> rows.next() ? Optional.of(reader.read(rows)) : Optional.empty();
        Optional<Seen<T>> found = query(connection, sql + HAS_TOKEN,
                statement -> statement.setString(1, presented.hex()), first);
        return found.isPresent() ? found : query(connection, sql + FIND_HAD_TOKEN, statement -> {
            statement.setString(1, presented.hex());
            statement.setString(2, presented.hex());
        }, first);
    }

    private static <T> Seen<Optional<T>> found(Seen<T> seen) {
        return new Seen<>(Optional.of(seen.value()), seen.server(), seen.shown());
    }

    private static Standing standing(ResultSet row) throws SQLException {
        boolean confirmed = row.getBoolean(4);
        ConnectionStatus own = Sender.status(row.getBoolean(5), confirmed);
        String kind = row.getString(6);
        return new Standing(SiteUrl.asSent(row.getString(2)), row.getString(3), confirmed,
                kind == null ? own : own.stricterOf(Imposition.Kind.of(kind).status()));
    }

    /** A sender record, and what counts against its limits. */
    record PulledSender(Found record, Pulls.Use use) {}

    Optional<PulledSender> pulledSender(CredentialFingerprint fingerprint) throws SQLException {
        return byToken(SENDER, fingerprint, row -> new Seen<>(
                new PulledSender(found(row),
                        new Pulls.Use(row.getLong(25), row.getLong(26),
                                row.getObject(27) == null ? null : time(row, 27))),
                StateReads.server(row, 28), List.of(state.shown(row.getString(1), row, 29))));
    }

    public Optional<Found> connection(UUID uuid) throws SQLException {
        return state.read(connection -> {
            Optional<Seen<Found>> one = record(connection, uuid);
            return one.isPresent() ? found(one.get())
                    : state.all(connection, again -> record(again, uuid).map(Seen::value));
        });
    }

    private Optional<Seen<Found>> record(Connection connection, UUID uuid) throws SQLException {
        return query(connection, RECORD, statement -> statement.setObject(1, uuid),
                rows -> rows.next() ? Optional.of(new Seen<>(found(rows), StateReads.server(rows, 25),
                        List.of(state.shown(rows.getString(1), rows, 26)))) : Optional.empty());
    }

    /** Those of these sender records that are there; not proven to be in the event log. */
    List<Found> senders(Set<UUID> uuids) throws SQLException {
        return state.unproven(connection -> query(connection, SENDERS,
                statement -> statement.setArray(1, connection.createArrayOf("uuid", uuids.toArray())),
                ConnectionReads::all));
    }

    boolean approved(SiteUrl site, String table) throws SQLException {
        return state.read(connection -> query(connection, APPROVED, statement -> {
            statement.setString(1, site.text());
            statement.setString(2, table);
            statement.setString(3, site.text());
        }, rows -> {
            rows.next();
            return new Seen<>(rows.getBoolean(1), StateReads.server(rows, 2),
                    List.of(state.shown(site.text(), rows, 3)));
        }));
    }

    /** A record's place in the list of all: the newest are the first. */
    public record Place(Instant createdAt, UUID uuid) {}

    /**
     * The newest records first.
     *
     * @param after where to go on, empty to begin
     */
    public List<Found> list(Optional<Direction> direction, Optional<String> siteUrl, Optional<Place> after, int limit)
            throws SQLException {
        String word = direction.map(Direction::word).orElse(null);
        String created = after.map(place -> place.createdAt().toString()).orElse(null);
        return state.read(connection -> state.of(siteUrl, connection, snapshot -> query(snapshot, LIST, statement -> {
            statement.setString(1, word);
            statement.setString(2, word);
            statement.setString(3, siteUrl.orElse(null));
            statement.setString(4, siteUrl.orElse(null));
            statement.setString(5, created);
            statement.setString(6, created);
            statement.setObject(7, after.map(Place::uuid).orElse(null), java.sql.Types.OTHER);
            statement.setInt(8, limit);
        }, ConnectionReads::all)));
    }

    private static List<Found> all(ResultSet rows) throws SQLException {
        List<Found> all = new ArrayList<>();
        while (rows.next()) {
            all.add(found(rows));
        }
        return all;
    }

    private static ModuleSettings settings(ResultSet row) throws SQLException {
        String mode = row.getString(2);
        String password = row.getString(3);
        return new ModuleSettings(row.getBoolean(1),
                IncomingMode.parse(mode)
                        .orElseThrow(() -> new IllegalStateException(
                                "settings.incoming_mode is '" + mode + "', which this version does not know")),
                password == null ? null : new PasswordHash(password), row.getLong(4),
                StoredOperators.read(row.getString(6)), time(row, 5));
    }

    private static Found found(ResultSet row) throws SQLException {
        SiteUrl url = SiteUrl.asSent(row.getString(1));
        UUID uuid = row.getObject(3, UUID.class);
        String name = row.getString(4);
        CredentialFingerprint fingerprint = new CredentialFingerprint(row.getString(5));
        SealedSecret token = SealedSecret.parse(row.getString(6));
        Instant created = time(row, 7);
        Instant updated = time(row, 8);
        io.syncline.model.connection.Connection record = switch (Direction.of(row.getString(2))) {
            case SENDER -> new Sender(uuid, url, name, fingerprint, token, previous(row), row.getBoolean(13),
                    row.getBoolean(14),
                    StoredSettings.read(row.getString(15)), row.getString(16), created, updated);
            case RECEIVER -> new Receiver(uuid, url, name, fingerprint, token, wish(row.getString(9)),
                    row.getString(10), row.getString(11), row.getString(12), created, updated);
        };
        String kind = row.getString(17);
        String former = row.getString(24);
        Imposition imposed = kind == null ? null
                : new Imposition(Imposition.Kind.of(kind), former == null ? null : Imposition.Kind.of(former),
                        row.getString(18), row.getString(19), time(row, 20));
        return new Found(record, imposed, time(row, 21));
    }

    private static List<PreviousToken> previous(ResultSet row) throws SQLException {
        Array fingerprints = row.getArray(22);
        if (fingerprints == null) {
            return List.of();
        }
        String[] tokens = (String[]) fingerprints.getArray();
        Timestamp[] untils = (Timestamp[]) row.getArray(23).getArray();
        return IntStream.range(0, tokens.length)
                .mapToObj(i -> new PreviousToken(new CredentialFingerprint(tokens[i]), untils[i].toInstant()))
                .toList();
    }

    private static PeerWish wish(String word) {
        return PeerWish.parse(word)
                .orElseThrow(() -> new IllegalStateException(
                        "connection.peer_status is '" + word + "', which this version does not know"));
    }

    private static Instant time(ResultSet row, int column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }

    @FunctionalInterface
    private interface Parameters {
        void bind(PreparedStatement statement) throws SQLException;
    }

    @FunctionalInterface
    private interface Rows<T> {
        T read(ResultSet rows) throws SQLException;
    }

    /** Reads the row at hand. */
    @FunctionalInterface
    private interface Row<T> {
        T read(ResultSet row) throws SQLException;
    }

    private static <T> T query(Connection connection, String sql, Parameters parameters, Rows<T> reader)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            parameters.bind(statement);
            try (ResultSet rows = statement.executeQuery()) {
                return reader.read(rows);
            }
        }
    }
}
