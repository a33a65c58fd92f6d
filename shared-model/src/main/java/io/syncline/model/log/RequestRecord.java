package io.syncline.model.log;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.syncline.model.connection.Request;
import io.syncline.model.connection.SettingsChangeRequested;
import io.syncline.model.connection.SettingsRequest;
import io.syncline.model.connection.SiteRequest;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A request on its way to the worker.
 *
 * @param requestId UUID v7, the name of its one outcome
 * @param expected  the {@link Version} that the subject must have for the request to take effect; null for any
 * @param deadline  in the state database's time; a request that is not decided by then is refused
 */
public record RequestRecord(UUID requestId, Instant deadline, @Nullable String expected, Request request) {

    private static final TypeNames<Request> TYPES = new TypeNames<Request>()
            .with("registration", SiteRequest.RegistrationRequested.class)
            .with("status-change", SiteRequest.StatusChangeRequested.class)
            .with("deletion", SiteRequest.DeletionRequested.class)
            .with("confirmation", SiteRequest.ConfirmationRequested.class)
            .with("sender-creation", SiteRequest.SenderCreationRequested.class)
            .with("sender-change", SiteRequest.SenderChangeRequested.class)
            .with("token-rotation", SiteRequest.TokenRotationRequested.class)
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
            .with("settings-change", SettingsChangeRequested.class)
            .with("operator-addition", SettingsRequest.OperatorAdditionRequested.class)
            .with("operator-removal", SettingsRequest.OperatorRemovalRequested.class);

    @JsonInclude(JsonInclude.Include.NON_NULL)
    private record Wire(UUID requestId, Instant deadline, @Nullable String expected, String type, JsonNode request) {}

    /** A request that holds whatever its subject is by now. */
    public RequestRecord(UUID requestId, Instant deadline, Request request) {
        this(requestId, deadline, null, request);
    }

    /** The record's value; its key is {@link Request#key()}. */
    public byte[] toJson() {
        return Json.write(new Wire(requestId, deadline, expected, TYPES.nameOf(request), Json.tree(request)));
    }

    public static RequestRecord read(byte[] json) {
        Wire wire = Json.read(json, Wire.class);
        if (wire.requestId() == null || wire.deadline() == null || wire.type() == null || wire.request() == null) {
            throw new MalformedRecordException("a request has request_id, deadline, type and request");
        }
        return new RequestRecord(wire.requestId(), wire.deadline(), wire.expected(),
                Json.read(wire.request(), TYPES.classOf(wire.type())));
    }

    static java.util.Set<Class<? extends Request>> types() {
        return TYPES.types();
    }
}
