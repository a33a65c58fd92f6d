package io.syncline.standalone;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** How the connection for trying stands: what can be tried with it, or why nothing can. */
sealed interface Trial {

    /** @param tables those that are served and that the connection is shown */
    record Open(List<String> tables) implements Trial {

        /** The one to try; the demo shop's shortest if it is there. */
        Optional<String> pulled() {
            return tables.contains("products") ? Optional.of("products") : tables.stream().findFirst();
        }
    }

    /** @param remedy null where no call of an operator's brings it back */
    record Closed(String why, @Nullable Change remedy) implements Trial {}

    /** An operator's call below /admin/api. */
    record Change(String method, String path, String body) {}

    Closed MODULE_DISABLED = new Closed("The module is disabled: peers are refused.",
            new Change("PATCH", "/settings", "{\"enabled\":true}"));

    /**
     * @param refused
     *            what a peer with this connection is answered
     * @param found
     *            the connection as operators are shown it, in a list
     */
    static Closed closed(Operator.Answer refused, JsonNode found) {
        JsonNode connection = found.path("connections").path(0);
        String path = "/connections/" + connection.path("uuid").asString("");
        String status = connection.path("status").asString("");
        return switch (status) {
            case "" -> new Closed("The connection for trying has been deleted; an operator makes others.", null);
            case "suspended", "revoked" -> new Closed("The connection for trying is " + status + ".",
                    new Change("POST", path + "/reactivate", "{}"));
            case "pending" -> new Closed("The connection for trying awaits approval.",
                    new Change("POST", path + "/approve", "{}"));
            case "expired" -> new Closed("The connection for trying has expired.",
                    new Change("PATCH", path, "{\"expires_at\":null}"));
            default -> new Closed("A call over the connection for trying is refused (%s); an operator finds it as %s."
                    .formatted(refused.explained(), path), null);
        };
    }
}
