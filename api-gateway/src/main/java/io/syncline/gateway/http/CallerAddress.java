package io.syncline.gateway.http;

import io.syncline.model.connection.AddressRange;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Who calls: the address of the socket. Only where that is a trusted proxy's, what the proxies say: the last hop that is
 * none of them, or {@code unknown} where they do not say it. Everything that asks for the remote address behind this
 * filter gets that one.
 */
public final class CallerAddress implements Filter {

    private static final String FORWARDED_FOR = "X-Forwarded-For";
    private static final String FORWARDED = "Forwarded";
    /** Hops further away than this are not looked at: the header is anybody's to fill. */
    private static final int MOST_HOPS = 32;
    /** Where a proxy calls for somebody of whom it cannot be said who that is. No address, so on no list of addresses. */
    private static final String UNKNOWN = "unknown";
    /** RFC 7239: one parameter, its value a token or quoted without escapes, and what separates it from the next one. */
    private static final Pattern PARAMETER = Pattern
            .compile("\\s*+([^\\s\"=;,]++)=(?:\"([^\"\\\\]*+)\"|([^\\s\"=;,]++))\\s*+([;,]|\\z)");
    private static final Pattern BRACKETS = Pattern.compile("\\[([^]]*)](?::[0-9]{1,5})?");
    private static final Pattern PORT = Pattern.compile("([0-9.]+):[0-9]{1,5}");

    private static final List<String> NOBODY = List.of("");

    private final List<AddressRange> trusted;

    public CallerAddress(List<AddressRange> trusted) {
        this.trusted = List.copyOf(trusted);
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        HttpServletRequest http = (HttpServletRequest) request;
        String address = of(http.getRemoteAddr(), values(http, FORWARDED_FOR), values(http, FORWARDED));
        chain.doFilter(address.equals(http.getRemoteAddr()) ? http : new HttpServletRequestWrapper(http) {

            @Override
            public String getRemoteAddr() {
                return address;
            }
        }, response);
    }

    private static List<String> values(HttpServletRequest request, String header) {
        return Collections.list(request.getHeaders(header));
    }

    /** The caller's address as text, IPv4 within IPv6 as IPv4. */
    String of(String socket, List<String> forwardedFor, List<String> forwarded) {
        Optional<InetAddress> peer = AddressRange.address(withoutZone(socket));
        if (peer.isEmpty()) {
            return socket;
        }
        String own = peer.get().getHostAddress();
        if (!isTrusted(peer.get())) {
            return own;
        }
        if (forwarded.isEmpty()) {
            return lastUntrusted(own, split(forwardedFor));
        }
        String other = lastUntrusted(own, hops(String.join(",", forwarded)));
        // A proxy writes one of them and hands the other one on as the caller wrote it: which, nobody can tell here. The
        // proxy's own address it is not, which may be on a list that the caller is not on.
        return forwardedFor.isEmpty() || lastUntrusted(own, split(forwardedFor)).equals(other) ? other : UNKNOWN;
    }

    /** From our end of the line outwards: each hop was written down by the one nearer to us. */
    private String lastUntrusted(String proxy, List<String> hops) {
        String last = proxy;
        for (int i = hops.size() - 1; i >= 0 && hops.size() - i <= MOST_HOPS; i--) {
            Optional<InetAddress> hop = AddressRange.address(bare(hops.get(i).strip()));
            if (hop.isEmpty()) {
                // Hidden, or something made up.
                return UNKNOWN;
            }
            last = hop.get().getHostAddress();
            if (!isTrusted(hop.get())) {
                return last;
            }
        }
        return last;
    }

    private boolean isTrusted(InetAddress address) {
        return trusted.stream().anyMatch(range -> range.contains(address));
    }

    private static List<String> split(List<String> values) {
        List<String> hops = new ArrayList<>();
        for (String value : values) {
            hops.addAll(List.of(value.split(",", -1)));
        }
        return hops;
    }

    /**
     * What {@code Forwarded} has as {@code for}, hop by hop. Read strictly from its beginning: a quote that a caller leaves
     * open, or puts into its Host, must not make its own words those of the proxy. What cannot be read so names nobody.
     */
    private static List<String> hops(String forwarded) {
        List<String> hops = new ArrayList<>();
        Matcher parameter = PARAMETER.matcher(forwarded);
        String hop = null;
        int at = 0;
        while (at < forwarded.length()) {
            if (!parameter.region(at, forwarded.length()).lookingAt()) {
                return NOBODY;
            }
            if (parameter.group(1).equalsIgnoreCase("for")) {
                if (hop != null) {
                    return NOBODY;
                }
                hop = String.valueOf(parameter.group(2) != null ? parameter.group(2) : parameter.group(3));
            }
            at = parameter.end();
            boolean ends = !parameter.group(4).equals(";");
            if (ends) {
                hops.add(hop == null ? "" : hop);
                hop = null;
            }
            if (at == forwarded.length() && !parameter.group(4).isEmpty()) {
                return NOBODY;
            }
        }
        return hops.isEmpty() ? NOBODY : hops;
    }

    /** Without brackets and port. */
    private static String bare(String hop) {
        Matcher brackets = BRACKETS.matcher(hop);
        if (brackets.matches()) {
            return String.valueOf(brackets.group(1));
        }
        Matcher port = PORT.matcher(hop);
        return port.matches() ? String.valueOf(port.group(1)) : hop;
    }

    private static String withoutZone(String address) {
        int zone = address.indexOf('%');
        return zone < 0 ? address : address.substring(0, zone);
    }
}
