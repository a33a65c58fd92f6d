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
 * none of them. Everything that asks for the remote address behind this filter gets that one.
 */
public final class CallerAddress implements Filter {

    private static final String FORWARDED_FOR = "X-Forwarded-For";
    private static final String FORWARDED = "Forwarded";
    /** Hops further away than this are not looked at: the header is anybody's to fill. */
    private static final int MOST_HOPS = 32;
    /** RFC 7239: a {@code for} parameter, as token or quoted, and nothing that could hide another one. */
    private static final Pattern FOR = Pattern.compile("(?i)(?:^|;)\\s*for=(?:\"([^\"\\\\]*)\"|([^;\",\\s]*))");
    private static final Pattern BRACKETS = Pattern.compile("\\[([^]]*)](?::[0-9]{1,5})?");
    private static final Pattern PORT = Pattern.compile("([0-9.]+):[0-9]{1,5}");

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
        String one = lastUntrusted(own, split(forwardedFor));
        String other = lastUntrusted(own, split(forwarded).stream().map(CallerAddress::forOf).toList());
        if (forwardedFor.isEmpty()) {
            return other;
        }
        if (forwarded.isEmpty() || one.equals(other)) {
            return one;
        }
        // A proxy writes one of them and hands the other one on as the caller wrote it: which, nobody can tell here.
        return own;
    }

    /** From our end of the line outwards: each hop was written down by the one nearer to us. */
    private String lastUntrusted(String proxy, List<String> hops) {
        String last = proxy;
        for (int i = hops.size() - 1; i >= 0 && hops.size() - i <= MOST_HOPS; i--) {
            Optional<InetAddress> hop = AddressRange.address(bare(hops.get(i).strip()));
            if (hop.isEmpty()) {
                // "unknown", or something made up: whoever wrote it down is as far as we know.
                return last;
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

    private static String forOf(String element) {
        Matcher found = FOR.matcher(element.strip());
        if (!found.find()) {
            return "";
        }
        String quoted = found.group(1);
        return quoted != null ? quoted : String.valueOf(found.group(2));
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
