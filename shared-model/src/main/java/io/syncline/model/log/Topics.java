package io.syncline.model.log;

import io.syncline.model.table.TableName;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
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
        return TABLE_PREFIX + "public." + escaped(table.name(), MAX_NAME_LENGTH);
    }

    /**
     * A name in letters that Kafka (and an SQL identifier) takes: bytes outside {@code [A-Za-z0-9_]} become {@code -xx};
     * beyond {@code longest} characters the end gives way to a hash of the whole.
     */
    public static String escaped(String name, int longest) {
        StringBuilder escaped = new StringBuilder();
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            if (c == '_' || (c < 128 && Character.isLetterOrDigit(c))) {
                escaped.append(c);
            } else {
                escaped.append('-').append(HexFormat.of().toHexDigits(b));
            }
        }
        if (escaped.length() <= longest) {
            return escaped.toString();
        }
        String hash = HexFormat.of().formatHex(HashChain.sha256(name.getBytes(StandardCharsets.UTF_8)), 0, 8);
        return escaped.substring(0, longest - hash.length() - 1) + "-" + hash;
    }

    private static Map<String, String> config(String retentionMs) {
        // Event times are the database's and may be sent again long after: no bound on how old a record may be.
        return Map.of("cleanup.policy", "delete", "retention.ms", retentionMs, "retention.bytes", "-1",
                "unclean.leader.election.enable", "false", "message.timestamp.type", "CreateTime",
                "message.timestamp.before.max.ms", Long.toString(Long.MAX_VALUE), "message.timestamp.after.max.ms",
                Long.toString(Long.MAX_VALUE));
    }
}
