package io.syncline.worker.connection;

import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.Site;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.log.LoggedEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The state that the events add up to. Every method throws {@link StoreUnavailableException} where another try may help,
 * {@link TokenTakenException} where a sender record of another site has the token, and any other
 * {@link RuntimeException} where the content is at fault.
 */
interface ConnectionStore {

    /** Begins a transaction: locks the partitions, then reads the clock and all that deciding needs. */
    Transaction begin(Scope scope);

    /**
     * Names the server that answers: another name means that another one answers now, or the same one after a restart, and
     * that it may lack what was committed before.
     */
    String server();

    /** The database's time. */
    Instant clock();

    /** Where a partition stands now; empty before its first owner. */
    Optional<LogHead> head(int partition);

    /**
     * Makes a fence the partition's epoch; waits for the transaction of an owner before, and shuts out all its later ones.
     *
     * @return where the partition stands under this fence; empty if a newer fence is in force
     */
    Optional<LogHead> raiseFence(int partition, long fence);

    /** The events behind a sequence, in their order. */
    List<StoredEvent> eventsAfter(int partition, long sequence);

    /** The newest decisions of a partition, in the order of their requests. */
    List<StoredOutcome> outcomesOfLast(int partition, Duration age, int limit);

    /**
     * Removes all that the partition's events added up to, the events, and their requests' outcomes: the log will be folded
     * anew. Nobody answers from such a database, since its head is behind.
     *
     * @return whether this fence was in force
     */
    boolean forget(int partition, long fence);

    /**
     * What a transaction works on.
     *
     * @param pulls         those of the sites of which it must be known what is pulled; of the others, their
     *                      {@link io.syncline.model.connection.Site#pulls()} are not to be relied upon
     * @param grants        open grants that are needed; a site may have many, and few are
     * @param claimedTokens fingerprints of which it must be known whether a sender record has them
     */
    record Scope(
            SortedSet<Integer> partitions,
            Set<SiteUrl> sites,
            Set<SiteUrl> pulls,
            Set<UUID> grants,
            Set<UUID> requestIds,
            Set<CredentialFingerprint> claimedTokens) {}

    /**
     * @param server   the one that answers
     * @param clock    the database's, read behind the locks
     * @param heads    of the partitions that have one
     * @param sites    each one asked for, unknown ones too
     * @param outcomes of the requests that were decided before
     * @param tokens   the claimed ones that a sender record has, with its site
     */
    record State(
            String server,
            Instant clock,
            Map<Integer, LogHead> heads,
            ModuleSettings settings,
            Map<SiteUrl, Site> sites,
            Map<UUID, Outcome> outcomes,
            Map<CredentialFingerprint, SiteUrl> tokens) {}

    /**
     * How a request was decided.
     *
     * @param sequence of the partition's last event then, its own included: nobody is told of the outcome before the log has
     *                 that
     */
    record StoredOutcome(
            UUID requestId,
            int partition,
            long requestOffset,
            long sequence,
            Outcome outcome,
            Instant decidedAt) {}

    /** An event as the database has it; chained anew, it makes a {@link LoggedEvent} again. */
    record StoredEvent(
            long sequence,
            UUID id,
            UUID requestId,
            long requestOffset,
            Instant time,
            String key,
            String type,
            byte[] payload,
            byte[] hash) {

        boolean saysTheSameAs(LoggedEvent event) {
            return id.equals(event.id()) && requestId.equals(event.requestId())
                    && requestOffset == event.requestOffset() && time.equals(event.time()) && key.equals(event.key())
                    && type.equals(event.type()) && java.util.Arrays.equals(payload, event.payload());
        }
    }

    /** A site before and after. */
    record SiteChange(Site before, Site after) {}

    /**
     * What a transaction leaves behind.
     *
     * @param settings null where they did not change
     * @param origin   who says so
     */
    record Changes(
            List<LoggedEvent> events,
            List<StoredOutcome> outcomes,
            Collection<SiteChange> sites,
            @Nullable ModuleSettings settings,
            List<LogHead> heads,
            Origin origin) {}

    /** Where changes come from. */
    enum Origin {
        /** Decided now: an event or outcome that is there already is an error. */
        DECISION,
        /** Read from the log, which wins over what the database has behind these events' predecessors. */
        LOG
    }

    /** Rolls back when closed before {@link #commit}. */
    interface Transaction extends AutoCloseable {

        State state();

        void commit(Changes changes);

        @Override
        void close();
    }
}
