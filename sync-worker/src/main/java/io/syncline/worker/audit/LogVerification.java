package io.syncline.worker.audit;

import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.log.ChainReader;
import io.syncline.model.log.ChainReader.Verdict;
import io.syncline.model.log.LogRecord;
import io.syncline.model.log.LoggedEvent;
import io.syncline.model.log.Topics;
import java.util.HexFormat;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the whole event log and names what is not as the cluster's workers wrote it. Neighbours that are wrong for one cause
 * are told in one line: behind one event that was removed nothing follows any more.
 */
public final class LogVerification {

    private final EventLogReader log;
    private final CredentialKeys keys;
    private final Consumer<String> tell;
    private boolean whole = true;

    public LogVerification(EventLogReader log, CredentialKeys keys, Consumer<String> tell) {
        this.log = log;
        this.keys = keys;
        this.tell = tell;
    }

    /** @return whether nothing is foreign, altered or missing */
    public boolean verify(int partitions) {
        for (int partition = 0; partition < partitions; partition++) {
            EventLogReader.Extent extent = log.extent(Topics.EVENTS, partition);
            Reading reading = new Reading(partition);
            reading.isAt(extent.beginning());
            log.read(partition, extent.beginning(), extent.end(), reading::record);
            reading.isAt(extent.end());
            reading.end();
        }
        tell.accept(whole ? "The log is whole." : "The log is NOT whole.");
        return whole;
    }

    private enum Kind {
        FOREIGN("foreign or altered"), MISSING("something is missing"),
        /** Nothing that is wrong: it happens when a worker loses its partition with events on their way. */
        VOID("void");

        private final String word;

        Kind(String word) {
            this.word = word;
        }
    }

    private final class Reading {

        private final int partition;
        private final ChainReader chain;
        private long next;
        private long events;
        private long fences;
        private @Nullable Kind kind;
        private String cause = "";
        private long first;
        private long last;

        Reading(int partition) {
            this.partition = partition;
            this.chain = new ChainReader(partition, ChainReader.Head.start(), keys);
        }

        /** Nothing is ever deleted from the topic, so that its offsets have no gaps. */
        void isAt(long offset) {
            if (offset > next) {
                found(Kind.MISSING, next, offset - 1, "no record is there any more");
                next = offset;
            }
        }

        void record(long offset, LogRecord record) {
            isAt(offset);
            next = offset + 1;
            ChainReader.Head before = chain.head();
            switch (chain.read(offset, record)) {
                case Verdict.Counts counts -> events++;
                case Verdict.Raises fence -> fences++;
                case Verdict.Foreign(String why) -> found(Kind.FOREIGN, offset, offset, why);
                case Verdict.Voided(LoggedEvent event, String why) -> {
                    if (event.fence() < before.fence()
                            || event.fence() == before.fence() && event.sequence() <= before.sequence()) {
                        found(Kind.VOID, offset, offset, why);
                    } else {
                        found(Kind.MISSING, offset, offset, before.fence() < 0 ? "no fence is before it"
                                : "it does not follow on event " + before.sequence() + " under fence "
                                        + before.fence() + ", the last that count");
                    }
                }
            }
        }

        private void found(Kind what, long from, long to, String why) {
            whole &= what == Kind.VOID;
            if (what == kind && why.equals(cause) && from == last + 1) {
                last = to;
                return;
            }
            tellFound();
            kind = what;
            cause = why;
            first = from;
            last = to;
        }

        private void tellFound() {
            if (kind != null) {
                tell.accept("partition " + partition + ", "
                        + (first == last ? "offset " + first : "offsets " + first + " to " + last) + ": " + kind.word
                        + ": " + cause);
            }
        }

        void end() {
            tellFound();
            tell.accept("partition " + partition + ": " + events + " events, " + fences + " fences, last hash "
                    + HexFormat.of().formatHex(chain.head().hash()));
        }
    }
}
