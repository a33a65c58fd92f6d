package io.syncline.worker.capture.debezium;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The tables of which an engine has passed changes over, since Debezium would have misread them or failed at them. Debezium makes its
 * task by class name, so that the task finds this object by a key among its settings.
 */
public final class RefusedTables implements AutoCloseable {

    /** The engine's property with the key. */
    public static final String PROPERTY = "syncline.refused-tables";

    private static final Map<String, RefusedTables> OPEN = new ConcurrentHashMap<>();
    private static final AtomicLong KEYS = new AtomicLong();

    private final String key = Long.toString(KEYS.incrementAndGet());
    /** The cause of each table's, by its name: a million changes of one table say no more than one. */
    private final Map<String, String> refused = new ConcurrentHashMap<>();
    private final Queue<Long> doubtful = new ConcurrentLinkedQueue<>();

    /** @param cause why changes of the table were passed over, for people */
    public record Refused(String table, String cause) {}

    public RefusedTables() {
        OPEN.put(key, this);
    }

    static RefusedTables of(String key) {
        RefusedTables tables = OPEN.get(key);
        if (tables == null) {
            throw new IllegalStateException("no engine has the key '" + key + "' among those that run in this JVM");
        }
        return tables;
    }

    public String key() {
        return key;
    }

    /** Called before any change that follows is handed over. */
    void add(String table, String cause) {
        refused.put(table, cause);
    }

    /** What has been refused since this was asked the last time. */
    public List<Refused> take() {
        List<Refused> taken = new ArrayList<>();
        for (String table : refused.keySet()) {
            String cause = refused.remove(table);
            if (cause != null) {
                taken.add(new Refused(table, cause));
            }
        }
        return taken;
    }

    /** Called before a table that is none of a root's partitions brings it changes. */
    void doubt(long root) {
        doubtful.add(root);
    }

    /** The OIDs of roots that have been brought changes by what is none of their partitions, since this was asked the last time. */
    public List<Long> takeDoubtful() {
        List<Long> taken = new ArrayList<>();
        for (Long root = doubtful.poll(); root != null; root = doubtful.poll()) {
            taken.add(root);
        }
        return taken;
    }

    @Override
    public void close() {
        OPEN.remove(key);
    }
}
