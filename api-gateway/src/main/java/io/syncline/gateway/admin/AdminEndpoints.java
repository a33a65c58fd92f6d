package io.syncline.gateway.admin;

import io.syncline.gateway.admin.Views.ConnectionView;
import io.syncline.gateway.admin.Views.ConnectionsView;
import io.syncline.gateway.admin.Views.MadeView;
import io.syncline.gateway.admin.Views.RotatedView;
import io.syncline.gateway.admin.Views.SettingsView;
import io.syncline.gateway.connection.ConnectionReads;
import io.syncline.gateway.connection.Passwords;
import io.syncline.gateway.dispatch.RequestDispatcher;
import io.syncline.gateway.dispatch.Submission;
import io.syncline.gateway.http.MalformedQueryException;
import io.syncline.gateway.http.OperatorAnswer;
import io.syncline.gateway.http.OperatorCall;
import io.syncline.gateway.http.OperatorRefusal;
import io.syncline.gateway.http.OperatorRoutes;
import io.syncline.model.connection.Connection;
import io.syncline.model.connection.ConnectionStatus;
import io.syncline.model.connection.Direction;
import io.syncline.model.connection.IncomingMode;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.PreviousToken;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.Request;
import io.syncline.model.connection.SettingsChangeRequested;
import io.syncline.model.connection.SiteRequest;
import io.syncline.model.credential.AuthToken;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.credential.PasswordHash;
import io.syncline.model.log.Version;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.sql.DataSource;

/** What operators do: settings, sender connections, what is imposed on connections, a look at the tables. */
public final class AdminEndpoints {

    private static final int MAX_REASON = 1_000;
    private static final int MAX_PASSWORD = 1_000;
    /** A page that is filtered by status looks at no more records than this. */
    private static final int MOST_LOOKED_AT = 5_000;
    /** A change that names no version is made on what was read; when somebody else was faster, on what that left. */
    private static final int ATTEMPTS = 5;
    private static final long MAX_OVERLAP_SECONDS = Duration.ofDays(90).toSeconds();

    private final ConnectionReads reads;
    private final CaptureReads captures;
    private final RequestDispatcher dispatcher;
    private final Ring ring;
    private final CredentialKeys keys;
    private final Passwords passwords;
    private final SecureRandom random;
    private final Supplier<UUID> ids;
    private final Duration overlap;

    /** @param overlap how long the token before a rotation is taken too, unless the operator says otherwise */
    public AdminEndpoints(ConnectionReads reads, DataSource database, RequestDispatcher dispatcher, CredentialKeys keys,
            Passwords passwords, SecureRandom random, Supplier<UUID> ids, Duration overlap) {
        this.reads = reads;
        this.captures = new CaptureReads(database);
        this.dispatcher = dispatcher;
        this.ring = new Ring(dispatcher);
        this.keys = keys;
        this.passwords = passwords;
        this.random = random;
        this.ids = ids;
        this.overlap = overlap;
    }

    /** Puts this room's paths among those of the operators. */
    public OperatorRoutes addTo(OperatorRoutes routes) {
        return routes.on("GET", "/settings", this::settings)
                .on("PATCH", "/settings", this::changeSettings)
                .on("GET", "/connections", this::list)
                .on("POST", "/connections", this::create)
                .on("GET", "/connections/{uuid}", this::show)
                .on("PATCH", "/connections/{uuid}", this::change)
                .on("DELETE", "/connections/{uuid}", this::remove)
                .on("POST", "/connections/{uuid}/rotate-token", this::rotateToken)
                .on("POST", "/connections/{uuid}/suspend", this::suspend)
                .on("POST", "/connections/{uuid}/revoke", this::revoke)
                .on("POST", "/connections/{uuid}/reactivate", this::reactivate)
                .on("POST", "/connections/{uuid}/approve", this::approve)
                .on("GET", "/tables", this::tables);
    }

    private OperatorAnswer settings(OperatorCall call) throws SQLException {
        ModuleSettings settings = reads.settings();
        return new OperatorAnswer.Versioned(SettingsView.of(settings), Version.of(settings));
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
        return ring.ask(call, new SettingsChangeRequested(enabled.orElse(null), mode.orElse(null), changePassword,
                hash.orElse(null), call.by()), () -> Optional.of(settings(call)));
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
        Submission submission = ring.submit(call,
                new SiteRequest.SenderCreationRequested(form.site(), uuid, form.name(), keys.fingerprint(token.hash()),
                        keys.seal(token.text(), random), form.active(), form.notifyPeer(),
                        form.limits().with(downloadPassword.orElse(null)), call.by()));
        if (submission instanceof Submission.Decided(Outcome.Accepted accepted)) {
            return new OperatorAnswer.Created("/connections/" + uuid, new MadeView(uuid, token.text(),
                    Direction.SENDER, form.name(), form.site(), accepted.status()));
        }
        return Ring.refused(submission).orElseThrow();
    }

    private OperatorAnswer list(OperatorCall call) throws SQLException, MalformedQueryException {
        QueryFields query = new QueryFields(call.query());
        Optional<Direction> direction = query.parsed("direction",
                word -> Arrays.stream(Direction.values()).filter(one -> one.word().equals(word)).findFirst(),
                "must be 'sender' or 'receiver'");
        Optional<ConnectionStatus> status = query.parsed("status", ConnectionStatus::parse,
                "must be 'pending', 'active', 'suspended', 'revoked' or 'expired'");
        Optional<String> siteUrl = query.text("site_url");
        Optional<ConnectionReads.Place> after = query.cursor(AdminEndpoints::place);
        int limit = query.limit();
        Optional<OperatorRefusal> refusal = query.refusal();
        if (refusal.isPresent()) {
            return new OperatorAnswer.No(refusal.get());
        }
        List<ConnectionView> page = new ArrayList<>();
        int lookedAt = 0;
        boolean more = true;
        while (more && page.size() < limit && lookedAt < MOST_LOOKED_AT) {
            List<ConnectionReads.Found> records = reads.list(direction, siteUrl, after, QueryFields.MAX_LIMIT);
            more = records.size() == QueryFields.MAX_LIMIT;
            for (ConnectionReads.Found found : records) {
                if (page.size() == limit) {
                    more = true;
                    break;
                }
                lookedAt++;
                after = Optional.of(new ConnectionReads.Place(found.connection().createdAt(),
                        found.connection().uuid()));
                if (status.isEmpty() || status.get() == found.status()) {
                    page.add(ConnectionView.of(found));
                }
            }
        }
        String next = !more ? null
                : after.map(place -> QueryFields.cursor(place.createdAt() + " " + place.uuid())).orElse(null);
        return new OperatorAnswer.Ok(new ConnectionsView(page, next));
    }

    private static Optional<ConnectionReads.Place> place(String text) {
        String[] parts = text.split(" ", -1);
        try {
            return parts.length != 2 ? Optional.empty()
                    : Optional.of(new ConnectionReads.Place(Instant.parse(parts[0]), UUID.fromString(parts[1])));
        } catch (DateTimeException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private OperatorAnswer show(OperatorCall call) throws SQLException {
        return shown(call).orElseGet(() -> noConnection(call));
    }

    private Optional<OperatorAnswer> shown(OperatorCall call) throws SQLException {
        return reads.connection(call.subject())
                .map(found -> new OperatorAnswer.Versioned(ConnectionView.of(found), versionOf(found)));
    }

    private static String versionOf(ConnectionReads.Found found) {
        return Version.of(found.connection(), found.imposed());
    }

    private OperatorAnswer change(OperatorCall call) throws SQLException {
        Optional<PasswordHash> hash = Optional.empty();
        for (int attempt = 1;; attempt++) {
            Optional<ConnectionReads.Found> found = reads.connection(call.subject());
            if (found.isEmpty()) {
                return noConnection(call);
            }
            if (!(found.get().connection() instanceof Connection.Sender sender)) {
                return new OperatorAnswer.No(new OperatorRefusal.Refused(Refusal.NO_SENDER));
            }
            SenderChange change;
            switch (SenderChange.read(call.body(), sender)) {
                case SenderChange.Read.Bad(OperatorRefusal refusal) -> {
                    return new OperatorAnswer.No(refusal);
                }
                case SenderChange.Read.Change(SenderChange read) -> change = read;
            }
            if (change.downloadPassword().isPresent() && hash.isEmpty()) {
                hash = passwords.hash(change.downloadPassword().get());
                if (hash.isEmpty()) {
                    return BUSY;
                }
            }
            // On condition of what was read, in any case: what is not named in the call is written back as it was.
            Submission submission = dispatcher.submit(attempt == 1 ? call.id() : ids.get(),
                    new SiteRequest.SenderChangeRequested(sender.siteUrl(), sender.uuid(), change.name(),
                            change.notifyPeer(), change.settings(sender, hash.orElse(null)), call.by()),
                    Optional.of(call.expectedVersion().orElse(versionOf(found.get()))));
            boolean overtaken = submission instanceof Submission.Decided(Outcome.Refused(Refusal refusal))
                    && refusal == Refusal.CHANGED_SINCE;
            if (!overtaken || call.expectedVersion().isPresent() || attempt == ATTEMPTS) {
                return Ring.answer(submission, () -> shown(call));
            }
        }
    }

    private OperatorAnswer rotateToken(OperatorCall call) throws SQLException {
        OperatorFields fields = new OperatorFields(call.body());
        long seconds = fields.whole("overlap_seconds", 0, MAX_OVERLAP_SECONDS).orElse(overlap.toSeconds());
        Optional<OperatorRefusal> refusal = fields.refusal();
        if (refusal.isPresent()) {
            return new OperatorAnswer.No(refusal.get());
        }
        Optional<ConnectionReads.Found> found = reads.connection(call.subject());
        if (found.isEmpty()) {
            return noConnection(call);
        }
        Connection connection = found.get().connection();
        AuthToken token = AuthToken.random(random);
        Submission submission = ring.submit(call,
                new SiteRequest.TokenRotationRequested(connection.siteUrl(), connection.uuid(),
                        keys.fingerprint(token.hash()), keys.seal(token.text(), random), seconds, call.by()));
        Optional<OperatorAnswer> no = Ring.refused(submission);
        if (no.isPresent()) {
            return submission instanceof Submission.Decided(Outcome.Refused(Refusal decided))
                    && decided == Refusal.TOO_MANY_TOKENS ? tooManyTokens(call) : no.get();
        }
        // Whatever comes of this: the new token is in force, and nobody else can tell it.
        Instant replacedUntil = Applied.orNothing(() -> reads.connection(call.subject())
                .flatMap(now -> previousTokens(now).map(PreviousToken::until).findFirst()))
                .orElse(null);
        return new OperatorAnswer.Ok(new RotatedView(connection.uuid(), token.text(), replacedUntil));
    }

    private OperatorAnswer tooManyTokens(OperatorCall call) {
        return Applied.orNothing(() -> reads.connection(call.subject())
                .flatMap(found -> previousTokens(found).filter(previous -> previous.taken(found.at()))
                        .map(PreviousToken::until)
                        .min(Comparator.naturalOrder())))
                .map(first -> new OperatorAnswer.No(new OperatorRefusal.RefusedUntil(Refusal.TOO_MANY_TOKENS, first)))
                .orElseGet(() -> new OperatorAnswer.No(new OperatorRefusal.Refused(Refusal.TOO_MANY_TOKENS)));
    }

    /** The one that was replaced last is the first. */
    private static Stream<PreviousToken> previousTokens(ConnectionReads.Found found) {
        return found.connection() instanceof Connection.Sender sender ? sender.previousTokens().stream()
                : Stream.empty();
    }

    private OperatorAnswer remove(OperatorCall call) throws SQLException {
        Optional<ConnectionReads.Found> found = reads.connection(call.subject());
        if (found.isEmpty()) {
            return noConnection(call);
        }
        Connection connection = found.get().connection();
        return ring.ask(call,
                new SiteRequest.RemovalRequested(connection.siteUrl(), connection.uuid(), call.by()))
                .orElseGet(OperatorAnswer.Done::new);
    }

    private OperatorAnswer suspend(OperatorCall call) throws SQLException {
        return impose(call, true,
                (connection, reason) -> new SiteRequest.SuspensionRequested(connection.siteUrl(), connection.uuid(),
                        reason.orElse(null), call.by()));
    }

    private OperatorAnswer revoke(OperatorCall call) throws SQLException {
        return impose(call, true,
                (connection, reason) -> new SiteRequest.RevocationRequested(connection.siteUrl(), connection.uuid(),
                        reason.orElse(null), call.by()));
    }

    private OperatorAnswer reactivate(OperatorCall call) throws SQLException {
        return impose(call, false, (connection, reason) -> new SiteRequest.ReactivationRequested(connection.siteUrl(),
                connection.uuid(), call.by()));
    }

    private OperatorAnswer approve(OperatorCall call) throws SQLException {
        return impose(call, false, (connection, reason) -> new SiteRequest.ApprovalRequested(connection.siteUrl(),
                connection.uuid(), call.by()));
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
        return ring.ask(call, change.of(found.get().connection(), reason), () -> shown(call));
    }

    private OperatorAnswer tables(OperatorCall call) throws SQLException {
        return new OperatorAnswer.Ok(captures.tables());
    }

    private static final OperatorAnswer BUSY = new OperatorAnswer.No(new OperatorRefusal.Unavailable(
            "The request was not applied: too many passwords are being checked; try again later"));

    private static OperatorAnswer noConnection(OperatorCall call) {
        return new OperatorAnswer.No(new OperatorRefusal.NotFound("There is no connection " + call.subject()));
    }
}
