package io.syncline.worker.connection;

/** A sender record of another site has the token that a new one brings. */
final class TokenTakenException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    TokenTakenException(Throwable cause) {
        super("another sender record has this token", cause);
    }
}
