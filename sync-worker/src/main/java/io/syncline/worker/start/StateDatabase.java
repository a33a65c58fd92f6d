package io.syncline.worker.start;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.syncline.model.table.ReplicaLayout;
import io.syncline.model.table.SessionSettings;
import java.time.Duration;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * The state database: connection pools into it, and its schema, which workers make. None of it needs the database to be
 * there yet.
 */
public final class StateDatabase {

    private static final String SCHEMA = "syncline";
    /** A worker that freezes in a transaction holds its locks no longer than this. */
    private static final Duration IDLE_IN_TRANSACTION = Duration.ofSeconds(5);
    /** Longer than a frozen worker holds a lock. */
    private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(7);
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(3);

    private final String url;
    private final @Nullable String username;
    private final @Nullable String password;

    public StateDatabase(@Nullable String url, @Nullable String username, @Nullable String password) {
        if (url == null || !url.startsWith("jdbc:postgresql:")) {
            throw new StartRefusedException(
                    "spring.datasource.url is " + (url == null ? "not set" : "no PostgreSQL URL"),
                    "Give the state database as jdbc:postgresql://<host>:<port>/<database>");
        }
        this.url = url;
        this.username = username;
        this.password = password;
    }

    /**
     * A pool for one room, so that no room waits for another's connections.
     *
     * @param statementTimeout the longest that one statement may take
     * @param settings         of PostgreSQL's sessions, as {@code name = value}
     */
    public HikariDataSource pool(String room, int size, Duration statementTimeout, String... settings) {
        PGSimpleDataSource server = server();
        server.setApplicationName("syncline-worker-" + room);
        // The server gives up first; the socket's time-out is for one that is gone without a word.
        server.setSocketTimeout((int) statementTimeout.plusSeconds(5).toSeconds());
        HikariConfig config = new HikariConfig();
        config.setPoolName("syncline-" + room);
        config.setDataSource(server);
        config.setMaximumPoolSize(size);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(CONNECT_TIMEOUT.toMillis());
        config.setInitializationFailTimeout(-1);
        config.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
        config.setConnectionInitSql(SessionSettings.statements(ReplicaLayout.SCHEMA, "public") + """
                ;
                -- Replica tables are updated in place, and have an index of their pages.
                SET default_table_access_method = heap;
                SET idle_in_transaction_session_timeout = %s;
                SET lock_timeout = %s;
                SET statement_timeout = %s;
                -- PostgreSQL 17 and later: a client that freezes half-way through a message is not "idle".
                SELECT set_config('transaction_timeout', '%s', false)
                WHERE current_setting('transaction_timeout', true) IS NOT NULL;
                -- What is answered must have been written.
                SELECT set_config('synchronous_commit', 'on', false)
                WHERE current_setting('synchronous_commit') IN ('off', 'local');""".formatted(
                IDLE_IN_TRANSACTION.toMillis(), LOCK_TIMEOUT.toMillis(), statementTimeout.toMillis(),
                statementTimeout.multipliedBy(2).toMillis())
                + Stream.of(settings).map(setting -> "SET " + setting + ";").collect(Collectors.joining()));
        return new HikariDataSource(config);
    }

    /** Makes the schema, or brings it up to date; safely with other workers at once. {@link FlywayException} may pass. */
    public void migrate() {
        Flyway.configure()
                .dataSource(server())
                .locations("classpath:db/migration")
                .schemas(SCHEMA)
                .defaultSchema(SCHEMA)
                // Rooms number theirs by themselves: one that a database lacks may have a lower number than one that it has.
                .outOfOrder(true)
                // A lock of the session: one of a transaction would die with its idle time-out.
                .configuration(java.util.Map.of("flyway.postgresql.transactional.lock", "false"))
                .connectRetries(0)
                .load()
                .migrate();
    }

    private PGSimpleDataSource server() {
        PGSimpleDataSource server = new PGSimpleDataSource();
        server.setTargetServerType("primary");
        server.setConnectTimeout((int) CONNECT_TIMEOUT.toSeconds());
        server.setLoginTimeout((int) CONNECT_TIMEOUT.toSeconds());
        server.setTcpKeepAlive(true);
        // Last: what the operator's URL says of any of these wins.
        server.setUrl(url);
        if (username != null) {
            server.setUser(username);
        }
        if (password != null) {
            server.setPassword(password);
        }
        // From a session's first statement on, behind what the URL has: whether it may write is asked while it is made.
        String ofUrl = server.getOptions();
        server.setOptions((ofUrl == null ? "" : ofUrl + " ") + SessionSettings.options()
                + " -c statement_timeout=0 -c lock_timeout=0");
        return server;
    }
}
