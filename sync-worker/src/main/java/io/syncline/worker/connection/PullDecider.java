package io.syncline.worker.connection;

import io.syncline.model.connection.AccessPolicy;
import io.syncline.model.connection.Approval;
import io.syncline.model.connection.Connection;
import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.connection.Grant;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.PullOutcome;
import io.syncline.model.connection.Pulls;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.Site;
import io.syncline.model.connection.SiteEvent;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.table.TableName;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** What may be pulled, and what it counts for. Pure. Each request makes one fact at most: a takeover finds its outcome by it. */
final class PullDecider {

    /** So many grants share what is left of a connection that reads several tables at once. */
    private static final int SHARES = 4;

    private PullDecider() {}

    static Decision<SiteEvent> decide(Site site, SiteRequest.OfPulls request, Instant now) {
        return switch (request) {
            case SiteRequest.PullRequested r -> r.begun() ? granted(r, r.records(), now) : pull(site, r, now);
            case SiteRequest.PullReported r -> report(site, r);
            case SiteRequest.GrantOverdue r -> overdue(site, r, now);
            case SiteRequest.ExpiryReached r -> expire(site, r, now);
            case SiteRequest.TransferDecisionRequested r -> decideTransfer(site, r, now);
        };
    }

    /** The outcome that a fact was decided with. */
    static Outcome outcomeOf(SiteEvent.OfPulls event) {
        return switch (event) {
            case SiteEvent.PullGranted e -> new Outcome.Granted(e.grant(), e.records());
            case SiteEvent.TransferRequested e -> new Outcome.AwaitingApproval(e.transfer());
            case SiteEvent.TablePulled _,SiteEvent.ConnectionExpired _,SiteEvent.TransferApproved _,SiteEvent.TransferDenied _ ->
                    Outcome.Accepted.WITHOUT_RECORD;
        };
    }

    private static Decision<SiteEvent> pull(Site site, SiteRequest.PullRequested request, Instant now) {
        Connection.Sender sender = site.sender();
        if (sender == null || !sender.uuid().equals(request.connectionUuid())) {
            return Decision.refused(Refusal.NOT_FOUND);
        }
        ConnectionSettings settings = sender.settings();
        Optional<Refusal> refusal = AccessPolicy.usable(site.status(sender, now))
                .or(() -> TableName.possible(request.table())
                        && AccessPolicy.serves(settings, new TableName(request.table())) ? Optional.empty()
                                : Optional.of(Refusal.TABLE_NOT_FOUND))
                .or(() -> AccessPolicy.exhausted(settings, site.pulls().use(), request.kind()));
        if (refusal.isPresent()) {
            return Decision.refused(refusal.get());
        }
        if (AccessPolicy.needsApproval(settings, request.table())) {
            Approval approval = site.pulls().approval(request.table(), now);
            if (approval == null) {
                return happened(new SiteEvent.TransferRequested(site.url(), sender.uuid(), request.grant(),
                        request.table(), request.address(), now.plus(Approval.WAITS)));
            }
            switch (approval.state()) {
                case WAITING -> {
                    return Decision.nothingNew(new Outcome.AwaitingApproval(approval.id()));
                }
                case DENIED -> {
                    return Decision.refused(Refusal.TRANSFER_DENIED);
                }
                case APPROVED -> {
                    // Goes on.
                }
            }
        }
        return granted(request, records(settings, site.pulls().use(), request), now);
    }

    /** Not bounded by what one request gives: the gateway, which knows the form of the pull, has asked accordingly. */
    private static long records(ConnectionSettings settings, Pulls.Use use, SiteRequest.PullRequested request) {
        long left = AccessPolicy.recordsLeft(settings, use);
        return switch (request.kind()) {
            case DOWNLOAD -> Math.min(request.records(), left);
            case RECORDS -> Math.min(Math.min(request.records(), Math.max(request.atLeast(), left / SHARES)), left);
        };
    }

    private static Decision<SiteEvent> granted(SiteRequest.PullRequested request, long records, Instant now) {
        return happened(new SiteEvent.PullGranted(request.siteUrl(), request.connectionUuid(), request.grant(),
                request.kind(), request.table(), records, request.address(), now.plusSeconds(request.seconds())));
    }

    private static Decision<SiteEvent> report(Site site, SiteRequest.PullReported request) {
        Grant grant = site.pulls().grants().get(request.grant());
        if (grant == null) {
            return Decision.refused(Refusal.GRANT_CLOSED);
        }
        return happened(new SiteEvent.TablePulled(site.url(), grant.connectionUuid(), grant.id(), grant.kind(),
                grant.table(), grant.address(), request.rows(), request.bytes(), request.asOf(), request.durationMs(),
                request.outcome()));
    }

    private static Decision<SiteEvent> overdue(Site site, SiteRequest.GrantOverdue request, Instant now) {
        Grant grant = site.pulls().grants().get(request.grant());
        if (grant == null || !grant.overdue(now)) {
            return Decision.nothingNew(Outcome.Accepted.WITHOUT_RECORD);
        }
        return happened(new SiteEvent.TablePulled(site.url(), grant.connectionUuid(), grant.id(), grant.kind(),
                grant.table(), grant.address(), grant.records(), 0, null,
                java.time.Duration.between(grant.at(), now).toMillis(), PullOutcome.UNKNOWN));
    }

    private static Decision<SiteEvent> expire(Site site, SiteRequest.ExpiryReached request, Instant now) {
        Connection.Sender sender = site.sender();
        if (sender == null || !sender.uuid().equals(request.connectionUuid())) {
            return Decision.nothingNew(Outcome.Accepted.WITHOUT_RECORD);
        }
        Instant end = PullRows.stored(sender.settings().expiresAt());
        if (end == null || now.isBefore(end) || end.equals(site.pulls().use().expiryRecorded())) {
            return Decision.nothingNew(Outcome.Accepted.WITHOUT_RECORD);
        }
        return happened(new SiteEvent.ConnectionExpired(site.url(), sender.uuid(), end));
    }

    private static Decision<SiteEvent> decideTransfer(Site site, SiteRequest.TransferDecisionRequested request,
            Instant now) {
        Approval found = site.pulls()
                .approval(request.transfer())
                .filter(approval -> approval.holds(now))
                .orElse(null);
        Connection.Sender sender = site.sender();
        if (found == null || sender == null) {
            return Decision.refused(Refusal.TRANSFER_UNKNOWN);
        }
        Approval.State wanted = request.approved() ? Approval.State.APPROVED : Approval.State.DENIED;
        if (found.says(wanted, request.reason(), request.seconds())) {
            return Decision.nothingNew(Outcome.Accepted.WITHOUT_RECORD);
        }
        Instant until = now.plusSeconds(request.seconds());
        return happened(request.approved()
                ? new SiteEvent.TransferApproved(site.url(), sender.uuid(), found.id(), found.table(), until,
                        request.by())
                : new SiteEvent.TransferDenied(site.url(), sender.uuid(), found.id(), found.table(), request.reason(),
                        until, request.by()));
    }

    private static Decision<SiteEvent> happened(SiteEvent.OfPulls event) {
        return new Decision<>(outcomeOf(event), List.of(event));
    }

    /** Whether a request asks for something to be pulled, and so finds the module disabled. */
    static boolean asks(SiteRequest.OfPulls request) {
        return request instanceof SiteRequest.PullRequested pull && !pull.begun();
    }

    /** Whether deciding a request needs to know what is pulled: asking for that costs, and peers register all the time. */
    static boolean touchesPulls(SiteRequest request) {
        return switch (request) {
            case SiteRequest.OfPulls _,SiteRequest.DeletionRequested _,SiteRequest.RemovalRequested _ -> true;
            case SiteRequest.RegistrationRequested _,SiteRequest.StatusChangeRequested _,SiteRequest.ConfirmationRequested _,SiteRequest.SenderCreationRequested _,SiteRequest.SenderChangeRequested _,SiteRequest.TokenRotationRequested _,SiteRequest.ApprovalRequested _,SiteRequest.SuspensionRequested _,SiteRequest.ReactivationRequested _,SiteRequest.RevocationRequested _ ->
                    false;
        };
    }

    /** The open grant that a request is about. */
    static Optional<UUID> grantOf(SiteRequest request) {
        return switch (request) {
            case SiteRequest.PullReported r -> Optional.of(r.grant());
            case SiteRequest.GrantOverdue r -> Optional.of(r.grant());
            case SiteRequest _ -> Optional.empty();
        };
    }

    /** The open grant that a fact closes. */
    static Optional<UUID> grantOf(SiteEvent event) {
        return event instanceof SiteEvent.TablePulled pulled ? Optional.of(pulled.grant()) : Optional.empty();
    }
}
