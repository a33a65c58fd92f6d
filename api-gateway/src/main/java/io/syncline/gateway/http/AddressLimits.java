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
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
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
    private final Duration patience;
    private final BoundedLog log;
    private final Map<PeerRefusal.Known, LongAdder> refused = new EnumMap<>(Map.of(
            PeerRefusal.Known.TOO_MANY_FAILURES, new LongAdder(), PeerRefusal.Known.TOO_MANY_AT_ONCE, new LongAdder(),
            PeerRefusal.Known.TOO_MANY_REGISTRATIONS, new LongAdder()));

    /**
     * @param prefix   what stands before {@code /sync/api} in the peers' paths
     * @param gateways how many share each limit
     * @param patience how long a call waits where all that are still allowed to fail are under way
     */
    public AddressLimits(String prefix, int failuresPerMinute, int registrationsPerMinute, IntSupplier gateways,
            LongSupplier nanoTime, Duration patience, BoundedLog log) {
        this.root = PeerRoutes.root(prefix);
        this.failures = new AddressCounts(failuresPerMinute, gateways, nanoTime);
        this.registrations = new AddressCounts(registrationsPerMinute, gateways, nanoTime);
        this.patience = patience;
        this.log = log;
    }

    /** How many calls each of these limits has refused. */
    public Map<String, Long> refused() {
        Map<String, Long> all = new TreeMap<>();
        refused.forEach((refusal, calls) -> all.put(refusal.name().toLowerCase(Locale.ROOT), calls.sum()));
        return all;
    }

    /** Says before the end of a call that its credentials are right: what is streamed takes its time. */
    static void accepted(HttpServletRequest request) {
        if (request.getAttribute(Place.class.getName()) instanceof Place place) {
            place.leave(false);
        }
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
        switch (enter(address)) {
            case EXHAUSTED ->
                    refuse(PeerRefusal.Known.TOO_MANY_FAILURES, failures.untilNext(), operators, address, answer);
            case CROWDED ->
                    refuse(PeerRefusal.Known.TOO_MANY_AT_ONCE, SyncApiErrors.SOON, operators, address, answer);
            case IN -> {
                Place place = new Place(address);
                String call = peers ? path.substring(root.length()) : "";
                try {
                    http.setAttribute(Place.class.getName(), place);
                    if (call.equals(SyncPaths.REGISTER_CONNECTION) && http.getMethod().equals("POST")
                            && !registrations.admits(address)) {
                        refuse(PeerRefusal.Known.TOO_MANY_REGISTRATIONS, registrations.untilNext(), operators, address,
                                answer);
                    } else {
                        chain.doFilter(request, response);
                    }
                } finally {
                    int status = answer.getStatus();
                    place.leave(status == UNAUTHORIZED || (status == NOT_FOUND && TOLD_BY_404.contains(call)));
                }
            }
        }
    }

    private AddressCounts.Entry enter(String address) {
        try {
            return failures.enter(address, patience);
        } catch (InterruptedException e) {
            // The gateway is stopping.
            Thread.currentThread().interrupt();
            return AddressCounts.Entry.CROWDED;
        }
    }

    /** Where a call is while it is not known whether its credentials are wrong. */
    private final class Place {

        private final String address;
        private final AtomicBoolean left = new AtomicBoolean();

        Place(String address) {
            this.address = address;
        }

        void leave(boolean wrong) {
            if (left.compareAndSet(false, true)) {
                failures.leave(address, wrong);
            }
        }
    }

    private static boolean isBelow(String path, String root) {
        return path.startsWith(root) && (path.length() == root.length() || path.charAt(root.length()) == '/');
    }

    private void refuse(PeerRefusal.Known refusal, Duration until, boolean operators, String address,
            HttpServletResponse response) throws IOException {
        Objects.requireNonNull(refused.get(refusal)).increment();
        log.warn(refusal.name(), refusal.sentence() + ": " + address);
        SyncApiErrors.written(refusal, operators, SyncApiErrors.retryAfter(until)).writeTo(response);
    }
}
