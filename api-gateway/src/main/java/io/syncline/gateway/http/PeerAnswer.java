package io.syncline.gateway.http;

import java.io.IOException;
import java.io.OutputStream;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;

/** What a peer gets. */
public sealed interface PeerAnswer {

    /** 200 with this body, its property names in snake_case. */
    record Ok(Object body, Map<String, String> headers) implements PeerAnswer {}

    /**
     * 200 with JSON that is written as it is read.
     *
     * @param lines whether it is many JSON values, a line each
     */
    record Streamed(JsonStream stream, boolean lines, Map<String, String> headers) implements PeerAnswer {}

    /**
     * 202: an operator has to say yes first.
     *
     * @param askAgain the path to send the same call to
     */
    record Waiting(UUID transfer, String askAgain, Duration retryAfter) implements PeerAnswer {}

    record No(PeerRefusal refusal) implements PeerAnswer {}

    /** Writes a JSON body as it comes. */
    @FunctionalInterface
    interface JsonStream {

        /**
         * Writes the whole body. What is thrown before the first bytes have left becomes an error answer; later it breaks the
         * connection off, so that nobody takes a part for the whole.
         */
        void writeTo(OutputStream out) throws IOException, SQLException;
    }

    static PeerAnswer ok(Object body) {
        return new Ok(body, Map.of());
    }

    static PeerAnswer ok(Object body, Map<String, String> headers) {
        return new Ok(body, headers);
    }

    static PeerAnswer streamed(JsonStream stream, boolean lines, Map<String, String> headers) {
        return new Streamed(stream, lines, headers);
    }

    static PeerAnswer waiting(UUID transfer, String askAgain, Duration retryAfter) {
        return new Waiting(transfer, askAgain, retryAfter);
    }

    static PeerAnswer refused(PeerRefusal refusal) {
        return new No(refusal);
    }
}
