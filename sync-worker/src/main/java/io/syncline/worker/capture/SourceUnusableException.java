package io.syncline.worker.capture;

/** The source cannot be captured before somebody has done something about it. */
final class SourceUnusableException extends Exception {

    private final transient SourceProblem problem;

    SourceUnusableException(SourceProblem problem) {
        super(problem.sentence());
        this.problem = problem;
    }

    SourceProblem problem() {
        return problem;
    }
}
