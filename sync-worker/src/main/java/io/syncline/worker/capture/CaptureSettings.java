package io.syncline.worker.capture;

import io.syncline.worker.capture.debezium.DebeziumNames;
import io.syncline.worker.capture.debezium.RefusedTables;
import io.syncline.worker.capture.debezium.SlotOffsets;
import io.syncline.worker.capture.debezium.SourceSession;
import io.syncline.worker.capture.debezium.TextConnector;
import io.syncline.worker.capture.debezium.TextConverter;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Our settings as Debezium's. */
final class CaptureSettings {

    /** Debezium's name for the source; in no topic of ours. */
    private static final String NAME = "source";

    private static final AtomicInteger ENGINES = new AtomicInteger();

    private CaptureSettings() {}

    /**
     * @param startLsn the slot's confirmed position
     * @param refused  takes what the engine passes over
     */
    static Properties engine(SourceDatabase source, CaptureProperties capture, long startLsn, RefusedTables refused) {
        Properties engine = new Properties();
        engine.setProperty("name", "syncline-capture");
        engine.setProperty("connector.class", TextConnector.class.getName());
        engine.setProperty("topic.prefix", NAME);
        // Debezium's names for JMX. One that an engine of this JVM still has, the next would wait for, for two minutes, before it
        // streams.
        engine.setProperty("custom.metric.tags", "engine=" + ENGINES.incrementAndGet());

        engine.setProperty("database.hostname", source.host());
        engine.setProperty("database.port", source.port());
        engine.setProperty("database.dbname", source.database());
        engine.setProperty("database.user", source.user());
        setIfPresent(engine, "database.password", source.password());
        source.driverOptions().forEach((name, value) -> {
            engine.setProperty("driver." + name, value);
            if (name.startsWith("ssl")) {
                // Debezium has settings of its own for these, with defaults that would win.
                engine.setProperty("database." + name, value);
            }
        });
        engine.setProperty("driver.options",
                SourceSession.options(source.driverOptions().getOrDefault("options", "")));
        engine.setProperty("driver.allowEncodingChanges", "true");

        engine.setProperty("database.initial.statements", SourceSession.SETTINGS);

        engine.setProperty("plugin.name", "pgoutput");
        engine.setProperty("slot.name", capture.slotName());
        engine.setProperty("slot.drop.on.stop", "false");
        engine.setProperty("publication.name", capture.publication());
        engine.setProperty("publication.autocreate.mode", "disabled");
        engine.setProperty("schema.include.list", DebeziumNames.SCHEMA);
        engine.setProperty(RefusedTables.PROPERTY, refused.key());
        engine.setProperty("skipped.operations", "none");
        engine.setProperty("tombstones.on.delete", "false");

        // Snapshots are ours, see TableSnapshot.
        engine.setProperty("snapshot.mode", "no_data");
        engine.setProperty("converters", "text");
        engine.setProperty("text.type", TextConverter.class.getName());

        engine.setProperty("offset.storage", SlotOffsets.class.getName());
        engine.setProperty(SlotOffsets.START_LSN, Long.toString(startLsn));

        // A failure ends the engine; CaptureSession begins anew, with a new epoch and the slot's position of then.
        engine.setProperty("errors.max.retries", "0");
        engine.setProperty("slot.max.retries", "0");

        // The latency of the stream. Debezium spins through the last millisecond of each wait: at 20 ms an idle engine takes
        // 4 % of a core, at 5 ms a tenth.
        engine.setProperty("poll.interval.ms", "20");
        engine.setProperty("max.batch.size", "4096");
        engine.setProperty("max.queue.size", "16384");
        engine.setProperty("max.queue.size.in.bytes", "67108864");

        // An idle table must not hold the WAL of a busy server back. A message needs no table of ours in the source.
        engine.setProperty("heartbeat.interval.ms", Long.toString(capture.heartbeat().toMillis()));
        engine.setProperty("heartbeat.action.query", "SELECT pg_logical_emit_message(false, 'syncline', '')");
        return engine;
    }

    private static void setIfPresent(Properties properties, String name, @Nullable String value) {
        if (value != null) {
            properties.setProperty(name, value);
        }
    }
}
