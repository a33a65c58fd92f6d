package io.syncline.worker.capture;

/** Somebody else has taken a newer epoch: what this capturer still does is void, and it must not write. */
final class SupersededException extends Exception {

    SupersededException(long epoch) {
        super("epoch " + epoch + " is not the newest any more: another worker captures");
    }
}
