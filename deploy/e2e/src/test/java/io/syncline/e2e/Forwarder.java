package io.syncline.e2e;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** An address of a server that a test can cut off from its clients, or move to another server. */
public final class Forwarder implements AutoCloseable {

    private static final InetAddress HERE = InetAddress.ofLiteral("127.0.0.1");
    private static final int BUFFER = 1 << 15;

    private final ServerSocket entrance;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private volatile int target;
    private volatile boolean cut;

    /** @param target the port of the server */
    Forwarder(int target) {
        this.target = target;
        try {
            entrance = new ServerSocket(FreePort.next(), 100, HERE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofPlatform().daemon().name("forwarder-" + entrance.getLocalPort()).start(this::admit);
    }

    int port() {
        return entrance.getLocalPort();
    }

    /** A server's death as its clients see it: connections break, new ones are refused at once. */
    public void cut() {
        cut = true;
        closeAll();
    }

    public void join() {
        cut = false;
    }

    /** From now on new connections go there, and those to the server before are broken. */
    void leadTo(int port) {
        target = port;
        closeAll();
    }

    @Override
    public void close() {
        cut = true;
        quietly(entrance);
        closeAll();
    }

    private void closeAll() {
        open.forEach(Forwarder::quietly);
    }

    private void admit() {
        while (!entrance.isClosed()) {
            try {
                Socket client = entrance.accept();
                Thread.ofVirtual().start(() -> lead(client));
            } catch (IOException e) {
                // Closed, or the client has gone already.
            }
        }
    }

    private void lead(Socket client) {
        Socket server = new Socket();
        open.add(client);
        open.add(server);
        try (client; server) {
            int port = target;
            if (cut) {
                return;
            }
            server.connect(new InetSocketAddress(HERE, port));
            server.setTcpNoDelay(true);
            client.setTcpNoDelay(true);
            // Cut or moved between the look and here: these two were not yet open then.
            if (cut || port != target) {
                return;
            }
            Thread back = Thread.ofVirtual().start(() -> pump(server, client));
            pump(client, server);
            back.join();
        } catch (IOException e) {
            // The server is away, as the client sees now.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            open.remove(client);
            open.remove(server);
        }
    }

    /** When one side ends, the other one's connection ends too. */
    private static void pump(Socket from, Socket to) {
        try (from; to) {
            InputStream in = from.getInputStream();
            byte[] buffer = new byte[BUFFER];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                to.getOutputStream().write(buffer, 0, n);
            }
        } catch (IOException e) {
            // One of the two has gone.
        }
    }

    private static void quietly(AutoCloseable one) {
        try {
            one.close();
        } catch (Exception e) {
            // It is closed already.
        }
    }
}
