package io.syncline.worker.replica;

/**
 * A table cannot be applied for a reason of its own: it is marked with the cause, and no other table waits.
 */
final class TableFault extends Exception {

    private static final long serialVersionUID = 1L;

    private final boolean newGenerationMayHelp;

    TableFault(String cause, boolean newGenerationMayHelp) {
        super(cause);
        this.newGenerationMayHelp = newGenerationMayHelp;
    }

    String cause() {
        return String.valueOf(getMessage());
    }

    /** Whether the same data, read once more, may pass. */
    boolean newGenerationMayHelp() {
        return newGenerationMayHelp;
    }
}
