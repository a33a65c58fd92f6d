package io.syncline.gateway.http;

/** What answers one call of the peers' protocol. */
@FunctionalInterface
public interface PeerHandler {

    /** The answer; what is thrown becomes a 500, or a 503 where something we depend on is away. */
    PeerAnswer answer(PeerCall call) throws Exception;
}
