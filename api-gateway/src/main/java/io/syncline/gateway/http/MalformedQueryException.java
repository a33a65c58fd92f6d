package io.syncline.gateway.http;

/** A query of which no parameters can be made. */
public final class MalformedQueryException extends Exception {

    private static final long serialVersionUID = 1L;

    MalformedQueryException(IllegalStateException cause) {
        super("the query is malformed", cause);
    }
}
