package io.syncline.worker.capture;

import io.syncline.worker.capture.debezium.SourceSession;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Asks the source, before anything is begun, whether it can be captured. */
final class SourceCheck {

    /** For a source in which there is nothing to capture. */
    static final SourceProblem NO_SCHEMA = new SourceProblem("schema public", "missing",
            "captured are its tables, and the source's database has none",
            "CREATE SCHEMA public, and GRANT USAGE ON it TO our role; what is made in it is captured by itself", true);

    private final SourceDatabase source;
    private final CaptureProperties properties;

    SourceCheck(SourceDatabase source, CaptureProperties properties) {
        this.source = source;
        this.properties = properties;
    }

    /** @param problems what stands in the way; @param warnings what does not, but will hurt */
    record Report(List<SourceProblem> problems, List<SourceProblem> warnings) {}

    private record Role(String name, boolean replicates, boolean mayCreate) {}

    private record Publication(boolean allTables, boolean owned, boolean whole, String owner, boolean ours) {}

    private record Slot(String plugin, @Nullable String database, boolean temporary) {}

    Report check() {
        try (Connection connection = source.connect()) {
            return check(connection);
        } catch (SQLException e) {
            return new Report(List.of(ofFailure(e)), List.of());
        }
    }

    private Report check(Connection connection) throws SQLException {
        List<SourceProblem> problems = new ArrayList<>();
        List<SourceProblem> warnings = new ArrayList<>();
        checkServer(connection, problems, warnings);
        if (problems.isEmpty()) {
            checkRights(connection, problems);
            checkSlot(connection, problems);
        }
        return new Report(List.copyOf(problems), List.copyOf(warnings));
    }

    private static void checkServer(Connection connection, List<SourceProblem> problems, List<SourceProblem> warnings)
            throws SQLException {
        int version = Integer.parseInt(show(connection, "server_version_num"));
        if (version < 140000) {
            problems.add(new SourceProblem("server_version", show(connection, "server_version"),
                    "logical messages and what else is needed begin with 14",
                    "upgrade the source to PostgreSQL 14 or later", false));
        }
        if (one(connection, "SELECT pg_is_in_recovery()").equals("t")) {
            problems.add(new SourceProblem("syncline.source.url", null,
                    "the server is a standby: it takes no publication", "name its primary", true));
        }
        String walLevel = show(connection, "wal_level");
        if (!walLevel.equals("logical")) {
            problems.add(new SourceProblem("wal_level", walLevel, "changes can only be read with 'logical'",
                    "ALTER SYSTEM SET wal_level = 'logical', then restart PostgreSQL"
                            + " (on managed services a parameter such as rds.logical_replication = 1)",
                    true));
        }
        String encoding = encoding(connection);
        if (encoding.equals(SourceSession.NO_ENCODING)) {
            warnings.add(new SourceProblem("server_encoding", encoding,
                    "texts need not be in any encoding, what is not UTF-8 cannot be told in JSON",
                    "use a database in UTF8", false));
        }
        String standbys = show(connection, "synchronous_standby_names");
        if (standbys.contains("*")) {
            warnings.add(new SourceProblem("synchronous_standby_names", standbys,
                    "capture counts as a standby: the source's commits wait for it, and some of what it reads waits for them",
                    "name the standbys", false));
        }
        if (show(connection, "max_slot_wal_keep_size").equals("-1")) {
            warnings.add(new SourceProblem("max_slot_wal_keep_size", "-1",
                    "while no worker runs, the slot keeps all WAL, until the disk is full",
                    "set a bound that the disk can bear, for instance ALTER SYSTEM SET max_slot_wal_keep_size = '10GB'",
                    false));
        }
    }

    private void checkRights(Connection connection, List<SourceProblem> problems) throws SQLException {
        Role role = role(connection);
        if (!role.replicates()) {
            problems.add(new SourceProblem("role " + role.name(), "NOREPLICATION", "it may not read the WAL",
                    "ALTER ROLE " + role.name() + " REPLICATION (on RDS: GRANT rds_replication TO " + role.name() + ")",
                    true));
        }
        Publication publication = publication(connection);
        if (publication == null) {
            if (!role.mayCreate()) {
                problems.add(new SourceProblem("role " + role.name(), "no CREATE on the database",
                        "publication " + properties.publication() + " does not exist and cannot be made",
                        "GRANT CREATE ON DATABASE " + source.database() + " TO " + role.name()
                                + ", or let its owner CREATE PUBLICATION " + properties.publication(),
                        true));
            }
        } else if (publication.allTables()) {
            problems.add(new SourceProblem("publication " + properties.publication(), "FOR ALL TABLES",
                    "it makes UPDATE and DELETE fail on every table without a key",
                    "DROP PUBLICATION " + properties.publication() + "; it is made again, with the right tables only",
                    true));
        } else if (!publication.whole() && !publication.ours()) {
            problems.add(new SourceProblem("publication " + properties.publication(), "not all operations",
                    "changes that it does not publish would be lost",
                    "ALTER PUBLICATION " + properties.publication()
                            + " SET (publish = 'insert, update, delete, truncate')",
                    true));
        } else if (!publication.owned()) {
            problems.add(new SourceProblem("publication " + properties.publication(), "owned by " + publication.owner(),
                    "a table that loses its key could not be taken out of it at once",
                    "ALTER PUBLICATION " + properties.publication() + " OWNER TO " + role.name(), true));
        }
    }

    private void checkSlot(Connection connection, List<SourceProblem> problems) throws SQLException {
        Slot slot = slot(connection);
        if (slot == null) {
            // One that stays, one for the moment of each new table's snapshot.
            int free = number(connection,
                    "SELECT current_setting('max_replication_slots')::int - count(*) FROM pg_replication_slots");
            if (free < 2) {
                problems.add(new SourceProblem("max_replication_slots", show(connection, "max_replication_slots"),
                        free + " free, and capture needs one for good and one for moments",
                        "raise it and restart PostgreSQL, or drop slots that nobody uses (SELECT * FROM pg_replication_slots)",
                        true));
            }
        } else
            if (!slot.plugin().equals("pgoutput") || !source.database().equals(slot.database()) || slot.temporary()) {
                problems.add(new SourceProblem("syncline.capture.slot-name", properties.slotName(),
                        "there is a slot of that name already, of plugin " + slot.plugin() + " and database "
                                + slot.database(),
                        "choose another name, or drop that slot if nobody uses it", true));
            }
        int senders = number(connection,
                "SELECT current_setting('max_wal_senders')::int - count(*) FROM pg_stat_replication");
        if (senders < 2) {
            problems.add(new SourceProblem("max_wal_senders", show(connection, "max_wal_senders"),
                    senders + " free, and capture needs one for good and one for moments",
                    "raise it and restart PostgreSQL", true));
        }
    }

    private static Role role(Connection connection) throws SQLException {
        // Managed services give the right by membership in roles of theirs, which elsewhere do not exist.
        String sql = """
                SELECT rolname, rolsuper OR rolreplication OR EXISTS (
                           SELECT FROM pg_roles g WHERE g.rolname IN
                               ('rds_replication', 'rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin', 'alloydbsuperuser')
                               AND pg_has_role(r.oid, g.oid, 'member')),
                       has_database_privilege(current_database(), 'CREATE')
                FROM pg_roles r WHERE rolname = current_user""";
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return new Role(rows.getString(1), rows.getBoolean(2), rows.getBoolean(3));
        }
    }

    private @Nullable Publication publication(Connection connection) throws SQLException {
        String sql = """
                SELECT puballtables, pg_has_role(pubowner, 'USAGE'), pubinsert AND pubupdate AND pubdelete AND pubtruncate,
                       pg_get_userbyid(pubowner), coalesce(starts_with(obj_description(oid, 'pg_publication'), ?), false)
                FROM pg_publication WHERE pubname = ?""";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, io.syncline.worker.capture.Publication.MARK);
            statement.setString(2, properties.publication());
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next()
                        ? new Publication(rows.getBoolean(1), rows.getBoolean(2), rows.getBoolean(3), rows.getString(4),
                                rows.getBoolean(5))
                        : null;
            }
        }
    }

    private @Nullable Slot slot(Connection connection) throws SQLException {
        String sql = "SELECT coalesce(plugin, 'none'), database, temporary FROM pg_replication_slots WHERE slot_name = ?";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, properties.slotName());
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next() ? new Slot(rows.getString(1), rows.getString(2), rows.getBoolean(3)) : null;
            }
        }
    }

    /**
     * What a failure with the source means to the operator, by its SQLSTATE: only one of class 08, or without any, says that there is no
     * connection.
     */
    SourceProblem ofFailure(SQLException e) {
        String state = e.getSQLState() == null ? "" : e.getSQLState();
        String server = source.host() + ":" + source.port();
        String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        return switch (state) {
            case "28P01", "28000" -> new SourceProblem("syncline.source.username", source.user(), message,
                    "check syncline.source.username and password, and pg_hba.conf of " + server, true);
            case "3D000" -> new SourceProblem("syncline.source.url", source.database(), message,
                    "name a database that exists on " + server, true);
            case "25006" -> new SourceProblem("syncline.source.url", server,
                    "the server takes no changes, it is a standby or is just being made the primary: " + message,
                    "name the primary; if this one becomes it, wait", true);
            case "42501" -> new SourceProblem("role " + source.user(), null, message,
                    "grant the role what is named, or let it own the tables and the publication", true);
            case "53300" -> new SourceProblem("max_connections", null, message,
                    "free some connections of " + server + " or raise max_connections", true);
            case "53400" -> new SourceProblem("max_replication_slots", null, message,
                    "drop slots that nobody uses (SELECT * FROM pg_replication_slots), or raise what is named and restart"
                            + " PostgreSQL",
                    true);
            case "55P03" -> ofLock(message);
            case "57014" ->
                    new SourceProblem("syncline.source.url", server, "a statement of ours was cancelled: " + message,
                            "it is tried again by itself; if that goes on, look for what cancels it", true);
            case "57P01", "57P02" -> new SourceProblem("syncline.source.url", server,
                    "the server, or an administrator, has ended our session: " + message,
                    "it is tried again by itself; if that goes on, look for what ends it", true);
            case "57P03" ->
                    new SourceProblem("syncline.source.url", server, "the server is starting or stopping: " + message,
                            "wait", true);
            default -> ofClass(state, server, message);
        };
    }

    private static SourceProblem ofClass(String state, String server, String message) {
        String kind = state.length() < 2 ? "08" : state.substring(0, 2);
        return switch (kind) {
            case "08" -> new SourceProblem("syncline.source.url", server, "no connection: " + message,
                    "check that PostgreSQL runs there and lets this host in", true);
            case "53", "58" -> new SourceProblem("syncline.source.url", server,
                    "the server lacks what it needs, or fails: " + message,
                    "look at its disk, memory and log (SQLSTATE " + state + ")", true);
            default -> new SourceProblem("syncline.source.url", server,
                    "the server refuses a statement of capture: " + message,
                    "it is tried again by itself; if that goes on, see the server's log (SQLSTATE " + state + ")",
                    true);
        };
    }

    static boolean lacksSchema(Connection connection) throws SQLException {
        return one(connection, "SELECT NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public')").equals("t");
    }

    /** A lock that was not had in time. */
    static SourceProblem ofLock(String message) {
        return new SourceProblem("a lock in the source", null, message,
                "it is tried again by itself; who has it: SELECT pid, relation::regclass FROM pg_locks"
                        + " WHERE granted AND mode = 'AccessExclusiveLock'",
                true);
    }

    /** The database's. */
    static String encoding(Connection connection) throws SQLException {
        return show(connection, "server_encoding");
    }

    private static String show(Connection connection, String setting) throws SQLException {
        return one(connection, "SHOW " + setting);
    }

    private static int number(Connection connection, String sql) throws SQLException {
        return Integer.parseInt(one(connection, sql));
    }

    private static String one(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }
}
