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
 * taken out of the publication, since their owners' UPDATE and DELETE fail until that is done. A slot that keeps more WAL than it may
 * is dropped, before the source's disk is full: everything is then captured anew, and nothing is lost but time. A session of
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
    private @Nullable String cluster;
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
            } catch (RuntimeException e) {
                LOG.warn("The publication cannot be looked at: {}", e.getMessage());
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
                            table, e.getMessage(), publication,
                            Sql.identifier(table.name()));
                }
            }
        }
        refused.retainAll(unfit);
        bound(connection);
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
        ReplicationSlot.State state = slot.state(connection);
        if (!properties.dropSlotPastMaxRetainedWal() || state == null || state.lost()
                || state.retained() <= properties.maxRetainedWal().toBytes() || !isOurs(connection)) {
            return;
        }
        LOG.warn(
                "The slot {} keeps {} MB of WAL, more than syncline.capture.max-retained-wal ({}): it is dropped, and every table is"
                        + " captured anew as soon as that is possible — look for what keeps capture from going on (Kafka, the state database)",
                properties.slotName(), DataSize.ofBytes(state.retained()).toMegabytes(), properties.maxRetainedWal());
        slot.takeFromOthers(connection);
        slot.drop(connection);
    }

    /** Another cluster's is that cluster's to bound. */
    private boolean isOurs(Connection connection) throws SQLException {
        String known = cluster;
        if (known == null) {
            try {
                known = store.cluster();
            } catch (RuntimeException e) {
                LOG.warn(
                        "The slot {} keeps more WAL than syncline.capture.max-retained-wal, and whether it is this cluster's cannot be"
                                + " asked of the state database: {}",
                        properties.slotName(), e.getMessage());
                return false;
            }
            cluster = known;
        }
        return known.equals(publication.owner(connection));
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
