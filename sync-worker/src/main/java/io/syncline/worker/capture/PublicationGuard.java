package io.syncline.worker.capture;

import io.syncline.model.table.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes tables that have lost their replica identity out of the publication, since their owners' UPDATE and DELETE fail until that
 * is done. Every worker does it, whoever captures, and whether or not Kafka and the state database are there.
 */
final class PublicationGuard implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(PublicationGuard.class);

    private final SourceDatabase source;
    private final Publication publication;
    private final Duration interval;
    private final Thread thread;
    private final Set<TableName> refused = new HashSet<>();
    private @Nullable Connection session;
    private volatile boolean closed;

    PublicationGuard(SourceDatabase source, Publication publication, Duration interval) {
        this.source = source;
        this.publication = publication;
        this.interval = interval;
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
            } catch (RuntimeException e) {
                LOG.warn("The publication cannot be looked at: {}", e.getMessage());
                closeSession();
            }
            try {
                Thread.sleep(interval);
            } catch (InterruptedException e) {
                break;
            }
        }
        closeSession();
    }

    private void look() throws SQLException {
        Connection connection = session;
        if (connection == null) {
            connection = source.connect();
            session = connection;
        }
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
