package io.syncline.gateway.http;

import jakarta.servlet.http.HttpServletRequest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.ServerRequest;
import org.springframework.web.servlet.function.ServerResponse;

/** The paths of the operators' API and what answers them; nobody gets as far as a path without the token. */
public final class OperatorRoutes {

    public static final String ROOT = "/admin/api";
    private static final String UUID_SEGMENT = "{uuid}";
    private static final String PROBLEM = "application/problem+json";
    private static final String NO_STORE = "no-store";

    /** What answers one call. */
    @FunctionalInterface
    public interface Handler {
        OperatorAnswer answer(OperatorCall call) throws Exception;
    }

    /** Says who may not come in. */
    @FunctionalInterface
    public interface Gate {
        Optional<OperatorRefusal> refusal(Optional<String> authorization);
    }

    private record Route(List<String> segments, Map<String, Handler> methods) {}

    private final Gate gate;
    private final Supplier<UUID> ids;
    private final BoundedLog log;
    private final List<Route> routes = new ArrayList<>();

    public OperatorRoutes(Gate gate, Supplier<UUID> ids, BoundedLog log) {
        this.gate = gate;
        this.ids = ids;
        this.log = log;
    }

    /** Adds a path below the root; {@code {uuid}} stands for any UUID. */
    public OperatorRoutes on(String method, String path, Handler handler) {
        List<String> segments = List.of(path.substring(1).split("/", -1));
        Route route = routes.stream().filter(one -> one.segments().equals(segments)).findFirst().orElseGet(() -> {
            Route made = new Route(segments, new LinkedHashMap<>());
            routes.add(made);
            return made;
        });
        route.methods().put(method, handler);
        return this;
    }

    public RouterFunction<ServerResponse> function() {
        return request -> {
            String path = request.requestPath().value();
            return path.equals(ROOT) || path.startsWith(ROOT + "/")
                    ? Optional.of(handled -> answer(handled, path.substring(ROOT.length())))
                    : Optional.empty();
        };
    }

    private ServerResponse answer(ServerRequest request, String path) {
        UUID id = ids.get();
        HttpServletRequest servlet = request.servletRequest();
        String call = "operator's call " + servlet.getMethod();
        SyncApiErrors.Answer no;
        try {
            Optional<OperatorRefusal> shut = gate
                    .refusal(Optional.ofNullable(servlet.getHeader(HttpHeaders.AUTHORIZATION)));
            if (shut.isPresent()) {
                no = SyncApiErrors.of(shut.get());
            } else {
                switch (find(servlet, path, id)) {
                    case Found.Bad bad -> no = SyncApiErrors.problem(bad.refusal());
                    case Found.Call(Handler handler, OperatorCall read) -> {
                        switch (handler.answer(read)) {
                            case OperatorAnswer.Ok ok -> {
                                return written(HttpStatus.OK, JsonBody.write(ok.body()), Map.of());
                            }
                            case OperatorAnswer.Created created -> {
                                return written(HttpStatus.CREATED, JsonBody.write(created.body()),
                                        Map.of(HttpHeaders.LOCATION, ROOT + created.location()));
                            }
                            case OperatorAnswer.Done done -> {
                                return written(HttpStatus.NO_CONTENT, new byte[0], Map.of());
                            }
                            case OperatorAnswer.No refused -> no = SyncApiErrors.of(refused.refusal());
                        }
                    }
                }
            }
        } catch (Exception e) {
            no = SyncApiErrors.problem(SyncApiErrors.logged(log, call, id, e));
        }
        log.info(call + no.status().value(), call + " refused: " + no.status().value() + ", request " + id + " from "
                + servlet.getRemoteAddr());
        return new Written(no.status(), PROBLEM, JsonBody.write(no.body()), no.headers());
    }

    private static Written written(HttpStatus status, byte[] body, Map<String, String> more) {
        Map<String, String> headers = new LinkedHashMap<>(more);
        // A token may be in it, and what is in it is only true now.
        headers.put(HttpHeaders.CACHE_CONTROL, NO_STORE);
        return new Written(status, Written.JSON, body, headers);
    }

    private sealed interface Found {
        record Call(Handler handler, OperatorCall call) implements Found {}

        record Bad(PeerRefusal refusal) implements Found {}
    }

    private Found find(HttpServletRequest servlet, String path, UUID id) {
        List<String> segments = path.isEmpty() ? List.of() : List.of(path.substring(1).split("/", -1));
        for (Route route : routes) {
            if (matches(route.segments(), segments)) {
                return find(route, segments, servlet, id);
            }
        }
        return new Found.Bad(PeerRefusal.Known.NO_SUCH_CALL);
    }

    private static Found find(Route route, List<String> segments, HttpServletRequest servlet, UUID id) {
        String method = servlet.getMethod();
        Handler handler = route.methods().get(method.equals("HEAD") ? "GET" : method);
        if (handler == null) {
            return new Found.Bad(new PeerRefusal.WrongMethod(String.join(", ", route.methods().keySet())));
        }
        int at = route.segments().indexOf(UUID_SEGMENT);
        UUID subject = at < 0 ? null : uuid(segments.get(at));
        if (at >= 0 && subject == null) {
            return new Found.Bad(PeerRefusal.Known.NO_SUCH_CALL);
        }
        if (method.equals("GET") || method.equals("HEAD") || method.equals("DELETE")) {
            return new Found.Call(handler, new OperatorCall(id, JsonBody.empty(), subject, servlet));
        }
        String type = servlet.getContentType();
        boolean json = type != null && (method.equals("PATCH")
                ? JsonBody.isJson(type, "application/json", "application/merge-patch+json")
                : JsonBody.isJson(type, "application/json"));
        if (type != null && !json) {
            return new Found.Bad(PeerRefusal.Known.UNSUPPORTED_MEDIA_TYPE);
        }
        try {
            return switch (JsonBody.read(servlet.getInputStream(), servlet.getContentLengthLong(), json)) {
                case JsonBody.Read.Bad bad -> new Found.Bad(bad.refusal());
                case JsonBody.Read.Body body ->
                        new Found.Call(handler, new OperatorCall(id, body.object(), subject, servlet));
            };
        } catch (java.io.IOException e) {
            return new Found.Bad(PeerRefusal.Known.BODY_INCOMPLETE);
        }
    }

    private static boolean matches(List<String> route, List<String> segments) {
        if (route.size() != segments.size()) {
            return false;
        }
        for (int i = 0; i < route.size(); i++) {
            if (!route.get(i).equals(UUID_SEGMENT) && !route.get(i).equals(segments.get(i))) {
                return false;
            }
        }
        return true;
    }

    private static @Nullable UUID uuid(String text) {
        try {
            UUID uuid = UUID.fromString(text);
            // fromString takes shortened forms too.
            return uuid.toString().equalsIgnoreCase(text) ? uuid : null;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
