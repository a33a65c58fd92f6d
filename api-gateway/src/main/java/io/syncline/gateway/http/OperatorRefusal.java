package io.syncline.gateway.http;

import io.syncline.model.connection.Refusal;
import java.time.Instant;
import java.util.List;

/** Why an operator's call does not succeed; answered as RFC 9457 problem details. */
public sealed interface OperatorRefusal {

    /** A field and what is wrong with it. */
    record FieldProblem(String field, String detail) {}

    /** Fields are missing, unknown, or hold no such value. */
    record Invalid(List<FieldProblem> errors) implements OperatorRefusal {

        public Invalid {
            errors = List.copyOf(errors);
        }

        public Invalid(String field, String detail) {
            this(List.of(new FieldProblem(field, detail)));
        }
    }

    /** A worker decided so. */
    record Refused(Refusal refusal) implements OperatorRefusal {}

    /** A worker decided so, and would not from then on. */
    record RefusedUntil(Refusal refusal, Instant until) implements OperatorRefusal {}

    record NotFound(String detail) implements OperatorRefusal {}

    /** The call could not be done now; the detail says whether it may have been applied all the same. */
    record Unavailable(String detail) implements OperatorRefusal {}

    /** No token, or another one. */
    record Unauthorized(String detail) implements OperatorRefusal {}

    /** The token is known, and does not allow this. */
    record Forbidden(String detail) implements OperatorRefusal {}

    /** Neither a token nor an issuer is configured, so nobody can be known. */
    record NotConfigured(String detail) implements OperatorRefusal {}
}
