package io.syncline.worker.start;

/** A part of the worker that begins to work once topics and schema are there. */
public interface Room {

    /** For log and health. */
    String name();

    /** Called once, when what the room needs is there. An exception is told, and the room is tried again. */
    void open();

    /** Ends what {@link #open} began; also called if that never happened. */
    void close();

    /** A room of two steps. */
    static Room of(String name, Runnable open, Runnable close) {
        return new Room() {

            @Override
            public String name() {
                return name;
            }

            @Override
            public void open() {
                open.run();
            }

            @Override
            public void close() {
                close.run();
            }
        };
    }
}
