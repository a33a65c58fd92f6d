package io.syncline.standalone;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The site database of a shop that does not exist: some 50,000 rows, the same wherever they are made. */
public final class DemoShop {

    public static final String DATABASE = "shop";

    public static final List<String> TABLES = List.of("customers", "events", "order_lines", "orders", "products");

    private static final Logger LOG = LoggerFactory.getLogger(DemoShop.class);

    private DemoShop() {}

    /** Makes the database and its tables, all or none; one that has a table of its own by now is left alone. */
    public static void makeIn(EmbeddedDatabase server) {
        server.createDatabase(DATABASE);
        long begun = System.nanoTime();
        try (Connection connection = server.connect(DATABASE)) {
            connection.setAutoCommit(false);
            if (hasTables(connection)) {
                connection.rollback();
                return;
            }
            try (Statement statement = connection.createStatement()) {
                statement.execute(script());
            }
            connection.commit();
            connection.setAutoCommit(true);
            try (Statement statement = connection.createStatement()) {
                statement.execute("ANALYZE");
            }
        } catch (SQLException failure) {
            throw new IllegalStateException("the demo shop cannot be made: " + failure.getMessage(), failure);
        }
        LOG.info("demo shop made in {} ms: {}", Duration.ofNanos(System.nanoTime() - begun).toMillis(), TABLES);
    }

    /** Those that are still there. */
    static Set<String> tablesIn(EmbeddedDatabase server) throws SQLException {
        Set<String> present = new TreeSet<>();
        try (Connection connection = server.connect(DATABASE);
                Statement statement = connection.createStatement();
                ResultSet rows = statement
                        .executeQuery("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")) {
            while (rows.next()) {
                present.add(rows.getString(1));
            }
        }
        present.retainAll(TABLES);
        return present;
    }

    private static boolean hasTables(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT FROM pg_tables WHERE schemaname = 'public'")) {
            return rows.next();
        }
    }

    private static String script() {
        try (InputStream stream = DemoShop.class.getResourceAsStream("demo-shop.sql")) {
            if (stream == null) {
                throw new IllegalStateException("demo-shop.sql is not on the class path");
            }
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException failure) {
            throw new IllegalStateException("demo-shop.sql cannot be read", failure);
        }
    }
}
