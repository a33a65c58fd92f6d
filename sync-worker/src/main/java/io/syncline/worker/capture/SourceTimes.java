package io.syncline.worker.capture;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.connect.data.Struct;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Up to which time of the source everything has been sent. The session writes the source's own time into the source's WAL again
 * and again; where it comes back by the stream, all that had been committed by then has come before it.
 */
final class SourceTimes {

    private static final Logger LOG = LoggerFactory.getLogger(SourceTimes.class);

    private static final String PREFIX = "syncline";
    /** The epoch, and microseconds since 1970. */
    private static final Pattern CONTENT = Pattern.compile("([0-9]{1,18}):([0-9]{1,18})");
    /** The time is taken before the place in the WAL: what had been committed by then lies before that. */
    private static final String WRITE = """
            WITH clock AS MATERIALIZED (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS micros)
            SELECT micros, pg_logical_emit_message(false, 'syncline', ? || ':' || micros) FROM clock""";

    private final long epoch;
    private @Nullable Instant written;
    private @Nullable Instant looked;
    private boolean refused;

    SourceTimes(long epoch) {
        this.epoch = epoch;
    }

    /**
     * Writes the source's time into its WAL.
     *
     * @throws SQLException if the source does not answer; where it refuses the message, times stand still, and that is logged
     */
    void write(Connection source) throws SQLException {
        try (PreparedStatement statement = source.prepareStatement(WRITE)) {
            statement.setString(1, Long.toString(epoch));
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                written = time(row.getLong(1));
                refused = false;
            }
        } catch (SQLException e) {
            if (!source.isValid(5)) {
                throw e;
            }
            if (!refused) {
                refused = true;
                LOG.warn(
                        "The source takes no message into its WAL, so as_of of its tables stands still: {}; grant the source's"
                                + " role EXECUTE on pg_logical_emit_message(boolean, text, text)",
                        e.getMessage());
            }
        }
    }

    /** The catalogue shows how the tables are now: no table was rewritten by what is written so far, and not noticed. */
    void looked() {
        looked = written;
    }

    /** The earlier of a time and that up to which the catalogue is known; null while that is no time. */
    @Nullable
    Instant known(Instant time) {
        Instant catalogue = looked;
        return catalogue == null || catalogue.isBefore(time) ? catalogue : time;
    }

    /** The time that a logical message of the stream brings; null if it is none that this session has written. */
    @Nullable
    Instant read(Struct message) {
        if (!PREFIX.equals(message.get("prefix")) || !(message.get("content") instanceof ByteBuffer content)) {
            return null;
        }
        return parse(StandardCharsets.US_ASCII.decode(content.duplicate()).toString());
    }

    @Nullable
    Instant parse(String content) {
        Matcher matcher = CONTENT.matcher(content);
        return matcher.matches() && Long.parseLong(matcher.group(1)) == epoch
                ? time(Long.parseLong(matcher.group(2)))
                : null;
    }

    private static Instant time(long micros) {
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }
}
