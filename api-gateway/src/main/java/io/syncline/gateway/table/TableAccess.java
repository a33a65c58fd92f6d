package io.syncline.gateway.table;

import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.connection.ConnectionStatus;
import io.syncline.model.connection.Pulls;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.TokenHash;
import io.syncline.model.table.TableName;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** What table calls ask of the connections, from the committed state, anew with each call. */
public interface TableAccess {

    /** Whether the module is enabled at all. */
    boolean enabled() throws SQLException;

    /** A table whose rows are on their way over a sender connection. */
    record Running(UUID connection, TableName table) {}

    /** Which of these may go on: what would be refused now for the connection's or the table's sake may not. */
    Set<Running> allowed(Set<Running> running) throws SQLException;

    /** Whether an operator's yes to pulls of this table holds now. */
    boolean approved(SiteUrl site, String table) throws SQLException;

    /** The sender connection that this hash opens. */
    Optional<Sender> sender(TokenHash hash) throws SQLException;

    /**
     * A connection over which our tables may be pulled.
     *
     * @param status the one in force
     * @param use    what counts against its limits
     * @param at     the database's time when it was read
     */
    record Sender(
            UUID uuid,
            SiteUrl site,
            ConnectionStatus status,
            ConnectionSettings settings,
            Pulls.Use use,
            Instant at) {}
}
