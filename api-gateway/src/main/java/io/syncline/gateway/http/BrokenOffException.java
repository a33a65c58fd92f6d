package io.syncline.gateway.http;

import java.io.IOException;

/** Thrown while an answer is streamed: it ends here, by our own will. What it says is for the caller to read, and for the log. */
public final class BrokenOffException extends IOException {

    private static final long serialVersionUID = 1L;

    public BrokenOffException(String sentence) {
        super(sentence);
    }

    String sentence() {
        return String.valueOf(getMessage());
    }
}
