package io.syncline.gateway.state;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The database servers that this gateway has met, and of which partitions each may be answered from: it must have all that
 * the log had when it was met. A standby that took over too early, a restored copy, or another server behind the same
 * connection are servers that have not been met; one that is overtaken (a primary that was cut off) is found by the looks
 * that are taken at it.
 */
public final class Servers {

    private static final Logger log = LoggerFactory.getLogger(Servers.class);
    private static final int MOST = 16;

    private final HighWater highWater;
    private final List<Runnable> onAnother = new CopyOnWriteArrayList<>();
    private volatile View view = new View(Map.of());

    public Servers(HighWater highWater) {
        this.highWater = highWater;
    }

    /**
     * A server.
     *
     * @param doubts by partition, why it is not answered from; null where it is
     */
    private record Met(long sight, List<@Nullable String> doubts) {}

    /** What was known of the servers at one moment. */
    static final class View {

        private final Map<Instant, Met> servers;

        private View(Map<Instant, Met> servers) {
            this.servers = servers;
        }

        /** Why nothing of these partitions was to be answered from the server; empty where it was. */
        Optional<String> doubt(Instant server, Collection<Integer> partitions) {
            Met met = servers.get(server);
            if (met == null) {
                return Optional.of("the state database is another server than before, or was started again");
            }
            for (int partition : partitions) {
                String doubt = met.doubts().get(partition);
                if (doubt != null) {
                    return Optional.of(doubt);
                }
            }
            return Optional.empty();
        }

        private View with(Instant server, Met met) {
            Map<Instant, Met> all = new LinkedHashMap<>(servers);
            if (all.size() == MOST && !all.containsKey(server)) {
                Iterator<Instant> oldest = all.keySet().iterator();
                oldest.next();
                oldest.remove();
            }
            all.put(server, met);
            return new View(all);
        }
    }

    /**
     * What is known now. Taken before a read: one that was begun before its server was known to have caught up may show how
     * things were before that.
     */
    View view() {
        return view;
    }

    /** Runs when another server than before is met: what is connected to the one before is not worth keeping. */
    void onAnother(Runnable run) {
        onAnother.add(run);
    }

    /** Asks the server at the other end how far it is. */
    Heads meet(Connection connection) throws SQLException {
        // The mark first: what it has was committed before, so whoever reads the heads later must find it.
        HighWater.Mark before = highWater.mark();
        Heads heads = Heads.read(connection);
        met(heads, before);
        return heads;
    }

    /** @param before what was known of the log before the server was asked */
    void met(Heads heads, HighWater.Mark before) {
        heads.published().forEach(highWater::seen);
        boolean another;
        synchronized (this) {
            Met there = view.servers.get(heads.server());
            long sight = there == null ? highWater.sight() : there.sight();
            another = there == null && !view.servers.isEmpty();
            List<@Nullable String> doubts = new ArrayList<>();
            for (int partition = 0; partition < highWater.partitions(); partition++) {
                doubts.add(doubt(sight, partition, heads, before));
            }
            if (there == null || !there.doubts().equals(doubts)) {
                view = view.with(heads.server(), new Met(sight, doubts));
            }
        }
        if (another) {
            log.info("state database: another server answers, or the same one after a restart (started {}); it is"
                    + " answered from as soon as it has all that the event log has", heads.server());
            onAnother.forEach(Runnable::run);
        }
    }

    private @Nullable String doubt(long sight, int partition, Heads heads, HighWater.Mark before) {
        if (before.readAt()[partition] < sight) {
            return "it is not known yet how far the event log has come: the end of partition " + partition
                    + " cannot be read: " + highWater.whyUnread(partition);
        }
        long has = heads.committed().getOrDefault(partition, 0L);
        long needs = before.published()[partition];
        return has >= needs ? null
                : "the state database is behind the event log: partition " + partition + " has event " + has
                        + ", event " + needs + " has been seen";
    }

    /** What the server is good for now, as a whole. */
    Check check(Instant server, int settingsPartition) {
        View now = view;
        List<String> doubts = new ArrayList<>();
        List<Integer> out = new ArrayList<>();
        for (int partition = 0; partition < highWater.partitions(); partition++) {
            Optional<String> doubt = now.doubt(server, List.of(partition));
            if (doubt.isPresent()) {
                doubts.add(doubt.get());
                out.add(partition);
            }
        }
        if (out.isEmpty()) {
            return new Check.Up();
        }
        String cause = String.join("; ", doubts);
        String remedy = "it is answered from again once it has caught up; if it never does, check that this gateway reaches"
                + " every broker (spring.kafka.bootstrap-servers), and start a worker: workers roll the database forward"
                + " from the event log";
        // Whether the module is enabled is asked with nearly every call.
        return out.contains(settingsPartition) || out.size() == highWater.partitions() ? new Check.Down(cause, remedy)
                : new Check.Limited(cause, remedy);
    }
}
