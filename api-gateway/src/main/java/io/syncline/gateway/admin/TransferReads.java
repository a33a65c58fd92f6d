package io.syncline.gateway.admin;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.syncline.model.connection.Approval;
import io.syncline.model.connection.PullKind;
import io.syncline.model.connection.PullOutcome;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.log.EventCodec;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** What was pulled, what is being pulled, and what waits for an operator, from the committed state. */
final class TransferReads {

    private static final String ENDED = """
            SELECT e.event_time, e.event_id, e.type, e.payload FROM syncline.connection_event e
            WHERE e.type = 'syncline.connection.table-pulled.v1'
                AND (?::text IS NULL OR e.key = ?)
                AND (?::timestamptz IS NULL OR (e.event_time, e.event_id) < (?::timestamptz, ?::uuid))
            ORDER BY e.event_time DESC, e.event_id DESC LIMIT ?""";
    private static final String RUNNING = """
            SELECT grant_id, connection_uuid, site_url, kind, table_name, records, address, granted_at, until
            FROM syncline.pull_grant WHERE ?::text IS NULL OR site_url = ? ORDER BY granted_at DESC, grant_id LIMIT ?""";
    private static final String APPROVALS = """
            SELECT a.transfer_id, c.uuid, a.site_url, a.table_name, a.state, a.address, a.requested_at, a.until,
                a.decided_by, a.reason, a.decided_at
            FROM syncline.pull_approval a
            JOIN syncline.connection c ON c.site_url = a.site_url AND c.direction = 'sender'
            WHERE a.until > clock_timestamp() AND (?::text IS NULL OR a.state = ?)
                AND (?::text IS NULL OR a.site_url = ?) AND (?::uuid IS NULL OR a.transfer_id = ?)
            ORDER BY a.requested_at DESC, a.transfer_id LIMIT ?""";

    private final DataSource database;

    TransferReads(DataSource database) {
        this.database = database;
    }

    /** Where the next page of the history begins. */
    record Place(Instant time, UUID event) {}

    @JsonInclude(JsonInclude.Include.ALWAYS)
    record Ended(
            UUID uuid,
            UUID connectionUuid,
            SiteUrl siteUrl,
            PullKind kind,
            String table,
            PullOutcome outcome,
            long rows,
            long bytes,
            @Nullable Instant asOf,
            String address,
            long durationMs,
            Instant endedAt) {}

    /** A page of the history, and where the next one begins: null behind the last. */
    record History(List<Ended> transfers, @Nullable Place next) {}

    record Running(
            UUID uuid,
            UUID connectionUuid,
            SiteUrl siteUrl,
            PullKind kind,
            String table,
            long granted,
            String address,
            Instant grantedAt,
            Instant until) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Approvable(
            UUID uuid,
            UUID connectionUuid,
            SiteUrl siteUrl,
            String table,
            Approval.State state,
            String address,
            Instant requestedAt,
            Instant expiresAt,
            @Nullable String decidedBy,
            @Nullable Instant decidedAt,
            @Nullable String reason) {}

    History ended(@Nullable String site, @Nullable Place after, int limit) throws SQLException {
        try (Connection connection = database.getConnection();
                PreparedStatement select = connection.prepareStatement(ENDED)) {
            OffsetDateTime time = after == null ? null : after.time().atOffset(ZoneOffset.UTC);
            select.setString(1, site);
            select.setString(2, site);
            select.setObject(3, time);
            select.setObject(4, time);
            select.setObject(5, after == null ? null : after.event());
            // One more says whether there is another page.
            select.setInt(6, limit + 1);
            List<Ended> transfers = new ArrayList<>();
            Place last = null;
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    if (transfers.size() == limit) {
                        return new History(transfers, last);
                    }
                    Instant at = time(row, 1);
                    last = new Place(at, row.getObject(2, UUID.class));
                    if (EventCodec.read(row.getString(3), row.getBytes(4)) instanceof SiteEvent.TablePulled e) {
                        transfers.add(new Ended(e.grant(), e.connectionUuid(), e.siteUrl(), e.kind(), e.table(),
                                e.outcome(), e.rows(), e.bytes(), e.asOf(), e.address(), e.durationMs(), at));
                    }
                }
            }
            return new History(transfers, null);
        }
    }

    List<Running> running(@Nullable String site, int limit) throws SQLException {
        try (Connection connection = database.getConnection();
                PreparedStatement select = connection.prepareStatement(RUNNING)) {
            select.setString(1, site);
            select.setString(2, site);
            select.setInt(3, limit);
            List<Running> running = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    running.add(new Running(row.getObject(1, UUID.class), row.getObject(2, UUID.class),
                            SiteUrl.asSent(row.getString(3)), PullKind.of(row.getString(4)), row.getString(5),
                            row.getLong(6), row.getString(7), time(row, 8), time(row, 9)));
                }
            }
            return running;
        }
    }

    List<Approvable> approvals(Approval.@Nullable State state, @Nullable String site, int limit) throws SQLException {
        return approvals(state, site, null, limit);
    }

    Optional<Approvable> approval(UUID transfer) throws SQLException {
        return approvals(null, null, transfer, 1).stream().findFirst();
    }

    private List<Approvable> approvals(Approval.@Nullable State state, @Nullable String site, @Nullable UUID transfer,
            int limit) throws SQLException {
        try (Connection connection = database.getConnection();
                PreparedStatement select = connection.prepareStatement(APPROVALS)) {
            String word = state == null ? null : state.word();
            select.setString(1, word);
            select.setString(2, word);
            select.setString(3, site);
            select.setString(4, site);
            select.setObject(5, transfer);
            select.setObject(6, transfer);
            select.setInt(7, limit);
            List<Approvable> approvals = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    approvals.add(new Approvable(row.getObject(1, UUID.class), row.getObject(2, UUID.class),
                            SiteUrl.asSent(row.getString(3)), row.getString(4), Approval.State.of(row.getString(5)),
                            row.getString(6), time(row, 7), time(row, 8), row.getString(9),
                            row.getObject(11) == null ? null : time(row, 11), row.getString(10)));
                }
            }
            return approvals;
        }
    }

    private static Instant time(ResultSet row, int column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
