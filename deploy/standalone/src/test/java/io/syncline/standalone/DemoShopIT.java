package io.syncline.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class DemoShopIT {

    @Test
    void makeIn_sameRowsWhateverTheTimeZone() throws Exception {
        Map<String, String> here;
        try (EmbeddedDatabase database = EmbeddedDatabase.throwAway()) {
            DemoShop.makeIn(database);
            here = checksums(database);
        }
        Map<String, String> there;
        try (EmbeddedDatabase database = EmbeddedDatabase.throwAway()) {
            database.createDatabase(DemoShop.DATABASE);
            execute(database, "ALTER DATABASE shop SET timezone = 'Pacific/Auckland'");
            execute(database, "ALTER DATABASE shop SET datestyle = 'SQL, DMY'");
            DemoShop.makeIn(database);
            there = checksums(database);
        }
        assertThat(there).isEqualTo(here);
    }

    @Test
    void makeIn_aBelievableShop() throws Exception {
        try (EmbeddedDatabase database = EmbeddedDatabase.throwAway()) {
            DemoShop.makeIn(database);
            assertThat(query(database, "SELECT count(*) FROM customers")).isEqualTo("2500");
            assertThat(query(database, "SELECT count(*) FROM products")).isEqualTo("400");
            assertThat(query(database, "SELECT count(*) FROM orders")).isEqualTo("9000");
            assertThat(query(database, "SELECT count(*) FROM order_lines")).isEqualTo("22500");
            assertThat(query(database, "SELECT count(*) FROM events")).isEqualTo("15600");
            assertThat(query(database, """
                    SELECT count(*) FROM orders JOIN (SELECT order_id, sum(line_total) AS lines FROM order_lines
                    GROUP BY order_id) AS summed ON order_id = id WHERE total <> lines""")).isEqualTo("0");
            assertThat(query(database, """
                    INSERT INTO orders (customer_id, status, currency, total, gift, shipping_address, placed_at)
                    SELECT id, 'placed', 'EUR', 1, false, '{}', now() FROM customers LIMIT 1 RETURNING id"""))
                    .isEqualTo("9001");
        }
    }

    @Test
    void makeIn_leavesWhatIsThereAlone() throws Exception {
        try (EmbeddedDatabase database = EmbeddedDatabase.throwAway()) {
            DemoShop.makeIn(database);
            execute(database, "DELETE FROM events WHERE id > 10");
            execute(database, "DROP TABLE order_lines");
            DemoShop.makeIn(database);
            assertThat(query(database, "SELECT count(*) FROM events")).isEqualTo("10");
            assertThat(query(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).isEqualTo("4");
        }
    }

    private static Map<String, String> checksums(EmbeddedDatabase database) throws SQLException {
        Map<String, String> checksums = new TreeMap<>();
        for (String table : DemoShop.TABLES) {
            checksums.put(table, query(database,
                    "SELECT count(*) || ' ' || md5(string_agg(line, E'\\n' ORDER BY line COLLATE \"C\")) FROM "
                            + "(SELECT row_to_json(t)::jsonb::text AS line FROM " + table + " AS t) AS lines"));
        }
        return checksums;
    }

    private static void execute(EmbeddedDatabase database, String sql) throws SQLException {
        try (Connection connection = database.connect(DemoShop.DATABASE);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String query(EmbeddedDatabase database, String sql) throws SQLException {
        try (Connection connection = database.connect(DemoShop.DATABASE);
                Statement statement = connection.createStatement()) {
            statement.execute("SET timezone = 'UTC'");
            try (ResultSet rows = statement.executeQuery(sql)) {
                assertThat(rows.next()).isTrue();
                return rows.getString(1);
            }
        }
    }
}
