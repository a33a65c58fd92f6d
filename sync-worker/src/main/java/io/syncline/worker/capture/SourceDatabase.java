package io.syncline.worker.capture;

import io.syncline.worker.capture.debezium.SourceSession;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.postgresql.Driver;
import org.postgresql.PGProperty;

/** The source: where it is, and sessions with it. */
final class SourceDatabase {

    /** By this name the source knows the sessions of all workers. */
    static final String APPLICATION = "Syncline capture";

    private final String url;
    private final @Nullable String username;
    private final @Nullable String password;
    private final Properties parsed;

    /** @throws IllegalArgumentException if the URL is none of PostgreSQL, names more than one host, or an application */
    SourceDatabase(String url, @Nullable String username, @Nullable String password) {
        this.url = url;
        this.username = username;
        this.password = password;
        Properties properties = Driver.parseURL(url, new Properties());
        if (properties == null) {
            throw new IllegalArgumentException(
                    "syncline.source.url is not of the form jdbc:postgresql://host:port/database[?option=value]");
        }
        parsed = properties;
        if (host().contains(",")) {
            throw new IllegalArgumentException("syncline.source.url names several hosts (" + host()
                    + "); a slot lives on one server: name its primary");
        }
        String application = PGProperty.APPLICATION_NAME.getName();
        if (parsed.getProperty(application) != null) {
            throw new IllegalArgumentException("syncline.source.url sets " + application + " ("
                    + parsed.getProperty(application)
                    + "); workers know each other's sessions by theirs, and end one that is in the source's way: leave it out");
        }
    }

    String host() {
        return parsed.getProperty(PGProperty.PG_HOST.getName(), "localhost");
    }

    String port() {
        return parsed.getProperty(PGProperty.PG_PORT.getName(), "5432");
    }

    String database() {
        return parsed.getProperty(PGProperty.PG_DBNAME.getName(), user());
    }

    String user() {
        return username != null ? username : parsed.getProperty(PGProperty.USER.getName(), "postgres");
    }

    @Nullable
    String password() {
        return password != null ? password : parsed.getProperty(PGProperty.PASSWORD.getName());
    }

    /** What else the URL asks of the driver, TLS for instance. */
    Map<String, String> driverOptions() {
        Map<String, String> options = new TreeMap<>();
        for (String name : parsed.stringPropertyNames()) {
            if (!name.equals(PGProperty.PG_HOST.getName()) && !name.equals(PGProperty.PG_PORT.getName())
                    && !name.equals(PGProperty.PG_DBNAME.getName()) && !name.equals(PGProperty.USER.getName())
                    && !name.equals(PGProperty.PASSWORD.getName())) {
                options.put(name, parsed.getProperty(name));
            }
        }
        return options;
    }

    /** A session for questions: none takes longer than half a minute. */
    Connection connect() throws SQLException {
        Properties properties = properties();
        PGProperty.SOCKET_TIMEOUT.set(properties, 30);
        return open(properties);
    }

    /** A session for reading tables: an answer may take as long as it takes. */
    Connection connectForReading() throws SQLException {
        return open(properties());
    }

    /** A session that speaks the replication protocol. */
    Connection connectForReplication() throws SQLException {
        Properties properties = properties();
        PGProperty.REPLICATION.set(properties, "database");
        // Without it the driver does not ask for the protocol.
        PGProperty.ASSUME_MIN_SERVER_VERSION.set(properties, "14");
        PGProperty.PREFER_QUERY_MODE.set(properties, "simple");
        return open(properties);
    }

    private Properties properties() {
        Properties properties = new Properties();
        PGProperty.USER.set(properties, user());
        String secret = password();
        if (secret != null) {
            PGProperty.PASSWORD.set(properties, secret);
        }
        PGProperty.APPLICATION_NAME.set(properties, APPLICATION);
        PGProperty.OPTIONS.set(properties, SourceSession.OPTIONS);
        PGProperty.CONNECT_TIMEOUT.set(properties, 5);
        PGProperty.LOGIN_TIMEOUT.set(properties, 10);
        PGProperty.TCP_KEEP_ALIVE.set(properties, true);
        return properties;
    }

    private Connection open(Properties properties) throws SQLException {
        Connection connection = new Driver().connect(url, properties);
        if (connection == null) {
            throw new SQLException("the driver does not take the URL");
        }
        try (Statement statement = connection.createStatement()) {
            statement.execute(SourceSession.VALUE_SETTINGS);
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
        return connection;
    }
}
