package io.syncline.worker.connection;

import io.syncline.model.connection.Event;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.Refusal;
import java.util.List;

/**
 * What a request comes to.
 *
 * @param events one fact, or none where the request is refused or what it asks for holds already
 */
record Decision<E extends Event>(Outcome outcome, List<E> events) {

    Decision {
        events = List.copyOf(events);
        if (events.size() > 1) {
            throw new IllegalArgumentException("one request has one fact at most, not " + events.size());
        }
    }

    static <E extends Event> Decision<E> refused(Refusal refusal) {
        return new Decision<>(new Outcome.Refused(refusal), List.of());
    }

    static <E extends Event> Decision<E> nothingNew(Outcome outcome) {
        return new Decision<>(outcome, List.of());
    }
}
