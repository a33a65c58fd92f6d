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
    TOO_MANY_TOKENS(
            "As many tokens before the present one are taken as may be; rotate again when one of them has ended, or with"
                    + " overlap_seconds 0, which ends them all"),
    NOT_AWAITING_APPROVAL("The connection is not pending: only a pending connection can be approved"),
    NOT_ACTIVE("Connection is not active"),
    CONNECTION_EXPIRED("Connection has expired"),
    ADDRESS_NOT_ALLOWED("IP address not allowed"),
    OUTSIDE_HOURS("Outside allowed hours"),
    RATE_EXCEEDED("Too many requests"),
    DOWNLOAD_PASSWORD_REQUIRED("Download password required"),
    DOWNLOAD_PASSWORD_INVALID("Invalid download password"),
    PASSWORDS_BUSY("Too many passwords are being checked; try again later"),
    TABLE_NOT_FOUND("Table not found"),
    DOWNLOAD_LIMIT_REACHED("Download limit reached"),
    RECORD_LIMIT_REACHED("Record limit reached"),
    TRANSFER_DENIED("An operator has denied this transfer"),
    TRANSFER_UNKNOWN("There is no such transfer, or it has expired"),
    GRANT_CLOSED("The grant is closed already"),
    NO_SENDER("Only a sender connection has limits and a token of ours: this one mirrors what its sender decides"),
    CHANGED_SINCE("It has been changed since it was read; read it again, and say what is still meant"),
    OPERATOR_EXISTS("There is an operator of this name already; remove that one first, or choose another name"),
    OPERATOR_UNKNOWN("There is no operator of this name"),
    TOO_MANY_OPERATORS("There are as many operators as there may be; remove one first"),
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
