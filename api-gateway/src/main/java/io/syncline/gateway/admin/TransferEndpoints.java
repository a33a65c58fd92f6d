package io.syncline.gateway.admin;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.syncline.gateway.admin.TransferReads.Approvable;
import io.syncline.gateway.dispatch.RequestDispatcher;
import io.syncline.gateway.http.MalformedQueryException;
import io.syncline.gateway.http.OperatorAnswer;
import io.syncline.gateway.http.OperatorCall;
import io.syncline.gateway.http.OperatorRefusal;
import io.syncline.gateway.http.OperatorRoutes;
import io.syncline.gateway.state.StateReads;
import io.syncline.model.connection.Approval;
import io.syncline.model.connection.Refusal;
import io.syncline.model.connection.SiteRequest;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What operators see of pulls, and their word on those that wait for it. */
public final class TransferEndpoints {

    private static final int MAX_REASON = 1_000;
    private static final int DEFAULT_LIMIT = 100;
    private static final int MAX_LIMIT = 500;
    private static final long MAX_MINUTES = Duration.ofDays(366).toMinutes();

    private final TransferReads reads;
    private final Ring ring;

    public TransferEndpoints(StateReads state, RequestDispatcher dispatcher) {
        this.reads = new TransferReads(state);
        this.ring = new Ring(dispatcher);
    }

    /** Puts this class's paths among those of the operators. */
    public OperatorRoutes addTo(OperatorRoutes routes) {
        return routes.on("GET", "/transfers", this::list)
                .on("GET", "/transfers/{uuid}", this::show)
                .on("POST", "/transfers/{uuid}/approve", call -> decide(call, true))
                .on("POST", "/transfers/{uuid}/deny", call -> decide(call, false));
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    private record TransfersView(List<?> transfers, @Nullable String nextCursor) {}

    private OperatorAnswer list(OperatorCall call) throws SQLException, MalformedQueryException {
        Map<String, String> query = call.query();
        for (String name : query.keySet()) {
            if (!Set.of("state", "site_url", "limit", "cursor").contains(name)) {
                return invalid(name, "is no parameter here; there are state, site_url, limit and cursor");
            }
        }
        String limitText = query.getOrDefault("limit", String.valueOf(DEFAULT_LIMIT));
        int limit = limitText.matches("[0-9]{1,3}") ? Integer.parseInt(limitText) : 0;
        if (limit < 1 || limit > MAX_LIMIT) {
            return invalid("limit", "must be a whole number from 1 to " + MAX_LIMIT);
        }
        String site = query.get("site_url");
        if (site != null && site.indexOf('\0') >= 0) {
            return invalid("site_url", "must be a text, without NUL");
        }
        String cursor = query.get("cursor");
        Optional<TransferReads.Place> after = cursor == null ? Optional.empty() : place(cursor);
        if (cursor != null && after.isEmpty()) {
            return invalid("cursor", "must be a next_cursor as it was given");
        }
        TransferReads.Wanted wanted = new TransferReads.Wanted(site, after.orElse(null), limit);
        return switch (query.getOrDefault("state", "ended")) {
            case "ended" -> page(reads.ended(wanted));
            case "running" -> page(reads.running(wanted));
            case "waiting" -> page(reads.approvals(Approval.State.WAITING, wanted));
            case "approved" -> page(reads.approvals(Approval.State.APPROVED, wanted));
            case "denied" -> page(reads.approvals(Approval.State.DENIED, wanted));
            case String other ->
                    invalid("state", "must be 'ended', 'running', 'waiting', 'approved' or 'denied'");
        };
    }

    private static OperatorAnswer page(TransferReads.Page page) {
        TransferReads.Place next = page.next();
        return new OperatorAnswer.Ok(new TransfersView(page.transfers(), next == null ? null : cursor(next)));
    }

    private OperatorAnswer decide(OperatorCall call, boolean approved) throws SQLException {
        OperatorFields fields = new OperatorFields(call.body());
        Optional<String> reason = approved ? Optional.empty() : fields.text("reason", MAX_REASON);
        long seconds = fields.whole("valid_for_minutes", 1, MAX_MINUTES)
                .map(minutes -> Duration.ofMinutes(minutes).toSeconds())
                .orElse(Approval.HOLDS.toSeconds());
        Optional<OperatorRefusal> refusal = fields.refusal();
        if (refusal.isPresent()) {
            return new OperatorAnswer.No(refusal.get());
        }
        Optional<Approvable> found = reads.approval(call.subject());
        if (found.isEmpty()) {
            return new OperatorAnswer.No(new OperatorRefusal.Refused(Refusal.TRANSFER_UNKNOWN));
        }
        return ring.ask(call,
                new SiteRequest.TransferDecisionRequested(found.get().siteUrl(), found.get().connectionUuid(),
                        call.subject(), approved, reason.orElse(null), seconds, call.by()),
                () -> reads.approval(call.subject()).map(TransferEndpoints::versioned));
    }

    private OperatorAnswer show(OperatorCall call) throws SQLException {
        return reads.approval(call.subject())
                .map(TransferEndpoints::versioned)
                .orElseGet(() -> new OperatorAnswer.No(new OperatorRefusal.Refused(Refusal.TRANSFER_UNKNOWN)));
    }

    private static OperatorAnswer versioned(Approvable found) {
        return new OperatorAnswer.Versioned(found, found.version());
    }

    private static String cursor(TransferReads.Place place) {
        String text = place.time().toEpochMilli() + "." + place.id();
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static Optional<TransferReads.Place> place(String cursor) {
        try {
            String[] parts = new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.US_ASCII).split("\\.",
                    -1);
            // Times further off than any of ours are no times to PostgreSQL.
            return parts.length != 2 || !parts[0].matches("[0-9]{1,14}") ? Optional.empty()
                    : Optional.of(new TransferReads.Place(Instant.ofEpochMilli(Long.parseLong(parts[0])),
                            UUID.fromString(parts[1])));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static OperatorAnswer invalid(String name, String detail) {
        return new OperatorAnswer.No(new OperatorRefusal.Invalid(name, detail));
    }
}
