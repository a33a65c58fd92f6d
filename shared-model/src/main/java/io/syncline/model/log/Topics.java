package io.syncline.model.log;

import io.syncline.model.table.TableName;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Every topic that Syncline uses, with what it is kept for: the one place that spells their names. */
public final class Topics {

    public static final String REQUESTS = "syncline.connection.requests";
    public static final String REPLIES = "syncline.connection.replies";
    public static final String EVENTS = "syncline.connection.events";
    public static final String CAPTURE_LEASE = "syncline.capture.lease";
    /** Numbers that are never given twice, also where the state database is restored to an earlier moment. */
    public static final String STATE_MARKS = "syncline.state.marks";
    public static final String TABLE_PREFIX = "syncline.table.";

    /** The most characters of a table topic's name before it is cut and given a hash. */
    static final int MAX_NAME_LENGTH = 200;

    private static final String HOUR = "3600000";
    private static final String SEVEN_DAYS = "604800000";
    private static final String FOR_EVER = "-1";

    private Topics() {}

    /**
     * A topic and the settings that its meaning depends on; each is verified at start.
     *
     * @param config Kafka's topic settings, by their names
     */
    public record Spec(String name, int partitions, Map<String, String> config) {

        public Spec {
            config = Map.copyOf(config);
        }
    }

    /** All topics but those of the tables. */
    public static List<Spec> ofCluster(int partitions) {
        return List.of(new Spec(REQUESTS, partitions, config(SEVEN_DAYS)), new Spec(REPLIES, partitions, config(HOUR)),
                new Spec(EVENTS, partitions, config(FOR_EVER)), new Spec(CAPTURE_LEASE, 1, config(HOUR)),
                new Spec(STATE_MARKS, 1, compacted()));
    }

    public static Spec ofTable(TableName table, int partitions) {
        return new Spec(table(table), partitions, config(SEVEN_DAYS));
    }

    /** The topic of a table's changes. */
    public static String table(TableName table) {
        return TABLE_PREFIX + "public." + table.escaped(MAX_NAME_LENGTH);
    }

    private static Map<String, String> config(String retentionMs) {
        return withCommon(Map.of("cleanup.policy", "delete", "retention.ms", retentionMs, "retention.bytes", "-1"));
    }

    private static Map<String, String> compacted() {
        // Whoever writes a record reads what was written right before it: that is not compacted yet.
        return withCommon(Map.of("cleanup.policy", "compact", "min.compaction.lag.ms", HOUR));
    }

    private static Map<String, String> withCommon(Map<String, String> own) {
        Map<String, String> config = new HashMap<>(own);
        config.put("unclean.leader.election.enable", "false");
        config.put("message.timestamp.type", "CreateTime");
        // Event times are the database's and may be sent again long after: no bound on how old a record may be.
        config.put("message.timestamp.before.max.ms", Long.toString(Long.MAX_VALUE));
        config.put("message.timestamp.after.max.ms", Long.toString(Long.MAX_VALUE));
        return config;
    }
}
