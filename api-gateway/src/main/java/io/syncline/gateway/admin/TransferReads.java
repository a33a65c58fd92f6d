package io.syncline.gateway.admin;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.syncline.gateway.state.StateReads;
import io.syncline.gateway.state.StateReads.Seen;
import io.syncline.model.connection.Approval;
import io.syncline.model.connection.PullKind;
import io.syncline.model.connection.PullOutcome;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.log.EventCodec;
import io.syncline.model.log.Version;
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
import org.jspecify.annotations.Nullable;

/** What was pulled, what is being pulled, and what waits for an operator, from the committed state. */
final class TransferReads {

    /** Behind a place in a list, the newest first; the place is what a row begins with. */
    private static final String ENDED = """
            SELECT e.event_time, e.event_id, e.type, e.payload FROM syncline.connection_event e
            WHERE e.type = 'syncline.connection.table-pulled.v1'
                AND (?::text IS NULL OR e.key = ?)
                AND (?::timestamptz IS NULL OR (e.event_time, e.event_id) < (?::timestamptz, ?::uuid))
            ORDER BY e.event_time DESC, e.event_id DESC LIMIT ?""";
    private static final String RUNNING = """
            SELECT granted_at, grant_id, connection_uuid, site_url, kind, table_name, records, address, until
            FROM syncline.pull_grant
            WHERE (?::text IS NULL OR site_url = ?)
                AND (?::timestamptz IS NULL OR (granted_at, grant_id) < (?::timestamptz, ?::uuid))
            ORDER BY granted_at DESC, grant_id DESC LIMIT ?""";
    private static final String APPROVABLE = """
            SELECT a.requested_at, a.transfer_id, c.uuid, a.site_url, a.table_name, a.state, a.address, a.until,
                a.decided_by, a.decided_at, a.reason, """ + StateReads.SERVER + ", "
            + StateReads.lastEvent("a.site_url") + """

            FROM syncline.pull_approval a
            JOIN syncline.connection c ON c.site_url = a.site_url AND c.direction = 'sender'
            WHERE a.until > clock_timestamp() AND""";
    private static final String APPROVALS = APPROVABLE + """
             (?::text IS NULL OR a.site_url = ?)
                AND (?::timestamptz IS NULL OR (a.requested_at, a.transfer_id) < (?::timestamptz, ?::uuid))
                AND a.state = ?
            ORDER BY a.requested_at DESC, a.transfer_id DESC LIMIT ?""";
    private static final String APPROVAL = APPROVABLE + " a.transfer_id = ?";

    private final StateReads state;

    TransferReads(StateReads state) {
        this.state = state;
    }

    /** A transfer's place in the list of all in its state: the newest are the first. */
    record Place(Instant time, UUID id) {}

    /**
     * What to list.
     *
     * @param site  only this one's, null for all
     * @param after where to go on, null to begin
     */
    record Wanted(@Nullable String site, @Nullable Place after, int limit) {}

    /** Some transfers, and where the next page begins: null behind the last. */
    record Page(List<?> transfers, @Nullable Place next) {}

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
            @Nullable String reason) {

        /** What a change can be made conditional on. */
        String version() {
            return Version.of(new Approval(uuid, table, state, address, requestedAt, expiresAt, decidedBy, reason,
                    decidedAt));
        }
    }

    Page ended(Wanted wanted) throws SQLException {
        return page(ENDED, wanted, null, row -> {
            if (EventCodec.read(row.getString(3), row.getBytes(4)) instanceof SiteEvent.TablePulled e) {
                return new Ended(e.grant(), e.connectionUuid(), e.siteUrl(), e.kind(), e.table(), e.outcome(), e.rows(),
                        e.bytes(), e.asOf(), e.address(), e.durationMs(), time(row, 1));
            }
            throw new IllegalStateException("event " + row.getString(2) + " is no pull, whatever its type says");
        });
    }

    Page running(Wanted wanted) throws SQLException {
        return page(RUNNING, wanted, null,
                row -> new Running(row.getObject(2, UUID.class), row.getObject(3, UUID.class),
                        SiteUrl.asSent(row.getString(4)), PullKind.of(row.getString(5)), row.getString(6),
                        row.getLong(7), row.getString(8), time(row, 1), time(row, 9)));
    }

    Page approvals(Approval.State state, Wanted wanted) throws SQLException {
        return page(APPROVALS, wanted, state.word(), TransferReads::approvable);
    }

    Optional<Approvable> approval(UUID transfer) throws SQLException {
        return state.read(connection -> {
            Optional<Seen<Approvable>> one = approval(connection, transfer);
            return one.isPresent()
                    ? new Seen<>(one.map(Seen::value), one.get().server(), one.get().shown())
                    : state.all(connection, again -> approval(again, transfer).map(Seen::value));
        });
    }

    private Optional<Seen<Approvable>> approval(Connection connection, UUID transfer) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(APPROVAL)) {
            select.setObject(1, transfer);
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? Optional.of(new Seen<>(approvable(row), StateReads.server(row, 12),
                        List.of(state.shown(row.getString(4), row, 13)))) : Optional.empty();
            }
        }
    }

    /** Reads the row at hand. */
    @FunctionalInterface
    private interface RowReader {
        Object read(ResultSet row) throws SQLException;
    }

    private Page page(String sql, Wanted wanted, @Nullable String inState, RowReader reader) throws SQLException {
        return state.read(connection -> state.of(Optional.ofNullable(wanted.site()), connection,
                snapshot -> page(snapshot, sql, wanted, inState, reader)));
    }

    private static Page page(Connection connection, String sql, Wanted wanted, @Nullable String inState,
            RowReader reader) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(sql)) {
            Place after = wanted.after();
            OffsetDateTime time = after == null ? null : after.time().atOffset(ZoneOffset.UTC);
            int last = 0;
            select.setString(++last, wanted.site());
            select.setString(++last, wanted.site());
            select.setObject(++last, time);
            select.setObject(++last, time);
            select.setObject(++last, after == null ? null : after.id());
            if (inState != null) {
                select.setString(++last, inState);
            }
            // One more says whether there is another page.
            select.setInt(++last, wanted.limit() + 1);
            List<Object> transfers = new ArrayList<>();
            Place end = null;
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    if (transfers.size() == wanted.limit()) {
                        return new Page(transfers, end);
                    }
                    transfers.add(reader.read(row));
                    end = new Place(time(row, 1), row.getObject(2, UUID.class));
                }
            }
            return new Page(transfers, null);
        }
    }

    private static Approvable approvable(ResultSet row) throws SQLException {
        return new Approvable(row.getObject(2, UUID.class), row.getObject(3, UUID.class),
                SiteUrl.asSent(row.getString(4)), row.getString(5), Approval.State.of(row.getString(6)),
                row.getString(7), time(row, 1), time(row, 8), row.getString(9),
                row.getObject(10) == null ? null : time(row, 10), row.getString(11));
    }

    private static Instant time(ResultSet row, int column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
