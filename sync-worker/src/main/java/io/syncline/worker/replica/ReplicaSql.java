package io.syncline.worker.replica;

import static io.syncline.model.table.ReplicaLayout.WIRE;
import static io.syncline.model.table.ReplicaLayout.enumName;
import static io.syncline.model.table.ReplicaLayout.keyColumn;
import static io.syncline.model.table.ReplicaLayout.keyType;
import static io.syncline.model.table.ReplicaLayout.qualified;
import static io.syncline.model.table.ReplicaLayout.quoted;

import io.syncline.model.table.KeyColumn;
import io.syncline.model.table.ReplicaLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The statements on one replica table. Every statement that writes rows answers what it did to their number and bytes,
 * read in the same statement, so that the counts are exact whatever is delivered twice.
 */
final class ReplicaSql {

    private static final String PLACE = "commit_lsn, lsn, number";

    private final String table;
    private final List<KeyColumn> key;
    private final List<KeyKind> kinds;
    private final String keyColumns;

    /** {@link TableFault} where the state database cannot hold such a key. */
    ReplicaSql(String replicaName, List<KeyColumn> key) throws TableFault {
        if (key.isEmpty()) {
            throw new TableFault("the table has no key: such tables cannot be copied yet", false);
        }
        List<KeyKind> found = new ArrayList<>();
        for (KeyColumn column : key) {
            found.add(KeyKind.of(column));
        }
        this.table = qualified(replicaName);
        this.key = key;
        this.kinds = List.copyOf(found);
        this.keyColumns = columns("");
    }

    List<KeyKind> kinds() {
        return kinds;
    }

    /**
     * Space is left on each page so that a changed row finds its place there, and no index has to be touched.
     *
     * @param collations those of the key's that the database has
     */
    String create(Set<String> collations) {
        String definitions = IntStream.range(0, key.size()).mapToObj(i -> {
            KeyColumn column = key.get(i);
            String collation = column.collation() == null || !collations.contains(column.collation())
                    ? ""
                    : " COLLATE " + quoted(column.collation());
            return keyColumn(i) + " " + keyType(column) + collation + " NOT NULL, ";
        }).collect(Collectors.joining());
        return "CREATE TABLE " + table + " (" + definitions + WIRE + " text, commit_lsn bigint NOT NULL, "
                + "lsn bigint NOT NULL, number bigint NOT NULL, removed_at timestamptz, PRIMARY KEY (" + keyColumns
                + ")) WITH (fillfactor = 90)";
    }

    static String createEnum(List<String> labels) {
        return "CREATE TYPE " + qualified(enumName(labels)) + " AS ENUM ("
                + labels.stream().map(ReplicaLayout::literal).collect(Collectors.joining(", ")) + ")";
    }

    /** Finds the tombstones that are old enough to go. */
    String indexTombstones() {
        return "CREATE INDEX ON " + table + " (removed_at) WHERE removed_at IS NOT NULL";
    }

    /** Rows of a snapshot, none of which is there yet; fails if one is. The data are {@link Rows#copyTo}'s. */
    String copy() {
        return "COPY " + table + " (" + keyColumns + ", " + WIRE + ", " + PLACE + ") FROM STDIN";
    }

    /**
     * Rows and tombstones, each unless a newer one is there; each key once. Parameters: an array for each key column, then
     * wire, commit_lsn, lsn, number. Gives rows and bytes, less those that were there before.
     */
    String write() {
        String newer = "(t.commit_lsn, t.lsn, t.number) < ";
        return "WITH " + incoming() + ", before AS MATERIALIZED (SELECT octet_length(t." + WIRE
                + ") AS bytes FROM incoming i JOIN " + table + " t ON (" + columns("t.") + ") = (" + columns("i.")
                + ") WHERE " + newer + "(i.commit_lsn, i.lsn, i.number)), written AS (INSERT INTO " + table + " AS t ("
                + keyColumns + ", " + WIRE + ", " + PLACE + ", removed_at) SELECT " + keyColumns + ", " + WIRE + ", "
                + PLACE + ", CASE WHEN " + WIRE + " IS NULL THEN now() END FROM incoming ON CONFLICT (" + keyColumns
                + ") DO UPDATE SET " + WIRE + " = excluded." + WIRE + ", commit_lsn = excluded.commit_lsn, "
                + "lsn = excluded.lsn, number = excluded.number, removed_at = excluded.removed_at WHERE " + newer
                + "(excluded.commit_lsn, excluded.lsn, excluded.number) RETURNING octet_length(t." + WIRE
                + ") AS bytes) SELECT (SELECT count(bytes) FROM written) - (SELECT count(bytes) FROM before),"
                + " ((SELECT coalesce(sum(bytes), 0) FROM written)"
                + " - (SELECT coalesce(sum(bytes), 0) FROM before))::bigint";
    }

    /** All rows of an older place become tombstones. Parameters: the place's three numbers, twice. Gives rows and bytes. */
    String truncate() {
        String older = WIRE + " IS NOT NULL AND (" + PLACE + ") < (SELECT c, l, n FROM place)";
        return "WITH place AS (SELECT ?::bigint AS c, ?::bigint AS l, ?::bigint AS n), gone AS MATERIALIZED"
                + " (SELECT octet_length(" + WIRE + ") AS bytes FROM " + table + " WHERE " + older
                + "), emptied AS (UPDATE " + table + " SET " + WIRE + " = NULL, (" + PLACE
                + ") = (SELECT c, l, n FROM place), removed_at = now() WHERE " + older
                + ") SELECT -count(bytes), -coalesce(sum(bytes), 0)::bigint FROM gone";
    }

    /** What an older generation has and this one lacks is left here as tombstones, for those who ask what changed. */
    String takeGhosts(String olderReplicaName) {
        return "INSERT INTO " + table + " (" + keyColumns + ", " + PLACE + ", removed_at) SELECT " + columns("o.")
                + ", 0, 0, 0, coalesce(o.removed_at, now()) FROM " + qualified(olderReplicaName)
                + " o WHERE NOT EXISTS (SELECT FROM " + table + " t WHERE (" + columns("t.") + ") = (" + columns("o.")
                + "))";
    }

    static String pruneTombstones(String replicaName) {
        String table = qualified(replicaName);
        return "DELETE FROM " + table + " WHERE ctid = ANY (ARRAY(SELECT ctid FROM " + table
                + " WHERE removed_at < now() - ? * interval '1 second' LIMIT ?))";
    }

    static String drop(String replicaName) {
        return "DROP TABLE IF EXISTS " + qualified(replicaName);
    }

    /** The parameters' rows, the key in its native type, each key once. */
    private String incoming() {
        String arrays = kinds.stream()
                .map(kind -> kind == KeyKind.INTEGER ? "?::bigint[], " : "?::text[], ")
                .collect(Collectors.joining());
        String casts = IntStream.range(0, key.size())
                .mapToObj(i -> "CAST(u." + keyColumn(i) + " AS " + keyType(key.get(i)) + ") AS " + keyColumn(i))
                .collect(Collectors.joining(", "));
        String from = " FROM unnest(" + arrays + "?::text[], ?::bigint[], ?::bigint[], ?::bigint[]) AS u(" + keyColumns
                + ", " + WIRE + ", " + PLACE + ")";
        String rows = "SELECT " + casts + ", u." + WIRE + ", u.commit_lsn, u.lsn, u.number" + from;
        if (kinds.contains(KeyKind.AMBIGUOUS) || kinds.contains(KeyKind.ARRAY)) {
            rows = "SELECT DISTINCT ON (" + columns("r.") + ") * FROM (" + rows + ") r ORDER BY " + columns("r.")
                    + ", r.commit_lsn DESC, r.lsn DESC, r.number DESC";
        }
        return "incoming AS MATERIALIZED (" + rows + ")";
    }

    private String columns(String prefix) {
        return IntStream.range(0, key.size()).mapToObj(i -> prefix + keyColumn(i)).collect(Collectors.joining(", "));
    }
}
