package io.syncline.model.log;

import io.syncline.model.connection.Request;
import io.syncline.model.connection.SettingsChangeRequested;
import io.syncline.model.connection.SiteRequest;
import java.time.Instant;
import java.util.UUID;
import tools.jackson.databind.JsonNode;

/**
 * A request on its way to the worker.
 *
 * @param requestId UUID v7, the name of its one outcome
 * @param deadline  in the state database's time; a request that is not decided by then is refused
 */
public record RequestRecord(UUID requestId, Instant deadline, Request request) {

    private static final TypeNames<Request> TYPES = new TypeNames<Request>()
            .with("registration", SiteRequest.RegistrationRequested.class)
            .with("status-change", SiteRequest.StatusChangeRequested.class)
            .with("deletion", SiteRequest.DeletionRequested.class)
            .with("confirmation", SiteRequest.ConfirmationRequested.class)
            .with("sender-creation", SiteRequest.SenderCreationRequested.class)
            .with("approval", SiteRequest.ApprovalRequested.class)
            .with("suspension", SiteRequest.SuspensionRequested.class)
            .with("reactivation", SiteRequest.ReactivationRequested.class)
            .with("revocation", SiteRequest.RevocationRequested.class)
            .with("removal", SiteRequest.RemovalRequested.class)
            .with("pull", SiteRequest.PullRequested.class)
            .with("pull-report", SiteRequest.PullReported.class)
            .with("grant-overdue", SiteRequest.GrantOverdue.class)
            .with("expiry", SiteRequest.ExpiryReached.class)
            .with("transfer-decision", SiteRequest.TransferDecisionRequested.class)
            .with("settings-change", SettingsChangeRequested.class);

    private record Wire(UUID requestId, Instant deadline, String type, JsonNode request) {}

    /** The record's value; its key is {@link Request#key()}. */
    public byte[] toJson() {
        return Json.write(new Wire(requestId, deadline, TYPES.nameOf(request), Json.tree(request)));
    }

    public static RequestRecord read(byte[] json) {
        Wire wire = Json.read(json, Wire.class);
        if (wire.requestId() == null || wire.deadline() == null || wire.type() == null || wire.request() == null) {
            throw new MalformedRecordException("a request has request_id, deadline, type and request");
        }
        return new RequestRecord(wire.requestId(), wire.deadline(),
                Json.read(wire.request(), TYPES.classOf(wire.type())));
    }

    static java.util.Set<Class<? extends Request>> types() {
        return TYPES.types();
    }
}
