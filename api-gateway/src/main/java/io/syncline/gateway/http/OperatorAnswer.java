package io.syncline.gateway.http;

/** What an operator gets. */
public sealed interface OperatorAnswer {

    /** 200 with this body, its property names in snake_case. */
    record Ok(Object body) implements OperatorAnswer {}

    /** 200 with this body, and the name of what it shows (ETag). */
    record Versioned(Object body, String version) implements OperatorAnswer {}

    /** 201; the location is a path below the operators' root. */
    record Created(String location, Object body) implements OperatorAnswer {}

    /** 204. */
    record Done() implements OperatorAnswer {}

    record No(OperatorRefusal refusal) implements OperatorAnswer {}
}
