package io.syncline.worker.capture;

import io.syncline.worker.capture.debezium.SourceSession;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.postgresql.Driver;
import org.postgresql.PGProperty;

/** The source: where it is, and sessions with it. */
final class SourceDatabase {

    /** By this name the source knows the sessions of all workers. */
    static final String APPLICATION = "Syncline capture";

    private static final Pattern SCHEME = Pattern.compile("(jdbc:)?[a-z]+://");
    private static final Pattern PARAMETERS = Pattern.compile("[?;&#].*", Pattern.DOTALL);
    private static final String LOCK_NOT_AVAILABLE = "55P03";

    private final String url;
    private final @Nullable String username;
    private final @Nullable String password;
    private final Properties parsed;

    /** @throws SourceUnusableException if the URL is none of PostgreSQL, names more than one host, or an application */
    SourceDatabase(String url, @Nullable String username, @Nullable String password) throws SourceUnusableException {
        this.url = url;
        this.username = username;
        this.password = password;
        Properties properties = Driver.parseURL(url, new Properties());
        if (properties == null) {
            throw unusable(url, "it is no PostgreSQL URL", "give jdbc:postgresql://host:port/database[?option=value]");
        }
        parsed = properties;
        if (host().contains(",")) {
            throw unusable(url, "it names several hosts, and a slot lives on one server", "name its primary");
        }
        String application = PGProperty.APPLICATION_NAME.getName();
        if (parsed.getProperty(application) != null) {
            throw unusable(url, "it sets " + application + " (" + parsed.getProperty(application)
                    + "); workers know each other's sessions by theirs, and end one that is in the source's way",
                    "leave it out");
        }
    }

    private static SourceUnusableException unusable(String url, String problem, String remedy) {
        return new SourceUnusableException(
                new SourceProblem("syncline.source.url", shown(url), problem, remedy + ", and start this worker again",
                        false));
    }

    /** Without parameters and without what may be somebody's name and password, however wrong the URL is. */
    static String shown(String url) {
        Matcher begins = SCHEME.matcher(url);
        String scheme = begins.lookingAt() ? begins.group() : "";
        String rest = url.substring(scheme.length());
        int at = rest.lastIndexOf('@');
        if (at >= 0 && PARAMETERS.matcher(rest.substring(0, at)).find()) {
            // What follows the @ may be the end of a password.
            return scheme + "…";
        }
        return scheme + PARAMETERS.matcher(rest.substring(at + 1)).replaceFirst("?…");
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

    /** A session for questions: none takes longer than half a minute, and none waits longer than a second for a lock. */
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
        Connection connection = open(properties);
        try (Statement statement = connection.createStatement()) {
            statement.execute(SourceSession.PATIENCE);
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
        return connection;
    }

    /** A session that is handed texts as they lie in the database, in whatever encoding. */
    Connection connectWithoutConversion() throws SQLException {
        Properties properties = properties();
        PGProperty.ALLOW_ENCODING_CHANGES.set(properties, true);
        Connection connection = open(properties);
        try (Statement statement = connection.createStatement()) {
            statement.execute(SourceSession.RAW_TEXTS);
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
        return connection;
    }

    /** Whether it is, or comes from, a lock that somebody else has: nothing is wrong with the session. */
    static boolean isLockTimeout(Throwable problem) {
        for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException e && LOCK_NOT_AVAILABLE.equals(e.getSQLState())) {
                return true;
            }
        }
        return false;
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
            statement.execute(SourceSession.SETTINGS);
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
        return connection;
    }
}
