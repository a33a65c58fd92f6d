package io.syncline.gateway.http;

import io.syncline.model.api.SyncPaths;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * Who presents wrong credentials again and again is refused for the rest of the minute, whatever is presented then: else
 * guessing would go on, only slower to be told. Registrations are bounded likewise.
 */
public final class AddressLimits implements Filter {

    /** Calls whose 404 says that a credential was wrong. */
    private static final Set<String> TOLD_BY_404 = Set.of(SyncPaths.VERIFY_CONNECTION, SyncPaths.UPDATE_STATUS,
            SyncPaths.DELETE_CONNECTION, SyncPaths.GET_CONNECTION_STATUS);
    private static final int UNAUTHORIZED = 401;
    private static final int NOT_FOUND = 404;

    private final String root;
    private final AddressCounts failures;
    private final AddressCounts registrations;
    private final BoundedLog log;
    private final AtomicLong refused = new AtomicLong();

    /**
     * @param prefix   what stands before {@code /sync/api} in the peers' paths
     * @param gateways how many share each limit
     */
    public AddressLimits(String prefix, int failuresPerMinute, int registrationsPerMinute, IntSupplier gateways,
            LongSupplier nanoTime, BoundedLog log) {
        this.root = PeerRoutes.root(prefix);
        this.failures = new AddressCounts(failuresPerMinute, gateways, nanoTime);
        this.registrations = new AddressCounts(registrationsPerMinute, gateways, nanoTime);
        this.log = log;
    }

    /** How many calls these limits have refused. */
    public long refused() {
        return refused.get();
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        HttpServletRequest http = (HttpServletRequest) request;
        HttpServletResponse answer = (HttpServletResponse) response;
        String path = http.getRequestURI();
        boolean operators = isBelow(path, OperatorRoutes.ROOT);
        boolean peers = isBelow(path, root);
        if (!operators && !peers) {
            chain.doFilter(request, response);
            return;
        }
        String address = http.getRemoteAddr();
        if (failures.exhausted(address)) {
            refuse(PeerRefusal.Known.TOO_MANY_FAILURES, failures.untilNext(), operators, address, answer);
            return;
        }
        String call = peers ? path.substring(root.length()) : "";
        if (call.equals(SyncPaths.REGISTER_CONNECTION) && http.getMethod().equals("POST")
                && !registrations.admits(address)) {
            refuse(PeerRefusal.Known.TOO_MANY_REGISTRATIONS, registrations.untilNext(), operators, address, answer);
            return;
        }
        chain.doFilter(request, response);
        int status = answer.getStatus();
        if (status == UNAUTHORIZED || (status == NOT_FOUND && TOLD_BY_404.contains(call))) {
            failures.count(address);
        }
    }

    private static boolean isBelow(String path, String root) {
        return path.startsWith(root) && (path.length() == root.length() || path.charAt(root.length()) == '/');
    }

    private void refuse(PeerRefusal.Known refusal, Duration until, boolean operators, String address,
            HttpServletResponse response) throws IOException {
        refused.incrementAndGet();
        log.warn(refusal.name(), refusal.sentence() + ": " + address);
        SyncApiErrors.written(refusal, operators, SyncApiErrors.retryAfter(until)).writeTo(response);
    }
}
