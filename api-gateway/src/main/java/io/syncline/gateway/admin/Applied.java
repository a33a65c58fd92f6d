package io.syncline.gateway.admin;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.syncline.gateway.dispatch.Submission;
import io.syncline.gateway.http.OperatorAnswer;
import io.syncline.model.connection.ConnectionStatus;
import io.syncline.model.connection.Outcome;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The answer to a change that took effect. As a rule it shows what is there now, which takes another read. That read may
 * fail, and what was changed may be gone by then; the change holds all the same, and its answer says so from the outcome.
 */
final class Applied {

    private static final Logger log = LoggerFactory.getLogger(Applied.class);

    private Applied() {}

    /**
     * @param applied always true: the change holds
     * @param uuid    of the connection, as the outcome has it; absent where it concerns none
     * @param status  the one in force after the change, as the outcome has it; absent likewise
     * @param detail  why there is no more to see
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record AppliedView(boolean applied, @Nullable UUID uuid, @Nullable ConnectionStatus status, String detail) {}

    /** Reads what is there now; empty where it is gone. */
    @FunctionalInterface
    interface Look<T> {
        Optional<T> look() throws SQLException;
    }

    /** What was read, or no more than the outcome says. */
    static OperatorAnswer show(Submission accepted, Look<OperatorAnswer> look) {
        try {
            return look.look().orElseGet(() -> view(accepted, "it was removed or closed right after the change"));
        } catch (SQLException | RuntimeException e) {
            log.warn("An operator's change is applied, and cannot be shown now: {}", e.toString());
            return view(accepted, "it cannot be shown now, look again later");
        }
    }

    /** What an answer would have beside the outcome; empty where it cannot be read. */
    static <T> Optional<T> orNothing(Look<T> look) {
        try {
            return look.look();
        } catch (SQLException | RuntimeException e) {
            log.warn("Part of the answer to an operator's call cannot be read now: {}", e.toString());
            return Optional.empty();
        }
    }

    private static OperatorAnswer view(Submission accepted, String detail) {
        return accepted instanceof Submission.Decided(Outcome.Accepted(UUID uuid, ConnectionStatus status))
                ? new OperatorAnswer.Ok(new AppliedView(true, uuid, status, detail))
                : new OperatorAnswer.Ok(new AppliedView(true, null, null, detail));
    }
}
