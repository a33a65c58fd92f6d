package io.syncline.model.connection;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What is and was pulled over a site's sender connection. Apart from the record: pulls happen all the time, and are no
 * change of what an operator has set.
 *
 * @param use       what counts against the connection's limits
 * @param grants    the open ones, also those of a record that is gone
 * @param approvals by table
 */
public record Pulls(Use use, Map<UUID, Grant> grants, Map<String, Approval> approvals) {

    public static final Pulls NONE = new Pulls(Use.NONE, Map.of(), Map.of());

    /**
     * What counts against a connection's limits, with what open grants hold.
     *
     * @param expiryRecorded the {@code expires_at} whose passing is a fact already
     */
    public record Use(long downloads, long records, @Nullable Instant expiryRecorded) {

        public static final Use NONE = new Use(0, 0, null);

        private Use plus(long moreDownloads, long moreRecords) {
            return new Use(downloads + moreDownloads, records + moreRecords, expiryRecorded);
        }
    }

    public Pulls {
        grants = Map.copyOf(grants);
        approvals = Map.copyOf(approvals);
    }

    /** What an operator has said of a table, or is still to say. */
    public @Nullable Approval approval(String table, Instant now) {
        Approval found = approvals.get(table);
        return found != null && found.holds(now) ? found : null;
    }

    /** The one that operators name so, also where it does not hold any more. */
    public Optional<Approval> approval(UUID transfer) {
        return approvals.values().stream().filter(approval -> approval.id().equals(transfer)).findFirst();
    }

    /** The sender record is gone; what is still being pulled goes on. */
    Pulls withoutRecord() {
        return new Pulls(Use.NONE, grants, Map.of());
    }

    /** @param sender the site's record now, null where there is none */
    Pulls evolve(SiteEvent.OfPulls event, @Nullable UUID sender, Instant at) {
        return switch (event) {
            case SiteEvent.PullGranted e -> {
                if (grants.containsKey(e.grant())) {
                    throw impossible(event, "grant " + e.grant() + " is open already");
                }
                Grant made = new Grant(e.grant(), e.connectionUuid(), e.kind(), e.table(), e.records(), e.address(),
                        at, e.until());
                boolean counts = e.connectionUuid().equals(sender);
                yield new Pulls(counts ? use.plus(e.kind() == PullKind.DOWNLOAD ? 1 : 0, e.records()) : use,
                        with(grants, e.grant(), made), approvals);
            }
            case SiteEvent.TablePulled e -> {
                Grant grant = grants.get(e.grant());
                if (grant == null) {
                    throw impossible(event, "grant " + e.grant() + " is not open");
                }
                Map<UUID, Grant> open = new HashMap<>(grants);
                open.remove(e.grant());
                boolean counts = grant.connectionUuid().equals(sender);
                yield new Pulls(counts ? use.plus(-unspent(e), e.rows() - grant.records()) : use, open, approvals);
            }
            case SiteEvent.ConnectionExpired e -> {
                if (!e.connectionUuid().equals(sender)) {
                    throw impossible(event, "record " + e.connectionUuid() + " is not there");
                }
                yield new Pulls(new Use(use.downloads(), use.records(), e.expiresAt()), grants, approvals);
            }
            case SiteEvent.TransferRequested e -> new Pulls(use, grants, with(approvals, e.table(),
                    new Approval(e.transfer(), e.table(), Approval.State.WAITING, e.address(), at, e.until(), null,
                            null, null)));
            case SiteEvent.TransferApproved e -> new Pulls(use, grants, with(approvals, e.table(),
                    asked(e.table(), e.transfer(), event).decided(Approval.State.APPROVED, e.until(), e.by(), null,
                            at)));
            case SiteEvent.TransferDenied e -> new Pulls(use, grants, with(approvals, e.table(),
                    asked(e.table(), e.transfer(), event).decided(Approval.State.DENIED, e.until(), e.by(),
                            e.reason(), at)));
        };
    }

    /** A download of which nothing was sent is none. */
    private static long unspent(SiteEvent.TablePulled pulled) {
        boolean nothingSent = pulled.bytes() == 0 && pulled.outcome() != PullOutcome.UNKNOWN;
        return pulled.kind() == PullKind.DOWNLOAD && nothingSent ? 1 : 0;
    }

    private Approval asked(String table, UUID transfer, SiteEvent event) {
        Approval found = approvals.get(table);
        if (found == null || !found.id().equals(transfer)) {
            throw impossible(event, "transfer " + transfer + " is not there");
        }
        return found;
    }

    private static <K, V> Map<K, V> with(Map<K, V> before, K key, V value) {
        Map<K, V> next = new HashMap<>(before);
        next.put(key, value);
        return next;
    }

    private static IllegalStateException impossible(SiteEvent event, String why) {
        return new IllegalStateException(
                event.getClass().getSimpleName() + " cannot have happened to '" + event.siteUrl() + "': " + why);
    }
}
