package io.syncline.gateway.table;

import io.syncline.gateway.http.PeerAnswer;
import java.io.IOException;
import java.io.OutputStream;
import java.sql.SQLException;

/**
 * Rows that may be given away in one answer. Either {@link #give} or {@link #unused} is called, once; before {@link #give},
 * {@link #begin}.
 */
interface Pull {

    /**
     * There is a stream for them. From here on it is on record that there was a pull; where nobody has decided it, one that
     * comes to nothing before leaves no trace.
     */
    void begin();

    /** How many at most. */
    long records();

    /** Whether this number is to be kept to, because records are counted and may run out. */
    boolean counted();

    /** Writes the answer and remembers what it came to. */
    void give(PeerAnswer.JsonStream rows, Tally tally, OutputStream out) throws IOException, SQLException;

    /** Nothing was given. */
    void unused();
}
