package io.syncline.gateway.table;

import io.syncline.model.connection.ConnectionSettings;
import io.syncline.model.connection.ConnectionStatus;
import io.syncline.model.credential.TokenHash;
import java.sql.SQLException;
import java.util.Optional;

/** What table calls ask of the connections, from the committed state, anew with each call. */
public interface TableAccess {

    /** Whether the module is enabled at all. */
    boolean enabled() throws SQLException;

    /** The sender connection that this hash opens. */
    Optional<Sender> sender(TokenHash hash) throws SQLException;

    /**
     * A connection over which our tables may be pulled.
     *
     * @param status the one in force
     */
    record Sender(ConnectionStatus status, ConnectionSettings settings) {}
}
