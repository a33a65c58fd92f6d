package io.syncline.gateway.http;

/** Thrown while an answer is made: it cannot be given now. What it says is for the caller to read. */
public final class UnavailableException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public UnavailableException(String sentence, Throwable cause) {
        super(sentence, cause);
    }

    String sentence() {
        return String.valueOf(getMessage());
    }
}
