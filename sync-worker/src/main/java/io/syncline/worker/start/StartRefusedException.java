package io.syncline.worker.start;

/** This worker must not start as it is configured: what is wrong, and what to do about it. */
public final class StartRefusedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String remedy;

    public StartRefusedException(String what, String remedy) {
        super(what);
        this.remedy = remedy;
    }

    public String remedy() {
        return remedy;
    }
}
