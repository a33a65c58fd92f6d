package io.syncline.benchmarks.load;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one request outstanding on each of so many open connections.
 *
 * <p>One thread and a selector for all of them: a thread for each connection would spend more on being woken than on the
 * work, on the cores that the site under load needs.
 */
public final class LoadGenerator implements AutoCloseable {

    private static final long HIGHEST_MICROS = TimeUnit.MINUTES.toMicros(2);
    private static final Duration DRAIN = Duration.ofSeconds(15);

    private final Selector selector;
    private final List<Peer> peers = new ArrayList<>();
    private final RequestSource requests;
    private final LongSupplier nanoTime;
    private final ByteBuffer incoming = ByteBuffer.allocateDirect(64 * 1024);

    private long measureFrom;
    private long until;
    private int outstanding;
    private long answered;
    private long failed;
    private @Nullable String failure;
    private Histogram micros = histogram();

    public LoadGenerator(InetSocketAddress address, int connections, RequestSource requests) throws IOException {
        this(address, connections, requests, System::nanoTime);
    }

    LoadGenerator(InetSocketAddress address, int connections, RequestSource requests, LongSupplier nanoTime)
            throws IOException {
        this.selector = Selector.open();
        this.requests = requests;
        this.nanoTime = nanoTime;
        for (int i = 0; i < connections; i++) {
            peers.add(new Peer(address));
        }
    }

    /**
     * Loads, and measures what is answered in a window behind the lead-in.
     *
     * @throws IOException when a connection breaks, or answers stay away: there is nothing to report then
     */
    public Slice run(Duration leadIn, Duration measured) throws IOException {
        micros = histogram();
        answered = 0;
        failed = 0;
        failure = null;
        long now = nanoTime.getAsLong();
        measureFrom = now + leadIn.toNanos();
        until = measureFrom + measured.toNanos();
        for (Peer peer : peers) {
            peer.send();
        }
        while (outstanding > 0) {
            selector.select(key -> ((Peer) key.attachment()).receive(), 1000);
            for (Peer peer : peers) {
                if (peer.broken != null) {
                    throw peer.broken;
                }
            }
            if (nanoTime.getAsLong() - until > DRAIN.toNanos()) {
                throw new IOException("%d requests were not answered within %s".formatted(outstanding, DRAIN));
            }
        }
        return new Slice(measured, answered, failed, failure, micros);
    }

    @Override
    public void close() throws IOException {
        for (Peer peer : peers) {
            peer.channel.close();
        }
        selector.close();
    }

    private static Histogram histogram() {
        return new Histogram(HIGHEST_MICROS, 3);
    }

    private void answered(long sentAt, AnswerReader answer) {
        outstanding--;
        long now = nanoTime.getAsLong();
        if (now - measureFrom >= 0 && now - until < 0) {
            if (answer.status() == 200) {
                answered++;
                micros.recordValue(Math.min(HIGHEST_MICROS, (now - sentAt) / 1000));
            } else {
                failed++;
                failure = answer.text();
            }
        }
    }

    /** One connection. */
    private final class Peer {

        private final InetSocketAddress address;
        private SocketChannel channel;
        private final AnswerReader answer = new AnswerReader();
        private long sentAt;
        private @Nullable IOException broken;

        Peer(InetSocketAddress address) throws IOException {
            this.address = address;
            this.channel = connect();
        }

        private SocketChannel connect() throws IOException {
            SocketChannel connected = SocketChannel.open(address);
            connected.configureBlocking(false);
            connected.setOption(StandardSocketOptions.TCP_NODELAY, true);
            connected.register(selector, SelectionKey.OP_READ, this);
            return connected;
        }

        void send() throws IOException {
            ByteBuffer request = ByteBuffer.wrap(requests.next());
            outstanding++;
            sentAt = nanoTime.getAsLong();
            // A request is far smaller than the socket's buffer, which is empty now: this never turns twice.
            while (request.hasRemaining()) {
                channel.write(request);
            }
        }

        void receive() {
            try {
                incoming.clear();
                if (channel.read(incoming) < 0) {
                    throw new IOException("the site closed a connection");
                }
                incoming.flip();
                if (answer.take(incoming)) {
                    answered(sentAt, answer);
                    if (answer.last()) {
                        channel.close();
                        channel = connect();
                    }
                    answer.reset();
                    if (nanoTime.getAsLong() - until < 0) {
                        send();
                    }
                }
            } catch (IOException e) {
                broken = e;
            }
        }
    }
}
