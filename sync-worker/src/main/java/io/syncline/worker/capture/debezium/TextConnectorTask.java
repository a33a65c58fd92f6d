package io.syncline.worker.capture.debezium;

import io.debezium.config.Configuration;
import io.debezium.connector.postgresql.PostgresConnectorConfig;
import io.debezium.connector.postgresql.PostgresConnectorTask;
import io.debezium.connector.postgresql.PostgresOffsetContext;
import io.debezium.connector.postgresql.PostgresPartition;
import io.debezium.connector.postgresql.PostgresSchema;
import io.debezium.connector.postgresql.connection.PostgresConnection;
import io.debezium.connector.postgresql.connection.ReplicationConnection;
import io.debezium.jdbc.JdbcConnection;
import io.debezium.pipeline.ChangeEventSourceCoordinator;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.source.SourceRecord;

/**
 * Debezium parses pgoutput's texts into Java values by their type, which loses what Java's types cannot hold (infinities, years
 * before 1, 24:00, intervals, money, what it does not know …). Here every type is text to it, so that the texts arrive untouched.
 *
 * <p>It never starts again by itself: a new start needs a new epoch and the slot's position of that moment.
 */
public final class TextConnectorTask extends PostgresConnectorTask {

    /** How the walsender's session writes values: as {@link SourceSession} does in all our sessions. */
    private static final String SETTINGS = SourceSession.SETTINGS + "; " + SourceSession.PATIENCE;

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
        PostgresConnection metadata = new CatalogueConnection(config, new TextTypes(jdbcConnection));
        ReplicationConnection replication = super.buildReplicationConnection(metadata, schema, config);
        if (!(replication instanceof JdbcConnection session)) {
            throw new IllegalStateException("Debezium's replication connection is a " + replication.getClass()
                    + " in this version: its session's time zone cannot be set");
        }
        // Without Debezium's own on-connect statements: the walsender knows few of them.
        try (Statement statement = session.connection(false).createStatement()) {
            statement.execute(SETTINGS);
        }
        return replication;
    }
}
