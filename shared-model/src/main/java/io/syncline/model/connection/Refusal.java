package io.syncline.model.connection;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** Why a request is refused: the closed list, each with the sentence that its caller reads. */
public enum Refusal {
    MODULE_DISABLED("DB Sync module is disabled"),
    INCOMING_DENIED("Incoming connections are not allowed"),
    PASSWORD_REQUIRED("Password required for incoming connections"),
    PASSWORD_INVALID("Invalid password"),
    ALREADY_EXISTS("Connection already exists for this site"),
    NOT_FOUND("Connection not found"),
    TOKEN_IN_USE("Another connection uses this token; choose another one, or leave auth_token out to have one made"),
    NOT_AWAITING_APPROVAL("The connection is not pending: only a pending connection can be approved"),
    DEADLINE_PASSED("The request came too late and was not applied; send it again"),
    TOO_LARGE("The request is too large to be kept in the event log; shorten its texts and lists"),
    NOT_DECIDABLE("The request could not be decided and was not applied; the worker's log has the cause");

    private final String sentence;

    Refusal(String sentence) {
        this.sentence = sentence;
    }

    public String sentence() {
        return sentence;
    }

    @JsonValue
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    @JsonCreator
    static Refusal of(String word) {
        return valueOf(word.toUpperCase(Locale.ROOT));
    }
}
