package io.syncline.worker.replica;

import io.syncline.model.table.TableChange;
import io.syncline.worker.replica.Batch.Content.Change;
import io.syncline.worker.replica.Batch.Content.Unreadable;
import io.syncline.worker.replica.Batch.Entry;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Applies batches of table changes to the replica: rows, counts and positions in ONE transaction.
 *
 * <p>A record that its table cannot take, for a reason of its own, marks the table and is passed. The position does go
 * on: the record would never be applied, and everything behind it is void anyway until the next generation begins, whose
 * mark lies further on in the same topic. Waiting there would only lose that mark, too, to the topic's retention.
 */
final class ReplicaMaterialiser implements Replica {

    private static final Logger LOG = LoggerFactory.getLogger(ReplicaMaterialiser.class);

    /** A record says the same as those around it; one of another outage is news. */
    private static final Duration LOGGED_AGAIN = Duration.ofMinutes(10);

    private final DataSource database;
    private final ChangeNumbers numbers;
    /** Of each table's topic, when what has been found was last logged, by the JVM's clock. */
    private final Map<String, Map<Contradiction.Kind, Long>> found = new HashMap<>();

    ReplicaMaterialiser(DataSource database, ChangeNumbers numbers) {
        this.database = database;
        this.numbers = numbers;
    }

    @Override
    public Position place(String topic, int partition, String topicId, long first, long end) throws SQLException {
        try {
            Placement placement = inTransaction(connection -> ReplicaTransaction.place(connection, numbers, topic,
                    partition, topicId, first, end));
            switch (placement) {
                case Placement.Resumed resumed ->
                        LOG.debug("{}/{} goes on at {}", topic, partition, resumed.position());
                case Placement.Distrusted distrusted ->
                        LOG.warn("{}: a new generation is asked for", distrusted.reason());
            }
            return placement.position();
        } catch (PositionLostException | TableFault e) {
            throw new IllegalStateException("placing a partition neither needs a position nor applies a record", e);
        }
    }

    @Override
    public List<Position> apply(List<Batch> batches) throws SQLException, PositionLostException {
        try {
            return transaction(batches);
        } catch (TableFault | SQLException e) {
            if (e instanceof SQLException sql && !isTablesOwn(sql)) {
                throw sql;
            }
            List<Position> positions = new ArrayList<>();
            for (Batch batch : batches) {
                positions.add(applyAlone(batch));
            }
            return positions;
        }
    }

    /** Halves the batch until the record that fails is alone. */
    private Position applyAlone(Batch batch) throws SQLException, PositionLostException {
        TableFault fault;
        try {
            return transaction(List.of(batch)).getFirst();
        } catch (TableFault e) {
            fault = e;
        } catch (SQLException e) {
            if (!isTablesOwn(e)) {
                throw e;
            }
            fault = new TableFault(causeOf(e), true);
        }
        int size = batch.entries().size();
        if (size > 1) {
            return applyAlone(batch.rest(size / 2, applyAlone(batch.first(size / 2))));
        }
        return pass(batch, fault);
    }

    private List<Position> transaction(List<Batch> batches) throws SQLException, PositionLostException, TableFault {
        List<Contradiction> contradictions = new ArrayList<>();
        List<Position> behind = inTransaction(connection -> {
            contradictions.clear();
            ReplicaTransaction transaction = ReplicaTransaction.begin(connection, numbers, batches);
            List<Position> positions = new ArrayList<>();
            for (Batch batch : batches) {
                positions.add(applyTo(transaction, batch));
            }
            transaction.save(positions);
            contradictions.addAll(transaction.contradictions());
            return positions;
        });
        contradictions.forEach(this::tell);
        return behind;
    }

    private void tell(Contradiction contradiction) {
        Map<Contradiction.Kind, Long> logged = found.computeIfAbsent(contradiction.topic(),
                _ -> new EnumMap<>(Contradiction.Kind.class));
        Long last = logged.get(contradiction.kind());
        long now = System.nanoTime();
        if (last == null || now - last > LOGGED_AGAIN.toNanos()) {
            logged.put(contradiction.kind(), now);
            LOG.warn("{}/{}: {}; a new generation is asked for, and what there is is served as it was",
                    contradiction.topic(), contradiction.partition(), contradiction.reason());
        }
    }

    private interface Work<T> {
        T in(Connection connection) throws SQLException, PositionLostException, TableFault;
    }

    /** Once more, with a number reserved, as often as one is lacking. */
    private <T> T inTransaction(Work<T> work) throws SQLException, PositionLostException, TableFault {
        while (true) {
            try (Connection connection = database.getConnection()) {
                connection.setAutoCommit(false);
                try {
                    T done = work.in(connection);
                    connection.commit();
                    return done;
                } catch (SQLException | PositionLostException | TableFault | RuntimeException e) {
                    rollBack(connection, e);
                    throw e;
                } catch (Error e) {
                    // In the middle of a message to the server, perhaps: nothing more may be said in that session.
                    connection.abort(Runnable::run);
                    throw e;
                }
            } catch (ChangeNumbers.UnreservedException e) {
                numbers.reserve(e);
            } catch (PositionLostException e) {
                if (e.wentBack()) {
                    numbers.distrust();
                }
                throw e;
            }
        }
    }

    private static Position applyTo(ReplicaTransaction transaction, Batch batch) throws SQLException, TableFault {
        Position position = batch.from();
        for (Entry entry : batch.entries()) {
            position = switch (entry.content()) {
                case Unreadable unreadable -> throw new TableFault(unreadable.why(), true);
                case Change(TableChange change) ->
                        transaction.apply(position, batch.partitions(), change);
            };
        }
        return transaction.flush(position).at(batch.nextOffset());
    }

    /** Marks the table with the cause and goes on behind the only record of the batch. */
    private Position pass(Batch batch, TableFault fault) throws SQLException, PositionLostException {
        Entry entry = batch.entries().getFirst();
        LOG.error("table of {}: {}; record {}/{} is passed, and the table is not served until a new generation of it "
                + "is complete", batch.from().topic(), fault.cause(), batch.from().partition(), entry.offset());
        try {
            return inTransaction(connection -> {
                ReplicaTransaction transaction = ReplicaTransaction.begin(connection, numbers, List.of(batch));
                Position behind = transaction.mark(batch, fault).at(batch.nextOffset());
                transaction.save(List.of(behind));
                return behind;
            });
        } catch (TableFault e) {
            throw new IllegalStateException("marking a table applies no record", e);
        }
    }

    /**
     * Whether a statement failed because of the table's data or its type, so that it would fail for ever: SQLSTATE classes
     * of bad data, broken constraints, unknown objects, program limits. Anything else (no connection, no space, no right, a
     * deadlock) passes or is an operator's, and the same batch is tried again.
     */
    static boolean isTablesOwn(SQLException e) {
        String state = e.getSQLState();
        return state != null && state.length() == 5 && switch (state.substring(0, 2)) {
            case "0A", "21", "22", "23", "54" -> true;
            case "42" -> !state.equals("42501");
            default -> false;
        };
    }

    /** The server's sentence without its detail, which quotes values. */
    private static String causeOf(SQLException e) {
        ServerErrorMessage server = e instanceof PSQLException postgres ? postgres.getServerErrorMessage() : null;
        String sentence = server == null ? e.getMessage() : server.getMessage();
        return "PostgreSQL refuses the row or the table (" + e.getSQLState() + "): " + sentence;
    }

    private static void rollBack(Connection connection, Exception cause) {
        try {
            connection.rollback();
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
    }
}
