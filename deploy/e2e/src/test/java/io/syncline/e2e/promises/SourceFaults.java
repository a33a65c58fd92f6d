package io.syncline.e2e.promises;

import io.syncline.standalone.EmbeddedDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** What the source's owner does beside writing: changes that are undone, and settings that are put back. */
final class SourceFaults {

    /** The writers, and each other: locks, tables and columns that are away for a while. */
    private static final Set<String> OF_THE_MOMENT = Set.of("40P01", "40001", "55P03", "23505", "23514", "42P01",
            "42703",
            "42704", "42P07", "42804", "0A000", "XX000", "42701", "42710");

    private static final List<String> SETTINGS = List.of("DateStyle = 'German, DMY'", "IntervalStyle = 'sql_standard'",
            "TimeZone = 'Asia/Kathmandu'", "bytea_output = 'escape'", "extra_float_digits = -5",
            "quote_all_identifiers = on", "standard_conforming_strings = off", "xmlbinary = 'hex'",
            "search_path = 'ext'", "array_nulls = off", "default_transaction_isolation = 'serializable'",
            "statement_timeout = '3s'", "lock_timeout = '100ms'", "idle_in_transaction_session_timeout = '1s'",
            "client_encoding = 'LATIN1'", "transform_null_equals = on", "enable_indexscan = off", "jit = on",
            "default_transaction_deferrable = on", "row_security = off", "lc_numeric = 'C'", "xmloption = 'document'");

    private final EmbeddedDatabase source;
    private final List<RandomTable> tables;
    private final Random random;

    SourceFaults(EmbeddedDatabase source, List<RandomTable> tables, Random random) {
        this.source = source;
        this.tables = tables;
        this.random = random;
    }

    void make(PropertyFault fault) throws SQLException {
        RandomTable table = tables.get(random.nextInt(tables.size()));
        long version = random.nextInt(1_000_000) * 1_000_000L;
        switch (fault) {
            case DDL_UNDONE -> run(table.undoneDdl(random, version));
            case PARTITION_DETACHED -> {
                for (RandomTable one : tables) {
                    if (one.partitioned()) {
                        run(one.detachedPartition(random, version));
                        return;
                    }
                }
            }
            case PUBLICATION_CHANGED -> run(publication(table, version));
            case SETTINGS_CHANGED -> setting("SET " + SETTINGS.get(random.nextInt(SETTINGS.size())));
            case WORKER_KILLED, WORKER_FROZEN, BROKERS_LOST, STATE_RESTORED, STATE_FAILED_OVER ->
                    throw new IllegalArgumentException(fault + " is none of the source");
        }
    }

    /** For connections from now on. */
    void resetSettings() throws SQLException {
        setting("RESET ALL");
    }

    private void setting(String clause) throws SQLException {
        try (Connection connection = source.connect("postgres"); Statement statement = connection.createStatement()) {
            statement.execute("ALTER DATABASE site " + clause);
        }
    }

    private List<String> publication(RandomTable table, long version) {
        List<String> writes = List.of("UPDATE " + table.quoted() + " SET n = " + version + " WHERE n % 4 = 0",
                "DELETE FROM " + table.quoted() + " WHERE n % 13 = 0");
        return switch (random.nextInt(4)) {
            case 0 -> RandomTable.around("ALTER PUBLICATION syncline SET (publish = 'insert')", writes,
                    "ALTER PUBLICATION syncline SET (publish = 'insert, update, delete, truncate')");
            case 1 -> RandomTable.around("ALTER PUBLICATION syncline DROP TABLE " + table.quoted(), writes,
                    "ALTER PUBLICATION syncline ADD TABLE " + table.quoted());
            case 2 -> RandomTable.around("ALTER PUBLICATION syncline SET (publish_via_partition_root = false)", writes,
                    "ALTER PUBLICATION syncline SET (publish_via_partition_root = true)");
            default -> List.of("DROP PUBLICATION syncline");
        };
    }

    /** In one transaction, or each statement in its own; a last one that was refused for the moment is tried again. */
    private void run(List<String> statements) throws SQLException {
        boolean together = random.nextBoolean();
        try (Connection connection = source.connect("site"); Statement statement = connection.createStatement()) {
            statement.execute("SET lock_timeout = '5s'; SET statement_timeout = 0; SET search_path = DEFAULT");
            statement.execute("SET search_path = public");
            connection.setAutoCommit(!together);
            for (int i = 0; i < statements.size(); i++) {
                boolean begun = i > 0;
                try {
                    statement.execute(statements.get(i));
                } catch (SQLException e) {
                    if (!OF_THE_MOMENT.contains(String.valueOf(e.getSQLState()))) {
                        throw new SQLException(statements.get(i) + ": " + e.getMessage(), e.getSQLState(), e);
                    }
                    if (together || !begun) {
                        if (together) {
                            connection.rollback();
                        }
                        return;
                    }
                    if (i == statements.size() - 1) {
                        again(statement, statements.get(i));
                    }
                }
            }
            if (together) {
                connection.commit();
            }
        }
    }

    /** What has been begun is undone, however often the writers are in the way. */
    private static void again(Statement statement, String sql) throws SQLException {
        for (int attempt = 0;; attempt++) {
            try {
                statement.execute(sql);
                return;
            } catch (SQLException e) {
                if (Set.of("42710", "42701", "42P07").contains(String.valueOf(e.getSQLState()))) {
                    // The product has put it back itself.
                    return;
                }
                if (attempt == 50 || !OF_THE_MOMENT.contains(String.valueOf(e.getSQLState()))) {
                    throw e;
                }
            }
        }
    }
}
