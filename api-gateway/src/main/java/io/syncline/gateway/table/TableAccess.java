package io.syncline.gateway.table;

import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.connection.ConnectionStatus;
import io.syncline.model.connection.Pulls;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.TokenHash;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** What table calls ask of the connections, from the committed state, anew with each call. */
public interface TableAccess {

    /** Whether the module is enabled at all. */
    boolean enabled() throws SQLException;

    /** Which of these sender connections may be used now. */
    Set<UUID> usable(Set<UUID> connections) throws SQLException;

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
