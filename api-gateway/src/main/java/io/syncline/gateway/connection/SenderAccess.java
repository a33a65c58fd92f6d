package io.syncline.gateway.connection;

import io.syncline.gateway.table.TableAccess;
import io.syncline.model.connection.AccessPolicy;
import io.syncline.model.connection.Connection;
import io.syncline.model.connection.SiteUrl;
import io.syncline.model.credential.CredentialKeys;
import io.syncline.model.credential.TokenHash;
import java.sql.SQLException;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

/** Tells the table calls which connection a presented hash opens. */
public final class SenderAccess implements TableAccess {

    private final ConnectionReads reads;
    private final CredentialKeys keys;

    public SenderAccess(ConnectionReads reads, CredentialKeys keys) {
        this.reads = reads;
        this.keys = keys;
    }

    @Override
    public boolean enabled() throws SQLException {
        return reads.enabled();
    }

    @Override
    public Set<UUID> usable(Set<UUID> connections) throws SQLException {
        return reads.senders(connections)
                .stream()
                .filter(found -> AccessPolicy.usable(found.status()).isEmpty())
                .map(found -> found.connection().uuid())
                .collect(Collectors.toSet());
    }

    @Override
    public boolean approved(SiteUrl site, String table) throws SQLException {
        return reads.approved(site, table);
    }

    @Override
    public Optional<Sender> sender(TokenHash hash) throws SQLException {
        return reads.pulledSender(keys.fingerprint(hash)).flatMap(found -> switch (found.record().connection()) {
            case Connection.Sender sender -> Optional.of(new Sender(sender.uuid(), sender.siteUrl(),
                    found.record().status(), sender.settings(), found.use(), found.record().at()));
            case Connection.Receiver receiver -> Optional.empty();
        });
    }
}
