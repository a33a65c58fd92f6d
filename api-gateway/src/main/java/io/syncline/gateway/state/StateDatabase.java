package io.syncline.gateway.state;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.syncline.model.table.ReplicaLayout;
import io.syncline.model.table.SessionSettings;
import io.syncline.model.table.SessionSettings.Setting;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.jdbc.datasource.AbstractDataSource;

/**
 * Where the state database is, and connection pools into it. Every connection is read only and to the primary. Its server is
 * met when it is made ({@link Servers}); whether that one may be answered from, each of {@link StateReads} asks. When
 * another server is met, connections to the one before are given up as they come back to their pools.
 */
public final class StateDatabase {

    /** How long a call waits for a connection before it answers 503. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final String url;
    private final @Nullable String username;
    private final @Nullable String password;
    private final Servers servers;

    /** {@link IllegalArgumentException} says what is wrong with the URL. */
    public StateDatabase(@Nullable String url, @Nullable String username, @Nullable String password,
            Servers servers) {
        if (url == null || !url.startsWith("jdbc:postgresql:")) {
            // Without what follows the question mark: a password may stand there.
            String shown = url == null ? "nothing" : "'" + url.replaceFirst("\\?.*", "?…") + "'";
            throw new IllegalArgumentException("spring.datasource.url: " + shown
                    + " is no PostgreSQL URL; give jdbc:postgresql://<host>:<port>/<database>");
        }
        this.url = url;
        this.username = username;
        this.password = password;
        this.servers = servers;
    }

    /**
     * A pool of its own, so that one kind of call cannot starve another. It starts without the database being there.
     *
     * @param statementTimeout the longest that one statement may run, streaming its rows included
     * @param settings         of PostgreSQL's sessions, as {@code name = value}
     */
    public HikariDataSource pool(String name, int size, Duration statementTimeout, String... settings) {
        HikariConfig config = new HikariConfig();
        config.setPoolName("syncline-" + name);
        config.setDataSource(new PrimaryDataSource(physical(statementTimeout), statementTimeout, servers, settings));
        config.setMaximumPoolSize(size);
        config.setMinimumIdle(Math.min(size, 2));
        config.setConnectionTimeout(PATIENCE.toMillis());
        config.setValidationTimeout(PATIENCE.toMillis() / 2);
        config.setInitializationFailTimeout(-1);
        HikariDataSource pool = new HikariDataSource(config);
        servers.onAnother(() -> pool.getHikariPoolMXBean().softEvictConnections());
        return pool;
    }

    private PGSimpleDataSource physical(Duration statementTimeout) {
        PGSimpleDataSource physical = new PGSimpleDataSource();
        physical.setApplicationName("syncline-gateway");
        physical.setTargetServerType("primary");
        physical.setConnectTimeout((int) PATIENCE.toSeconds());
        physical.setLoginTimeout((int) PATIENCE.toSeconds());
        physical.setTcpKeepAlive(true);
        // The server gives up first; the socket's own time-out is for a server that is gone without a word.
        physical.setSocketTimeout((int) statementTimeout.toSeconds() + 2);
        // Last: what the operator's URL says of any of these wins.
        physical.setUrl(url);
        if (username != null) {
            physical.setUser(username);
        }
        if (password != null) {
            physical.setPassword(password);
        }
        // From a session's first statement on, behind what the URL has: whether it may write is asked while it is made.
        String ofUrl = physical.getOptions();
        physical.setOptions((ofUrl == null ? "" : ofUrl + " ") + SessionSettings.options());
        return physical;
    }

    /** Makes connections, and none to a standby. */
    private static final class PrimaryDataSource extends AbstractDataSource {

        private final PGSimpleDataSource physical;
        private final String settings;
        private final Servers servers;

        PrimaryDataSource(PGSimpleDataSource physical, Duration statementTimeout, Servers servers, String... more) {
            this.physical = physical;
            // Read only not as a start-up option: the driver takes a server on which transactions begin so for a standby.
            this.settings = SessionSettings.statements(ReplicaLayout.SCHEMA, "public")
                    + "; SET default_transaction_read_only = on; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = 0; "
                    + SessionSettings.setWhereKnown(new Setting("transaction_timeout", "0", "a long pull is ended"))
                    + "; SET statement_timeout = "
                    + statementTimeout.toMillis()
                    + Stream.of(more).map(setting -> "; SET " + setting).collect(Collectors.joining());
            this.servers = servers;
        }

        @Override
        public Connection getConnection() throws SQLException {
            Connection connection = physical.getConnection();
            try (Statement statement = connection.createStatement()) {
                statement.execute(settings);
                servers.meet(connection);
                return connection;
            } catch (SQLException | RuntimeException e) {
                connection.close();
                throw e;
            }
        }

        @Override
        public Connection getConnection(String user, String secret) throws SQLException {
            throw new SQLException("the state database is opened with the configured user only");
        }
    }
}
