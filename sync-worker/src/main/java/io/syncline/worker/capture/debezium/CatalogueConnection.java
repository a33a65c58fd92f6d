package io.syncline.worker.capture.debezium;

import io.debezium.connector.postgresql.PostgresConnectorConfig;
import io.debezium.connector.postgresql.TypeRegistry;
import io.debezium.connector.postgresql.connection.PostgresConnection;
import io.debezium.relational.Column;
import io.debezium.relational.TableId;
import io.debezium.relational.Tables.ColumnNameFilter;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.connect.errors.ConnectException;
import org.jspecify.annotations.Nullable;

/**
 * Tells Debezium's decoder, from the catalogue alone, what it asks about the table of each Relation message. The driver's answers name
 * defaults and index definitions, for which the source opens the table: while somebody has locked one, no table would be streamed.
 */
final class CatalogueConnection extends PostgresConnection {

    private static final String COLUMNS = """
            SELECT a.attname, NOT a.attnotnull, c.oid::bigint FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = ?) AND c.relname = ?
                AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attnum""";

    /** The replica identity's, where there is one. */
    private static final String UNIQUE_INDEX = """
            SELECT a.attname FROM (
                SELECT i.indrelid, (i.indkey::int2[])[0:i.indnkeyatts - 1] AS columns FROM pg_index i
                JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class named ON named.oid = i.indexrelid
                WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = ?) AND c.relname = ?
                    AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
                ORDER BY i.indisreplident DESC, named.relname LIMIT 1) k
            JOIN pg_attribute a ON a.attrelid = k.indrelid AND a.attnum = ANY (k.columns)
            ORDER BY array_position(k.columns, a.attnum)""";

    private static final String FOREIGN = """
            SELECT EXISTS (SELECT FROM pg_class c WHERE c.oid = ?::oid AND c.relkind = 'p') AND NOT EXISTS (
                WITH RECURSIVE above (oid) AS (
                    SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = ?::oid
                  UNION
                    SELECT i.inhparent FROM above JOIN pg_inherits i ON i.inhrelid = above.oid)
                SELECT FROM above WHERE above.oid = ?::oid)""";

    private @Nullable Described described;

    /**
     * What a Relation message describes.
     *
     * @param relations which the source has by that name now
     */
    record Described(TableId table, Set<Integer> relations) {}

    CatalogueConnection(PostgresConnectorConfig config, TypeRegistry types) {
        super(config, types, "Syncline capture, metadata");
    }

    /** What the message that is being read describes; null if that is something else. */
    @Nullable
    Described described() {
        return described;
    }

    void forgetDescribed() {
        described = null;
    }

    /** Without defaults, which a record's schema has no use for here. */
    @Override
    public List<Column> getTableColumnsForDecoder(TableId table, ColumnNameFilter wanted) throws SQLException {
        List<Column> columns = new ArrayList<>();
        Set<Integer> relations = new HashSet<>();
        described = new Described(table, relations);
        prepareQuery(COLUMNS, statement -> name(statement, table), rows -> {
            while (rows.next()) {
                relations.add((int) rows.getLong(3));
                columns.add(Column.editor().name(rows.getString(1)).optional(rows.getBoolean(2)).create());
            }
        });
        return columns;
    }

    @Override
    public List<String> readTableUniqueIndices(DatabaseMetaData driver, TableId table) throws SQLException {
        List<String> columns = new ArrayList<>();
        prepareQuery(UNIQUE_INDEX, statement -> name(statement, table), rows -> addNames(rows, columns));
        return columns;
    }

    /** Whether a table is partitioned, and another is none of its partitions, now. */
    boolean isForeign(long root, long relation) {
        try {
            return prepareQueryAndMap(FOREIGN, statement -> {
                statement.setString(1, Long.toString(root));
                statement.setString(2, Long.toString(relation));
                statement.setString(3, Long.toString(root));
            }, rows -> rows.next() && rows.getBoolean(1));
        } catch (SQLException e) {
            throw new ConnectException(e.getMessage(), e);
        }
    }

    private static void name(PreparedStatement statement, TableId table) throws SQLException {
        statement.setString(1, table.schema());
        statement.setString(2, table.table());
    }

    private static void addNames(ResultSet rows, List<String> columns) throws SQLException {
        while (rows.next()) {
            columns.add(rows.getString(1));
        }
    }
}
