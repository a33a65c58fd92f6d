package io.syncline.worker.connection;

/** The state database could not be used now; the same may work later. Whether a commit took place is not known. */
final class StoreUnavailableException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    StoreUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
