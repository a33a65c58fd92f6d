package io.syncline.worker.capture;

import io.syncline.model.table.ColumnInfo;
import io.syncline.model.table.KeyColumn;
import io.syncline.model.table.TableName;
import io.syncline.model.table.TableSchema;
import io.syncline.worker.capture.debezium.DebeziumNames;
import io.syncline.worker.capture.encode.RowEncoder;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads which public tables the source has, and what they look like. What has not changed since the last reading is not read
 * again: asked every few seconds, that is one query. No table is opened for it, so that nobody who has locked one is waited for.
 */
final class SourceCatalogue {

    /**
     * The key is the identity index where there is one, else the primary key, else any that could be one. What lies on disk is the
     * table itself, or its leaves.
     */
    private static final String TABLES = """
            SELECT c.oid::bigint AS oid, c.relname, c.relkind, c.relreplident, stored.places, stored.rows AS estimated_rows,
                   pg_get_userbyid(c.relowner) AS owner,
                   pg_has_role(c.relowner, 'USAGE') AS owned, has_table_privilege(c.oid, 'SELECT') AS readable,
                   row_security_active(c.oid) AS hidden_rows,
                   coalesce(stored.logged, true) AS logged, stored.identities, coalesce(stored.identities, 'f') = 'f' AS whole_rows,
                   k.indexrelid::bigint AS key_oid, k.indisprimary, k.indnkeyatts, k.indkey::int2[] AS key_columns,
                   EXISTS (SELECT FROM pg_collation l WHERE l.collprovider = 'd' AND l.oid = ANY (k.indcollation::oid[])) AS own_order,
                   EXISTS (SELECT FROM pg_opclass o WHERE o.oid = ANY (k.indclass::oid[]) AND o.oid >= 16384
                           AND NOT o.opcdefault) AS own_equality,
                   k.indexrelid IS NOT NULL AND coalesce(stored.fitting, true) AS identity_fits,
                   EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                           AND a.attgenerated <> '') AS has_generated,
                   (SELECT md5(string_agg(concat_ws(',', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attcollation,
                                                    a.attgenerated, md5(d.adbin::text)), ';' ORDER BY a.attnum))
                    FROM pg_attribute a
                    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
                   (SELECT array_agg(DISTINCT a.atttypid::bigint) FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid >= 16384) AS own_types,
                   published.witness AS published_as, coalesce(published.narrowed, false) AS narrowed,
                   ARRAY(SELECT DISTINCT f.relname::text FROM pg_constraint x JOIN pg_class f ON f.oid = x.confrelid
                         WHERE x.conrelid = c.oid AND x.contype = 'f' AND x.conparentid = 0 AND f.oid <> c.oid
                           AND f.relnamespace = c.relnamespace ORDER BY 1) AS depends_on,
                   """ + Witness.OF_TABLE + """
             AS witness,
            """ + Publication.SERVES + """
             AS serves
            FROM pg_class c
            LEFT JOIN LATERAL (
                SELECT concat_ws('.', r.oid, r.xmin, p.oid, p.xmin) AS witness,\s""" + Publication.NARROWED + """
                 AS narrowed
                FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
                WHERE r.prrelid = c.oid AND p.pubname = ?) published ON true
            LEFT JOIN LATERAL (
                SELECT i.indexrelid, i.indisprimary, i.indnkeyatts, i.indkey, i.indcollation, i.indclass,
                       ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = i.indrelid
                             AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]) ORDER BY 1) AS names
                FROM pg_index i
                WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
                AND (i.indisprimary OR i.indisunique AND i.indimmediate AND NOT EXISTS (
                    SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attnotnull
                    AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])))
                ORDER BY c.relreplident = 'i' AND i.indisreplident DESC, i.indisprimary DESC, i.indexrelid LIMIT 1) k ON true
            CROSS JOIN LATERAL (
                SELECT sum(greatest(l.reltuples, 0))::bigint AS rows, bool_and(l.relpersistence = 'p') AS logged,
                       string_agg(DISTINCT l.relreplident::text, '') AS identities,
                       md5(string_agg(l.oid || ':' || l.relfilenode, ',' ORDER BY l.oid)) AS places,
                       bool_and(l.relreplident = 'f' OR EXISTS (
                           SELECT FROM pg_index i WHERE i.indrelid = l.oid
                           AND CASE l.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
                           AND k.names = ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = l.oid
                                               AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]) ORDER BY 1))) AS fitting
                FROM\s""" + Publication.PLACES + """
            ) stored
            WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'public') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            ORDER BY c.relname""";

    /**
     * What types of the source's own are made of: to rename an enum's label, or to add an attribute to a composite, changes the text of
     * rows without a change record. A label that has got its old name back has been written; an attribute that is gone keeps its number.
     */
    private static final String OWN_TYPES = """
            WITH RECURSIVE reached (root, oid) AS (
                SELECT o, o FROM unnest(?) AS o
              UNION
                SELECT r.root, p.part FROM reached r CROSS JOIN LATERAL (
                    SELECT t.typelem AS part FROM pg_type t WHERE t.oid = r.oid
                    UNION ALL SELECT t.typbasetype FROM pg_type t WHERE t.oid = r.oid
                    UNION ALL SELECT a.atttypid FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid
                        WHERE t.oid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
                    UNION ALL SELECT g.rngsubtype FROM pg_range g WHERE r.oid IN (g.rngtypid, g.rngmultitypid)) p
                WHERE p.part >= 16384)
            SELECT r.root::bigint, md5(string_agg(concat_ws(':', r.oid,
                (SELECT string_agg(e.enumlabel || ':' || e.xmin, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = r.oid),
                (SELECT string_agg(concat_ws(',', a.attnum, a.atttypid, a.atttypmod), ';' ORDER BY a.attnum)
                 FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid
                 WHERE t.oid = r.oid AND a.attnum > 0)), '|' ORDER BY r.oid))
            FROM reached r GROUP BY r.root""";

    /** Without column_default, for which the view opens each table, and waits for whoever has locked one. */
    private static final String SHOWN_COLUMNS = """
            SELECT table_name, column_name, data_type, is_nullable, character_maximum_length
            FROM information_schema.columns WHERE table_schema = 'public' AND table_name = ANY (?)
            ORDER BY table_name, ordinal_position""";

    private static final String COLUMNS = """
            SELECT a.attrelid::bigint AS table_oid, a.attnum, a.attname, a.atttypid::bigint AS type_oid, a.atttypmod,
                   a.attgenerated <> '' AS generated,
                   -- Of no table: a default names no columns, and none has to be opened for their names.
                   CASE WHEN a.attgenerated = '' THEN (SELECT pg_get_expr(d.adbin, 0) FROM pg_attrdef d
                                                       WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) END AS column_default,
                   format_type(a.atttypid, a.atttypmod) AS native_type,
                   format_type(root.oid, root.modifier) AS root_type,
                   ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = root.oid ORDER BY e.enumsortorder) AS labels,
                   l.collname AS collation, l.collprovider = 'd' AS own_collation,
                   coalesce(l.collisdeterministic, true) AS deterministic
            FROM pg_attribute a LEFT JOIN pg_collation l ON l.oid = a.attcollation
            JOIN LATERAL (WITH RECURSIVE chain (oid, modifier) AS (
                              SELECT a.atttypid, a.atttypmod
                              UNION ALL
                              SELECT t.typbasetype, t.typtypmod FROM chain JOIN pg_type t ON t.oid = chain.oid AND t.typtype = 'd')
                          SELECT c.oid, c.modifier FROM chain c JOIN pg_type t ON t.oid = c.oid AND t.typtype <> 'd') root ON true
            WHERE a.attrelid = ANY (?) AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attrelid, a.attnum""";

    private final String publication;
    private final ReplicaServer replica;
    private final Exclusions exclusions;
    private volatile Map<TableName, SourceTable> known;
    /** Once it has a name it keeps it. */
    private volatile DatabaseCollation.@Nullable Own collation;

    /** @param replica what the state database can hold */
    SourceCatalogue(String publication, ReplicaServer replica) {
        this(publication, replica, new Exclusions());
    }

    /** @param exclusions tables that are not to be streamed for what has happened to their changes */
    SourceCatalogue(String publication, ReplicaServer replica, Exclusions exclusions) {
        this(publication, replica, exclusions, Map.of(), null);
    }

    private SourceCatalogue(String publication, ReplicaServer replica, Exclusions exclusions,
            Map<TableName, SourceTable> known, DatabaseCollation.@Nullable Own collation) {
        this.publication = publication;
        this.replica = replica;
        this.exclusions = exclusions;
        this.known = known;
        this.collation = collation;
    }

    /** Another reader that knows what this one knows, for another session and thread. */
    SourceCatalogue forAnotherSession() {
        return new SourceCatalogue(publication, replica, exclusions, known, collation);
    }

    /** A row of TABLES. */
    private record Table(
            long oid,
            TableName name,
            boolean partitioned,
            String replicaIdentity,
            boolean logged,
            boolean wholeRows,
            boolean serves,
            boolean identityFits,
            boolean hasGenerated,
            long estimatedRows,
            String owner,
            boolean owned,
            boolean readable,
            boolean hiddenRows,
            @Nullable Key key,
            String fingerprint,
            String places,
            List<Long> ownTypes,
            boolean published,
            boolean narrowed,
            List<String> dependsOn) {

        /** With a fingerprint that tells what its types are made of. */
        Table withTypes(Map<Long, String> made) {
            String types = ownTypes.stream()
                    .map(type -> String.valueOf(made.get(type)))
                    .collect(Collectors.joining(","));
            return new Table(oid, name, partitioned, replicaIdentity, logged, wholeRows, serves, identityFits,
                    hasGenerated,
                    estimatedRows, owner, owned, readable, hiddenRows, key, fingerprint + ":" + types, places, ownTypes,
                    published, narrowed,
                    dependsOn);
        }

        String sqlName() {
            return "public." + Sql.identifier(name.name());
        }
    }

    /** @param ownEquality whether values are equal by what somebody has made, not PostgreSQL */
    private record Key(boolean primary, List<Integer> columns, boolean ownEquality) {}

    private record Column(
            int number,
            String name,
            long typeOid,
            int modifier,
            boolean generated,
            @Nullable String columnDefault,
            String nativeType,
            String rootType,
            List<String> labels,
            @Nullable String collation,
            boolean ownCollation,
            boolean deterministic) {

        /** In whatever schema: the replica has it in another. */
        boolean isCitext(SourceTypes types) {
            SourceTypes.Type root = types.root(typeOid, modifier).type();
            return root != null && root.isOf("citext", "citext");
        }
    }

    /** All public tables as the session's transaction sees them; outside of one, as they are now. */
    Catalogue read(Connection connection) throws SQLException {
        DatabaseCollation.Own own = collation;
        if (own == null || own.name() == null) {
            own = DatabaseCollation.of(connection);
            collation = own;
        }
        List<Table> tables = tables(connection, own);
        Map<TableName, LeftOut> leftOut = new HashMap<>();
        Map<TableName, SourceTable> captured = new HashMap<>();
        List<Table> changed = new ArrayList<>();
        Set<TableName> published = new HashSet<>();
        for (Table table : tables) {
            if (table.published()) {
                published.add(table.name());
            }
            if (table.name().neverServed()) {
                continue;
            }
            LeftOut cause = causeToLeaveOut(table);
            SourceTable before = known.get(table.name());
            if (cause != null) {
                leftOut.put(table.name(), cause);
            } else if (before != null && before.fingerprint().equals(table.fingerprint())) {
                captured.put(table.name(), before);
            } else {
                changed.add(table);
            }
        }
        if (!changed.isEmpty()) {
            readChanged(connection, changed, own, captured, leftOut);
        }
        known = Map.copyOf(captured);
        return new Catalogue(exclusions.apply(captured), leftOut, published);
    }

    private List<Table> tables(Connection connection, DatabaseCollation.Own own) throws SQLException {
        List<Table> read = readTables(connection, own);
        Set<Long> types = new TreeSet<>();
        read.forEach(table -> types.addAll(table.ownTypes()));
        if (types.isEmpty()) {
            return read;
        }
        Map<Long, String> made = new HashMap<>();
        try (PreparedStatement statement = connection.prepareStatement(OWN_TYPES)) {
            statement.setArray(1, connection.createArrayOf("oid", types.toArray()));
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    made.put(rows.getLong(1), rows.getString(2));
                }
            }
        }
        return read.stream().map(table -> table.ownTypes().isEmpty() ? table : table.withTypes(made)).toList();
    }

    private List<Table> readTables(Connection connection, DatabaseCollation.Own own) throws SQLException {
        List<Table> tables = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(TABLES)) {
            statement.setString(1, publication);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    tables.add(table(rows, own));
                }
            }
        }
        return tables;
    }

    private static Table table(ResultSet row, DatabaseCollation.Own own) throws SQLException {
        long keyOid = row.getLong("key_oid");
        Key key = null;
        if (keyOid != 0) {
            Short[] numbers = (Short[]) array(row, "key_columns");
            List<Integer> columns = new ArrayList<>();
            for (int i = 0; i < row.getInt("indnkeyatts"); i++) {
                columns.add((int) numbers[i]);
            }
            key = new Key(row.getBoolean("indisprimary"), columns, row.getBoolean("own_equality"));
        }
        // Places on disk: what rewrites a table (ALTER … TYPE … USING, TRUNCATE, VACUUM FULL) changes rows without a change record,
        // or may do so; so does what attaches or detaches a partition. The publication: taken out of it and put back, or published
        // in another way for a while, a table has changed meanwhile.
        List<String> parts = new ArrayList<>();
        for (String column : List.of("oid", "places", "relreplident", "identities", "key_oid", "columns",
                "published_as", "witness")) {
            parts.add(String.valueOf(row.getString(column)));
        }
        for (String column : List.of("serves", "logged", "identity_fits", "owned")) {
            parts.add(String.valueOf(row.getBoolean(column)));
        }
        // Not the array's text: that is another one once the driver fetches it in binary.
        parts.add(String.valueOf(texts(row, "depends_on")));
        parts.add(String.valueOf(key));
        if (row.getBoolean("own_order")) {
            parts.add(String.valueOf(own.name()));
        }
        Object[] ownTypes = row.getArray("own_types") == null ? new Object[0] : array(row, "own_types");
        return new Table(row.getLong("oid"), new TableName(row.getString("relname")),
                row.getString("relkind").equals("p"), row.getString("relreplident"), row.getBoolean("logged"),
                row.getBoolean("whole_rows"), row.getBoolean("serves"), row.getBoolean("identity_fits"),
                row.getBoolean("has_generated"), row.getLong("estimated_rows"), row.getString("owner"),
                row.getBoolean("owned"), row.getBoolean("readable"), row.getBoolean("hidden_rows"), key,
                Witness.FORMAT + String.join(":", parts), String.valueOf(row.getString("places")),
                Arrays.stream(ownTypes).map(Long.class::cast).sorted().toList(),
                row.getString("published_as") != null, row.getBoolean("narrowed"), texts(row, "depends_on"));
    }

    private static List<String> texts(ResultSet row, String column) throws SQLException {
        List<String> texts = new ArrayList<>();
        for (Object text : array(row, column)) {
            texts.add(String.valueOf(text));
        }
        return texts;
    }

    private static Object[] array(ResultSet row, String column) throws SQLException {
        Array array = row.getArray(column);
        return (Object[]) array.getArray();
    }

    private static @Nullable LeftOut causeToLeaveOut(Table table) {
        if (!table.readable()) {
            return new LeftOut("our role may not read it", "GRANT SELECT ON " + table.sqlName() + " TO our role");
        }
        if (table.hiddenRows()) {
            return new LeftOut("row-level security hides rows from our role",
                    "let the role bypass it: ALTER ROLE … BYPASSRLS");
        }
        return null;
    }

    /**
     * Why a table stays out of the publication: in it, its owner's UPDATE and DELETE would fail, or would not tell which row they were
     * of. Such a table is read anew on a schedule instead.
     */
    private @Nullable LeftOut causeNotToPublish(Table table) {
        String name = table.sqlName();
        if (!table.logged()) {
            return new LeftOut("it is unlogged: its changes are not in the WAL", "ALTER TABLE " + name + " SET LOGGED");
        }
        if (table.partitioned() && (table.key() == null || !table.key().primary())) {
            return new LeftOut(
                    "it is partitioned and has no primary key: UPDATE and DELETE would fail in its next partition",
                    "ALTER TABLE " + name + " ADD PRIMARY KEY (…)");
        }
        if (!table.serves()) {
            return causeNotToServe(table);
        }
        if (table.key() == null ? table.hasGenerated() : !table.identityFits()) {
            return new LeftOut(
                    table.key() == null
                            ? "it has no key, and generated columns, which are not in the WAL"
                            : "the replica identity of a partition is not the key",
                    table.key() == null
                            ? "ALTER TABLE " + name + " ADD PRIMARY KEY (…)"
                            : "ALTER TABLE … REPLICA IDENTITY DEFAULT for its partitions");
        }
        if (!table.owned() && table.narrowed()) {
            return new LeftOut(
                    "it is published with a row filter or a list of columns, and not all of its changes come",
                    "as " + table.owner() + ": ALTER PUBLICATION " + publication + " ADD TABLE " + name
                            + ", without either");
        }
        if (!table.owned() && !table.published()) {
            return new LeftOut("it belongs to " + table.owner() + ": only a table's owner can publish it",
                    "GRANT " + Sql.identifier(table.owner()) + " TO our role, or ALTER PUBLICATION " + publication
                            + " ADD TABLE " + name);
        }
        return null;
    }

    private static LeftOut causeNotToServe(Table table) {
        String name = table.sqlName();
        if (table.wholeRows()) {
            return new LeftOut(
                    "its replica identity is FULL and it has generated columns: published, its UPDATE and DELETE would fail",
                    "ALTER TABLE " + name + " REPLICA IDENTITY DEFAULT, with a primary key");
        }
        if (table.key() == null) {
            return new LeftOut("it has no primary key: published, its UPDATE and DELETE would fail",
                    "ALTER TABLE " + name + " ADD PRIMARY KEY (…), or REPLICA IDENTITY FULL");
        }
        if (table.partitioned()) {
            return new LeftOut(
                    "the replica identity of a partition does not serve: published, UPDATE and DELETE would fail",
                    "ALTER TABLE … REPLICA IDENTITY DEFAULT for its partitions");
        }
        return switch (table.replicaIdentity()) {
            case "n" -> new LeftOut("its replica identity is NOTHING: published, its UPDATE and DELETE would fail",
                    "ALTER TABLE " + name + " REPLICA IDENTITY DEFAULT");
            case "i" -> new LeftOut(
                    "the index of its replica identity is gone: published, its UPDATE and DELETE would fail",
                    "ALTER TABLE " + name + " REPLICA IDENTITY DEFAULT");
            default -> new LeftOut(
                    "its primary key is missing, deferrable or generated: published, its UPDATE and DELETE would fail",
                    "make it a key of plain columns, NOT DEFERRABLE");
        };
    }

    private void readChanged(Connection connection, List<Table> changed, DatabaseCollation.Own own,
            Map<TableName, SourceTable> captured, Map<TableName, LeftOut> leftOut) throws SQLException {
        SourceTypes types = SourceTypes.read(connection);
        KeyTypes keyTypes = new KeyTypes(types, databases(connection, own));
        Map<Long, List<Column>> columns = columns(connection, changed.stream().map(Table::oid).toList());
        Map<String, Map<String, ColumnInfo>> shown = shownColumns(connection,
                changed.stream().map(table -> table.name().name()).toList());
        for (Table table : changed) {
            List<Column> ofTable = columns.getOrDefault(table.oid(), List.of());
            Map<String, ColumnInfo> shownOfTable = shown.getOrDefault(table.name().name(), Map.of());
            LeftOut cause = causeInColumns(ofTable, shownOfTable);
            if (cause != null) {
                leftOut.put(table.name(), cause);
            } else {
                captured.put(table.name(), sourceTable(table, ofTable, own, shownOfTable, types, keyTypes));
            }
        }
    }

    private KeyTypes.Databases databases(Connection connection, DatabaseCollation.Own own) throws SQLException {
        int version = connection.getMetaData().getDatabaseMajorVersion() * 10_000;
        return new KeyTypes.Databases(version, replica.version(), replica.causeAgainstCitext(own.locale()));
    }

    private static @Nullable LeftOut causeInColumns(List<Column> columns, Map<String, ColumnInfo> shown) {
        for (Column column : columns) {
            if (!shown.containsKey(column.name())) {
                return new LeftOut("column " + column.name() + " is not shown to our role",
                        "GRANT SELECT on the whole table");
            }
        }
        return null;
    }

    /** What stands in the way of streaming the table's changes in its columns. */
    private static @Nullable LeftOut causeNotToStream(TableName table, List<Column> columns, @Nullable Key key) {
        if (columns.isEmpty()) {
            return new LeftOut("it has no columns, and so its changes nothing that tells its rows apart",
                    "ALTER TABLE … ADD COLUMN");
        }
        if (!DebeziumNames.keepsTable(table.name())) {
            return new LeftOut("Debezium cannot read its name " + table.name(), "rename it");
        }
        String twin = DebeziumNames.firstTwin(columns.stream().map(Column::name).toList());
        if (twin != null) {
            return new LeftOut("it has columns that differ by case only (" + twin
                    + "), which Debezium cannot tell apart", "rename one of them");
        }
        for (Column column : columns) {
            if (!DebeziumNames.keepsColumn(column.name())) {
                return new LeftOut("column " + column.name() + " has quotes around it, which Debezium takes away",
                        "rename it");
            }
            if (key != null && key.columns().contains(column.number()) && column.generated()) {
                return new LeftOut("its key column " + column.name() + " is generated, and so not in the WAL",
                        "use a plain column in the key");
            }
        }
        return null;
    }

    /** Why rows cannot be told apart by the key. */
    private static @Nullable LeftOut causeNotToUse(Key key, List<Column> columns, KeyTypes types) {
        if (key.ownEquality()) {
            return new LeftOut("its key's index has an operator class that is not PostgreSQL's own",
                    "use the type's default operator class; or REPLICA IDENTITY FULL");
        }
        for (Column column : columns) {
            if (key.columns().contains(column.number())) {
                String unfit = types.unfit(column.typeOid(), column.modifier());
                if (unfit != null) {
                    return new LeftOut("its key column " + column.name() + " is of the type " + column.nativeType()
                            + ", by which rows cannot be told apart with certainty: " + unfit,
                            "use a type such as bigint, uuid or text in the key; or REPLICA IDENTITY FULL");
                }
                if (!column.deterministic()) {
                    return new LeftOut("its key column " + column.name() + " has a non-deterministic collation",
                            "use a deterministic one, or REPLICA IDENTITY FULL");
                }
            }
        }
        return null;
    }

    private SourceTable sourceTable(Table table, List<Column> columns, DatabaseCollation.Own own,
            Map<String, ColumnInfo> shown, SourceTypes types, KeyTypes keyTypes) {
        List<SourceTable.Column> sourceColumns = new ArrayList<>();
        List<ColumnInfo> infos = new ArrayList<>();
        for (Column column : columns) {
            sourceColumns.add(new SourceTable.Column(column.name(), column.typeOid(), column.nativeType(),
                    types.valueType(column.typeOid(), column.modifier()), column.generated()));
            ColumnInfo info = shown.get(column.name());
            if (info != null) {
                infos.add(new ColumnInfo(info.columnName(), info.dataType(), info.isNullable(), column.columnDefault(),
                        info.characterMaximumLength(), column.nativeType()));
            }
        }
        Key key = table.key();
        LeftOut unpublished = causeNotToPublish(table);
        LeftOut unusable = key == null ? null : causeNotToUse(key, columns, keyTypes);
        if (unusable != null) {
            key = null;
            if (unpublished == null && (!table.wholeRows() || table.hasGenerated())) {
                unpublished = unusable;
            }
        }
        if (unpublished == null) {
            unpublished = causeNotToStream(table.name(), columns, key);
        }
        List<Integer> keyNumbers = key == null ? List.of() : key.columns();
        int[] keyColumns = new int[keyNumbers.size()];
        List<KeyColumn> keys = new ArrayList<>();
        LeftOut unordered = null;
        for (int k = 0; k < keyColumns.length; k++) {
            for (int i = 0; i < columns.size(); i++) {
                Column column = columns.get(i);
                if (column.number() == keyNumbers.get(k)) {
                    keyColumns[k] = i;
                    String collation = column.ownCollation() ? own.name() : column.collation();
                    // The domain itself may not exist where the replica is.
                    keys.add(new KeyColumn(column.name(), column.isCitext(types) ? "citext" : column.rootType(),
                            collation, column.labels()));
                    if (column.ownCollation() && collation == null) {
                        unordered = new LeftOut(
                                "its key column " + column.name() + " is ordered by the source's locale "
                                        + own.locale()
                                        + ", for which the source has no named collation: its order and ranges here"
                                        + " are those of the state database's own locale",
                                "in the source: SELECT pg_import_system_collations('pg_catalog'), or CREATE COLLATION for that"
                                        + " locale; it is then read anew by itself");
                    }
                }
            }
        }
        RowEncoder encoder = new RowEncoder(
                sourceColumns.stream().map(column -> new RowEncoder.Column(column.name(), column.type())).toList(),
                keyColumns);
        return new SourceTable(table.oid(),
                new TableSchema(table.name(), infos, key == null ? TableSchema.NO_KEY : keys, table.dependsOn()),
                table.fingerprint(), table.partitioned(), table.places(), table.estimatedRows(), sourceColumns,
                keyColumns, encoder, unpublished, unordered);
    }

    private static Map<Long, List<Column>> columns(Connection connection, Collection<Long> tables) throws SQLException {
        Map<Long, List<Column>> columns = new HashMap<>();
        try (PreparedStatement statement = connection.prepareStatement(COLUMNS)) {
            statement.setArray(1, connection.createArrayOf("oid", tables.toArray()));
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    columns.computeIfAbsent(rows.getLong("table_oid"), _ -> new ArrayList<>())
                            .add(new Column(rows.getInt("attnum"), rows.getString("attname"), rows.getLong("type_oid"),
                                    rows.getInt("atttypmod"), rows.getBoolean("generated"),
                                    rows.getString("column_default"), rows.getString("native_type"),
                                    rows.getString("root_type"), texts(rows, "labels"), rows.getString("collation"),
                                    rows.getBoolean("own_collation"), rows.getBoolean("deterministic")));
                }
            }
        }
        return columns;
    }

    private static Map<String, Map<String, ColumnInfo>> shownColumns(Connection connection, Collection<String> tables)
            throws SQLException {
        Map<String, Map<String, ColumnInfo>> columns = new HashMap<>();
        try (PreparedStatement statement = connection.prepareStatement(SHOWN_COLUMNS)) {
            statement.setArray(1, connection.createArrayOf("text", tables.toArray()));
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    int length = rows.getInt("character_maximum_length");
                    Integer maximumLength = rows.wasNull() ? null : length;
                    String name = rows.getString("column_name");
                    columns.computeIfAbsent(rows.getString("table_name"), _ -> new LinkedHashMap<>())
                            .put(name, new ColumnInfo(name, rows.getString("data_type"), rows.getString("is_nullable"),
                                    null, maximumLength, ""));
                }
            }
        }
        return columns;
    }
}
