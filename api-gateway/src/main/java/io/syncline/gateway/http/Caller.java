package io.syncline.gateway.http;

import java.util.Set;

/**
 * Who makes an operator's call.
 *
 * @param name what the event log says of what they do
 * @param role for a refusal to name
 */
public record Caller(String name, String role, Set<Permission> may) {

    /** What a path of the operators' API asks for. */
    public enum Permission {
        /** To see how things are. */
        LOOK,
        /** To read what happened. */
        AUDIT,
        /** To change connections and settings. */
        CHANGE,
        /** To say who is an operator. */
        APPOINT
    }

    public Caller {
        may = Set.copyOf(may);
    }
}
