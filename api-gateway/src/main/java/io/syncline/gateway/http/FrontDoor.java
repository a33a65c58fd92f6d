package io.syncline.gateway.http;

import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Map;
import java.util.Set;
import org.springframework.http.HttpHeaders;
import org.springframework.http.server.PathContainer;
import org.springframework.http.server.RequestPath;

/**
 * What holds for every request and every answer. Bodies come with their length: a body in chunks may be one request to us
 * and two to a proxy before us. Where operators have a port of their own, nothing of theirs is answered at the peers'.
 */
public final class FrontDoor implements Filter {

    /** Answers are data: nothing in them is to be run, framed, guessed at or remembered by a browser. */
    private static final Map<String, String> HEADERS = Map.of("X-Content-Type-Options", "nosniff", "X-Frame-Options",
            "DENY", "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'", "Referrer-Policy",
            "no-referrer", HttpHeaders.CACHE_CONTROL, "no-store");
    private static final String HSTS = "Strict-Transport-Security";
    private static final String ONE_YEAR = "max-age=31536000";
    /** A request line without a version is HTTP/0.9 to Tomcat: no headers, and no end but that of the connection. */
    private static final String VERSIONED = "HTTP/";
    private static final int NO_PORT = 0;
    /** What the paths of operators and health checks begin with. */
    private static final Set<String> OPERATORS = Set.of("admin", "actuator");

    private final int operatorsPort;

    /** @param operatorsPort of operators and health checks alone; 0: everything is answered at every port */
    public FrontDoor(int operatorsPort) {
        this.operatorsPort = operatorsPort;
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        HttpServletRequest http = (HttpServletRequest) request;
        HttpServletResponse answer = (HttpServletResponse) response;
        putHeaders(answer);
        if (http.isSecure()) {
            answer.setHeader(HSTS, ONE_YEAR);
        }
        boolean operators = isOperators(http);
        if (!http.getProtocol().startsWith(VERSIONED)) {
            refuse(PeerRefusal.Known.NO_SUCH_CALL, operators, answer);
        } else if (http.getHeader(HttpHeaders.TRANSFER_ENCODING) != null) {
            refuse(PeerRefusal.Known.BODY_WITHOUT_LENGTH, operators, answer);
        } else if (http.getHeader(HttpHeaders.ACCESS_CONTROL_REQUEST_METHOD) != null) {
            // A browser asks for a page of another origin: there is none that may.
            refuse(new PeerRefusal.WrongMethod("GET, HEAD, POST, PATCH, DELETE"), operators, answer);
        } else if (operatorsPort != NO_PORT && http.getLocalPort() == operatorsPort != operators) {
            refuse(PeerRefusal.Known.NO_SUCH_CALL, operators, answer);
        } else {
            chain.doFilter(request, response);
        }
    }

    static void putHeaders(HttpServletResponse response) {
        HEADERS.forEach(response::setHeader);
    }

    /** As Spring reads a path: by its segments, each decoded and without parameters, or there would be names for more doors. */
    private static boolean isOperators(HttpServletRequest request) {
        return RequestPath.parse(request.getRequestURI(), request.getContextPath())
                .pathWithinApplication()
                .elements()
                .stream()
                .filter(PathContainer.PathSegment.class::isInstance)
                .map(element -> ((PathContainer.PathSegment) element).valueToMatch())
                .filter(segment -> !segment.isEmpty())
                .findFirst()
                .filter(OPERATORS::contains)
                .isPresent();
    }

    private static void refuse(PeerRefusal refusal, boolean operators, HttpServletResponse response)
            throws IOException {
        SyncApiErrors.written(refusal, operators, Map.of()).writeTo(response);
    }
}
