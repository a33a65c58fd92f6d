package io.syncline.gateway.http;

import io.syncline.model.connection.Refusal;
import java.time.Duration;
import java.util.List;

/** Why a peer's call gets no 200: the closed list of which {@link SyncApiErrors} knows statuses and bodies. */
public sealed interface PeerRefusal {

    /** Required fields are absent, null or empty, in the order of the protocol's table. */
    record MissingFields(List<String> fields) implements PeerRefusal {

        public MissingFields {
            fields = List.copyOf(fields);
        }
    }

    /** The same in the form that {@code table-schema} and {@code table-records} answer: a sentence, no {@code fields}. */
    record MissingFieldsSentence(List<String> fields) implements PeerRefusal {

        public MissingFieldsSentence {
            fields = List.copyOf(fields);
        }
    }

    /** Fields hold something of another kind, or too much of it. */
    record InvalidFields(List<String> fields) implements PeerRefusal {

        public InvalidFields {
            fields = List.copyOf(fields);
        }
    }

    /** What the domain refuses, whether a worker decided it or the committed state settled it. */
    record Refused(Refusal refusal) implements PeerRefusal {}

    /** More calls than the connection allows in a minute. */
    record TooManyRequests(Duration retryAfter) implements PeerRefusal {}

    /** What was asked for cannot be had any more, in this way. */
    record Gone(String sentence) implements PeerRefusal {}

    /** What cannot be done now, and may be tried again. */
    record Unavailable(String sentence, Duration retryAfter) implements PeerRefusal {}

    /** A call by a method that its path does not take. */
    record WrongMethod(String allowed) implements PeerRefusal {}

    /** Refusals that are the same each time. */
    enum Known implements PeerRefusal {
        NO_SUCH_CALL("Not found"), NOT_ACCEPTABLE(
                "Answers are application/json, which the Accept header does not admit"),
        UNSUPPORTED_MEDIA_TYPE(
                "The body must be application/json in UTF-8"),
        BODY_TOO_LARGE(
                "The body has more than " + JsonBody.MAX_BYTES + " bytes"),
        BODY_INCOMPLETE(
                "The body did not arrive whole"),
        MALFORMED_JSON(
                "The body is not valid JSON"),
        MALFORMED_QUERY("The query must be name=value, with & between them, in UTF-8 and percent-encoded"),
        FIELD_TWICE("The body names a field twice"),
        JSON_TOO_DEEP(
                "The body nests deeper than " + JsonBody.MAX_DEPTH + ", or has a name or a number that is too long"),
        BODY_WITHOUT_LENGTH("A body comes with its length: send Content-Length, not Transfer-Encoding"),
        TOO_MANY_FAILURES("Too many refused credentials from this address; try again later"),
        TOO_MANY_AT_ONCE("Too many calls from this address at once; try again later"),
        TOO_MANY_REGISTRATIONS("Too many registrations from this address; try again later"),
        NO_OBJECT("The body must be a JSON object"),
        /** {@code update-status} to something that is no status a sender may set. */
        INVALID_STATUS("Invalid status value"),
        /** {@code verify-connection}: no record matches. */
        NOTHING_EXISTS(""), INVALID_CONNECTION("Invalid connection"), TABLE_NOT_FOUND("Table not found"),
        /** Something we did not foresee; the log has it. */
        UNEXPECTED("Internal error");

        private final String sentence;

        Known(String sentence) {
            this.sentence = sentence;
        }

        String sentence() {
            return sentence;
        }
    }
}
