package io.syncline.worker.replica;

import static io.syncline.model.table.ReplicaLayout.CHANGED;
import static io.syncline.model.table.ReplicaLayout.REMOVED_KEY;
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
import java.util.stream.Stream;

/**
 * The statements on one replica table. Every statement that writes rows answers what it did to their number and bytes,
 * read in the same statement, so that the counts are exact whatever is delivered twice.
 */
final class ReplicaSql {

    private static final String PLACE = "commit_lsn, lsn, number";
    /** {@link io.syncline.model.table.RowChecksum} of the row, null for a tombstone. */
    private static final String HASH = "row_hash";

    private final String table;
    private final List<KeyColumn> key;
    private final List<KeyKind> kinds;
    private final String keyColumns;
    /** The key's names as JSON has them, with their quotes. */
    private final List<String> keyNames;

    static ReplicaSql of(TableState.Content content) throws TableFault {
        return new ReplicaSql(content.replicaName(), content.schema().key());
    }

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
        this.keyNames = key.stream().map(column -> RowKey.jsonName(column.name())).toList();
    }

    List<String> keyNames() {
        return keyNames;
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
        return "CREATE TABLE " + table + " (" + definitions + WIRE + " text, " + HASH + " bigint, " + REMOVED_KEY
                + " text, " + CHANGED
                + " bigint NOT NULL, commit_lsn bigint NOT NULL, lsn bigint NOT NULL, number bigint NOT NULL, removed_at timestamptz, PRIMARY KEY ("
                + keyColumns
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

    /**
     * Finds the pages with what changed last. Of the ranges of pages only: an index of the rows would have to be touched with
     * each change, and this one does not keep PostgreSQL from changing a row within its page (since 16).
     */
    String indexChanges() {
        return "CREATE INDEX ON " + table + " USING brin (" + CHANGED + ") WITH (pages_per_range = 16)";
    }

    /** Rows of a snapshot, none of which is there yet; fails if one is. The data are {@link Rows#copyTo}'s. */
    String copy() {
        return "COPY " + table + " (" + keyColumns + ", " + WIRE + ", " + HASH + ", " + CHANGED + ", " + PLACE
                + ") FROM STDIN";
    }

    /**
     * Rows and tombstones, each unless a newer one is there; each key once. Parameters: an array for each key column, then
     * wire, hash, removed key, commit_lsn, lsn, number; then the change's number. Gives rows, bytes and hashes, less those
     * that were there before.
     */
    String write() {
        String newer = "(t.commit_lsn, t.lsn, t.number) < ";
        String written = String.join(", ", WIRE, HASH, REMOVED_KEY, CHANGED, PLACE);
        String set = Stream.of(WIRE, HASH, REMOVED_KEY, CHANGED, "commit_lsn", "lsn", "number", "removed_at")
                .map(column -> column + " = excluded." + column)
                .collect(Collectors.joining(", "));
        return "WITH " + incoming() + ", before AS MATERIALIZED (SELECT octet_length(t." + WIRE + ") AS bytes, t."
                + HASH
                + " AS hash FROM incoming i JOIN " + table + " t ON (" + columns("t.") + ") = (" + columns("i.")
                + ") WHERE " + newer + "(i.commit_lsn, i.lsn, i.number)), written AS (INSERT INTO " + table + " AS t ("
                + keyColumns + ", " + written + ", removed_at) SELECT " + keyColumns + ", " + WIRE + ", " + HASH + ", "
                + REMOVED_KEY + ", ?::bigint, " + PLACE + ", CASE WHEN " + WIRE
                + " IS NULL THEN now() END FROM incoming ON CONFLICT (" + keyColumns + ") DO UPDATE SET " + set
                + " WHERE " + newer + "(excluded.commit_lsn, excluded.lsn, excluded.number) RETURNING octet_length(t."
                + WIRE + ") AS bytes, t." + HASH + " AS hash)"
                + " SELECT w.rows - b.rows, (w.bytes - b.bytes)::bigint, w.hashes - b.hashes FROM "
                + sums("written") + " w, " + sums("before") + " b";
    }

    private static String sums(String rows) {
        return "(SELECT count(bytes) AS rows, coalesce(sum(bytes), 0) AS bytes, coalesce(sum(hash), 0) AS hashes FROM "
                + rows + ")";
    }

    /**
     * All rows of an older place become tombstones. Parameters: the place's three numbers, the change's number. Gives rows,
     * bytes and hashes, less those that were there before.
     */
    String truncate() {
        String older = WIRE + " IS NOT NULL AND (" + PLACE + ") < (SELECT c, l, n FROM place)";
        return "WITH place AS (SELECT ?::bigint AS c, ?::bigint AS l, ?::bigint AS n), gone AS MATERIALIZED"
                + " (SELECT octet_length(" + WIRE + ") AS bytes, " + HASH + " AS hash FROM " + table + " WHERE " + older
                + "), emptied AS (UPDATE " + table + " t SET " + WIRE + " = NULL, " + HASH + " = NULL, " + REMOVED_KEY
                + " = " + keyIn("t") + ", " + CHANGED + " = ?::bigint, (" + PLACE
                + ") = (SELECT c, l, n FROM place), removed_at = now() WHERE " + older
                + ") SELECT -g.rows, (-g.bytes)::bigint, -g.hashes FROM " + sums("gone") + " g";
    }

    /**
     * What an older generation has and this one lacks is left here as tombstones, for those who ask what changed. Parameter:
     * the change's number.
     */
    String takeGhosts(String olderReplicaName) {
        return "INSERT INTO " + table + " (" + keyColumns + ", " + REMOVED_KEY + ", " + CHANGED + ", " + PLACE
                + ", removed_at) SELECT " + columns("o.") + ", coalesce(o." + REMOVED_KEY + ", " + keyIn("o")
                + "), CASE WHEN o." + WIRE + " IS NULL THEN o." + CHANGED
                + " ELSE ?::bigint END, 0, 0, 0, coalesce(o.removed_at, now()) FROM "
                + qualified(olderReplicaName) + " o WHERE NOT EXISTS (SELECT FROM " + table + " t WHERE ("
                + columns("t.") + ") = (" + columns("o.") + "))";
    }

    /** The key that a row has in its wire JSON, as an object of its own; an array's as the key of a record has it. */
    private String keyIn(String alias) {
        String pairs = IntStream.range(0, key.size()).mapToObj(i -> {
            String inWire = "(" + alias + "." + WIRE + "::json -> " + ReplicaLayout.literal(key.get(i).name())
                    + ")::text";
            String text = alias + "." + keyColumn(i) + "::text";
            String value = kinds.get(i) == KeyKind.ARRAY
                    ? "CASE WHEN starts_with(" + text + ", '[') THEN to_json(" + text + ")::text ELSE " + inWire
                            + " END"
                    : inWire;
            return ReplicaLayout.literal((i == 0 ? "{" : ",") + keyNames.get(i) + ":") + " || coalesce(" + value
                    + ", 'null')";
        }).collect(Collectors.joining(" || "));
        return "(" + pairs + " || '}')";
    }

    /** Whether there are tombstones older than so many seconds. */
    static String oldTombstones(String replicaName) {
        return "SELECT EXISTS (SELECT FROM " + qualified(replicaName)
                + " WHERE removed_at < now() - ? * interval '1 second')";
    }

    /**
     * Takes tombstones away that are older than so many seconds, so many at most. Gives how many, and the newest change among
     * them, null for none.
     */
    static String pruneTombstones(String replicaName) {
        String table = qualified(replicaName);
        return "WITH pruned AS (DELETE FROM " + table + " WHERE ctid = ANY (ARRAY(SELECT ctid FROM " + table
                + " WHERE removed_at < now() - ? * interval '1 second' LIMIT ?)) RETURNING " + CHANGED
                + ") SELECT count(*), max(" + CHANGED + ") FROM pruned";
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
        String from = " FROM unnest(" + arrays
                + "?::text[], ?::bigint[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[]) AS u("
                + String.join(", ", keyColumns, WIRE, HASH, REMOVED_KEY, PLACE) + ")";
        String rows = "SELECT " + casts + ", u." + WIRE + ", u." + HASH + ", u." + REMOVED_KEY
                + ", u.commit_lsn, u.lsn, u.number" + from;
        if (kinds.stream().anyMatch(KeyKind::isAmbiguous)) {
            rows = "SELECT DISTINCT ON (" + columns("r.") + ") * FROM (" + rows + ") r ORDER BY " + columns("r.")
                    + ", r.commit_lsn DESC, r.lsn DESC, r.number DESC";
        }
        return "incoming AS MATERIALIZED (" + rows + ")";
    }

    private String columns(String prefix) {
        return IntStream.range(0, key.size()).mapToObj(i -> prefix + keyColumn(i)).collect(Collectors.joining(", "));
    }
}
