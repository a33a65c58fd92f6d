package io.syncline.worker.capture.debezium;

import io.debezium.connector.postgresql.connection.Lsn;
import io.debezium.connector.postgresql.connection.ReplicationConnection;
import io.debezium.connector.postgresql.connection.ReplicationMessage;
import io.debezium.connector.postgresql.connection.ReplicationStream;
import io.debezium.connector.postgresql.connection.WalPositionLocator;
import io.debezium.connector.postgresql.spi.SlotCreationResult;
import io.debezium.relational.TableId;
import io.syncline.worker.capture.debezium.CatalogueConnection.Described;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * Debezium's replication connection, in which what fails for one table's sake is that table's alone: its changes are passed over and
 * {@link RefusedTables} says so. What the slot cannot get past is an {@link UndecodableException}.
 */
final class GuardedConnection implements ReplicationConnection {

    private final ReplicationConnection connection;
    private final CatalogueConnection catalogue;
    private final StreamedSchema schema;

    GuardedConnection(ReplicationConnection connection, CatalogueConnection catalogue, StreamedSchema schema) {
        this.connection = connection;
        this.catalogue = catalogue;
        this.schema = schema;
    }

    @Override
    public ReplicationStream startStreaming(WalPositionLocator position) throws SQLException, InterruptedException {
        return new Stream(connection.startStreaming(position));
    }

    @Override
    public ReplicationStream startStreaming(Lsn offset, WalPositionLocator position)
            throws SQLException, InterruptedException {
        return new Stream(connection.startStreaming(offset, position));
    }

    @Override
    public Optional<SlotCreationResult> createReplicationSlot() throws SQLException {
        return connection.createReplicationSlot();
    }

    @Override
    public void initConnection() throws SQLException, InterruptedException {
        connection.initConnection();
    }

    @Override
    public boolean isConnected() throws SQLException {
        return connection.isConnected();
    }

    @Override
    public void reconnect() throws SQLException {
        connection.reconnect();
    }

    @Override
    public void close() throws Exception {
        connection.close();
    }

    private final class Stream implements ReplicationStream {

        private final ReplicationStream stream;

        Stream(ReplicationStream stream) {
            this.stream = stream;
        }

        @Override
        public void read(ReplicationMessageProcessor processor) throws SQLException, InterruptedException {
            guarded(() -> {
                stream.read(message -> process(message, processor));
                return true;
            });
        }

        @Override
        public boolean readPending(ReplicationMessageProcessor processor) throws SQLException, InterruptedException {
            return guarded(() -> stream.readPending(message -> process(message, processor)));
        }

        @Override
        public void flushLsn(Lsn lsn) throws SQLException {
            stream.flushLsn(lsn);
        }

        @Override
        public Lsn lastReceivedLsn() {
            return stream.lastReceivedLsn();
        }

        @Override
        public Lsn startLsn() {
            return stream.startLsn();
        }

        @Override
        public void startKeepAlive(ExecutorService service) {
            stream.startKeepAlive(service);
        }

        @Override
        public void stopKeepAlive() {
            stream.stopKeepAlive();
        }

        @Override
        public void close() throws Exception {
            stream.close();
        }
    }

    @FunctionalInterface
    private interface Read {
        boolean read() throws SQLException, InterruptedException;
    }

    private boolean guarded(Read read) throws SQLException, InterruptedException {
        catalogue.forgetDescribed();
        try {
            return read.read();
        } catch (SQLException e) {
            // In the middle of a Relation message, it is of the session that was asked about the table.
            UndecodableException undecodable = catalogue.described() == null ? UndecodableException.of(e) : null;
            if (undecodable != null) {
                throw undecodable;
            }
            throw e;
        } catch (RuntimeException e) {
            return passOver(catalogue.described(), e);
        }
    }

    /** Goes on behind a Relation message that Debezium cannot take. */
    private boolean passOver(@Nullable Described described, RuntimeException problem) {
        UndecodableException undecodable = UndecodableException.of(problem);
        if (undecodable == null || problem instanceof UndecodableException) {
            throw problem;
        }
        Set<Integer> relations = new HashSet<>();
        if (described != null) {
            relations.addAll(described.relations());
            relations.addAll(schema.relations(described.table().table()));
        }
        if (described == null || relations.isEmpty()) {
            // Nobody knows whose the changes are that follow.
            throw undecodable;
        }
        for (int relation : relations) {
            schema.refuse(relation, described.table().table(), String.valueOf(problem.getMessage()));
        }
        return true;
    }

    private void process(@Nullable ReplicationMessage message, ReplicationStream.ReplicationMessageProcessor processor)
            throws SQLException, InterruptedException {
        try {
            processor.process(message);
        } catch (RuntimeException e) {
            String table = message == null ? null : table(message);
            if (table == null || e instanceof UndecodableException || !UndecodableException.isOfDebezium(e)) {
                throw e;
            }
            String cause = "Debezium cannot take a change of it: " + e.getMessage();
            schema.refuse(table, cause);
            schema.relations(table).forEach(relation -> schema.refuse(relation, table, cause));
        }
    }

    /** Whose row it is of; null if it is of none. */
    private static @Nullable String table(ReplicationMessage message) {
        return switch (message.getOperation()) {
            case INSERT, UPDATE, DELETE, TRUNCATE -> {
                TableId id = message.isSkippedMessage() ? null : TableId.parse(message.getTable(), false);
                yield id == null ? null : id.table();
            }
            default -> null;
        };
    }
}
