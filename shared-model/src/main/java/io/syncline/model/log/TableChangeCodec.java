package io.syncline.model.log;

import io.syncline.model.table.ColumnInfo;
import io.syncline.model.table.KeyColumn;
import io.syncline.model.table.Place;
import io.syncline.model.table.TableChange;
import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A table's changes as Kafka records that any Kafka tool can show: key and row are JSON, what happened is in the headers
 * {@code op}, {@code epoch} and {@code place}. A delete has no value, as a tombstone has none. {@link TableChangeReader} reads
 * them.
 */
public final class TableChangeCodec {

    static final String OP = "op";
    static final String EPOCH = "epoch";
    static final String PLACE = "place";

    /** @param dependsOn null in what was written before it was told */
    record Begun(
            long generation,
            String table,
            List<ColumnInfo> columns,
            List<KeyColumn> key,
            @Nullable List<String> dependsOn) {

        static Begun of(long generation, TableSchema schema) {
            return new Begun(generation, schema.table().name(), schema.columns(), schema.key(), schema.dependsOn());
        }

        TableSchema schema() {
            return new TableSchema(new TableName(table), columns, key, dependsOn == null ? List.of() : dependsOn);
        }
    }

    record Ended(long generation, long rows, Instant asOf) {}

    record Halted(long generation, String cause) {}

    record Dropped(long generation) {}

    private TableChangeCodec() {}

    /** The record of a change; {@code timestamp} is milliseconds since 1970, for people to read. */
    public static LogRecord write(TableChange change, long timestamp) {
        return switch (change) {
            case TableChange.Upsert c -> record("upsert", c.epoch(), c.place(), c.key(), c.row(), timestamp);
            case TableChange.Delete c -> record("delete", c.epoch(), c.place(), c.key(), null, timestamp);
            case TableChange.Truncate c -> record("truncate", c.epoch(), c.place(), null, null, timestamp);
            case TableChange.SnapshotBegun c ->
                    record("begin", c.epoch(), null, null, Json.write(Begun.of(c.generation(), c.schema())), timestamp);
            case TableChange.SnapshotEnded c -> record("end", c.epoch(), null, null,
                    Json.write(new Ended(c.generation(), c.rows(), c.asOf())), timestamp);
            case TableChange.Halted c -> record("halted", c.epoch(), null, null,
                    Json.write(new Halted(c.generation(), c.cause())), timestamp);
            case TableChange.Dropped c -> record("dropped", c.epoch(), null, null,
                    Json.write(new Dropped(c.generation())), timestamp);
            case TableChange.EpochBegun c -> record("epoch", c.epoch(), null, null, null, timestamp);
        };
    }

    /** The stored form of a schema, in the state database. */
    public static String schemaJson(TableSchema schema) {
        return new String(Json.write(Begun.of(0, schema)), StandardCharsets.UTF_8);
    }

    public static TableSchema readSchema(String json) {
        return Json.read(json.getBytes(StandardCharsets.UTF_8), Begun.class).schema();
    }

    private static LogRecord record(String op, long epoch, @Nullable Place place, byte @Nullable [] key,
            byte @Nullable [] value, long timestamp) {
        SortedMap<String, byte[]> headers = new TreeMap<>();
        LoggedEvent.put(headers, OP, op);
        LoggedEvent.put(headers, EPOCH, Long.toString(epoch));
        if (place != null) {
            LoggedEvent.put(headers, PLACE, place.toString());
        }
        return new LogRecord(key, value, timestamp, headers);
    }
}
