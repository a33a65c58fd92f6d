package io.syncline.worker.connection;

import io.syncline.model.connection.Approval;
import io.syncline.model.connection.Grant;
import io.syncline.model.connection.PullKind;
import io.syncline.model.connection.Pulls;
import io.syncline.model.connection.SiteUrl;
import io.syncline.worker.connection.ConnectionStore.SiteChange;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Rows of {@code pull_use}, {@code pull_grant} and {@code pull_approval}: what is pulled over the sites' connections. */
final class PullRows {

    private final Map<SiteUrl, Pulls.Use> uses = new HashMap<>();
    private final Map<SiteUrl, Map<UUID, Grant>> grants = new HashMap<>();
    private final Map<SiteUrl, Map<String, Approval>> approvals = new HashMap<>();

    void load(Pipeline pipeline, Set<SiteUrl> sites, Set<UUID> open) throws SQLException {
        if (!sites.isEmpty()) {
            Object urls = pipeline.array("text", sites.stream().map(SiteUrl::text).toArray());
            pipeline.query("""
                    SELECT site_url, downloads, records, expiry_recorded FROM syncline.pull_use
                    WHERE site_url = ANY (?)""", this::readUse, urls).query("""
                    SELECT site_url, transfer_id, table_name, state, address, requested_at, until, decided_by, reason,
                        decided_at
                    FROM syncline.pull_approval WHERE site_url = ANY (?)""", this::readApproval, urls);
        }
        if (!open.isEmpty()) {
            pipeline.query("""
                    SELECT site_url, grant_id, connection_uuid, kind, table_name, records, address, granted_at, until
                    FROM syncline.pull_grant WHERE grant_id = ANY (?)""", this::readGrant,
                    pipeline.array("uuid", open.toArray()));
        }
    }

    Pulls of(SiteUrl site) {
        return new Pulls(uses.getOrDefault(site, Pulls.Use.NONE), grants.getOrDefault(site, Map.of()),
                approvals.getOrDefault(site, Map.of()));
    }

    private void readUse(ResultSet row) throws SQLException {
        uses.put(SiteUrl.asSent(row.getString(1)), new Pulls.Use(row.getLong(2), row.getLong(3),
                row.getObject(4) == null ? null : SqlTime.read(row, 4)));
    }

    private void readApproval(ResultSet row) throws SQLException {
        Approval read = new Approval(row.getObject(2, UUID.class), row.getString(3),
                Approval.State.of(row.getString(4)),
                row.getString(5), SqlTime.read(row, 6), SqlTime.read(row, 7), row.getString(8), row.getString(9),
                row.getObject(10) == null ? null : SqlTime.read(row, 10));
        approvals.computeIfAbsent(SiteUrl.asSent(row.getString(1)), site -> new HashMap<>()).put(read.table(), read);
    }

    private void readGrant(ResultSet row) throws SQLException {
        Grant read = new Grant(row.getObject(2, UUID.class), row.getObject(3, UUID.class),
                PullKind.of(row.getString(4)), row.getString(5), row.getLong(6), row.getString(7),
                SqlTime.read(row, 8), SqlTime.read(row, 9));
        grants.computeIfAbsent(SiteUrl.asSent(row.getString(1)), site -> new HashMap<>()).put(read.id(), read);
    }

    private record OfSite<T>(SiteUrl site, T value) {}

    static void save(Pipeline pipeline, Collection<SiteChange> changes) throws SQLException {
        List<String> unused = new ArrayList<>();
        List<OfSite<Pulls.Use>> uses = new ArrayList<>();
        List<UUID> closed = new ArrayList<>();
        List<OfSite<Grant>> opened = new ArrayList<>();
        List<OfSite<String>> gone = new ArrayList<>();
        List<OfSite<Approval>> approvals = new ArrayList<>();
        for (SiteChange change : changes) {
            Pulls before = change.before().pulls();
            Pulls after = change.after().pulls();
            if (before.equals(after)) {
                continue;
            }
            SiteUrl site = change.after().url();
            if (after.use().equals(Pulls.Use.NONE)) {
                unused.add(site.text());
            } else if (!after.use().equals(before.use())) {
                uses.add(new OfSite<>(site, after.use()));
            }
            compare(before.grants(), after.grants(), closed::add, grant -> opened.add(new OfSite<>(site, grant)));
            compare(before.approvals(), after.approvals(), table -> gone.add(new OfSite<>(site, table)),
                    approval -> approvals.add(new OfSite<>(site, approval)));
        }
        if (!unused.isEmpty()) {
            pipeline.run("DELETE FROM syncline.pull_use WHERE site_url = ANY (?)",
                    pipeline.array("text", unused.toArray()));
        }
        if (!uses.isEmpty()) {
            saveUses(pipeline, uses);
        }
        if (!closed.isEmpty()) {
            pipeline.run("DELETE FROM syncline.pull_grant WHERE grant_id = ANY (?)",
                    pipeline.array("uuid", closed.toArray()));
        }
        if (!opened.isEmpty()) {
            saveGrants(pipeline, opened);
        }
        if (!gone.isEmpty()) {
            Columns<OfSite<String>> columns = new Columns<>(pipeline, gone);
            pipeline.run("""
                    DELETE FROM syncline.pull_approval WHERE (site_url, table_name) IN (SELECT * FROM unnest(?, ?))""",
                    columns.text(row -> row.site().text()), columns.text(OfSite::value));
        }
        if (!approvals.isEmpty()) {
            saveApprovals(pipeline, approvals);
        }
    }

    private static <K, V> void compare(Map<K, V> before, Map<K, V> after,
            Consumer<K> gone, Consumer<V> there) {
        before.keySet().stream().filter(key -> !after.containsKey(key)).forEach(gone);
        after.forEach((key, value) -> {
            if (!value.equals(before.get(key))) {
                there.accept(value);
            }
        });
    }

    private static void saveUses(Pipeline pipeline, List<OfSite<Pulls.Use>> rows) throws SQLException {
        Columns<OfSite<Pulls.Use>> columns = new Columns<>(pipeline, rows);
        pipeline.run("""
                INSERT INTO syncline.pull_use (site_url, downloads, records, expiry_recorded)
                SELECT * FROM unnest(?, ?, ?, ?::timestamptz[])
                ON CONFLICT (site_url) DO UPDATE SET downloads = excluded.downloads, records = excluded.records,
                    expiry_recorded = excluded.expiry_recorded""", columns.text(row -> row.site().text()),
                columns.of("bigint", row -> row.value().downloads()),
                columns.of("bigint", row -> row.value().records()),
                columns.text(row -> text(row.value().expiryRecorded())));
    }

    private static void saveGrants(Pipeline pipeline, List<OfSite<Grant>> rows) throws SQLException {
        Columns<OfSite<Grant>> columns = new Columns<>(pipeline, rows);
        pipeline.run("""
                INSERT INTO syncline.pull_grant (site_url, grant_id, connection_uuid, kind, table_name, records, address,
                    granted_at, until)
                SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?::timestamptz[], ?::timestamptz[])""",
                columns.text(row -> row.site().text()), columns.of("uuid", row -> row.value().id()),
                columns.of("uuid", row -> row.value().connectionUuid()),
                columns.text(row -> row.value().kind().word()), columns.text(row -> row.value().table()),
                columns.of("bigint", row -> row.value().records()), columns.text(row -> row.value().address()),
                columns.text(row -> row.value().at().toString()), columns.text(row -> row.value().until().toString()));
    }

    private static void saveApprovals(Pipeline pipeline, List<OfSite<Approval>> rows) throws SQLException {
        Columns<OfSite<Approval>> columns = new Columns<>(pipeline, rows);
        pipeline.run("""
                INSERT INTO syncline.pull_approval (site_url, transfer_id, table_name, state, address, requested_at,
                    until, decided_by, reason, decided_at)
                SELECT * FROM unnest(?, ?, ?, ?, ?, ?::timestamptz[], ?::timestamptz[], ?, ?, ?::timestamptz[])
                ON CONFLICT (site_url, table_name) DO UPDATE SET transfer_id = excluded.transfer_id,
                    state = excluded.state, address = excluded.address, requested_at = excluded.requested_at,
                    until = excluded.until, decided_by = excluded.decided_by, reason = excluded.reason,
                    decided_at = excluded.decided_at""",
                columns.text(row -> row.site().text()), columns.of("uuid", row -> row.value().id()),
                columns.text(row -> row.value().table()), columns.text(row -> row.value().state().word()),
                columns.text(row -> row.value().address()), columns.text(row -> row.value().requestedAt().toString()),
                columns.text(row -> row.value().until().toString()), columns.text(row -> row.value().by()),
                columns.text(row -> row.value().reason()), columns.text(row -> text(row.value().decidedAt())));
    }

    /** A time as PostgreSQL keeps it. */
    static @Nullable Instant stored(@Nullable Instant time) {
        return time == null ? null : time.truncatedTo(ChronoUnit.MICROS);
    }

    private static @Nullable String text(@Nullable Instant time) {
        return time == null ? null : time.toString();
    }
}
