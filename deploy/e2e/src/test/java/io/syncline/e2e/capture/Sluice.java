package io.syncline.e2e.capture;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The way to a source, which a test can shut: nobody is then given more than the beginning of a long answer, so that whoever reads a
 * large table is in the middle of it until the way is opened again, however fast or slow the machine is. Short answers pass.
 */
final class Sluice implements AutoCloseable {

    private static final InetAddress HERE = InetAddress.ofLiteral("127.0.0.1");
    private static final int BEGINNING = 1 << 20;
    /** Small, so that the source cannot pour a table into the way itself. */
    private static final int ROOM = 1 << 16;

    private final int source;
    private final ServerSocket entrance;
    private boolean shut;

    /** @param source the port that it leads to */
    Sluice(int source) {
        this.source = source;
        try {
            entrance = new ServerSocket(0, 50, HERE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofVirtual().name("sluice").start(this::admit);
    }

    /** A database of the source, for JDBC. */
    String url(String database) {
        return "jdbc:postgresql://127.0.0.1:%s/%s".formatted(Integer.toString(entrance.getLocalPort()), database);
    }

    synchronized void shut() {
        shut = true;
    }

    synchronized void open() {
        shut = false;
        notifyAll();
    }

    @Override
    public void close() {
        open();
        try {
            entrance.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void admit() {
        while (!entrance.isClosed()) {
            try {
                Socket client = entrance.accept();
                Thread.ofVirtual().name("sluice-answers").start(() -> lead(client));
            } catch (IOException e) {
                // Closed, or whoever came has gone already.
            }
        }
    }

    private void lead(Socket client) {
        try (client; Socket server = new Socket()) {
            server.setReceiveBufferSize(ROOM);
            server.connect(new InetSocketAddress(HERE, source));
            server.setTcpNoDelay(true);
            client.setTcpNoDelay(true);
            AtomicLong answered = new AtomicLong();
            Thread.ofVirtual().name("sluice-questions").start(() -> ask(client, server, answered));
            InputStream answers = server.getInputStream();
            byte[] buffer = new byte[ROOM];
            for (int n = answers.read(buffer); n >= 0; n = answers.read(buffer)) {
                answered.addAndGet(n);
                awaitOpen(answered);
                client.getOutputStream().write(buffer, 0, n);
            }
        } catch (IOException e) {
            // One of the two has ended, and with that the other's session does.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** @param answered bytes since the last question */
    private void ask(Socket client, Socket server, AtomicLong answered) {
        // At its end the source is told, also where an answer stands in the way.
        try (server) {
            InputStream questions = client.getInputStream();
            byte[] buffer = new byte[ROOM];
            for (int n = questions.read(buffer); n >= 0; n = questions.read(buffer)) {
                begin(answered);
                server.getOutputStream().write(buffer, 0, n);
            }
        } catch (IOException e) {
            // As above.
        }
    }

    private synchronized void begin(AtomicLong answered) {
        answered.set(0);
        notifyAll();
    }

    private synchronized void awaitOpen(AtomicLong answered) throws InterruptedException {
        while (shut && answered.get() > BEGINNING) {
            wait();
        }
    }
}
