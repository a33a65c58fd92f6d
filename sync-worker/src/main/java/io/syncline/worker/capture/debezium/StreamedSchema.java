package io.syncline.worker.capture.debezium;

import io.debezium.config.CommonConnectorConfig;
import io.debezium.connector.common.CdcSourceTaskContext;
import io.debezium.connector.postgresql.PostgresConnectorConfig;
import io.debezium.connector.postgresql.PostgresSchema;
import io.debezium.connector.postgresql.PostgresValueConverter;
import io.debezium.connector.postgresql.connection.PostgresConnection;
import io.debezium.relational.CustomConverterRegistry;
import io.debezium.relational.Table;
import io.debezium.relational.TableId;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
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

    private final RefusedTables refused;
    /** What each relation was called the last time that it was taken. */
    private final Map<Integer, String> names = new HashMap<>();
    private final Set<Integer> passedOver = new HashSet<>();

    StreamedSchema(CdcSourceTaskContext<PostgresConnectorConfig> context, PostgresConnectorConfig config,
            PostgresConnection connection, RefusedTables refused) {
        super(context, connection.getDefaultValueConverter(),
                config.getTopicNamingStrategy(CommonConnectorConfig.TOPIC_NAMING_STRATEGY),
                PostgresValueConverter.of(config, connection.getDatabaseCharset(), connection.getTypeRegistry()),
                config.getServiceRegistry().tryGetService(CustomConverterRegistry.class));
        this.refused = refused;
    }

    @Override
    protected PostgresSchema refresh(PostgresConnection connection, boolean printReplicaIdentityInfo) {
        return this;
    }

    @Override
    public void applySchemaChangesForTable(int relation, Table table) {
        TableId id = table.id();
        if (!DebeziumNames.SCHEMA.equals(id.schema())) {
            // Debezium's list of schemas knows no upper case.
            passedOver.add(relation);
        } else if (!DebeziumNames.keepsTable(id.table())) {
            refuse(relation, id.table(), "Debezium cannot read its name");
        } else {
            try {
                super.applySchemaChangesForTable(relation, table);
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

    @Override
    public @Nullable Table tableFor(int relation) {
        return passedOver.contains(relation) ? null : super.tableFor(relation);
    }

    /** Passes over the changes of a relation from here on, until it is described again. */
    void refuse(int relation, String table, String cause) {
        passedOver.add(relation);
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
