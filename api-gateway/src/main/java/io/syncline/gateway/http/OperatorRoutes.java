package io.syncline.gateway.http;

import io.syncline.gateway.http.Caller.Permission;
import jakarta.servlet.http.HttpServletRequest;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.ServerRequest;
import org.springframework.web.servlet.function.ServerResponse;

/** The paths of the operators' API and what answers them; nobody gets as far as a path without the token. */
public final class OperatorRoutes {

    public static final String ROOT = "/admin/api";
    private static final String UUID_SEGMENT = "{uuid}";
    private static final String NAME_SEGMENT = "{name}";
    static final String PROBLEM = "application/problem+json";
    private static final String NO_STORE = "no-store";

    /** What answers one call. */
    @FunctionalInterface
    public interface Handler {
        OperatorAnswer answer(OperatorCall call) throws Exception;
    }

    /** Says who comes in. */
    @FunctionalInterface
    public interface Gate {
        Entry enter(Optional<String> authorization) throws SQLException;
    }

    /** What the gate says. */
    public sealed interface Entry {
        record In(Caller caller) implements Entry {}

        record Out(OperatorRefusal refusal) implements Entry {}
    }

    private record Method(Permission needed, Handler handler) {}

    private record Route(List<String> segments, Map<String, Method> methods) {

        int variable() {
            return Math.max(segments.indexOf(UUID_SEGMENT), segments.indexOf(NAME_SEGMENT));
        }
    }

    private final Gate gate;
    private final Supplier<UUID> ids;
    private final BoundedLog log;
    private final List<Route> routes = new ArrayList<>();

    public OperatorRoutes(Gate gate, Supplier<UUID> ids, BoundedLog log) {
        this.gate = gate;
        this.ids = ids;
        this.log = log;
    }

    /** Adds a path for whoever may look (GET) or change (all else). */
    public OperatorRoutes on(String method, String path, Handler handler) {
        return on(method, path, method.equals("GET") ? Permission.LOOK : Permission.CHANGE, handler);
    }

    /** Adds a path below the root; {@code {uuid}} stands for any UUID, {@code {name}} for any text. */
    public OperatorRoutes on(String method, String path, Permission needed, Handler handler) {
        List<String> segments = List.of(path.substring(1).split("/", -1));
        Route route = routes.stream().filter(one -> one.segments().equals(segments)).findFirst().orElseGet(() -> {
            Route made = new Route(segments, new LinkedHashMap<>());
            routes.add(made);
            return made;
        });
        route.methods().put(method, new Method(needed, handler));
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
            switch (gate.enter(Optional.ofNullable(servlet.getHeader(HttpHeaders.AUTHORIZATION)))) {
                case Entry.Out out -> no = SyncApiErrors.of(out.refusal());
                case Entry.In in -> {
                    switch (find(servlet, path, id, in.caller())) {
                        case Found.Bad bad -> no = SyncApiErrors.problem(bad.refusal());
                        case Found.Forbidden forbidden -> no = SyncApiErrors.of(forbidden.refusal());
                        case Found.Call(Handler handler, OperatorCall read) -> {
                            switch (handler.answer(read)) {
                                case OperatorAnswer.Ok ok -> {
                                    return written(HttpStatus.OK, JsonBody.write(ok.body()), Map.of());
                                }
                                case OperatorAnswer.Versioned ok -> {
                                    return written(HttpStatus.OK, JsonBody.write(ok.body()),
                                            Map.of(HttpHeaders.ETAG, "\"" + ok.version() + "\""));
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
            }
        } catch (MalformedQueryException e) {
            no = SyncApiErrors.problem(PeerRefusal.Known.MALFORMED_QUERY);
        } catch (Exception e) {
            SyncApiErrors.logged(log, call, id, e);
            no = SyncApiErrors.problem(e);
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

        record Forbidden(OperatorRefusal refusal) implements Found {}
    }

    private Found find(HttpServletRequest servlet, String path, UUID id, Caller caller) {
        List<String> segments = path.isEmpty() ? List.of() : List.of(path.substring(1).split("/", -1));
        for (Route route : routes) {
            if (matches(route.segments(), segments)) {
                return find(route, segments, servlet, id, caller);
            }
        }
        return new Found.Bad(PeerRefusal.Known.NO_SUCH_CALL);
    }

    private static Found find(Route route, List<String> segments, HttpServletRequest servlet, UUID id, Caller caller) {
        String method = servlet.getMethod();
        Method found = route.methods().get(method.equals("HEAD") ? "GET" : method);
        if (found == null) {
            return new Found.Bad(new PeerRefusal.WrongMethod(String.join(", ", route.methods().keySet())));
        }
        int at = route.variable();
        String variable = at < 0 ? "" : segments.get(at);
        if (at >= 0 && route.segments().get(at).equals(UUID_SEGMENT) && !isUuid(variable)) {
            return new Found.Bad(PeerRefusal.Known.NO_SUCH_CALL);
        }
        if (!caller.may().contains(found.needed())) {
            return new Found.Forbidden(new OperatorRefusal.Forbidden(
                    caller.name() + " is " + caller.role()
                            + ", who may not do this; ask somebody who may, or for another"
                            + " token"));
        }
        Handler handler = found.handler();
        if (method.equals("GET") || method.equals("HEAD") || method.equals("DELETE")) {
            return new Found.Call(handler, new OperatorCall(id, caller, JsonBody.empty(), variable, servlet));
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
                        new Found.Call(handler, new OperatorCall(id, caller, body.object(), variable, servlet));
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
            String expected = route.get(i);
            if (!expected.equals(UUID_SEGMENT) && !expected.equals(NAME_SEGMENT)
                    && !expected.equals(segments.get(i))) {
                return false;
            }
        }
        return true;
    }

    private static boolean isUuid(String text) {
        try {
            // fromString takes shortened forms too.
            return UUID.fromString(text).toString().equalsIgnoreCase(text);
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
