package io.syncline.gateway.admin;

import io.syncline.gateway.admin.Views.ConnectionView;
import io.syncline.gateway.admin.Views.ConnectionsView;
import io.syncline.gateway.admin.Views.MadeView;
import io.syncline.gateway.admin.Views.SettingsView;
import io.syncline.gateway.connection.ConnectionReads;
import io.syncline.gateway.connection.Passwords;
import io.syncline.gateway.dispatch.RequestDispatcher;
import io.syncline.gateway.dispatch.Submission;
import io.syncline.gateway.http.OperatorAnswer;
import io.syncline.gateway.http.OperatorCall;
import io.syncline.gateway.http.OperatorRefusal;
import io.syncline.gateway.http.OperatorRoutes;
import io.syncline.model.connection.Connection;
import io.syncline.model.connection.Direction;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.Request;
import io.syncline.model.connection.SettingsChangeRequested;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.credential.AuthToken;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.credential.PasswordHash;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import javax.sql.DataSource;

/** What operators do: settings, sender connections, what is imposed on connections, a look at the tables. */
public final class AdminEndpoints {

    /** Who did it, in the log: there is one operators' token. */
    private static final String BY = "admin";
    private static final int MAX_REASON = 1_000;
    private static final int MAX_PASSWORD = 1_000;
    private static final int DEFAULT_LIMIT = 100;
    private static final int MAX_LIMIT = 500;

    private final ConnectionReads reads;
    private final CaptureReads captures;
    private final RequestDispatcher ring;
    private final CredentialKeys keys;
    private final Passwords passwords;
    private final SecureRandom random;
    private final Supplier<UUID> ids;

    public AdminEndpoints(ConnectionReads reads, DataSource database, RequestDispatcher ring, CredentialKeys keys,
            Passwords passwords, SecureRandom random, Supplier<UUID> ids) {
        this.reads = reads;
        this.captures = new CaptureReads(database);
        this.ring = ring;
        this.keys = keys;
        this.passwords = passwords;
        this.random = random;
        this.ids = ids;
    }

    /** Puts this room's paths among those of the operators. */
    public OperatorRoutes addTo(OperatorRoutes routes) {
        return routes.on("GET", "/settings", this::settings)
                .on("PATCH", "/settings", this::changeSettings)
                .on("GET", "/connections", this::list)
                .on("POST", "/connections", this::create)
                .on("GET", "/connections/{uuid}", this::show)
                .on("DELETE", "/connections/{uuid}", this::remove)
                .on("POST", "/connections/{uuid}/suspend", this::suspend)
                .on("POST", "/connections/{uuid}/revoke", this::revoke)
                .on("POST", "/connections/{uuid}/reactivate", this::reactivate)
                .on("POST", "/connections/{uuid}/approve", this::approve)
                .on("GET", "/tables", this::tables);
    }

    private OperatorAnswer settings(OperatorCall call) throws SQLException {
        return new OperatorAnswer.Ok(SettingsView.of(reads.settings()));
    }

    private OperatorAnswer changeSettings(OperatorCall call) throws SQLException {
        OperatorFields fields = new OperatorFields(call.body());
        Optional<Boolean> enabled = fields.bool("enabled");
        Optional<IncomingMode> mode = fields.parsed("incoming_mode", IncomingMode::parse,
                "must be 'auto_accept', 'require_approval', 'require_password' or 'deny_all'");
        Optional<String> password = fields.text("incoming_password", MAX_PASSWORD);
        boolean changePassword = fields.has("incoming_password");
        for (String name : Set.of("enabled", "incoming_mode")) {
            if (fields.isNull(name)) {
                fields.reject(name, "cannot be removed, only changed");
            }
        }
        Optional<OperatorRefusal> refusal = fields.refusal();
        if (refusal.isPresent()) {
            return new OperatorAnswer.No(refusal.get());
        }
        Optional<PasswordHash> hash = password.flatMap(passwords::hash);
        if (password.isPresent() && hash.isEmpty()) {
            return BUSY;
        }
        Submission submission = ring.submit(call.id(), new SettingsChangeRequested(enabled.orElse(null),
                mode.orElse(null), changePassword, hash.orElse(null), BY));
        Optional<OperatorAnswer> no = refused(submission);
        return no.isPresent() ? no.get() : settings(call);
    }

    private OperatorAnswer create(OperatorCall call) {
        return switch (SenderForm.read(call.body())) {
            case SenderForm.Read.Bad(OperatorRefusal refusal) -> new OperatorAnswer.No(refusal);
            case SenderForm.Read.Form(SenderForm form) -> create(call, form);
        };
    }

    private OperatorAnswer create(OperatorCall call, SenderForm form) {
        Optional<PasswordHash> downloadPassword = form.downloadPassword().flatMap(passwords::hash);
        if (form.downloadPassword().isPresent() && downloadPassword.isEmpty()) {
            return BUSY;
        }
        AuthToken token = form.token().orElseGet(() -> AuthToken.random(random));
        UUID uuid = ids.get();
        Submission submission = ring.submit(call.id(),
                new SiteRequest.SenderCreationRequested(form.site(), uuid, form.name(), keys.fingerprint(token.hash()),
                        keys.seal(token.text(), random), form.active(), form.notifyPeer(),
                        form.limits().with(downloadPassword.orElse(null)), BY));
        if (submission instanceof Submission.Decided(Outcome.Accepted accepted)) {
            return new OperatorAnswer.Created("/connections/" + uuid, new MadeView(uuid, token.text(),
                    Direction.SENDER, form.name(), form.site(), accepted.status()));
        }
        return refused(submission).orElseThrow();
    }

    private OperatorAnswer list(OperatorCall call) throws SQLException {
        Map<String, String> query = call.query();
        for (String name : query.keySet()) {
            if (!Set.of("direction", "limit").contains(name)) {
                return invalid(name, "is no parameter here; there are direction and limit");
            }
        }
        Direction direction = null;
        if (query.containsKey("direction")) {
            try {
                direction = Direction.of(String.valueOf(query.get("direction")));
            } catch (IllegalArgumentException e) {
                return invalid("direction", "must be 'sender' or 'receiver'");
            }
        }
        int limit = DEFAULT_LIMIT;
        if (query.containsKey("limit")) {
            String text = String.valueOf(query.get("limit"));
            limit = text.matches("[0-9]{1,3}") ? Integer.parseInt(text) : 0;
            if (limit < 1 || limit > MAX_LIMIT) {
                return invalid("limit", "must be a whole number from 1 to " + MAX_LIMIT);
            }
        }
        return new OperatorAnswer.Ok(
                new ConnectionsView(reads.list(direction, limit).stream().map(ConnectionView::of).toList()));
    }

    private OperatorAnswer show(OperatorCall call) throws SQLException {
        return reads.connection(call.subject())
                .<OperatorAnswer>map(found -> new OperatorAnswer.Ok(ConnectionView.of(found)))
                .orElseGet(() -> noConnection(call));
    }

    private OperatorAnswer remove(OperatorCall call) throws SQLException {
        Optional<ConnectionReads.Found> found = reads.connection(call.subject());
        if (found.isEmpty()) {
            return noConnection(call);
        }
        Connection connection = found.get().connection();
        return refused(ring.submit(call.id(),
                new SiteRequest.RemovalRequested(connection.siteUrl(), connection.uuid(), BY)))
                .orElseGet(OperatorAnswer.Done::new);
    }

    private OperatorAnswer suspend(OperatorCall call) throws SQLException {
        return impose(call, true,
                (connection, reason) -> new SiteRequest.SuspensionRequested(connection.siteUrl(), connection.uuid(),
                        reason.orElse(null), BY));
    }

    private OperatorAnswer revoke(OperatorCall call) throws SQLException {
        return impose(call, true,
                (connection, reason) -> new SiteRequest.RevocationRequested(connection.siteUrl(), connection.uuid(),
                        reason.orElse(null), BY));
    }

    private OperatorAnswer reactivate(OperatorCall call) throws SQLException {
        return impose(call, false, (connection, reason) -> new SiteRequest.ReactivationRequested(connection.siteUrl(),
                connection.uuid(), BY));
    }

    private OperatorAnswer approve(OperatorCall call) throws SQLException {
        return impose(call, false, (connection, reason) -> new SiteRequest.ApprovalRequested(connection.siteUrl(),
                connection.uuid(), BY));
    }

    /** Makes an operator's request about a record. */
    private interface Change {
        Request of(Connection connection, Optional<String> reason);
    }

    private OperatorAnswer impose(OperatorCall call, boolean withReason, Change change) throws SQLException {
        OperatorFields fields = new OperatorFields(call.body());
        Optional<String> reason = withReason ? fields.text("reason", MAX_REASON) : Optional.empty();
        Optional<OperatorRefusal> refusal = fields.refusal();
        if (refusal.isPresent()) {
            return new OperatorAnswer.No(refusal.get());
        }
        Optional<ConnectionReads.Found> found = reads.connection(call.subject());
        if (found.isEmpty()) {
            return noConnection(call);
        }
        Optional<OperatorAnswer> no = refused(ring.submit(call.id(), change.of(found.get().connection(), reason)));
        return no.isPresent() ? no.get() : show(call);
    }

    private OperatorAnswer tables(OperatorCall call) throws SQLException {
        return new OperatorAnswer.Ok(captures.tables());
    }

    private static final OperatorAnswer BUSY = new OperatorAnswer.No(new OperatorRefusal.Unavailable(
            "The request was not applied: too many passwords are being checked; try again later"));

    /** The answer to a request that was not accepted; empty for one that was. */
    static Optional<OperatorAnswer> refused(Submission submission) {
        return switch (submission) {
            case Submission.Decided(Outcome.Accepted accepted) -> Optional.empty();
            case Submission.Decided(Outcome.Granted granted) -> Optional.empty();
            case Submission.Decided(Outcome.AwaitingApproval awaiting) -> Optional.empty();
            case Submission.Decided(Outcome.Refused(var refusal)) ->
                    Optional.of(new OperatorAnswer.No(new OperatorRefusal.Refused(refusal)));
            case Submission.NotApplied notApplied -> unavailable(
                    "The request was not applied, and will not be: " + notApplied.why() + "; try again later");
            case Submission.NotKnown notKnown -> unavailable(
                    "It is not known whether the request was applied: look before you try again");
            case Submission.Busy busy -> unavailable(
                    "The request was not applied: too many requests are waiting for an answer; try again later");
        };
    }

    private static Optional<OperatorAnswer> unavailable(String detail) {
        return Optional.of(new OperatorAnswer.No(new OperatorRefusal.Unavailable(detail)));
    }

    private static OperatorAnswer invalid(String name, String detail) {
        return new OperatorAnswer.No(new OperatorRefusal.Invalid(name, detail));
    }

    private static OperatorAnswer noConnection(OperatorCall call) {
        return new OperatorAnswer.No(new OperatorRefusal.NotFound("There is no connection " + call.subject()));
    }
}
