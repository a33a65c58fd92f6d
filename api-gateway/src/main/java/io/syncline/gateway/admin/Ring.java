package io.syncline.gateway.admin;

import io.syncline.gateway.dispatch.RequestDispatcher;
import io.syncline.gateway.dispatch.Submission;
import io.syncline.gateway.http.OperatorAnswer;
import io.syncline.gateway.http.OperatorCall;
import io.syncline.gateway.http.OperatorRefusal;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.Request;
import java.util.Optional;

/** Takes an operator's change to a worker, on the condition that the call names, and says what an operator reads of a no. */
final class Ring {

    private final RequestDispatcher dispatcher;

    Ring(RequestDispatcher dispatcher) {
        this.dispatcher = dispatcher;
    }

    /** Empty where it was accepted. */
    Optional<OperatorAnswer> ask(OperatorCall call, Request request) {
        return refused(submit(call, request));
    }

    /** What an operator reads of it; where it was accepted, what is there then. */
    OperatorAnswer ask(OperatorCall call, Request request, Applied.Look<OperatorAnswer> look) {
        return answer(submit(call, request), look);
    }

    static OperatorAnswer answer(Submission submission, Applied.Look<OperatorAnswer> look) {
        return refused(submission).orElseGet(() -> Applied.show(submission, look));
    }

    Submission submit(OperatorCall call, Request request) {
        return dispatcher.submit(call.id(), request, call.expectedVersion());
    }

    static Optional<OperatorAnswer> refused(Submission submission) {
        return switch (submission) {
            case Submission.Decided(Outcome.Accepted accepted) -> Optional.empty();
            case Submission.Decided(Outcome.Granted granted) -> Optional.empty();
            case Submission.Decided(Outcome.AwaitingApproval awaiting) -> Optional.empty();
            case Submission.Decided(Outcome.Refused(var refusal)) ->
                    Optional.of(new OperatorAnswer.No(new OperatorRefusal.Refused(refusal)));
            case Submission.NotApplied notApplied -> unavailable(
                    "The request was not applied, and will not be: " + notApplied.cause() + "; try again later");
            case Submission.NotKnown notKnown -> unavailable(
                    "It is not known whether the request was applied: look before you try again");
            case Submission.Busy busy -> unavailable(
                    "The request was not applied: too many requests are waiting for an answer; try again later");
        };
    }

    private static Optional<OperatorAnswer> unavailable(String detail) {
        return Optional.of(new OperatorAnswer.No(new OperatorRefusal.Unavailable(detail)));
    }
}
