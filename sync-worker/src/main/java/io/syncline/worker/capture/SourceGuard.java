package io.syncline.worker.capture;

import io.syncline.model.table.TableName;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.util.unit.DataSize;

/**
 * Keeps the source from harm, whoever captures, and whether or not Kafka is there. Tables that have lost their replica identity are
 * taken out of the publication, since their owners' UPDATE and DELETE fail until that is done. A slot that keeps much WAL
 * is warned of, and one that keeps more than it may is dropped, before the source's disk is full: everything is then captured anew, and nothing is lost but time. A session of
 * a worker's that somebody waits for is ended.
 */
final class SourceGuard implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(SourceGuard.class);

    /**
     * Sessions of a worker, whichever, that somebody has been waiting for longer than a second. A reader of a worker that is awake has
     * given way by then; a frozen one never does, nor does the keeper of an exported snapshot, for which a CREATE INDEX CONCURRENTLY
     * waits. Who blocks whom is asked once for each who waits, and for few of them: it takes locks of the server's own.
     */
    private static final String IN_THE_WAY = """
            WITH waiting AS MATERIALIZED (
                SELECT DISTINCT pid FROM pg_locks WHERE waitstart < clock_timestamp() - interval '1 s' LIMIT 50),
            blocking AS MATERIALIZED (SELECT DISTINCT unnest(pg_blocking_pids(pid)) AS pid FROM waiting)
            SELECT s.pid, pg_terminate_backend(s.pid) FROM pg_stat_activity s JOIN blocking USING (pid)
            WHERE s.application_name = ? AND s.usename = current_user AND s.datname = current_database() AND s.pid <> pg_backend_pid()""";

    private final SourceDatabase source;
    private final CaptureProperties properties;
    private final CaptureStore store;
    private final Publication publication;
    private final ReplicationSlot slot;
    private final Thread thread;
    private final Set<TableName> refused = new HashSet<>();
    private @Nullable Connection session;
    /** Asked at the first look and remembered: the slot may have to be dropped while the state database is away. */
    private volatile @Nullable String cluster;
    private @Nullable Thread telling;
    private volatile String warning = "";
    private int warnedOf;
    private volatile boolean closed;

    SourceGuard(SourceDatabase source, CaptureProperties properties, CaptureStore store) {
        this.source = source;
        this.properties = properties;
        this.store = store;
        publication = new Publication(properties.publication());
        slot = new ReplicationSlot(source, properties.slotName());
        thread = Thread.ofPlatform().daemon().name("capture-guard").unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /** What the operator ought to know of the WAL that the slot keeps; empty while that is little. */
    String warning() {
        return warning;
    }

    private void run() {
        while (!closed) {
            try {
                look();
            } catch (SQLException e) {
                // Whoever captures tells of a source that cannot be reached.
                LOG.debug("The publication cannot be looked at: {}", e.getMessage());
                closeSession();
            } catch (InterruptedException e) {
                break;
            } catch (RuntimeException | Error e) {
                // An Error, too: a guard that ended here would guard nothing.
                LOG.warn("The publication cannot be looked at: {}", e.toString());
                closeSession();
            }
            try {
                Thread.sleep(properties.catalogueInterval());
            } catch (InterruptedException e) {
                break;
            }
        }
        closeSession();
    }

    private void look() throws SQLException, InterruptedException {
        Connection connection = session;
        if (connection == null) {
            connection = source.connect();
            session = connection;
        }
        endWhatIsInTheWay(connection);
        takeOutWhatIsUnfit(connection);
        bound(connection);
    }

    private void takeOutWhatIsUnfit(Connection connection) throws SQLException {
        List<TableName> unfit = publication.unfit(connection);
        for (TableName table : unfit) {
            try {
                publication.drop(connection, table);
                LOG.warn(
                        "Table {} is taken out of the publication: its replica identity no longer serves UPDATE and DELETE",
                        table);
            } catch (SQLException e) {
                if (refused.add(table)) {
                    LOG.warn(
                            "Table {} has to be taken out of the publication, its UPDATE and DELETE fail in it, and cannot be: {}"
                                    + " — ALTER PUBLICATION {} DROP TABLE public.{}",
                            table, Publication.refusal(e), publication,
                            Sql.identifier(table.name()));
                }
            }
        }
        refused.retainAll(unfit);
    }

    private static void endWhatIsInTheWay(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(IN_THE_WAY)) {
            statement.setString(1, SourceDatabase.APPLICATION);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    LOG.warn(
                            "Session {} of a worker is ended: somebody has waited for it for more than a second. What it read is read again",
                            rows.getInt(1));
                }
            }
        }
    }

    private void bound(Connection connection) throws SQLException, InterruptedException {
        String ours = cluster;
        if (ours != null && !ours.equals(publication.owner(connection))) {
            // Another cluster's is that cluster's to bound.
            warning = "";
            return;
        }
        ReplicationSlot.State state = slot.state(connection);
        askAndTell(state);
        long most = properties.maxRetainedWal().toBytes();
        long kept = state == null || state.lost() ? 0 : state.retained();
        if (kept > most && properties.dropSlotPastMaxRetainedWal() && ours != null) {
            LOG.warn(
                    "The slot {} keeps {} MB of WAL, more than syncline.capture.max-retained-wal ({}): it is dropped, and every table is"
                            + " captured anew as soon as that is possible — look for what keeps capture from going on (Kafka, the state database)",
                    properties.slotName(), DataSize.ofBytes(kept).toMegabytes(), properties.maxRetainedWal());
            slot.takeFromOthers(connection);
            slot.drop(connection);
            kept = 0;
        }
        warn(kept, most, ours != null);
    }

    /** From half of what the slot may keep. The log is told once of the half and once of the whole, until less than half is kept. */
    private void warn(long kept, long most, boolean known) {
        int halves = kept > most ? 2 : kept > most / 2 ? 1 : 0;
        String past = !properties.dropSlotPastMaxRetainedWal()
                ? "it goes on filling"
                : "the slot is dropped and everything captured anew"
                        + (known ? "" : ", once the state database has said that it is this cluster's");
        warning = halves == 0
                ? ""
                : new SourceProblem("slot " + properties.slotName(),
                        DataSize.ofBytes(kept).toMegabytes() + " MB of WAL kept",
                        "the source's disk fills; past syncline.capture.max-retained-wal ("
                                + properties.maxRetainedWal() + ") " + past,
                        "look for what keeps capture from going on: Kafka, the state database, a long transaction in the source",
                        true).sentence();
        if (halves > warnedOf) {
            LOG.warn("{}", warning);
        }
        warnedOf = halves == 0 ? 0 : Math.max(warnedOf, halves);
    }

    /** Beside the looks, which do not wait for a state database that is away. */
    private void askAndTell(ReplicationSlot.@Nullable State measured) {
        Thread before = telling;
        if (before != null && before.isAlive()) {
            return;
        }
        telling = Thread.ofVirtual().name("capture-guard-telling").start(() -> {
            try {
                if (cluster == null) {
                    cluster = store.cluster();
                } else {
                    store.saveMeasured(measured, warning);
                }
            } catch (RuntimeException e) {
                LOG.debug("The state database does not take what the guard has to tell: {}", e.getMessage());
            }
        });
    }

    private void closeSession() {
        Connection connection = session;
        session = null;
        if (connection != null) {
            try {
                connection.close();
            } catch (SQLException e) {
                LOG.debug("A session with the source does not end: {}", e.getMessage());
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        try {
            thread.join(Duration.ofSeconds(10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
