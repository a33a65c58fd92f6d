package io.syncline.worker.connection;

import java.time.Duration;

/** Lets the same words into the log once in a while only. Not for several threads at once. */
final class Repeated {

    private final Duration again;
    private String last = "";
    private long at;

    Repeated(Duration again) {
        this.again = again;
    }

    /** Whether other words were the last ones, or these are long ago. */
    boolean isDue(String words) {
        long now = System.nanoTime();
        if (words.equals(last) && now - at < again.toNanos()) {
            return false;
        }
        last = words;
        at = now;
        return true;
    }
}
