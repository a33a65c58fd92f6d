package io.syncline.worker.capture.debezium;

import io.debezium.config.Configuration;
import io.debezium.connector.common.CdcSourceTaskContext;
import io.debezium.connector.postgresql.PostgresConnectorConfig;
import io.debezium.connector.postgresql.PostgresConnectorTask;
import io.debezium.connector.postgresql.PostgresOffsetContext;
import io.debezium.connector.postgresql.PostgresPartition;
import io.debezium.connector.postgresql.PostgresSchema;
import io.debezium.connector.postgresql.connection.PostgresConnection;
import io.debezium.connector.postgresql.connection.ReplicationConnection;
import io.debezium.jdbc.JdbcConnection;
import io.debezium.pipeline.ChangeEventSourceCoordinator;
import java.lang.reflect.Field;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Objects;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.source.SourceRecord;
import org.jspecify.annotations.Nullable;

/**
 * Debezium parses pgoutput's texts into Java values by their type, which loses what Java's types cannot hold (infinities, years
 * before 1, 24:00, intervals, money, what it does not know …). Here every type is text to it, so that the texts arrive untouched.
 *
 * <p>It never starts again by itself: a new start needs a new epoch and the slot's position of that moment.
 */
public final class TextConnectorTask extends PostgresConnectorTask {

    /** How the walsender's session writes values: as {@link SourceSession} does in all our sessions. */
    private static final String SETTINGS = SourceSession.SETTINGS + "; " + SourceSession.PATIENCE;

    private @Nullable CdcSourceTaskContext<PostgresConnectorConfig> context;
    private @Nullable RefusedTables refused;

    @Override
    public CdcSourceTaskContext<PostgresConnectorConfig> preStart(Configuration config) {
        refused = RefusedTables.of(config.getString(RefusedTables.PROPERTY));
        CdcSourceTaskContext<PostgresConnectorConfig> begun = super.preStart(config);
        context = begun;
        return begun;
    }

    @Override
    public ChangeEventSourceCoordinator<PostgresPartition, PostgresOffsetContext> start(Configuration config) {
        try {
            return super.start(config);
        } catch (RetriableException e) {
            throw new ConnectException(e.getMessage(), e);
        }
    }

    @Override
    public List<SourceRecord> doPoll() throws InterruptedException {
        try {
            return super.doPoll();
        } catch (RetriableException e) {
            throw new ConnectException(e.getMessage(), e);
        }
    }

    @Override
    protected ReplicationConnection buildReplicationConnection(PostgresConnection jdbcConnection, PostgresSchema schema,
            PostgresConnectorConfig config) throws SQLException {
        // The decoder closes this connection, which it asks for a table's key and columns.
        CatalogueConnection metadata = new CatalogueConnection(config, new TextTypes(jdbcConnection));
        StreamedSchema streamed = new StreamedSchema(Objects.requireNonNull(context), config, jdbcConnection, metadata,
                Objects.requireNonNull(refused));
        use(streamed);
        ReplicationConnection replication = super.buildReplicationConnection(metadata, streamed, config);
        if (!(replication instanceof JdbcConnection session)) {
            throw new IllegalStateException("Debezium's replication connection is a " + replication.getClass()
                    + " in this version: its session's time zone cannot be set");
        }
        // Without Debezium's own on-connect statements: the walsender knows few of them.
        try (Statement statement = session.connection(false).createStatement()) {
            statement.execute(SETTINGS);
            if (hasNoEncoding(statement)) {
                // A text that is not in UTF-8 must not end the stream of all tables.
                statement.execute(SourceSession.RAW_TEXTS);
            }
        }
        return new GuardedConnection(replication, metadata, streamed);
    }

    private static boolean hasNoEncoding(Statement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery("SHOW server_encoding")) {
            return rows.next() && SourceSession.NO_ENCODING.equals(rows.getString(1));
        }
    }

    /** Debezium offers no other way to choose its schema, and asks for this connection before it hands its own to anything that streams. */
    private void use(StreamedSchema schema) {
        try {
            Field field = PostgresConnectorTask.class.getDeclaredField("schema");
            field.setAccessible(true);
            field.set(this, schema);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("Debezium's task has no field 'schema' in this version", e);
        }
    }
}
