package io.syncline.model.connection;

import java.time.Duration;
import java.time.Instant;
import java.util.UUID;

/**
 * Rows that a gateway may give away until a time. What it holds counts as pulled; when it is closed, what was not given
 * away is given back.
 *
 * @param address the caller's
 * @param until   the gateway gives nothing after this
 */
public record Grant(
        UUID id,
        UUID connectionUuid,
        PullKind kind,
        String table,
        long records,
        String address,
        Instant at,
        Instant until) {

    /** How long a report may take: a grant that is not reported so long after its end is closed without. */
    public static final Duration REPORTED_WITHIN = Duration.ofMinutes(1);

    /** Whether nobody will report any more. */
    public boolean overdue(Instant now) {
        return !now.isBefore(until.plus(REPORTED_WITHIN));
    }
}
