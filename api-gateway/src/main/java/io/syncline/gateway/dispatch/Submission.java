package io.syncline.gateway.dispatch;

import io.syncline.model.connection.Outcome;

/** What became of a request. */
public sealed interface Submission {

    /** It was decided, and this is its one outcome. */
    record Decided(Outcome outcome) implements Submission {}

    /**
     * It had no effect and will have none.
     *
     * @param why   for whoever sent it: nothing of how we are made
     * @param cause for operators
     */
    record NotApplied(String why, String cause) implements Submission {

        /** Where there is no more to say. */
        public NotApplied(String why) {
            this(why, why);
        }
    }

    /** It may have been decided, or be decided yet; nobody can say now. */
    record NotKnown() implements Submission {}

    /** It was not sent: as many as we can keep are waiting already. */
    record Busy() implements Submission {}
}
