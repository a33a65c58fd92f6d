package io.syncline.gateway.http;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.coyote.ErrorState;
import org.apache.coyote.Processor;
import org.apache.coyote.Request;
import org.apache.coyote.http11.Http11NioProtocol;
import org.apache.coyote.http11.Http11Processor;
import org.apache.tomcat.util.net.NioChannel;
import org.apache.tomcat.util.net.SocketWrapperBase;
import org.jspecify.annotations.Nullable;

/**
 * Tomcat's HTTP/1.1 with two bounds that it lacks: how long the head of a request may take in all (Tomcat bounds each wait
 * for a byte of it, which a caller who sends one at a time can repeat for hours), and how many connections one address may
 * hold. Named to Tomcat by its class, and made by it.
 */
public final class BoundedHttp extends Http11NioProtocol {

    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final long NOT_BEGUN = -1;
    private static final int BAD_REQUEST = 400;
    private static final int SERVER_ERROR = 500;

    private volatile Duration longestHead = Duration.ofSeconds(20);
    private volatile int connectionsPerAddress = Integer.MAX_VALUE;
    private @Nullable ScheduledFuture<?> looking;

    /** How long the head of a request may take, from its first byte to its last. */
    public void setLongestHead(Duration longest) {
        longestHead = longest;
    }

    public void setConnectionsPerAddress(int most) {
        connectionsPerAddress = most;
    }

    @Override
    public void start() throws Exception {
        super.start();
        looking = getUtilityExecutor().scheduleWithFixedDelay(this::cutOff, LOOK.toMillis(), LOOK.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    @Override
    public void stop() throws Exception {
        ScheduledFuture<?> running = looking;
        if (running != null) {
            running.cancel(false);
        }
        super.stop();
    }

    private void cutOff() {
        long now = System.nanoTime();
        Map<String, Integer> held = new HashMap<>();
        for (SocketWrapperBase<NioChannel> connection : getEndpoint().getConnections()) {
            boolean tooMany = connectionsPerAddress != Integer.MAX_VALUE
                    && held.merge(String.valueOf(connection.getRemoteAddr()), 1, Integer::sum) > connectionsPerAddress;
            if (tooMany || isSlow(connection, now)) {
                connection.close();
            }
        }
    }

    /** A connection has a processor of its own only between the pieces of a head that has begun and is not complete. */
    private boolean isSlow(SocketWrapperBase<NioChannel> connection, long now) {
        if (!(connection.getCurrentProcessor() instanceof Processor processor)) {
            return false;
        }
        Request request = processor.getRequest();
        return request != null && request.getStartTimeNanos() != NOT_BEGUN
                && now - request.getStartTimeNanos() > longestHead.toNanos();
    }

    @Override
    protected Processor createProcessor() {
        return new Http11Processor(this, getAdapter()) {

            /** What we do not speak (a version, a transfer coding) is the caller's mistake, and no fault of ours. */
            @Override
            protected void setErrorState(ErrorState errorState, @Nullable Throwable thrown) {
                if (response.getStatus() > SERVER_ERROR) {
                    response.setStatus(BAD_REQUEST);
                }
                super.setErrorState(errorState, thrown);
            }
        };
    }
}
