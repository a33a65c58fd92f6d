package io.syncline.model.testing;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;

/**
 * A port for a server that is yet to come, or that goes and comes back. A port that was only looked up may be somebody else's
 * by then. This one is bound, so that nobody is given it, and nobody listens at it, so that a server may, if it reuses
 * addresses as servers do.
 */
public final class HeldPort implements AutoCloseable {

    private final Socket holder = new Socket();

    public HeldPort() throws IOException {
        holder.setReuseAddress(true);
        holder.bind(new InetSocketAddress(0));
    }

    public int number() {
        return holder.getLocalPort();
    }

    @Override
    public void close() throws IOException {
        holder.close();
    }
}
