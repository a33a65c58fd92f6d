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
 * @param lastChange     the number of the newest change of its rows, see {@link #changed}
 * @param knownSince     the oldest change number since which can be told what changed
 * @param cause          why the table is marked, null where it is not
 */
record TableState(
        TableName table,
        String topic,
        int partitions,
        long lastGeneration,
        long lastChange,
        long knownSince,
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

    /**
     * A generation's replica table and what is in it.
     *
     * @param began a number before those of all changes in there. Numbers given meanwhile may belong to the generation that
     *              is served: what changed since a pull of that one is all that came after {@code began}
     */
    record Content(
            long generation,
            String replicaName,
            TableSchema schema,
            long rows,
            long bytes,
            long checksum,
            long began) {

        static Content empty(TableSchema schema, long generation, long began) {
            return new Content(generation, ReplicaLayout.tableName(schema.table(), generation), schema, 0, 0, 0, began);
        }

        Content with(Delta delta) {
            return new Content(generation, replicaName, schema, rows + delta.rows(), bytes + delta.bytes(),
                    checksum + delta.checksum(), began);
        }
    }

    /** A complete generation, which has all that the source had at {@code asOf}. */
    record Served(Content content, Instant asOf) {}

    /** What a statement did to the number of rows, to their bytes, and to the sum of their hashes. */
    record Delta(long rows, long bytes, long checksum) {}

    static TableState unknown(TableName table, String topic, int partitions) {
        return new TableState(table, topic, partitions, 0, 0, 0, Kind.WAITING, null, null, null);
    }

    /** With the number for changes made now, the same for all of one transaction: see {@link ChangeNumbers}. */
    TableState changed(long number) {
        return new TableState(table, topic, partitions, lastGeneration, number, knownSince, kind, cause, served, next);
    }

    /** Where rows of a generation go; nowhere if it was given up, or if it ended when the table was marked. */
    Optional<Content> target(long generation) {
        if (next != null && next.generation() == generation) {
            return Optional.of(next);
        }
        return kind != Kind.MARKED && served != null && served.content().generation() == generation
                ? Optional.of(served.content())
                : Optional.empty();
    }

    /** Whether rows of a generation are those of one whose snapshot is not complete. */
    boolean building(long generation) {
        return next != null && next.generation() == generation;
    }

    /**
     * A generation begins that is newer than all before; one under way is given up. A table that is marked stays so until
     * this one is complete: nobody knows since when what is there was wrong.
     */
    TableState begin(TableSchema schema, long generation, int partitionCount) {
        boolean staysMarked = kind == Kind.MARKED && served != null;
        return new TableState(table, topic, partitionCount, generation, lastChange, knownSince,
                staysMarked ? Kind.MARKED : unserved(), staysMarked ? cause : null, served,
                // The same transaction may already have a number.
                Content.empty(schema, generation, lastChange - 1));
    }

    /**
     * The generation under way is complete and is served from now on.
     *
     * @param continued whether it holds the tombstones of what the one before had more
     */
    TableState complete(Content built, Instant asOf, boolean continued) {
        return new TableState(table, topic, partitions, lastGeneration, lastChange,
                continued ? knownSince : lastChange, Kind.LIVE, null,
                // It has what the one before had; the source's clock may have been set back.
                new Served(built, served == null || asOf.isAfter(served.asOf()) ? asOf : served.asOf()), null);
    }

    /** The table goes no further than what is there, until a generation newer than this one is complete. */
    TableState halt(long generation, String why) {
        return new TableState(table, topic, partitions, Math.max(lastGeneration, generation), lastChange, knownSince,
                Kind.MARKED, why, served, null);
    }

    /**
     * What the topic holds is not trusted any more: what is there is served as it was. What peers were given since an older number
     * than this one may be more than that, and nothing would tell them what of it is gone.
     */
    TableState abandon(long number) {
        boolean staysMarked = kind == Kind.MARKED;
        return new TableState(table, topic, partitions, lastGeneration, number, number,
                staysMarked ? Kind.MARKED : unserved(), cause, served, null);
    }

    /** After rows of a generation were written. */
    TableState written(long generation, Delta delta) {
        if (next != null && next.generation() == generation) {
            return new TableState(table, topic, partitions, lastGeneration, lastChange, knownSince, kind, cause, served,
                    next.with(delta));
        }
        if (served != null && served.content().generation() == generation) {
            return new TableState(table, topic, partitions, lastGeneration, lastChange, knownSince, kind, cause,
                    new Served(served.content().with(delta), served.asOf()), next);
        }
        return this;
    }

    private Kind unserved() {
        return served == null ? Kind.WAITING : Kind.REFRESHING;
    }
}
