package io.syncline.model.log;

import io.syncline.model.table.TableName;
import java.util.List;
import java.util.Map;

/** Every topic that Syncline uses, with what it is kept for: the one place that spells their names. */
public final class Topics {

    public static final String REQUESTS = "syncline.connection.requests";
    public static final String REPLIES = "syncline.connection.replies";
    public static final String EVENTS = "syncline.connection.events";
    public static final String CAPTURE_LEASE = "syncline.capture.lease";
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

    /** The connection half's topics and the capture's lease. */
    public static List<Spec> ofCluster(int partitions) {
        return List.of(new Spec(REQUESTS, partitions, config(SEVEN_DAYS)), new Spec(REPLIES, partitions, config(HOUR)),
                new Spec(EVENTS, partitions, config(FOR_EVER)), new Spec(CAPTURE_LEASE, 1, config(HOUR)));
    }

    public static Spec ofTable(TableName table, int partitions) {
        return new Spec(table(table), partitions, config(SEVEN_DAYS));
    }

    /** The topic of a table's changes. */
    public static String table(TableName table) {
        return TABLE_PREFIX + "public." + table.escaped(MAX_NAME_LENGTH);
    }

    private static Map<String, String> config(String retentionMs) {
        // Event times are the database's and may be sent again long after: no bound on how old a record may be.
        return Map.of("cleanup.policy", "delete", "retention.ms", retentionMs, "retention.bytes", "-1",
                "unclean.leader.election.enable", "false", "message.timestamp.type", "CreateTime",
                "message.timestamp.before.max.ms", Long.toString(Long.MAX_VALUE), "message.timestamp.after.max.ms",
                Long.toString(Long.MAX_VALUE));
    }
}
