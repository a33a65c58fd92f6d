package io.syncline.worker.capture;

import org.jspecify.annotations.Nullable;

/**
 * The state database does not say what this capturer has written to it: it is restored to an earlier moment, or has failed over to
 * a standby that lacks the last commits, or somebody has changed it. Nothing of what it says is gone on with.
 */
final class StateWentBackException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    static final String REMEDY = "every table is read again by itself, and its old copy is served meanwhile";

    private final String lacking;

    /** @param lacking what the state database says, and what it should */
    StateWentBackException(String lacking) {
        super(sentence(lacking));
        this.lacking = lacking;
    }

    String lacking() {
        return lacking;
    }

    static String sentence(String lacking) {
        return "the state database does not have what capture has written to it, as after a restore or a failover that lost"
                + " commits: " + lacking;
    }

    /** What lies behind a failure, or null. Debezium wraps what is thrown in its thread. */
    static @Nullable StateWentBackException in(@Nullable Throwable failure) {
        for (Throwable inner = failure; inner != null; inner = inner.getCause()) {
            if (inner instanceof StateWentBackException found) {
                return found;
            }
        }
        return null;
    }
}
