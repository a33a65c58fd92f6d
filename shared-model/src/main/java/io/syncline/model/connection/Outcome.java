package io.syncline.model.connection;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** How a request was decided; stored by request id and sent as the reply. */
public sealed interface Outcome {

    /**
     * The request took effect, or what it asks for held already.
     *
     * @param connectionUuid the record concerned, null where there is none left or it was about the settings
     * @param status         the status in force after the decision, null likewise
     */
    record Accepted(@Nullable UUID connectionUuid, @Nullable ConnectionStatus status) implements Outcome {

        public static final Accepted WITHOUT_RECORD = new Accepted(null, null);
    }

    /**
     * Rows of a table may be given away.
     *
     * @param records how many at most; for how long, the one who asked has said
     */
    record Granted(UUID grant, long records) implements Outcome {}

    /** A pull waits for an operator. */
    record AwaitingApproval(UUID transfer) implements Outcome {}

    /** The request had no effect. */
    record Refused(Refusal refusal) implements Outcome {}
}
