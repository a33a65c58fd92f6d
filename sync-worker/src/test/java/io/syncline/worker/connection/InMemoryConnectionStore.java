package io.syncline.worker.connection;

import io.syncline.model.connection.Connection;
import io.syncline.model.connection.Event;
import io.syncline.model.connection.ModuleSettings;
import io.syncline.model.connection.Outcome;
import io.syncline.model.connection.Site;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialFingerprint;
import io.syncline.model.log.LoggedEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * {@link ConnectionStore} without a database; passes {@link ConnectionStoreContract}. One thread; time and server are set by
 * the test. {@link #copy} is what a standby had at that moment.
 */
final class InMemoryConnectionStore implements ConnectionStore {

    Instant clock = Fixtures.NOW;
    String server = "one";
    /** Thrown by the next commit, before or after it takes place. */
    @Nullable RuntimeException failBeforeCommit;
    @Nullable RuntimeException failAfterCommit;
    /** Runs when a transaction has loaded, before it decides. */
    Runnable afterLoad = () -> {
    };

    private final Map<Integer, LogHead> heads = new TreeMap<>();
    private final Map<SiteUrl, Site> sites = new HashMap<>();
    private final Map<UUID, StoredOutcome> outcomes = new HashMap<>();
    private final Map<Integer, TreeMap<Long, StoredEvent>> events = new HashMap<>();
    private ModuleSettings settings = ModuleSettings.INITIAL;

    InMemoryConnectionStore copy(String name) {
        InMemoryConnectionStore copy = new InMemoryConnectionStore();
        copy.clock = clock;
        copy.server = name;
        copy.heads.putAll(heads);
        copy.sites.putAll(sites);
        copy.outcomes.putAll(outcomes);
        events.forEach((partition, ofPartition) -> copy.events.put(partition, new TreeMap<>(ofPartition)));
        copy.settings = settings;
        return copy;
    }

    /** Becomes what another store is: the database that this worker talks to was replaced. */
    void failOverTo(InMemoryConnectionStore other) {
        clock = other.clock;
        server = other.server;
        heads.clear();
        heads.putAll(other.heads);
        sites.clear();
        sites.putAll(other.sites);
        outcomes.clear();
        outcomes.putAll(other.outcomes);
        events.clear();
        other.events.forEach((partition, ofPartition) -> events.put(partition, new TreeMap<>(ofPartition)));
        settings = other.settings;
    }

    Site site(SiteUrl url) {
        return sites.getOrDefault(url, Site.unknown(url));
    }

    Map<SiteUrl, Site> sites() {
        Map<SiteUrl, Site> known = new HashMap<>(sites);
        known.values().removeIf(site -> site.equals(Site.unknown(site.url())));
        return known;
    }

    ModuleSettings settings() {
        return settings;
    }

    Optional<Outcome> outcome(UUID id) {
        return Optional.ofNullable(outcomes.get(id)).map(StoredOutcome::outcome);
    }

    @Override
    public Transaction begin(Scope scope) {
        Map<Integer, LogHead> locked = new HashMap<>();
        scope.partitions().forEach(partition -> head(partition).ifPresent(head -> locked.put(partition, head)));
        Map<SiteUrl, Site> asked = new HashMap<>();
        scope.sites().forEach(url -> asked.put(url, site(url)));
        Map<UUID, Outcome> decided = new HashMap<>();
        scope.requestIds().forEach(id -> outcome(id).ifPresent(outcome -> decided.put(id, outcome)));
        Map<CredentialFingerprint, SiteUrl> tokens = new HashMap<>();
        for (Site site : sites.values()) {
            Connection.Sender sender = site.sender();
            if (sender == null) {
                continue;
            }
            sender.fingerprints()
                    .filter(scope.claimedTokens()::contains)
                    .forEach(token -> tokens.put(token, site.url()));
        }
        State state = new State(server, clock, locked, settings, asked, decided, tokens);
        afterLoad.run();
        return new Transaction() {

            @Override
            public State state() {
                return state;
            }

            @Override
            public void commit(Changes changes) {
                RuntimeException before = failBeforeCommit;
                failBeforeCommit = null;
                if (before != null) {
                    throw before;
                }
                save(changes);
                RuntimeException after = failAfterCommit;
                failAfterCommit = null;
                if (after != null) {
                    throw after;
                }
            }

            @Override
            public void close() {}
        };
    }

    private void save(Changes changes) {
        boolean fromLog = changes.origin() == Origin.LOG;
        for (StoredOutcome one : changes.outcomes()) {
            if (!fromLog && outcomes.containsKey(one.requestId())) {
                throw new IllegalStateException("request " + one.requestId() + " was decided before");
            }
        }
        for (LogHead head : changes.heads()) {
            LogHead found = heads.get(head.partition());
            if (found == null || found.fence() != head.fence()) {
                throw new IllegalStateException("another fence is in force: " + found);
            }
        }
        Map<SiteUrl, Site> after = new HashMap<>(sites);
        changes.sites().forEach(change -> after.put(change.after().url(), change.after()));
        long tokens = after.values().stream().filter(site -> site.sender() != null).count();
        long distinct = after.values()
                .stream()
                .filter(site -> site.sender() != null)
                .map(site -> site.sender().fingerprint())
                .distinct()
                .count();
        if (tokens != distinct) {
            throw new TokenTakenException(new IllegalStateException());
        }
        if (fromLog && !changes.events().isEmpty()) {
            LoggedEvent first = changes.events().getFirst();
            of(first.partition()).tailMap(first.sequence(), true).clear();
        }
        for (LoggedEvent event : changes.events()) {
            StoredEvent stored = new StoredEvent(event.sequence(), event.id(), event.requestId(),
                    event.requestOffset(), event.time(), event.key(), event.type(), event.payload(), event.hash());
            if (of(event.partition()).put(event.sequence(), stored) != null) {
                throw new IllegalStateException("event " + event.sequence() + " is there already");
            }
        }
        changes.outcomes().forEach(one -> outcomes.put(one.requestId(), one));
        sites.clear();
        sites.putAll(after);
        if (changes.settings() != null) {
            settings = changes.settings();
        }
        changes.heads().forEach(head -> heads.put(head.partition(), head));
    }

    private TreeMap<Long, StoredEvent> of(int partition) {
        return events.computeIfAbsent(partition, one -> new TreeMap<>());
    }

    @Override
    public String server() {
        return server;
    }

    @Override
    public Instant clock() {
        return clock;
    }

    @Override
    public Optional<LogHead> head(int partition) {
        return Optional.ofNullable(heads.get(partition));
    }

    @Override
    public Optional<LogHead> raiseFence(int partition, long fence) {
        LogHead found = heads.getOrDefault(partition, LogHead.start(partition));
        if (found.fence() >= fence) {
            return Optional.empty();
        }
        LogHead raised = new LogHead(partition, fence, found.sequence(), found.hash(), found.nextRequestOffset(),
                found.time(), found.published());
        heads.put(partition, raised);
        return Optional.of(raised);
    }

    @Override
    public List<StoredEvent> eventsAfter(int partition, long sequence) {
        return List.copyOf(of(partition).tailMap(sequence, false).values());
    }

    @Override
    public List<StoredOutcome> outcomesOfLast(int partition, Duration age, int limit) {
        List<StoredOutcome> newest = new ArrayList<>(outcomes.values()
                .stream()
                .filter(one -> one.partition() == partition && !one.decidedAt().isBefore(clock.minus(age)))
                .sorted(Comparator.comparingLong(StoredOutcome::requestOffset))
                .toList());
        return newest.subList(Math.max(0, newest.size() - limit), newest.size());
    }

    @Override
    public boolean forget(int partition, long fence) {
        LogHead found = heads.get(partition);
        if (found == null || found.fence() != fence) {
            return false;
        }
        for (StoredEvent event : of(partition).values()) {
            if (event.key().equals(Event.SETTINGS_KEY)) {
                settings = ModuleSettings.INITIAL;
            } else {
                sites.remove(SiteUrl.asSent(event.key()));
            }
            outcomes.remove(event.requestId());
        }
        of(partition).clear();
        LogHead start = LogHead.start(partition);
        heads.put(partition, new LogHead(partition, fence, start.sequence(), start.hash(), start.nextRequestOffset(),
                found.time(), start.published()));
        return true;
    }
}
