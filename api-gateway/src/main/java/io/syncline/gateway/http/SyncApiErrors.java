package io.syncline.gateway.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.syncline.gateway.state.StateDatabaseBehindException;
import io.syncline.model.connection.Refusal;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;

/** Which status and which body say no: the only place that knows. */
public final class SyncApiErrors {

    static final Duration SOON = Duration.ofSeconds(1);
    private static final Duration LATER = Duration.ofSeconds(5);
    private static final PeerRefusal DATABASE_AWAY = new PeerRefusal.Unavailable(
            "The state database cannot be used now; try again later", LATER);
    /** States of a database without our tables and columns. */
    private static final Set<String> NOT_SET_UP = Set.of("42P01", "3F000", "42703");

    /** An error answer of the peers' protocol. */
    record Answer(HttpStatus status, Object body, Map<String, String> headers) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    private record Body(boolean success, String error, @Nullable List<String> fields) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    private record Problem(
            String type,
            String title,
            int status,
            String detail,
            @Nullable List<OperatorRefusal.FieldProblem> errors) {}

    private record Existence(boolean success, boolean exists) {}

    private SyncApiErrors() {}

    static Answer of(PeerRefusal refusal) {
        return switch (refusal) {
            case PeerRefusal.MissingFields missing ->
                    fields(HttpStatus.BAD_REQUEST, "Missing required fields", missing.fields());
            case PeerRefusal.MissingFieldsSentence missing ->
                    error(HttpStatus.BAD_REQUEST, "Missing required fields: " + String.join(", ", missing.fields()));
            case PeerRefusal.InvalidFields invalid ->
                    fields(HttpStatus.BAD_REQUEST, "Invalid fields", invalid.fields());
            case PeerRefusal.Refused refused -> refused(refused.refusal());
            case PeerRefusal.TooManyRequests tooMany -> error(HttpStatus.TOO_MANY_REQUESTS,
                    Refusal.RATE_EXCEEDED.sentence(), retryAfter(tooMany.retryAfter()));
            case PeerRefusal.Gone gone -> error(HttpStatus.GONE, gone.sentence());
            case PeerRefusal.Unavailable unavailable ->
                    error(HttpStatus.SERVICE_UNAVAILABLE, unavailable.sentence(), retryAfter(unavailable.retryAfter()));
            case PeerRefusal.WrongMethod wrong -> error(HttpStatus.METHOD_NOT_ALLOWED,
                    "Method not allowed, use " + wrong.allowed(), Map.of(HttpHeaders.ALLOW, wrong.allowed()));
            case PeerRefusal.Known known -> known(known);
        };
    }

    private record Waits(boolean success, String status, String message, UUID transferUuid, String askAgain) {}

    /** Not refused, and nothing to give yet: the same call again, later. */
    static Written waiting(PeerAnswer.Waiting waiting) {
        return new Written(HttpStatus.ACCEPTED, Written.JSON,
                JsonBody.write(new Waits(false, "pending_approval",
                        "The transfer waits for an operator's approval; send the same call again later",
                        waiting.transfer(), waiting.askAgain())),
                Map.of(HttpHeaders.RETRY_AFTER, Long.toString(waiting.retryAfter().toSeconds()), HttpHeaders.LOCATION,
                        waiting.askAgain()));
    }

    private static Answer known(PeerRefusal.Known refusal) {
        return switch (refusal) {
            case NO_SUCH_CALL, TABLE_NOT_FOUND -> error(HttpStatus.NOT_FOUND, refusal.sentence());
            case NOTHING_EXISTS -> new Answer(HttpStatus.NOT_FOUND, new Existence(false, false), Map.of());
            case NOT_ACCEPTABLE -> error(HttpStatus.NOT_ACCEPTABLE, refusal.sentence());
            case UNSUPPORTED_MEDIA_TYPE -> error(HttpStatus.UNSUPPORTED_MEDIA_TYPE, refusal.sentence());
            case BODY_TOO_LARGE -> error(HttpStatus.CONTENT_TOO_LARGE, refusal.sentence());
            case BODY_WITHOUT_LENGTH -> error(HttpStatus.LENGTH_REQUIRED, refusal.sentence(),
                    Map.of(HttpHeaders.CONNECTION, "close"));
            case TOO_MANY_FAILURES, TOO_MANY_AT_ONCE, TOO_MANY_REGISTRATIONS ->
                    error(HttpStatus.TOO_MANY_REQUESTS, refusal.sentence());
            case BODY_INCOMPLETE, MALFORMED_JSON, MALFORMED_QUERY, FIELD_TWICE, JSON_TOO_DEEP, NO_OBJECT,
                    INVALID_STATUS ->
                    error(HttpStatus.BAD_REQUEST, refusal.sentence());
            case INVALID_CONNECTION -> error(HttpStatus.UNAUTHORIZED, refusal.sentence());
            case UNEXPECTED -> error(HttpStatus.INTERNAL_SERVER_ERROR, refusal.sentence());
        };
    }

    private static Answer refused(Refusal refusal) {
        Map<String, String> headers = switch (refusal) {
            case DEADLINE_PASSED, PASSWORDS_BUSY, RATE_EXCEEDED -> retryAfter(SOON);
            case MODULE_DISABLED, INCOMING_DENIED, PASSWORD_REQUIRED, PASSWORD_INVALID, ALREADY_EXISTS, NOT_FOUND,
                    TOKEN_IN_USE, TOO_MANY_TOKENS, NOT_AWAITING_APPROVAL, NOT_ACTIVE, CONNECTION_EXPIRED,
                    ADDRESS_NOT_ALLOWED,
                    OUTSIDE_HOURS, DOWNLOAD_PASSWORD_REQUIRED, DOWNLOAD_PASSWORD_INVALID, TABLE_NOT_FOUND,
                    DOWNLOAD_LIMIT_REACHED, RECORD_LIMIT_REACHED, TRANSFER_DENIED, TRANSFER_UNKNOWN, GRANT_CLOSED,
                    NO_SENDER, CHANGED_SINCE, OPERATOR_EXISTS, OPERATOR_UNKNOWN, TOO_MANY_OPERATORS, TOO_LARGE,
                    NOT_DECIDABLE ->
                    Map.of();
        };
        return error(statusOf(refusal), refusal.sentence(), headers);
    }

    /** What a status alone says. */
    static Object plain(HttpStatus status) {
        return new Body(false, status.getReasonPhrase(), null);
    }

    /** The status of each refusal, for peers and operators alike. */
    static HttpStatus statusOf(Refusal refusal) {
        return switch (refusal) {
            case MODULE_DISABLED, DEADLINE_PASSED, PASSWORDS_BUSY -> HttpStatus.SERVICE_UNAVAILABLE;
            case INCOMING_DENIED, NOT_ACTIVE, CONNECTION_EXPIRED, ADDRESS_NOT_ALLOWED, OUTSIDE_HOURS,
                    DOWNLOAD_LIMIT_REACHED, RECORD_LIMIT_REACHED, TRANSFER_DENIED ->
                    HttpStatus.FORBIDDEN;
            case PASSWORD_REQUIRED, PASSWORD_INVALID, DOWNLOAD_PASSWORD_REQUIRED, DOWNLOAD_PASSWORD_INVALID ->
                    HttpStatus.UNAUTHORIZED;
            case RATE_EXCEEDED -> HttpStatus.TOO_MANY_REQUESTS;
            case ALREADY_EXISTS, TOKEN_IN_USE, TOO_MANY_TOKENS, NOT_AWAITING_APPROVAL, GRANT_CLOSED, NO_SENDER,
                    OPERATOR_EXISTS,
                    TOO_MANY_OPERATORS ->
                    HttpStatus.CONFLICT;
            case CHANGED_SINCE -> HttpStatus.PRECONDITION_FAILED;
            case NOT_FOUND, TABLE_NOT_FOUND, TRANSFER_UNKNOWN, OPERATOR_UNKNOWN -> HttpStatus.NOT_FOUND;
            case TOO_LARGE -> HttpStatus.CONTENT_TOO_LARGE;
            case NOT_DECIDABLE -> HttpStatus.INTERNAL_SERVER_ERROR;
        };
    }

    /** RFC 9457 problem details for an operator. */
    static Answer of(OperatorRefusal refusal) {
        return switch (refusal) {
            case OperatorRefusal.Invalid invalid -> problem(HttpStatus.BAD_REQUEST,
                    String.join("; ",
                            invalid.errors().stream().map(error -> error.field() + " " + error.detail()).toList()),
                    invalid.errors(), Map.of());
            case OperatorRefusal.Refused refused -> problem(statusOf(refused.refusal()), refused.refusal().sentence(),
                    null, Map.of());
            case OperatorRefusal.RefusedUntil refused -> problem(statusOf(refused.refusal()),
                    refused.refusal().sentence() + "; this is so until " + refused.until(), null, Map.of());
            case OperatorRefusal.NotFound notFound ->
                    problem(HttpStatus.NOT_FOUND, notFound.detail(), null, Map.of());
            case OperatorRefusal.Unavailable unavailable ->
                    problem(HttpStatus.SERVICE_UNAVAILABLE, unavailable.detail(), null, retryAfter(SOON));
            case OperatorRefusal.Unauthorized unauthorized -> problem(HttpStatus.UNAUTHORIZED, unauthorized.detail(),
                    null, Map.of(HttpHeaders.WWW_AUTHENTICATE, "Bearer realm=\"syncline\""));
            case OperatorRefusal.Forbidden forbidden ->
                    problem(HttpStatus.FORBIDDEN, forbidden.detail(), null, Map.of());
            case OperatorRefusal.NotConfigured notConfigured ->
                    problem(HttpStatus.FORBIDDEN, notConfigured.detail(), null, Map.of());
        };
    }

    /** What is the same for peers and operators, in the operators' form. */
    static Answer problem(PeerRefusal refusal) {
        Answer answer = of(refusal);
        String detail = answer.body() instanceof Body body ? body.error() : "";
        return problem(answer.status(), detail, null, answer.headers());
    }

    /** What a filter refuses, in the form of whoever is meant to read it. */
    static Written written(PeerRefusal refusal, boolean operators, Map<String, String> more) {
        Answer no = operators ? problem(refusal) : of(refusal);
        Map<String, String> headers = new HashMap<>(no.headers());
        headers.putAll(more);
        return new Written(no.status(), operators ? OperatorRoutes.PROBLEM : Written.JSON, JsonBody.write(no.body()),
                headers);
    }

    private static Answer problem(HttpStatus status, String detail, @Nullable List<OperatorRefusal.FieldProblem> errors,
            Map<String, String> headers) {
        return new Answer(status,
                new Problem("about:blank", status.getReasonPhrase(), status.value(), detail, errors), headers);
    }

    /** What a peer reads when something was thrown: what is away and may come back, or that we did not foresee it. */
    static PeerRefusal of(Throwable thrown) {
        if (found(thrown, StateDatabaseBehindException.class).isPresent()) {
            return DATABASE_AWAY;
        }
        if (thrown instanceof UnavailableException unavailable) {
            return new PeerRefusal.Unavailable(unavailable.sentence(), SOON);
        }
        return found(thrown, SQLException.class).map(SyncApiErrors::ofDatabase).orElse(PeerRefusal.Known.UNEXPECTED);
    }

    private static PeerRefusal ofDatabase(SQLException thrown) {
        return switch (state(thrown)) {
            // Query cancelled, lock not available: slow, not broken.
            case "57014", "55P03" ->
                    new PeerRefusal.Unavailable("The state database is too slow now; try again later", LATER);
            case String away when away.startsWith("08") || away.startsWith("57P") || away.startsWith("53")
                    || away.startsWith("28") || away.equals("3D000") || NOT_SET_UP.contains(away) -> DATABASE_AWAY;
            case String other -> PeerRefusal.Known.UNEXPECTED;
        };
    }

    /** What an operator reads of the same: the cause too, where there is something to do about it. */
    static Answer problem(Throwable thrown) {
        Optional<StateDatabaseBehindException> behind = found(thrown, StateDatabaseBehindException.class);
        if (behind.isPresent()) {
            return away("The state database is behind what is known to have happened, or that is not known: "
                    + behind.get().getMessage() + "; try again later");
        }
        if (found(thrown, SQLException.class).filter(sql -> NOT_SET_UP.contains(state(sql))).isPresent()) {
            return away("The state database is not set up yet: start a worker; try again later");
        }
        return problem(of(thrown));
    }

    private static Answer away(String detail) {
        return problem(HttpStatus.SERVICE_UNAVAILABLE, detail, null, retryAfter(LATER));
    }

    private static String state(SQLException thrown) {
        return thrown.getSQLState() == null ? "08" : thrown.getSQLState();
    }

    private static <T extends Throwable> Optional<T> found(Throwable thrown, Class<T> type) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (type.isInstance(cause)) {
                return Optional.of(type.cast(cause));
            }
        }
        return Optional.empty();
    }

    /** Writes one bounded line about what was thrown, and says what a peer reads. */
    static PeerRefusal logged(BoundedLog log, String call, UUID id, Throwable thrown) {
        PeerRefusal refusal = of(thrown);
        if (refusal instanceof PeerRefusal.Unavailable) {
            log.warn(call + thrown.getClass(), call + " cannot be answered now, request " + id + ": " + thrown);
        } else {
            log.error(call + thrown.getClass(), call + " failed, request " + id, thrown);
        }
        return refusal;
    }

    /** A refusal's name in the log; never anything of the call's own content. */
    static String word(PeerRefusal refusal) {
        return switch (refusal) {
            case PeerRefusal.Refused refused -> refused.refusal().word();
            case PeerRefusal.Known known -> known.name().toLowerCase(Locale.ROOT);
            case PeerRefusal.MissingFields missing -> "missing " + missing.fields();
            case PeerRefusal.MissingFieldsSentence missing -> "missing " + missing.fields();
            case PeerRefusal.InvalidFields invalid -> "invalid " + invalid.fields();
            case PeerRefusal.TooManyRequests tooMany -> Refusal.RATE_EXCEEDED.word();
            case PeerRefusal.Gone gone -> gone.sentence();
            case PeerRefusal.Unavailable unavailable -> unavailable.sentence();
            case PeerRefusal.WrongMethod wrong -> "method not allowed";
        };
    }

    static Map<String, String> retryAfter(Duration after) {
        return Map.of(HttpHeaders.RETRY_AFTER, Long.toString(Math.max(1, after.toSeconds())));
    }

    private static Answer error(HttpStatus status, String sentence) {
        return error(status, sentence, Map.of());
    }

    private static Answer error(HttpStatus status, String sentence, Map<String, String> headers) {
        return new Answer(status, new Body(false, sentence, null), headers);
    }

    private static Answer fields(HttpStatus status, String sentence, List<String> fields) {
        return new Answer(status, new Body(false, sentence, fields), Map.of());
    }
}
