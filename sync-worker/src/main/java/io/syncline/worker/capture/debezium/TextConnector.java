package io.syncline.worker.capture.debezium;

import io.debezium.connector.postgresql.PostgresConnector;
import org.apache.kafka.connect.connector.Task;

/** Debezium's PostgreSQL connector with a task that leaves values as PostgreSQL writes them. */
public final class TextConnector extends PostgresConnector {

    @Override
    public Class<? extends Task> taskClass() {
        return TextConnectorTask.class;
    }
}
