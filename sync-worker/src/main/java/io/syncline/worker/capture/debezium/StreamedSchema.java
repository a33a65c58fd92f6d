package io.syncline.worker.capture.debezium;

import io.debezium.config.CommonConnectorConfig;
import io.debezium.connector.common.CdcSourceTaskContext;
import io.debezium.connector.postgresql.PostgresConnectorConfig;
import io.debezium.connector.postgresql.PostgresSchema;
import io.debezium.connector.postgresql.PostgresValueConverter;
import io.debezium.connector.postgresql.connection.PostgresConnection;
import io.debezium.relational.Column;
import io.debezium.relational.CustomConverterRegistry;
import io.debezium.relational.Table;
import io.debezium.relational.TableId;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tables that the stream brings changes of, as its Relation messages describe them: those come before a table's first change and
 * after each alteration. Nothing is read from the source's catalogue at the start, where a single table of which Debezium cannot make
 * anything, or that its owner has locked, would keep all others waiting. A relation that Debezium would misread is refused: its changes
 * are passed over, and whose they were is told.
 */
final class StreamedSchema extends PostgresSchema {

    private static final Logger LOG = LoggerFactory.getLogger(StreamedSchema.class);

    /** Goes before the OID in what is said of a column's type: Debezium hands that on to the converter, and the OID nowhere. */
    private static final String RELATION = "relation ";

    private final CatalogueConnection catalogue;
    private final RefusedTables refused;
    /** What the message before described. */
    private int last;
    /** What each relation was called the last time that it was taken. */
    private final Map<Integer, String> names = new HashMap<>();
    /** Relations whose changes are passed over, and what is said of each; nothing of those that are none of ours. */
    private final Map<Integer, Optional<RefusedTables.Refused>> passedOver = new HashMap<>();

    StreamedSchema(CdcSourceTaskContext<PostgresConnectorConfig> context, PostgresConnectorConfig config,
            PostgresConnection connection, CatalogueConnection catalogue, RefusedTables refused) {
        super(context, connection.getDefaultValueConverter(),
                config.getTopicNamingStrategy(CommonConnectorConfig.TOPIC_NAMING_STRATEGY),
                PostgresValueConverter.of(config, connection.getDatabaseCharset(), connection.getTypeRegistry()),
                config.getServiceRegistry().tryGetService(CustomConverterRegistry.class));
        this.catalogue = catalogue;
        this.refused = refused;
    }

    @Override
    protected PostgresSchema refresh(PostgresConnection connection, boolean printReplicaIdentityInfo) {
        return this;
    }

    @Override
    public void applySchemaChangesForTable(int relation, Table table) {
        doubtRootOf(relation);
        TableId id = table.id();
        if (!DebeziumNames.SCHEMA.equals(id.schema())) {
            // Debezium's list of schemas knows no upper case.
            passedOver.put(relation, Optional.empty());
        } else if (!DebeziumNames.keepsTable(id.table())) {
            refuse(relation, id.table(), "Debezium cannot read its name");
        } else {
            try {
                super.applySchemaChangesForTable(relation, withOid(relation, table));
                passedOver.remove(relation);
                names.put(relation, id.table());
            } catch (RuntimeException e) {
                if (!UndecodableException.isOfDebezium(e)) {
                    throw e;
                }
                refuse(relation, id.table(), "Debezium cannot read its columns: " + e.getMessage());
            }
        }
    }

    /**
     * Of a change in a partition the source describes the root first, then the partition. One that the root does not have (any more)
     * brings it changes, and its other rows were never the root's, or are no more: nothing in the catalogue shows that a table once was
     * a partition if it is gone.
     */
    private void doubtRootOf(int relation) {
        if (last != 0 && last != relation
                && catalogue.isForeign(Integer.toUnsignedLong(last), Integer.toUnsignedLong(relation))) {
            refused.doubt(Integer.toUnsignedLong(last));
        }
        last = relation;
    }

    /** A name alone does not tell which table a change is of: tables get other names, and others get theirs. */
    private static Table withOid(int relation, Table table) {
        String said = RELATION + Integer.toUnsignedString(relation);
        List<Column> columns = table.columns()
                .stream()
                .map(column -> column.edit().type(column.typeName(), said).create())
                .toList();
        return table.edit().setColumns(columns).create();
    }

    /** The OID in what is said of a column's type; 0 if it is not there. */
    static String relation(@Nullable String typeExpression) {
        return typeExpression != null && typeExpression.startsWith(RELATION)
                ? typeExpression.substring(RELATION.length())
                : "0";
    }

    @Override
    public @Nullable Table tableFor(int relation) {
        Optional<RefusedTables.Refused> refusal = passedOver.get(relation);
        if (refusal == null) {
            return super.tableFor(relation);
        }
        // Of each change: the table may have been read into a new generation since the last one.
        refusal.ifPresent(one -> refused.add(one.table(), one.cause()));
        return null;
    }

    /** Passes over the changes of a relation from here on, until it is described again. */
    void refuse(int relation, String table, String cause) {
        passedOver.put(relation, Optional.of(new RefusedTables.Refused(table, cause)));
        String before = names.remove(relation);
        if (before != null && !before.equals(table)) {
            refuse(before, cause);
        }
        refuse(table, cause);
    }

    /** Tells that a change of a table has been passed over. */
    void refuse(String table, String cause) {
        LOG.warn("Changes of table {} are passed over: {}", table, cause);
        refused.add(table, cause);
    }

    /** The relations that were called like this when they were described the last time. */
    Set<Integer> relations(String table) {
        Set<Integer> relations = new HashSet<>();
        names.forEach((relation, name) -> {
            if (name.equals(table)) {
                relations.add(relation);
            }
        });
        return relations;
    }
}
