package io.syncline.gateway.http;

import io.syncline.model.api.SyncPaths;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.util.LinkedMultiValueMap;
import org.springframework.util.MultiValueMap;
import org.springframework.web.servlet.ModelAndView;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.ServerRequest;
import org.springframework.web.servlet.function.ServerResponse;

/**
 * The paths of the peers' protocol and what answers them. Here is the protocol's step 0: path, method, Accept, content
 * type, body; what comes behind is the handlers'.
 */
public final class PeerRoutes {

    /** @param lines whether it may answer with many JSON values, a line each */
    private record Route(String method, PeerHandler handler, boolean lines) {}

    private final String root;
    private final Map<String, Route> routes = new HashMap<>();
    private final Supplier<UUID> ids;
    private final BoundedLog log;

    /**
     * @param prefix what stands before {@code /sync/api}, without slashes at its ends; may be empty
     * @param ids    makes UUIDs v7
     */
    public PeerRoutes(String prefix, Supplier<UUID> ids, BoundedLog log) {
        this.root = root(prefix);
        this.ids = ids;
        this.log = log;
    }

    /** What all the peers' paths begin with. */
    static String root(String prefix) {
        return (prefix.isEmpty() ? "" : "/" + prefix) + SyncPaths.ROOT;
    }

    public PeerRoutes get(String path, PeerHandler handler) {
        return with(path, new Route("GET", handler, false));
    }

    public PeerRoutes post(String path, PeerHandler handler) {
        return with(path, new Route("POST", handler, false));
    }

    /** One that also answers {@code application/x-ndjson} where that is accepted. */
    public PeerRoutes postLines(String path, PeerHandler handler) {
        return with(path, new Route("POST", handler, true));
    }

    private PeerRoutes with(String path, Route route) {
        if (routes.put(path, route) != null) {
            throw new IllegalArgumentException(path + " is answered twice");
        }
        return this;
    }

    /** All paths below the root are ours, those that no call has included. */
    public RouterFunction<ServerResponse> function() {
        return request -> {
            String path = request.requestPath().value();
            return path.startsWith(root) && (path.length() == root.length() || path.charAt(root.length()) == '/')
                    ? Optional.of(handled -> answer(handled, path.substring(root.length())))
                    : Optional.empty();
        };
    }

    private ServerResponse answer(ServerRequest request, String name) {
        UUID id = ids.get();
        HttpServletRequest servlet = request.servletRequest();
        PeerAnswer answer;
        try {
            answer = answer(servlet, name, id);
        } catch (Exception e) {
            answer = new PeerAnswer.No(unexpected(name, id, e));
        }
        return switch (answer) {
            case PeerAnswer.Ok ok ->
                    new Written(HttpStatus.OK, Written.JSON, JsonBody.write(ok.body()), ok.headers());
            case PeerAnswer.Waiting waiting -> SyncApiErrors.waiting(waiting);
            case PeerAnswer.No no -> refuse(name, id, servlet, no.refusal());
            case PeerAnswer.Streamed streamed -> {
                AddressLimits.accepted(servlet);
                yield new Streaming(name, id, streamed);
            }
        };
    }

    private PeerAnswer answer(HttpServletRequest servlet, String name, UUID id) throws Exception {
        Route route = routes.get(name);
        if (route == null) {
            return new PeerAnswer.No(PeerRefusal.Known.NO_SUCH_CALL);
        }
        boolean get = route.method().equals("GET");
        String method = servlet.getMethod();
        if (!method.equals(route.method()) && !(get && method.equals("HEAD"))) {
            return new PeerAnswer.No(new PeerRefusal.WrongMethod(get ? "GET, HEAD" : "POST"));
        }
        String accept = servlet.getHeader(HttpHeaders.ACCEPT);
        if (!JsonBody.admitsJson(accept) && !(route.lines() && JsonBody.asksForLines(accept))) {
            return new PeerAnswer.No(PeerRefusal.Known.NOT_ACCEPTABLE);
        }
        if (get) {
            return route.handler().answer(new PeerCall(id, name, JsonBody.empty(), servlet));
        }
        String contentType = servlet.getContentType();
        if (contentType != null && !JsonBody.isJson(contentType, "application/json")) {
            return new PeerAnswer.No(PeerRefusal.Known.UNSUPPORTED_MEDIA_TYPE);
        }
        return switch (JsonBody.read(servlet.getInputStream(), servlet.getContentLengthLong(), contentType != null)) {
            case JsonBody.Read.Bad bad -> new PeerAnswer.No(bad.refusal());
            case JsonBody.Read.Body body -> route.handler().answer(new PeerCall(id, name, body.object(), servlet));
        };
    }

    private Written refuse(String name, UUID id, HttpServletRequest servlet, PeerRefusal refusal) {
        SyncApiErrors.Answer answer = SyncApiErrors.of(refusal);
        String call = routes.containsKey(name) ? name : "(no such path)";
        log.info(call + answer.status().value(), "peer call " + call + " refused: " + answer.status().value() + ", "
                + SyncApiErrors.word(refusal) + ", request " + id + " from " + servlet.getRemoteAddr());
        return new Written(answer.status(), Written.JSON, JsonBody.write(answer.body()), answer.headers());
    }

    private PeerRefusal unexpected(String name, UUID id, Exception thrown) {
        return SyncApiErrors.logged(log, "peer call " + name, id, thrown);
    }

    /** Writes what a handler streams; an error before the first bytes have left is answered, a later one breaks off. */
    private final class Streaming implements ServerResponse {

        private final String name;
        private final UUID id;
        private final PeerAnswer.Streamed answer;

        Streaming(String name, UUID id, PeerAnswer.Streamed answer) {
            this.name = name;
            this.id = id;
            this.answer = answer;
        }

        @Override
        public HttpStatusCode statusCode() {
            return HttpStatus.OK;
        }

        @Override
        public HttpHeaders headers() {
            HttpHeaders headers = new HttpHeaders();
            answer.headers().forEach(headers::set);
            return headers;
        }

        @Override
        public MultiValueMap<String, Cookie> cookies() {
            return new LinkedMultiValueMap<>();
        }

        @Override
        public @Nullable ModelAndView writeTo(HttpServletRequest request, HttpServletResponse response, Context context)
                throws IOException {
            response.setStatus(HttpStatus.OK.value());
            response.setContentType(answer.lines() ? Written.LINES : Written.JSON);
            answer.headers().forEach(response::setHeader);
            try {
                answer.stream().writeTo(response.getOutputStream());
            } catch (BrokenOffException e) {
                if (response.isCommitted()) {
                    log.info(name + "broken off", "peer call " + name + " broken off: " + e.sentence() + ", request "
                            + id + " from " + request.getRemoteAddr());
                    throw e;
                }
                response.resetBuffer();
                return refuse(name, id, request, new PeerRefusal.Unavailable(e.sentence(), SyncApiErrors.SOON))
                        .writeTo(request, response, context);
            } catch (SQLException | RuntimeException e) {
                PeerRefusal refusal = unexpected(name, id, e);
                if (response.isCommitted()) {
                    throw new IOException("the answer was broken off", e);
                }
                response.resetBuffer();
                return refuse(name, id, request, refusal).writeTo(request, response, context);
            }
            return null;
        }
    }
}
