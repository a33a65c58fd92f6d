package io.syncline.worker.replica;

import io.syncline.model.table.ReplicaLayout;
import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What there is of one table, the row of {@code replica_table}: the generation that is served, and the one under way. A
 * value that marks and rows are folded into.
 *
 * @param lastGeneration the newest that ever began: one that was given up is not begun again by another partition
 * @param cause          why the table is marked, null where it is not
 */
record TableState(
        TableName table,
        String topic,
        int partitions,
        long lastGeneration,
        Kind kind,
        @Nullable String cause,
        @Nullable Served served,
        @Nullable Content next) {

    /** What may be served. */
    enum Kind {
        /** Nothing: the first generation is not complete. */
        WAITING,
        /** All there is. */
        LIVE,
        /** What there was when trust in it ended; a new generation is under way or asked for. */
        REFRESHING,
        /** Nothing, and an operator has to know why. */
        MARKED;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        static Kind of(String word) {
            return valueOf(word.toUpperCase(Locale.ROOT));
        }
    }

    /** A generation's replica table and what is in it. */
    record Content(long generation, String replicaName, TableSchema schema, long rows, long bytes) {

        static Content empty(TableSchema schema, long generation) {
            return new Content(generation, ReplicaLayout.tableName(schema.table(), generation), schema, 0, 0);
        }

        Content with(Delta delta) {
            return new Content(generation, replicaName, schema, rows + delta.rows(), bytes + delta.bytes());
        }
    }

    /** A complete generation; as it was at {@code asOf}, or later. */
    record Served(Content content, Instant asOf) {}

    /** What a statement did to the number of rows and to their bytes. */
    record Delta(long rows, long bytes) {}

    static TableState unknown(TableName table, String topic, int partitions) {
        return new TableState(table, topic, partitions, 0, Kind.WAITING, null, null, null);
    }

    /** Where rows of a generation go; nowhere if it was given up, or if the table is marked. */
    Optional<Content> target(long generation) {
        if (kind == Kind.MARKED) {
            return Optional.empty();
        }
        if (next != null && next.generation() == generation) {
            return Optional.of(next);
        }
        return served != null && served.content().generation() == generation
                ? Optional.of(served.content())
                : Optional.empty();
    }

    /** Whether rows of a generation are those of one whose snapshot is not complete. */
    boolean building(long generation) {
        return next != null && next.generation() == generation;
    }

    /** A generation begins that is newer than all before; one under way is given up. */
    TableState begin(TableSchema schema, long generation, int partitionCount) {
        return new TableState(table, topic, partitionCount, generation, unserved(), null, served,
                Content.empty(schema, generation));
    }

    /** The generation under way is complete and is served from now on. */
    TableState complete(Content built, Instant asOf) {
        return new TableState(table, topic, partitions, lastGeneration, Kind.LIVE, null, new Served(built, asOf), null);
    }

    /** The table goes no further than what is there, until a generation newer than this one begins. */
    TableState halt(long generation, String why) {
        return new TableState(table, topic, partitions, Math.max(lastGeneration, generation), Kind.MARKED, why, served,
                null);
    }

    /** What the topic holds is not trusted any more: what is there is served as it was. */
    TableState abandon() {
        return kind == Kind.MARKED
                ? this
                : new TableState(table, topic, partitions, lastGeneration, unserved(), null, served, null);
    }

    /** After rows of a generation were written; {@code time} is that of the newest. */
    TableState written(long generation, Delta delta, Instant time) {
        if (next != null && next.generation() == generation) {
            return new TableState(table, topic, partitions, lastGeneration, kind, cause, served, next.with(delta));
        }
        if (served != null && served.content().generation() == generation) {
            Instant asOf = time.isAfter(served.asOf()) ? time : served.asOf();
            return new TableState(table, topic, partitions, lastGeneration, kind, cause,
                    new Served(served.content().with(delta), asOf), next);
        }
        return this;
    }

    private Kind unserved() {
        return served == null ? Kind.WAITING : Kind.REFRESHING;
    }
}
